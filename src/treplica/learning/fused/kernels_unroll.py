"""The loop over chunks of columns and over time, compiled once for all layers.

Threads take chunks from a counter until none is left. A chunk is computed by one thread from the first step to the
last, so results do not depend on how many threads there are. Going forward, the states at the beginning of every
segment but the first are kept; going back, a segment is computed once more, into scratch, and walked back.
"""

from __future__ import annotations

from enum import IntEnum, auto

from numba import cfunc, types

from treplica.engines.cpu.intrinsics import INLINE, atomic_add, call6
from treplica.learning.fused.rows import BLOCK
from treplica.learning.sparse.kernels_add import copy_bytes
from treplica.numerics.compiled_memory import view_i64

#: Steps between two kept states: what a segment of a chunk touches stays in the second-level cache.
SEGMENT = 32


class Slot(IntEnum):
    """Items of the table of a loop; the addresses of states follow: first, last and kept of each."""

    STEPS = 0
    COLUMNS = auto()
    CHUNK = auto()
    THREAD = auto()
    SCRATCH = auto()
    SHARE = auto()
    SIZE = auto()
    STATES = auto()
    FRAME = auto()
    STEP = auto()
    BACK = auto()
    END = auto()


_STEPS, _COLUMNS, _CHUNK, _THREAD = int(Slot.STEPS), int(Slot.COLUMNS), int(Slot.CHUNK), int(Slot.THREAD)
_SCRATCH, _SHARE, _SIZE, _STATES = int(Slot.SCRATCH), int(Slot.SHARE), int(Slot.SIZE), int(Slot.STATES)
_FRAME, _STEP, _BACK, _END = int(Slot.FRAME), int(Slot.STEP), int(Slot.BACK), int(Slot.END)


@cfunc(types.void(types.int64), cache=True, **INLINE)
def forward(address: int) -> None:
    """Compute chunks from the first step to the last.

    The table ends with 3 addresses for each state: [columns] before the first step, [columns] after the last, and
    [segments - 1, columns] at the beginning of segments (0: not wanted).
    """
    table = view_i64(address, _END)
    steps, columns, size, states = table[_STEPS], table[_COLUMNS], table[_SIZE], table[_STATES]
    arrays = view_i64(address + 8 * _END, 3 * states)
    row, span = BLOCK * size, BLOCK * size * states
    now = table[_SCRATCH] + atomic_add(address + 8 * _THREAD, 1) * table[_SHARE]
    then = now + span
    while True:
        lo = atomic_add(address + 8 * _CHUNK, 1) * BLOCK
        if lo >= columns:
            break
        n = min(BLOCK, columns - lo)
        for i in range(states):
            copy_bytes(now + i * row, arrays[3 * i] + lo * size, n * size)
        for t in range(steps):
            if t % SEGMENT == 0 and t > 0:
                for i in range(states):
                    if arrays[3 * i + 2] != 0:
                        kept = arrays[3 * i + 2] + ((t // SEGMENT - 1) * columns + lo) * size
                        copy_bytes(kept, now + i * row, n * size)
            call6(table[_STEP], (table[_FRAME], t * columns + lo, lo, n, now, then))
            now, then = then, now
        for i in range(states):
            copy_bytes(arrays[3 * i + 1] + lo * size, now + i * row, n * size)


@cfunc(types.void(types.int64), cache=True, **INLINE)
def backward(address: int) -> None:
    """Walk chunks back from the last step to the first.

    The table ends with 4 addresses for each state: [columns] before the first step, [segments - 1, columns] kept, the
    cotangent [columns] after the last step (0: zero), and where that before the first step goes (0: nowhere).
    """
    table = view_i64(address, _END)
    steps, columns, size, states = table[_STEPS], table[_COLUMNS], table[_SIZE], table[_STATES]
    arrays = view_i64(address + 8 * _END, 4 * states)
    row, span = BLOCK * size, BLOCK * size * states
    carry = table[_SCRATCH] + atomic_add(address + 8 * _THREAD, 1) * table[_SHARE]
    rows = carry + span
    while True:
        lo = atomic_add(address + 8 * _CHUNK, 1) * BLOCK
        if lo >= columns:
            break
        n = min(BLOCK, columns - lo)
        for i in range(states):
            given = arrays[4 * i + 2]
            copy_bytes(carry + i * row, given + lo * size if given != 0 else 0, n * size)
        for back in range((steps + SEGMENT - 1) // SEGMENT):
            segment = (steps + SEGMENT - 1) // SEGMENT - 1 - back
            first = segment * SEGMENT
            count = min(SEGMENT, steps - first)
            for i in range(states):
                source = arrays[4 * i] + lo * size
                if segment > 0:
                    source = arrays[4 * i + 1] + ((segment - 1) * columns + lo) * size
                copy_bytes(rows + i * row, source, n * size)
            for j in range(count - 1):
                at = (first + j) * columns + lo
                call6(table[_STEP], (table[_FRAME], at, lo, n, rows + j * span, rows + (j + 1) * span))
            for j in range(count):
                at = (first + count - 1 - j) * columns + lo
                call6(table[_BACK], (table[_FRAME], at, lo, n, rows + (count - 1 - j) * span, carry))
        for i in range(states):
            if arrays[4 * i + 3] != 0:
                copy_bytes(arrays[4 * i + 3] + lo * size, carry + i * row, n * size)
