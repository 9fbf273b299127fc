"""The loop over time of neurons that reach one another, over chunks of samples, compiled once for all layers.

Like `kernels_unroll`, except that a chunk is the neurons of some samples. Before a step, what the spikes sent reaches
the input: a sum over those that spiked, `delay` steps ago. Going back, the cotangent of the spikes is that of the
output plus the products of all weights with the gradient of the input, `delay` steps later.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Any

from numba import njit

from treplica.engines.cpu.intrinsics import INLINE, atomic_add, call6
from treplica.learning.native.compiled_kernels import Kernels, table_of
from treplica.learning.native.kernels_add import add, copy_bytes
from treplica.learning.native.kernels_table import (
    BACK,
    CHUNK,
    COMMON,
    ITEMS,
    SEGMENT,
    STATES,
    STEP,
    STEPS,
    load_states,
    own_scratch,
    store_states,
)
from treplica.learning.native.launch import BLOCK
from treplica.numerics.compiled_memory import size_of, view_i32, view_i64, view_like

#: Rows of the weights that stay in the first-level cache while the samples of a chunk meet them.
TILE = 16


class Slot(IntEnum):
    """Items of the table after those of `Common`; the addresses of states follow as in `kernels_unroll`."""

    #: Samples, neurons of each, and samples of a chunk.
    BATCH = COMMON
    NEURONS = auto()
    SAMPLES = auto()
    DELAY = auto()
    #: The item of the frame that changes from step to step.
    MOVING = auto()
    #: Where parts of a thread's scratch begin.
    INDEX = auto()
    VALUES = auto()
    SUM = auto()
    ROW = auto()
    NOW = auto()
    #: Forward [sources, targets], back [targets, sources]; [neurons] or 0; [delay, batch, neurons].
    WEIGHTS = auto()
    BIAS = auto()
    BEFORE = auto()
    #: [steps, batch, neurons]: the input, what reaches the port (0: not wanted), spikes.
    INPUT = auto()
    TOTAL = auto()
    SPIKES = auto()
    #: The same: the cotangent of spikes (0: zero) and the gradient of the input.
    GIVEN = auto()
    GRADIENT = auto()
    END = auto()


_BATCH, _NEURONS, _SAMPLES, _DELAY = int(Slot.BATCH), int(Slot.NEURONS), int(Slot.SAMPLES), int(Slot.DELAY)
_MOVING, _INDEX, _VALUES, _SUM = int(Slot.MOVING), int(Slot.INDEX), int(Slot.VALUES), int(Slot.SUM)
_ROW, _NOW, _WEIGHTS, _BIAS = int(Slot.ROW), int(Slot.NOW), int(Slot.WEIGHTS), int(Slot.BIAS)
_BEFORE, _INPUT, _TOTAL, _SPIKES = int(Slot.BEFORE), int(Slot.INPUT), int(Slot.TOTAL), int(Slot.SPIKES)
_GIVEN, _GRADIENT, _END = int(Slot.GIVEN), int(Slot.GRADIENT), int(Slot.END)


@njit(**INLINE)
def call_rows(
    kernel: int, frame: int, at: int, lo: int, width: int, source: int, target: int, span: int
) -> None:
    """Call a row kernel for every block of a chunk."""
    for block in range(0, width, BLOCK):
        n, skip = min(BLOCK, width - block), (block // BLOCK) * span
        call6(kernel, (frame, at + block, lo + block, n, source + skip, target + skip))


@njit(**INLINE)
def reach(address: int, like: Any, own: int, total: int, given: int, spikes: int) -> None:
    """total = given + bias + the sum of the weights of the neurons that spiked, for one sample."""
    table, size = view_i64(address, _END), size_of(like)
    n = table[_NEURONS]
    index, values = view_i32(own + table[_INDEX], n), view_like(own + table[_VALUES], n, like)
    sent, base = view_like(spikes, n, like), own + table[_SUM]
    found = 0
    for k in range(n):
        index[found], values[found] = k, sent[k]
        found += sent[k] != 0
    copy_bytes(base, table[_BIAS], n * size)
    index_at, values_at = own + table[_INDEX], own + table[_VALUES]
    add(like, n, base, table[_WEIGHTS], n * size, index_at, values_at, found)
    result, outside, inside = view_like(total, n, like), view_like(given, n, like), view_like(base, n, like)
    for k in range(n):
        result[k] = outside[k] + inside[k]


@njit(**INLINE)
def return_(address: int, like: Any, own: int, gradient: int, width: int) -> None:
    """Add the products of the weights with the gradients of the inputs of samples to the cotangents of spikes."""
    table, size = view_i64(address, _END), size_of(like)
    n, to = table[_NEURONS], own + table[_ROW]
    for first in range(0, n, TILE):
        count, index = min(TILE, n - first), own + table[_INDEX] + 4 * first
        for sample in range(0, width, n):
            values = gradient + (sample + first) * size
            add(like, n, to + sample * size, table[_WEIGHTS], n * size, index, values, count)


def forward(place: Any) -> None:
    """Compute chunks from the first step to the last."""
    address, like = table_of(place)
    table, size = view_i64(address, _END), size_of(like)
    n, states, delay = table[_NEURONS], table[STATES], table[_DELAY]
    columns, span = table[_BATCH] * n, BLOCK * size * states
    arrays = view_i64(address + 8 * _END, 3 * states)
    own = own_scratch(address)
    frame, now = view_i64(own, table[ITEMS]), own + table[_NOW]
    then = now + (table[_SAMPLES] * n + BLOCK - 1) // BLOCK * span
    while True:
        lo = atomic_add(address + 8 * CHUNK, 1) * table[_SAMPLES] * n
        if lo >= columns:
            break
        width = min(table[_SAMPLES] * n, columns - lo)
        load_states(now, arrays, 3, 0, lo, width, size, BLOCK)
        for t in range(table[STEPS]):
            at = t * columns + lo
            total, sent = table[_TOTAL] + at * size, table[_SPIKES] + (at - delay * columns) * size
            if table[_TOTAL] == 0:
                total = own + table[_ROW]
            if t < delay:
                sent = table[_BEFORE] + at * size
            for s in range(0, width, n):
                reach(address, like, own, total + s * size, table[_INPUT] + (at + s) * size, sent + s * size)
            if t % table[SEGMENT] == 0 and t > 0:
                kept = (t // table[SEGMENT] - 1) * columns + lo
                store_states(now, arrays, 3, 2, kept, width, size, BLOCK)
            frame[table[_MOVING]] = total - at * size
            call_rows(table[STEP], own, at, lo, width, now, then, span)
            now, then = then, now
        store_states(now, arrays, 3, 1, lo, width, size, BLOCK)


@njit(**INLINE)
def cotangent(address: int, like: Any, own: int, t: int, at: int, width: int) -> None:
    """Write that of the spikes of step t, and move the frame to it."""
    table, size = view_i64(address, _END), size_of(like)
    place, later = own + table[_ROW], table[_DELAY] * table[_BATCH] * table[_NEURONS]
    copy_bytes(place, table[_GIVEN] + at * size if table[_GIVEN] != 0 else 0, width * size)
    if t + table[_DELAY] < table[STEPS]:
        return_(address, like, own, table[_GRADIENT] + (at + later) * size, width)
    view_i64(own, table[ITEMS])[table[_MOVING]] = place - at * size


def backward(place: Any) -> None:
    """Walk chunks back from the last step to the first."""
    address, like = table_of(place)
    table, size = view_i64(address, _END), size_of(like)
    n, states, steps, length = table[_NEURONS], table[STATES], table[STEPS], table[SEGMENT]
    columns, span = table[_BATCH] * n, BLOCK * size * states
    arrays = view_i64(address + 8 * _END, 4 * states)
    own = own_scratch(address)
    area, carry = (table[_SAMPLES] * n + BLOCK - 1) // BLOCK * span, own + table[_NOW]
    rows, index = carry + area, view_i32(own + table[_INDEX], n)
    for k in range(n):
        index[k] = k
    while True:
        lo = atomic_add(address + 8 * CHUNK, 1) * table[_SAMPLES] * n
        if lo >= columns:
            break
        width = min(table[_SAMPLES] * n, columns - lo)
        load_states(carry, arrays, 4, 2, lo, width, size, BLOCK)
        for segment in range((steps - 1) // length, -1, -1):
            first, count = segment * length, min(length, steps - segment * length)
            if segment > 0:
                load_states(rows, arrays, 4, 1, (segment - 1) * columns + lo, width, size, BLOCK)
            else:
                load_states(rows, arrays, 4, 0, lo, width, size, BLOCK)
            for j in range(count - 1):
                at, row = (first + j) * columns + lo, rows + j * area
                call_rows(table[STEP], own, at, lo, width, row, row + area, span)
            for j in range(count - 1, -1, -1):
                at = (first + j) * columns + lo
                cotangent(address, like, own, first + j, at, width)
                call_rows(table[BACK], own, at, lo, width, rows + j * area, carry, span)
        store_states(carry, arrays, 4, 3, lo, width, size, BLOCK)


KERNELS = Kernels(forward, backward)
