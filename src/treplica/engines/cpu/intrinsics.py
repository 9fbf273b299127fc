"""What numba has no word for: selects, bit patterns, atomics and calls by address.

Everything here is one LLVM instruction or two. The float operations are those IEEE rounds one way only.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from treplica.numerics import compiled_memory as memory

I64 = ir.IntType(64)
#: Arrays at addresses, by item type.
view_i64, view_i32, view_u32, view_u8 = memory.view_i64, memory.view_i32, memory.view_u32, memory.view_u8
view_i16, view_i8 = memory.view_i16, memory.view_i8
view_f64, view_f32 = memory.view_f64, memory.view_f32
prefetch = memory.prefetch
INLINE = {"error_model": "numpy", "nogil": True, "fastmath": False}


@intrinsic
def select(typingctx: Any, condition: Any, a: Any, b: Any) -> Any:
    """`a` if the condition holds, else `b`, without a branch; both of one type."""
    if a != b:
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(args[0], args[1], args[2])

    return a(types.boolean, a, b), codegen


def float_intrinsic(name: str) -> Any:
    """The LLVM intrinsic of that name on one float."""

    def typer(typingctx: Any, x: Any) -> Any:
        if not isinstance(x, types.Float):
            return None

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            function = builder.module.declare_intrinsic(f"llvm.{name}", [args[0].type])
            return builder.call(function, args)

        return x(x), codegen

    return intrinsic(typer)


floor = float_intrinsic("floor")
sqrt = float_intrinsic("sqrt")
absolute = float_intrinsic("fabs")
rint = float_intrinsic("rint")


def _narrow(bits: int) -> Any:
    @intrinsic
    def narrow(typingctx: Any, x: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.trunc(builder.fptosi(args[0], ir.IntType(32)), ir.IntType(bits))

        return types.Integer.from_bitwidth(bits, True)(types.float32), codegen

    return narrow


#: A whole float32 within the range as an integer of so many bits.
narrow_16, narrow_8 = _narrow(16), _narrow(8)


@intrinsic
def atomic_add(typingctx: Any, address: Any, amount: Any) -> Any:
    """Add to the int64 at an address, sequentially consistent; the value before."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], I64.as_pointer())
        return builder.atomic_rmw("add", pointer, args[1], "seq_cst")

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def atomic_load(typingctx: Any, address: Any) -> Any:
    """The int64 at an address, with acquire ordering."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], I64.as_pointer())
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(types.int64), codegen


@intrinsic
def yield_core(typingctx: Any) -> Any:
    """Let another thread of the machine run (POSIX sched_yield)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [])
        function = cgutils.get_or_insert_function(builder.module, kind, "sched_yield")
        return builder.call(function, [])

    return types.int32(), codegen


def _caller(count: int) -> Any:
    @intrinsic
    def call(typingctx: Any, address: Any, arguments: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = ir.FunctionType(I64, [I64] * count)
            function = builder.inttoptr(args[0], kind.as_pointer())
            values = cgutils.unpack_tuple(builder, args[1], count)
            return builder.call(function, values)

        return types.int64(types.int64, types.UniTuple(types.int64, count)), codegen

    return call


#: Call the function at an address with six int64 arguments; it returns an int64.
call6 = _caller(6)


@intrinsic(prefer_literal=True)
def load(typingctx: Any, address: Any, index: Any, width: Any) -> Any:
    """Item `index` of an array of integers as int64. width: 8, 4, 2 signed bytes; -1, -2 unsigned; 0 gives 0."""
    size = width.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if size == 0:
            return ir.Constant(I64, 0)
        kind = ir.IntType(8 * abs(size))
        pointer = builder.gep(builder.inttoptr(args[0], kind.as_pointer()), [args[1]])
        value = builder.load(pointer)
        if size == 8:
            return value
        return builder.sext(value, I64) if size > 0 else builder.zext(value, I64)

    return types.int64(types.int64, types.int64, width), codegen


@intrinsic(prefer_literal=True)
def accumulate(typingctx: Any, address: Any, index: Any, width: Any, amount: Any) -> Any:
    """Add to item `index` of an array of integers of 4 or 8 bytes."""
    size = width.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.IntType(8 * size)
        pointer = builder.gep(builder.inttoptr(args[0], kind.as_pointer()), [args[1]])
        value = args[3] if size == 8 else builder.trunc(args[3], kind)
        builder.store(builder.add(builder.load(pointer), value), pointer)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, width, types.int64), codegen
