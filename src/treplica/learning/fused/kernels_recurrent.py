"""The loop over time of neurons that reach one another, over chunks of samples, compiled once for all layers.

Like `kernels_unroll`, except that a chunk is the neurons of some samples. Before a step, what the spikes sent reaches
the input: a sum over those that spiked, `delay` steps ago. Going back, the cotangent of the spikes is that of the
output plus the products of all weights with the gradient of the input, `delay` steps later.
"""

from __future__ import annotations

from enum import IntEnum, auto
from functools import cache
from typing import Any

from numba import cfunc, float32, float64, njit, types

from treplica.engines.cpu.intrinsics import INLINE, atomic_add, call6
from treplica.learning.fused.kernels_unroll import SEGMENT
from treplica.learning.fused.rows import BLOCK
from treplica.learning.sparse.kernels_add import OUTPUTS, add, copy_bytes
from treplica.numerics.compiled_memory import size_of, view_i32, view_i64, view_like

#: Rows of the weights that stay in the first-level cache while the samples of a chunk meet them.
TILE = 16


class Slot(IntEnum):
    """Items of the table of a loop; the addresses of states follow as in `kernels_unroll`."""

    CHUNK = 0
    THREAD = auto()
    STEPS = auto()
    #: Samples, neurons of each, and samples of a chunk.
    BATCH = auto()
    NEURONS = auto()
    SAMPLES = auto()
    DELAY = auto()
    STATES = auto()
    #: Addresses of the row kernels: `step`, or `again` and `back`.
    STEP = auto()
    BACK = auto()
    #: The frame of the row kernels, its length, and its item that changes from step to step.
    FRAME = auto()
    ITEMS = auto()
    MOVING = auto()
    #: Scratch: where it begins, bytes of a thread, and where in these each part begins; the frame is the first.
    SCRATCH = auto()
    SHARE = auto()
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


_CHUNK, _THREAD, _STEPS, _BATCH = int(Slot.CHUNK), int(Slot.THREAD), int(Slot.STEPS), int(Slot.BATCH)
_NEURONS, _SAMPLES, _DELAY, _STATES = int(Slot.NEURONS), int(Slot.SAMPLES), int(Slot.DELAY), int(Slot.STATES)
_STEP, _BACK, _FRAME, _ITEMS = int(Slot.STEP), int(Slot.BACK), int(Slot.FRAME), int(Slot.ITEMS)
_MOVING, _SCRATCH, _SHARE, _INDEX = int(Slot.MOVING), int(Slot.SCRATCH), int(Slot.SHARE), int(Slot.INDEX)
_VALUES, _SUM, _ROW, _NOW = int(Slot.VALUES), int(Slot.SUM), int(Slot.ROW), int(Slot.NOW)
_WEIGHTS, _BIAS, _BEFORE, _INPUT = int(Slot.WEIGHTS), int(Slot.BIAS), int(Slot.BEFORE), int(Slot.INPUT)
_TOTAL, _SPIKES, _GIVEN, _GRADIENT = int(Slot.TOTAL), int(Slot.SPIKES), int(Slot.GIVEN), int(Slot.GRADIENT)
_END = int(Slot.END)


@njit(**INLINE)
def load_states(area: int, arrays: Any, item: int, first: int, width: int, size: int, states: int) -> None:
    """Copy states to the blocks of an area; `item` of each state is the address of its array, 0 for zeros."""
    each = arrays.shape[0] // states if states > 0 else 0
    for block in range(0, width, BLOCK):
        n = min(BLOCK, width - block)
        for i in range(states):
            source = arrays[each * i + item]
            to = area + (block * states + i * BLOCK) * size
            copy_bytes(to, source + (first + block) * size if source != 0 else 0, n * size)


@njit(**INLINE)
def store_states(area: int, arrays: Any, item: int, first: int, width: int, size: int, states: int) -> None:
    """Copy states from the blocks of an area to where they are wanted."""
    each = arrays.shape[0] // states if states > 0 else 0
    for block in range(0, width, BLOCK):
        n = min(BLOCK, width - block)
        for i in range(states):
            to = arrays[each * i + item]
            if to != 0:
                copy_bytes(to + (first + block) * size, area + (block * states + i * BLOCK) * size, n * size)


@njit(**INLINE)
def call_rows(
    kernel: int, frame: int, at: int, lo: int, width: int, source: int, target: int, span: int
) -> None:
    """Call a row kernel for every block of a chunk."""
    for block in range(0, width, BLOCK):
        n, skip = min(BLOCK, width - block), (block // BLOCK) * span
        call6(kernel, (frame, at + block, lo + block, n, source + skip, target + skip))


@njit(**INLINE)
def own_frame(address: int) -> int:
    """The scratch of this thread; it begins with a copy of the frame."""
    table = view_i64(address, _END)
    own: int = table[_SCRATCH] + atomic_add(address + 8 * _THREAD, 1) * table[_SHARE]
    copy_bytes(own, table[_FRAME], 8 * table[_ITEMS])
    return own


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
    for lo in range(0, n, OUTPUTS):
        many, weights = min(OUTPUTS, n - lo), table[_WEIGHTS] + lo * size
        add(like, many, base + lo * size, weights, n * size, index, values, 0, found)
    result, outside, inside = view_like(total, n, like), view_like(given, n, like), view_like(base, n, like)
    for k in range(n):
        result[k] = outside[k] + inside[k]


@njit(**INLINE)
def return_(address: int, like: Any, own: int, gradient: int, width: int) -> None:
    """Add the products of the weights with the gradients of the inputs of samples to the cotangents of spikes."""
    table, size = view_i64(address, _END), size_of(like)
    n, to = table[_NEURONS], own + table[_ROW]
    index = view_i32(own + table[_INDEX], n)
    for first in range(0, n, TILE):
        last = min(first + TILE, n)
        for lo in range(0, n, OUTPUTS):
            many, weights = min(OUTPUTS, n - lo), table[_WEIGHTS] + lo * size
            for sample in range(0, width, n):
                values = view_like(gradient + sample * size, n, like)
                add(like, many, to + (sample + lo) * size, weights, n * size, index, values, first, last)


@njit(**INLINE)
def forward(address: int, like: Any) -> None:
    """Compute chunks from the first step to the last."""
    table, size = view_i64(address, _END), size_of(like)
    n, states, delay = table[_NEURONS], table[_STATES], table[_DELAY]
    columns, span = table[_BATCH] * n, BLOCK * size * states
    arrays = view_i64(address + 8 * _END, 3 * states)
    own = own_frame(address)
    frame, now = view_i64(own, table[_ITEMS]), own + table[_NOW]
    then = now + (table[_SAMPLES] * n + BLOCK - 1) // BLOCK * span
    while True:
        lo = atomic_add(address + 8 * _CHUNK, 1) * table[_SAMPLES] * n
        if lo >= columns:
            break
        width = min(table[_SAMPLES] * n, columns - lo)
        load_states(now, arrays, 0, lo, width, size, states)
        for t in range(table[_STEPS]):
            at = t * columns + lo
            total, sent = table[_TOTAL] + at * size, table[_SPIKES] + (at - delay * columns) * size
            if table[_TOTAL] == 0:
                total = own + table[_ROW]
            if t < delay:
                sent = table[_BEFORE] + at * size
            for s in range(0, width, n):
                reach(address, like, own, total + s * size, table[_INPUT] + (at + s) * size, sent + s * size)
            if t % SEGMENT == 0 and t > 0:
                kept = (t // SEGMENT - 1) * columns + lo
                store_states(now, arrays, 2, kept, width, size, states)
            frame[table[_MOVING]] = total - at * size
            call_rows(table[_STEP], own, at, lo, width, now, then, span)
            now, then = then, now
        store_states(now, arrays, 1, lo, width, size, states)


@njit(**INLINE)
def cotangent(address: int, like: Any, own: int, t: int, at: int, width: int) -> None:
    """Write that of the spikes of step t, and move the frame to it."""
    table, size = view_i64(address, _END), size_of(like)
    place, later = own + table[_ROW], table[_DELAY] * table[_BATCH] * table[_NEURONS]
    copy_bytes(place, table[_GIVEN] + at * size if table[_GIVEN] != 0 else 0, width * size)
    if t + table[_DELAY] < table[_STEPS]:
        return_(address, like, own, table[_GRADIENT] + (at + later) * size, width)
    view_i64(own, table[_ITEMS])[table[_MOVING]] = place - at * size


@njit(**INLINE)
def backward(address: int, like: Any) -> None:
    """Walk chunks back from the last step to the first."""
    table, size = view_i64(address, _END), size_of(like)
    n, states, steps = table[_NEURONS], table[_STATES], table[_STEPS]
    columns, span = table[_BATCH] * n, BLOCK * size * states
    arrays = view_i64(address + 8 * _END, 4 * states)
    own = own_frame(address)
    area, carry = (table[_SAMPLES] * n + BLOCK - 1) // BLOCK * span, own + table[_NOW]
    rows, index = carry + area, view_i32(own + table[_INDEX], n)
    for k in range(n):
        index[k] = k
    while True:
        lo = atomic_add(address + 8 * _CHUNK, 1) * table[_SAMPLES] * n
        if lo >= columns:
            break
        width = min(table[_SAMPLES] * n, columns - lo)
        load_states(carry, arrays, 2, lo, width, size, states)
        for segment in range((steps - 1) // SEGMENT, -1, -1):
            first, count = segment * SEGMENT, min(SEGMENT, steps - segment * SEGMENT)
            if segment > 0:
                load_states(rows, arrays, 1, (segment - 1) * columns + lo, width, size, states)
            else:
                load_states(rows, arrays, 0, lo, width, size, states)
            for j in range(count - 1):
                at, row = (first + j) * columns + lo, rows + j * area
                call_rows(table[_STEP], own, at, lo, width, row, row + area, span)
            for j in range(count - 1, -1, -1):
                at = (first + j) * columns + lo
                cotangent(address, like, own, first + j, at, width)
                call_rows(table[_BACK], own, at, lo, width, rows + j * area, carry, span)
        store_states(carry, arrays, 3, lo, width, size, states)


def _forward_32(address: int) -> None:
    forward(address, float32(0.0))


def _forward_64(address: int) -> None:
    forward(address, float64(0.0))


def _backward_32(address: int) -> None:
    backward(address, float32(0.0))


def _backward_64(address: int) -> None:
    backward(address, float64(0.0))


_KERNELS = {
    ("forward", 4): _forward_32,
    ("forward", 8): _forward_64,
    ("backward", 4): _backward_32,
    ("backward", 8): _backward_64,
}


@cache
def kernel_of(name: str, size: int) -> Any:
    """The compiled kernel of a name for numbers of `size` bytes, compiled when it is first asked for."""
    return cfunc(types.void(types.int64), cache=True, **INLINE)(_KERNELS[name, size])
