"""The loop over chunks of columns and over time, compiled once for all layers.

Threads take chunks from a counter until none is left. A chunk is computed by one thread from the first step to the
last, so results do not depend on how many threads there are. Going forward, the states at the beginning of every
segment but the first are kept; going back, a segment is computed once more, into scratch, and walked back.

The table ends with the addresses of states. Forward, 3 for each: [columns] before the first step, [columns] after the
last, and [segments - 1, columns] at the beginning of segments (0: not wanted). Back, 4 for each: [columns] before the
first step, [segments - 1, columns] kept, the cotangent [columns] after the last step (0: zero), and where that before
the first step goes (0: nowhere).
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Any

from treplica.engines.cpu.intrinsics import atomic_add, call6
from treplica.learning.native.compiled_kernels import Kernels, table_of
from treplica.learning.native.kernels_table import (
    BACK,
    CHUNK,
    COMMON,
    SEGMENT,
    STATES,
    STEP,
    STEPS,
    load_states,
    own_scratch,
    store_states,
)
from treplica.learning.native.launch import BLOCK
from treplica.numerics.compiled_memory import size_of, view_i64


class Slot(IntEnum):
    """Items of the table after those of `Common`: columns, and where in scratch the states lie."""

    COLUMNS = COMMON
    NOW = auto()
    END = auto()


_COLUMNS, _NOW, _END = int(Slot.COLUMNS), int(Slot.NOW), int(Slot.END)


def forward(place: Any) -> None:
    """Compute chunks from the first step to the last."""
    address, like = table_of(place)
    table, size = view_i64(address, _END), size_of(like)
    steps, columns, segment, states = table[STEPS], table[_COLUMNS], table[SEGMENT], table[STATES]
    arrays = view_i64(address + 8 * _END, 3 * states)
    own = own_scratch(address)
    now = own + table[_NOW]
    then = now + BLOCK * size * states
    while True:
        lo = atomic_add(address + 8 * CHUNK, 1) * BLOCK
        if lo >= columns:
            break
        n = min(BLOCK, columns - lo)
        load_states(now, arrays, 3, 0, lo, n, size, BLOCK)
        for t in range(steps):
            if t % segment == 0 and t > 0:
                store_states(now, arrays, 3, 2, (t // segment - 1) * columns + lo, n, size, BLOCK)
            call6(table[STEP], (own, t * columns + lo, lo, n, now, then))
            now, then = then, now
        store_states(now, arrays, 3, 1, lo, n, size, BLOCK)


def backward(place: Any) -> None:
    """Walk chunks back from the last step to the first."""
    address, like = table_of(place)
    table, size = view_i64(address, _END), size_of(like)
    steps, columns, length, states = table[STEPS], table[_COLUMNS], table[SEGMENT], table[STATES]
    arrays = view_i64(address + 8 * _END, 4 * states)
    own, span = own_scratch(address), BLOCK * size * states
    carry = own + table[_NOW]
    rows = carry + span
    while True:
        lo = atomic_add(address + 8 * CHUNK, 1) * BLOCK
        if lo >= columns:
            break
        n = min(BLOCK, columns - lo)
        load_states(carry, arrays, 4, 2, lo, n, size, BLOCK)
        for segment in range((steps - 1) // length, -1, -1):
            first, count = segment * length, min(length, steps - segment * length)
            if segment > 0:
                load_states(rows, arrays, 4, 1, (segment - 1) * columns + lo, n, size, BLOCK)
            else:
                load_states(rows, arrays, 4, 0, lo, n, size, BLOCK)
            for j in range(count - 1):
                at = (first + j) * columns + lo
                call6(table[STEP], (own, at, lo, n, rows + j * span, rows + (j + 1) * span))
            for j in range(count - 1, -1, -1):
                at = (first + j) * columns + lo
                call6(table[BACK], (own, at, lo, n, rows + j * span, carry))
        store_states(carry, arrays, 4, 3, lo, n, size, BLOCK)


KERNELS = Kernels(forward, backward)
