"""Tables and scratch memory of kernels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import ModuleType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from treplica.learning.native.threads import run

#: Columns of a row: what a step touches stays in the first-level cache.
BLOCK = 512
#: Columns of a row where each meets weights of its own: so many of a thousand inputs fit the second-level cache.
OUTPUTS = 128
#: Scratch of a thread, and every part of it, begins at a cache line.
_LINE = 64

Value: TypeAlias = int | Tensor | None


def launch(
    kernels: ModuleType,
    name: str,
    size: int,
    values: Mapping[str, Value],
    threads: int,
    frame: NDArray[np.int64] | None = None,
    parts: Mapping[str, int] | None = None,
    states: Iterable[Tensor | None] = (),
) -> int:
    """Fill the table of a kernel, run it on so many threads, and give its counter of chunks afterwards.

    kernels: a module with `KERNELS` and the `Slot` of their tables. size: bytes of a number. values: by slot; a tensor
    is its address, None 0. For loops over time (see `kernels_table`): the frame; the bytes of every part of a thread's
    scratch, by the slot that says where in it the part begins; arrays of states, whose addresses follow the slots.
    """
    places = _places(kernels)
    table = [0] * places["END"]
    for key, value in values.items():
        table[places[key]] = value if isinstance(value, int) else address_of(value)
    if frame is not None and parts is not None:
        table[places["FRAME"]], table[places["ITEMS"]] = frame.ctypes.data, len(frame)
        share = _lines(8 * len(frame))
        for key, many in parts.items():
            table[places[key]] = share
            share += _lines(many)
        share += _LINE  # threads do not meet in neighbouring lines
        scratch = np.empty(threads * share + _LINE, np.uint8)
        table[places["SCRATCH"]] = -(-scratch.ctypes.data // _LINE) * _LINE
        table[places["SHARE"]] = share
    filled = np.array([*table, *map(address_of, states)], np.int64)
    run(kernels.KERNELS.address(name, size), filled, threads)
    return int(filled[places["CHUNK"]])


def address_of(tensor: Tensor | None) -> int:
    """Where its data are; 0 for none."""
    return tensor.data_ptr() if tensor is not None and tensor.numel() else 0


def _lines(many: int) -> int:
    return -(-many // _LINE) * _LINE


@cache
def _places(kernels: ModuleType) -> dict[str, int]:
    """The slots of a module's tables by name; those of loops begin with `Common`."""
    from treplica.learning.native.kernels_table import COMMON, Common

    own = kernels.Slot.__members__
    of_loop = Common.__members__ if min(own.values()) == COMMON else {}
    return {name: int(slot) for name, slot in {**of_loop, **own}.items()}
