"""Rows of a matrix added up, and added to, with what they meet held in registers."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

I64, I32 = ir.IntType(64), ir.IntType(32)
#: Bytes of a row that are held in registers: four of 64, or more of fewer.
SPAN = 256
_VECTOR = 64


class _Rows:
    """Vectors of numbers at addresses, and a loop over entries: columns and values that follow one another."""

    def __init__(self, context: Any, builder: Any, like: Any) -> None:
        self.builder, self.number = builder, context.get_value_type(like)
        self.bytes = like.bitwidth // 8
        self.vector = ir.VectorType(self.number, _VECTOR // self.bytes)

    def place(self, address: Any, part: int) -> Any:
        """A pointer to a vector of a row."""
        moved = self.builder.add(address, ir.Constant(I64, part * _VECTOR))
        return self.builder.inttoptr(moved, self.vector.as_pointer())

    def load(self, address: Any, part: int) -> Any:
        return self.builder.load(self.place(address, part), align=self.bytes)

    def store(self, value: Any, address: Any, part: int) -> None:
        self.builder.store(value, self.place(address, part), align=self.bytes)

    def entry(self, entries: Any, index: Any) -> tuple[Any, Any]:
        """The address of the row of an entry, and its value in all places of a vector.

        entries: base and stride of the rows, addresses of columns and values.
        """
        b, (base, stride, columns, values) = self.builder, entries
        column = b.load(b.gep(b.inttoptr(columns, I32.as_pointer()), [index]))
        value = b.load(b.gep(b.inttoptr(values, self.number.as_pointer()), [index]))
        empty = ir.Constant(self.vector, ir.Undefined)
        first = b.insert_element(empty, value, ir.Constant(I32, 0))
        lanes = ir.Constant(ir.VectorType(I32, self.vector.count), [0] * self.vector.count)
        return b.add(base, b.mul(b.sext(column, I64), stride)), b.shuffle_vector(first, empty, lanes)

    def times_and_add(self, to: Any, a: Any, b: Any) -> Any:
        """Both rounded, as in plain code."""
        return self.builder.fadd(to, self.builder.fmul(a, b))


PARTS = range(SPAN // _VECTOR)


@intrinsic
def add_rows(
    typingctx: Any, like: Any, result: Any, base: Any, stride: Any, columns: Any, values: Any, count: Any
) -> Any:
    """Add value times row `column` of the matrix at `base` to `SPAN` bytes at `result`, for so many entries in order.

    stride: bytes from row to row. columns, values: addresses of int32 and of numbers of the type of `like`.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows = _Rows(context, builder, like)
        to = args[1]
        sums = [cgutils.alloca_once_value(builder, rows.load(to, part)) for part in PARTS]
        with cgutils.for_range(builder, args[6]) as loop:
            row, value = rows.entry(args[2:6], loop.index)
            for part, kept in zip(PARTS, sums, strict=True):
                builder.store(rows.times_and_add(builder.load(kept), value, rows.load(row, part)), kept)
        for part, kept in zip(PARTS, sums, strict=True):
            rows.store(builder.load(kept), to, part)
        return context.get_dummy_value()

    return types.void(like, *[types.int64] * 6), codegen
