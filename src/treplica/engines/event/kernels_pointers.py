"""Tuples of arrays as tuples of pointers: numba counts references to an array whenever a function looks at one."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def pointers(typing_context: Any, arrays: Any) -> Any:
    """The same named tuple with a pointer to the first item of each array; the caller keeps the arrays alive."""
    found = tuple(types.CPointer(array.dtype) for array in arrays.types)
    result = types.NamedTuple(found, arrays.instance_class)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        datas = []
        for i, array in enumerate(arrays.types):
            value = builder.extract_value(arguments[0], i)
            datas.append(context.make_array(array)(context, builder, value=value).data)
        return context.make_tuple(builder, result, datas)

    return result(arrays), generate


@intrinsic
def row(typing_context: Any, pointer: Any, first: Any) -> Any:
    """The pointer to item `first`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return cgutils.pointer_add(
            builder,
            arguments[0],
            builder.mul(
                arguments[1], arguments[1].type(context.get_abi_sizeof(context.get_data_type(pointer.dtype)))
            ),
        )

    return pointer(pointer, types.int64), generate


@intrinsic
def ask_for(typing_context: Any, pointer: Any, index: Any) -> Any:
    """Ask for the memory of item `index`, so that it is there when it is used; any index will do."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        size = arguments[1].type(context.get_abi_sizeof(context.get_data_type(pointer.dtype)))
        place = cgutils.pointer_add(builder, arguments[0], builder.mul(arguments[1], size))
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [builder.bitcast(place, byte), word(0), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(pointer, types.int64), generate
