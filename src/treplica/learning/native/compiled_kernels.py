"""Kernels written once for numbers of 4 and of 8 bytes, and compiled when they are first asked for.

A kernel takes the address of its table as a pointer to the numbers it computes with: `table_of` gives the address, and
a number of that type, of which only the type is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import cfunc, types
from numba.extending import intrinsic

from treplica.engines.cpu import intrinsics
from treplica.engines.cpu.intrinsics import INLINE
from treplica.numerics import compiled_memory, compiled_noise

_NUMBERS = {4: types.float32, 8: types.float64}


@intrinsic
def table_of(typingctx: Any, place: Any) -> Any:
    """The address of a table, and a zero of the type of the kernel's numbers."""
    result = types.Tuple((types.int64, place.dtype))

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = builder.ptrtoint(args[0], ir.IntType(64))
        zero = ir.Constant(context.get_value_type(place.dtype), 0.0)
        return context.make_tuple(builder, result, (address, zero))

    return result(place), codegen


class Kernels:
    """Functions of a place (see `table_of`); `address(name, size)` is where one is compiled for `size` bytes."""

    def __init__(self, *functions: Callable[[Any], None]) -> None:
        self._functions = {f.__name__: f for f in functions}
        self._compiled: dict[tuple[str, int], Any] = {}

    def address(self, name: str, size: int) -> int:
        """Where the kernel is; cached on disk."""
        key = name, size
        if key not in self._compiled:
            signature = types.void(types.CPointer(_NUMBERS[size]))
            function = self._functions[name]
            function.__qualname__ = f"{name}_{_sources()}"
            self._compiled[key] = cfunc(signature, cache=True, **INLINE)(function)
        found: int = self._compiled[key].address
        return found


@cache
def _sources() -> str:
    """A hash of all that kernels call, as a part of their names: numba's cache does not notice other files."""
    here = Path(__file__).parents[1]
    paths = sorted(here.glob("*/kernels_*.py"))
    paths += [Path(str(m.__file__)) for m in (intrinsics, compiled_memory, compiled_noise)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]
