"""What the tables of all loops over time begin with, and what all loops do: scratch of a thread, moving of states."""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Any

from numba import njit

from treplica.engines.cpu.intrinsics import INLINE, atomic_add
from treplica.learning.native.kernels_add import copy_bytes
from treplica.numerics.compiled_memory import view_i64


class Common(IntEnum):
    """Items with which the table of a loop begins; the addresses of arrays of states follow the whole table."""

    #: Counters: of chunks that are taken, and of threads that have begun.
    CHUNK = 0
    THREAD = auto()
    #: Scratch: where it begins, and the bytes of a thread; the frame is the first part of these.
    SCRATCH = auto()
    SHARE = auto()
    #: The frame of the row kernels and its length.
    FRAME = auto()
    ITEMS = auto()
    #: Number of states; addresses of the row kernels: `step`, or `again` and `back`.
    STATES = auto()
    STEP = auto()
    BACK = auto()
    #: Steps in all, and between two kept states.
    STEPS = auto()
    SEGMENT = auto()
    END = auto()


CHUNK, THREAD, SCRATCH, SHARE = int(Common.CHUNK), int(Common.THREAD), int(Common.SCRATCH), int(Common.SHARE)
FRAME, ITEMS, STATES, STEP = int(Common.FRAME), int(Common.ITEMS), int(Common.STATES), int(Common.STEP)
BACK, STEPS, SEGMENT, COMMON = int(Common.BACK), int(Common.STEPS), int(Common.SEGMENT), int(Common.END)


@njit(**INLINE)
def own_scratch(address: int) -> int:
    """The scratch of this thread; it begins with a copy of the frame."""
    table = view_i64(address, COMMON)
    own: int = table[SCRATCH] + atomic_add(address + 8 * THREAD, 1) * table[SHARE]
    copy_bytes(own, table[FRAME], 8 * table[ITEMS])
    return own


@njit(**INLINE)
def load_states(
    area: int, arrays: Any, each: int, item: int, first: int, width: int, size: int, block: int
) -> None:
    """Copy states to the blocks of an area; of each state's addresses, `item` is that of its array, 0 for zeros.

    A block has, for every state, room for `block` of the columns first to first + width.
    """
    states = arrays.shape[0] // each
    for lo in range(0, width, block):
        n = min(block, width - lo)
        for i in range(states):
            source = arrays[each * i + item]
            to = area + (lo * states + i * block) * size
            copy_bytes(to, source + (first + lo) * size if source != 0 else 0, n * size)


@njit(**INLINE)
def store_states(
    area: int, arrays: Any, each: int, item: int, first: int, width: int, size: int, block: int
) -> None:
    """Copy states from the blocks of an area to where they are wanted."""
    states = arrays.shape[0] // each
    for lo in range(0, width, block):
        n = min(block, width - lo)
        for i in range(states):
            to = arrays[each * i + item]
            if to != 0:
                copy_bytes(to + (first + lo) * size, area + (lo * states + i * block) * size, n * size)
