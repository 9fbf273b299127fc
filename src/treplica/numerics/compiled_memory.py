"""Memory by address, inside compiled code: how kernels that are called by address see their arrays."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import carray, njit, types
from numba.extending import intrinsic

#: The one signature of kernels that are called by address: six int64 in, one out.
SIGNATURE = types.int64(*[types.int64] * 6)


def _view_of(dtype: Any) -> Any:
    @intrinsic
    def pointer(typingctx: Any, address: Any) -> Any:
        result = types.CPointer(dtype)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(result))

        return result(types.int64), codegen

    @njit(error_model="numpy", nogil=True)
    def view(address: int, count: int) -> Any:
        return carray(pointer(address), (count,), dtype)

    return view


#: The array of `count` items that begins at an address (an int64), by item type.
view_i64 = _view_of(types.int64)
view_i32 = _view_of(types.int32)
view_u64 = _view_of(types.uint64)
view_u32 = _view_of(types.uint32)
view_u8 = _view_of(types.uint8)
view_f64 = _view_of(types.float64)
view_f32 = _view_of(types.float32)
view_i16 = _view_of(types.int16)
view_i8 = _view_of(types.int8)


@intrinsic
def size_of(typingctx: Any, like: Any) -> Any:
    """The bytes of a number."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.get_constant(types.int64, like.bitwidth // 8)

    return types.int64(like), codegen


@intrinsic
def _pointer_like(typingctx: Any, address: Any, like: Any) -> Any:
    result = types.CPointer(like)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(result))

    return result(types.int64, like), codegen


@njit(error_model="numpy", nogil=True)
def view_like(address: int, count: int, like: Any) -> Any:
    """The array of `count` items of the type of `like`: for functions written once for several types.

    Kernels in closures over a view would not do: numba compiles them anew in every process.
    """
    return carray(_pointer_like(address, like), (count,))


@intrinsic
def prefetch(typingctx: Any, address: Any) -> Any:
    """Ask for the cache line at an address; nothing happens if there is none."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], ir.IntType(8).as_pointer())
        flag = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, flag, flag, flag])
        function = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
        builder.call(function, [pointer, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@njit(error_model="numpy", nogil=True)
def fetch(address: int, size: int) -> None:
    """Ask for all cache lines of `size` bytes at an address, which are needed soon."""
    for line in range(0, size, 64):
        prefetch(address + line)
