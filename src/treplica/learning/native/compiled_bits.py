"""Which numbers of a row are not zero, as bits."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

I64 = ir.IntType(64)
#: Numbers that are looked at together, one for each bit.
LOOK = 64
_LANES = 16


@intrinsic
def bits_not_zero(typingctx: Any, address: Any, like: Any) -> Any:
    """Bit k is set where number k of `LOOK` numbers at an address is not zero (NaN is not)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number = context.get_value_type(like)
        row = ir.VectorType(number, _LANES)
        base = builder.inttoptr(args[0], row.as_pointer())
        bits = ir.Constant(I64, 0)
        for part in range(LOOK // _LANES):
            place = builder.gep(base, [ir.Constant(I64, part)])
            loaded = builder.load(place, align=like.bitwidth // 8)
            other = builder.fcmp_unordered("!=", loaded, ir.Constant(row, [0.0] * _LANES))
            found = builder.zext(builder.bitcast(other, ir.IntType(_LANES)), I64)
            bits = builder.or_(bits, builder.shl(found, ir.Constant(I64, part * _LANES)))
        return bits

    return types.int64(types.int64, like), codegen


@intrinsic
def lowest_bit(typingctx: Any, bits: Any) -> Any:
    """The position of the lowest bit that is set, of bits that are not all zero."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen
