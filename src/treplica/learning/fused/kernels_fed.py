"""The loop over time of neurons that spikes reach through weights, compiled once for all layers.

What reaches the neurons is never written down: for a sample and a block of neurons, the sum of a step's weights is
made in cache, and the neurons take their step. Going back, sums are made once more; the gradient of what reached the
neurons is added to the weights of the step's spikes at once. A thread owns a block of neurons with all their weights,
so results do not depend on how many threads there are.
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


class Slot(IntEnum):
    """Items of the table of a loop; the addresses of states follow as in `kernels_unroll`."""

    CHUNK = 0
    THREAD = auto()
    STEPS = auto()
    #: Samples, neurons of each, inputs; neurons of a block, samples of a chunk (forward).
    BATCH = auto()
    NEURONS = auto()
    INPUTS = auto()
    WIDTH = auto()
    SAMPLES = auto()
    STATES = auto()
    #: Addresses of the row kernels: `step`, or `again` and `back`.
    STEP = auto()
    BACK = auto()
    #: The frame of the row kernels, its length, its items of what reaches the neurons and of the gradient of that.
    FRAME = auto()
    ITEMS = auto()
    REACHING = auto()
    GRADIENT = auto()
    #: Scratch: where it begins, bytes of a thread, and where in these each part begins; the frame is the first.
    SCRATCH = auto()
    SHARE = auto()
    SUMS = auto()
    ROW = auto()
    CARRY = auto()
    NOW = auto()
    #: Entries of the rows (t, b): int64[rows + 1], int32[entries], real[entries].
    STARTS = auto()
    COLUMNS = auto()
    VALUES = auto()
    #: [inputs, neurons], [neurons] or 0; their gradients; [T, B, neurons] that of what reached them (0: not wanted).
    WEIGHTS = auto()
    BIAS = auto()
    OF_WEIGHTS = auto()
    OF_BIAS = auto()
    OF_INPUT = auto()
    END = auto()


_CHUNK, _THREAD, _STEPS, _BATCH = int(Slot.CHUNK), int(Slot.THREAD), int(Slot.STEPS), int(Slot.BATCH)
_NEURONS, _INPUTS, _WIDTH, _SAMPLES = int(Slot.NEURONS), int(Slot.INPUTS), int(Slot.WIDTH), int(Slot.SAMPLES)
_STATES, _STEP, _BACK, _FRAME = int(Slot.STATES), int(Slot.STEP), int(Slot.BACK), int(Slot.FRAME)
_ITEMS, _REACHING, _GRADIENT = int(Slot.ITEMS), int(Slot.REACHING), int(Slot.GRADIENT)
_SCRATCH, _SHARE, _SUMS, _ROW = int(Slot.SCRATCH), int(Slot.SHARE), int(Slot.SUMS), int(Slot.ROW)
_CARRY, _NOW, _STARTS, _COLUMNS = int(Slot.CARRY), int(Slot.NOW), int(Slot.STARTS), int(Slot.COLUMNS)
_VALUES, _WEIGHTS, _BIAS = int(Slot.VALUES), int(Slot.WEIGHTS), int(Slot.BIAS)
_OF_WEIGHTS, _OF_BIAS, _OF_INPUT = int(Slot.OF_WEIGHTS), int(Slot.OF_BIAS), int(Slot.OF_INPUT)
_END = int(Slot.END)


@njit(**INLINE)
def _own(address: int) -> int:
    """The scratch of this thread; it begins with a copy of the frame."""
    table = view_i64(address, _END)
    own: int = table[_SCRATCH] + atomic_add(address + 8 * _THREAD, 1) * table[_SHARE]
    copy_bytes(own, table[_FRAME], 8 * table[_ITEMS])
    return own


@njit(**INLINE)
def _move(arrays: Any, each: int, item: int, at: int, area: int, n: int, size: int, into: bool) -> None:
    """Copy states of a block into scratch, or from there; `item` of each: the address of its array (0: zeros)."""
    for i in range(arrays.shape[0] // each):
        place, array = area + i * BLOCK * size, arrays[each * i + item]
        if into:
            copy_bytes(place, array + at * size if array != 0 else 0, n * size)
        elif array != 0:
            copy_bytes(array + at * size, place, n * size)


@njit(**INLINE)
def sum_of(address: int, like: Any, r: int, lo: int, n: int, result: int) -> None:
    """result = bias + the weights of the entries of row r, for neurons lo to lo + n."""
    table = view_i64(address, _END)
    size = size_of(like)
    starts = view_i64(table[_STARTS] + 8 * r, 2)
    first, last, stride = starts[0], starts[1], table[_NEURONS] * size
    columns, values = view_i32(table[_COLUMNS], last), view_like(table[_VALUES], last, like)
    copy_bytes(result, table[_BIAS] + lo * size if table[_BIAS] != 0 else 0, n * size)
    add(like, n, result, table[_WEIGHTS] + lo * size, stride, columns, values, first, last)


@njit(**INLINE)
def _scatter_rows(to: int, stride: int, columns: Any, values: Any, at: int, end: int, gradient: Any) -> None:
    n, like = gradient.shape[0], gradient[0]
    while at < end:
        row, v = view_like(to + columns[at] * stride, n, like), values[at]
        for k in range(n):
            row[k] = row[k] + v * gradient[k]
        at += 1


@njit(**INLINE)
def scatter(address: int, like: Any, r: int, lo: int, n: int, gradient: int) -> None:
    """Add value times the gradient to the weights of the entries of row r, and the gradient to that of the bias."""
    table = view_i64(address, _END)
    size = size_of(like)
    starts = view_i64(table[_STARTS] + 8 * r, 2)
    first, last, stride = starts[0], starts[1], table[_NEURONS] * size
    columns, values = view_i32(table[_COLUMNS], last), view_like(table[_VALUES], last, like)
    if table[_OF_BIAS] != 0:
        bias, g = view_like(table[_OF_BIAS] + lo * size, n, like), view_like(gradient, n, like)
        for k in range(n):
            bias[k] = bias[k] + g[k]
    if table[_OF_WEIGHTS] != 0:
        to = table[_OF_WEIGHTS] + lo * size
        if n == OUTPUTS:  # a length that the compiler knows
            _scatter_rows(to, stride, columns, values, first, last, view_like(gradient, OUTPUTS, like))
        else:
            _scatter_rows(to, stride, columns, values, first, last, view_like(gradient, n, like))


@njit(**INLINE)
def forward(address: int, like: Any) -> None:
    """Compute blocks of neurons for some samples, from the first step to the last."""
    table = view_i64(address, _END)
    size = size_of(like)
    batch, neurons, samples = table[_BATCH], table[_NEURONS], table[_SAMPLES]
    arrays = view_i64(address + 8 * _END, 3 * table[_STATES])
    own = _own(address)
    frame, row, now = view_i64(own, table[_ITEMS]), own + table[_ROW], own + table[_NOW]
    then = now + BLOCK * size * table[_STATES]
    groups = (batch + samples - 1) // samples
    while True:
        chunk = atomic_add(address + 8 * _CHUNK, 1)
        lo = chunk // groups * table[_WIDTH]
        if lo >= neurons:
            break
        n, first = min(table[_WIDTH], neurons - lo), chunk % groups * samples
        for b in range(first, min(first + samples, batch)):
            column = b * neurons + lo
            _move(arrays, 3, 0, column, now, n, size, True)
            for t in range(table[_STEPS]):
                at = (t * batch + b) * neurons + lo
                if t % SEGMENT == 0 and t > 0:
                    kept = (t // SEGMENT - 1) * batch * neurons + column
                    _move(arrays, 3, 2, kept, now, n, size, False)
                sum_of(address, like, t * batch + b, lo, n, row)
                frame[table[_REACHING]] = row - at * size
                call6(table[_STEP], (own, at, column, n, now, then))
                now, then = then, now
            _move(arrays, 3, 1, column, now, n, size, False)


@njit(**INLINE)
def walk_back(address: int, like: Any, own: int, first: int, count: int, b: int, lo: int, n: int) -> None:
    """Go back over the steps first to first + count of a sample: `NOW` has the states before the first."""
    table = view_i64(address, _END)
    size = size_of(like)
    batch, neurons = table[_BATCH], table[_NEURONS]
    frame, rows, sums = view_i64(own, table[_ITEMS]), own + table[_NOW], own + table[_SUMS]
    column, span = b * neurons + lo, BLOCK * size * table[_STATES]
    for j in range(count):
        r = (first + j) * batch + b
        at, total = r * neurons + lo, sums + j * BLOCK * size
        sum_of(address, like, r, lo, n, total)
        if j + 1 < count:
            frame[table[_REACHING]] = total - at * size
            call6(table[_STEP], (own, at, column, n, rows + j * span, rows + (j + 1) * span))
    for back in range(count):
        j = count - 1 - back
        r = (first + j) * batch + b
        at, gradient = r * neurons + lo, own + table[_ROW]
        if table[_OF_INPUT] != 0:
            gradient = table[_OF_INPUT] + at * size
        frame[table[_REACHING]] = sums + j * BLOCK * size - at * size
        frame[table[_GRADIENT]] = gradient - at * size
        call6(table[_BACK], (own, at, column, n, rows + j * span, own + table[_CARRY]))
        scatter(address, like, r, lo, n, gradient)


@njit(**INLINE)
def backward(address: int, like: Any) -> None:
    """Walk blocks of neurons back from the last step to the first, one sample after the other."""
    table = view_i64(address, _END)
    size = size_of(like)
    steps, batch, neurons = table[_STEPS], table[_BATCH], table[_NEURONS]
    arrays = view_i64(address + 8 * _END, 4 * table[_STATES])
    own = _own(address)
    while True:
        lo = atomic_add(address + 8 * _CHUNK, 1) * table[_WIDTH]
        if lo >= neurons:
            break
        n = min(table[_WIDTH], neurons - lo)
        if table[_OF_WEIGHTS] != 0:
            for j in range(table[_INPUTS]):
                copy_bytes(table[_OF_WEIGHTS] + (j * neurons + lo) * size, 0, n * size)
        for b in range(batch):
            column = b * neurons + lo
            _move(arrays, 4, 2, column, own + table[_CARRY], n, size, True)
            segments = (steps + SEGMENT - 1) // SEGMENT
            for back in range(segments):
                s = segments - 1 - back
                place, item = column, 0
                if s > 0:
                    place, item = (s - 1) * batch * neurons + column, 1
                _move(arrays, 4, item, place, own + table[_NOW], n, size, True)
                walk_back(address, like, own, s * SEGMENT, min(SEGMENT, steps - s * SEGMENT), b, lo, n)
            _move(arrays, 4, 3, column, own + table[_CARRY], n, size, False)


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
