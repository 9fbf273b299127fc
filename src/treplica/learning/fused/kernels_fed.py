"""The loop over time of neurons that spikes reach through weights, compiled once for all layers.

What reaches the neurons is never written down: for a sample and a block of neurons, the sum of a step's weights is
made in cache, and the neurons take their step. Going back, sums are made once more; gradients of what reached the
neurons are kept for a tile of rows, and added to the weights input by input. A thread owns a block of neurons with all
their weights, so results do not depend on how many threads there are.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Any

from numba import njit

from treplica.engines.cpu.intrinsics import INLINE, atomic_add, call6
from treplica.learning.native.compiled_kernels import Kernels, table_of
from treplica.learning.native.kernels_add import add, add_by_column, copy_bytes
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
from treplica.learning.native.launch import OUTPUTS
from treplica.numerics.compiled_memory import size_of, view_i64, view_like


class Slot(IntEnum):
    """Items of the table after those of `Common`; the addresses of states follow as in `kernels_unroll`."""

    #: Samples, neurons of each, inputs; neurons of a block, samples of a chunk (forward).
    BATCH = COMMON
    NEURONS = auto()
    INPUTS = auto()
    WIDTH = auto()
    SAMPLES = auto()
    #: Items of the frame: of what reaches the neurons, and of the gradient of that.
    REACHING = auto()
    GRADIENT = auto()
    #: Where parts of a thread's scratch begin.
    SUMS = auto()
    ROW = auto()
    TILE = auto()
    CARRY = auto()
    NOW = auto()
    #: Entries of the rows (t, b): int64[rows + 1], int32[entries], real[entries].
    STARTS = auto()
    COLUMNS = auto()
    VALUES = auto()
    #: The same by column, in tiles; see `ByColumn`.
    GROUP = auto()
    SPAN = auto()
    BASES = auto()
    PLACES = auto()
    SORTED_ROWS = auto()
    SORTED = auto()
    #: [inputs, neurons], [neurons] or 0; their gradients; [T, B, neurons] that of what reached them (0: not wanted).
    WEIGHTS = auto()
    BIAS = auto()
    OF_WEIGHTS = auto()
    OF_BIAS = auto()
    OF_INPUT = auto()
    END = auto()


_BATCH, _NEURONS, _INPUTS, _WIDTH = int(Slot.BATCH), int(Slot.NEURONS), int(Slot.INPUTS), int(Slot.WIDTH)
_SAMPLES, _REACHING, _GRADIENT, _SUMS = (
    int(Slot.SAMPLES),
    int(Slot.REACHING),
    int(Slot.GRADIENT),
    int(Slot.SUMS),
)
_ROW, _TILE, _CARRY, _NOW = int(Slot.ROW), int(Slot.TILE), int(Slot.CARRY), int(Slot.NOW)
_STARTS, _COLUMNS, _VALUES, _GROUP = int(Slot.STARTS), int(Slot.COLUMNS), int(Slot.VALUES), int(Slot.GROUP)
_SPAN, _BASES, _PLACES, _SORTED_ROWS = (
    int(Slot.SPAN),
    int(Slot.BASES),
    int(Slot.PLACES),
    int(Slot.SORTED_ROWS),
)
_SORTED, _WEIGHTS, _BIAS, _OF_WEIGHTS = (
    int(Slot.SORTED),
    int(Slot.WEIGHTS),
    int(Slot.BIAS),
    int(Slot.OF_WEIGHTS),
)
_OF_BIAS, _OF_INPUT, _END = int(Slot.OF_BIAS), int(Slot.OF_INPUT), int(Slot.END)


@njit(**INLINE)
def sum_of(address: int, like: Any, r: int, lo: int, n: int, result: int) -> None:
    """result = bias + the weights of the entries of row r, for neurons lo to lo + n."""
    table = view_i64(address, _END)
    size = size_of(like)
    starts = view_i64(table[_STARTS] + 8 * r, 2)
    first, count, stride = starts[0], starts[1] - starts[0], table[_NEURONS] * size
    columns, values = table[_COLUMNS] + 4 * first, table[_VALUES] + first * size
    copy_bytes(result, table[_BIAS] + lo * size if table[_BIAS] != 0 else 0, n * size)
    add(like, n, result, table[_WEIGHTS] + lo * size, stride, columns, values, count)


def forward(place: Any) -> None:
    """Compute blocks of neurons for some samples, from the first step to the last."""
    address, like = table_of(place)
    table = view_i64(address, _END)
    size = size_of(like)
    batch, neurons, samples = table[_BATCH], table[_NEURONS], table[_SAMPLES]
    arrays = view_i64(address + 8 * _END, 3 * table[STATES])
    own = own_scratch(address)
    frame, row, now = view_i64(own, table[ITEMS]), own + table[_ROW], own + table[_NOW]
    then = now + OUTPUTS * size * table[STATES]
    groups = (batch + samples - 1) // samples
    while True:
        chunk = atomic_add(address + 8 * CHUNK, 1)
        lo = chunk // groups * table[_WIDTH]
        if lo >= neurons:
            break
        n, first = min(table[_WIDTH], neurons - lo), chunk % groups * samples
        for b in range(first, min(first + samples, batch)):
            column = b * neurons + lo
            load_states(now, arrays, 3, 0, column, n, size, OUTPUTS)
            for t in range(table[STEPS]):
                at = (t * batch + b) * neurons + lo
                if t % table[SEGMENT] == 0 and t > 0:
                    kept = (t // table[SEGMENT] - 1) * batch * neurons + column
                    store_states(now, arrays, 3, 2, kept, n, size, OUTPUTS)
                sum_of(address, like, t * batch + b, lo, n, row)
                frame[table[_REACHING]] = row - at * size
                call6(table[STEP], (own, at, column, n, now, then))
                now, then = then, now
            store_states(now, arrays, 3, 1, column, n, size, OUTPUTS)


@njit(**INLINE)
def walk_back(address: int, like: Any, own: int, first: int, count: int, b: int, lo: int, n: int) -> None:
    """Go back over the steps first to first + count of a sample: `NOW` has the states before the first."""
    table = view_i64(address, _END)
    size = size_of(like)
    batch, neurons = table[_BATCH], table[_NEURONS]
    frame, rows, sums = view_i64(own, table[ITEMS]), own + table[_NOW], own + table[_SUMS]
    column, span = b * neurons + lo, OUTPUTS * size * table[STATES]
    for j in range(count):
        r = (first + j) * batch + b
        at, total = r * neurons + lo, sums + j * OUTPUTS * size
        sum_of(address, like, r, lo, n, total)
        if j + 1 < count:
            frame[table[_REACHING]] = total - at * size
            call6(table[STEP], (own, at, column, n, rows + j * span, rows + (j + 1) * span))
    for j in range(count - 1, -1, -1):
        r = (first + j) * batch + b
        at, gradient = r * neurons + lo, own + table[_TILE] + (b % table[_GROUP] * table[_SPAN] * n) * size
        gradient += (first + j) % table[_SPAN] * n * size
        frame[table[_REACHING]] = sums + j * OUTPUTS * size - at * size
        frame[table[_GRADIENT]] = gradient - at * size
        call6(table[BACK], (own, at, column, n, rows + j * span, own + table[_CARRY]))
        if table[_OF_INPUT] != 0:
            copy_bytes(table[_OF_INPUT] + at * size, gradient, n * size)
        if table[_OF_BIAS] != 0:
            bias, g = view_like(table[_OF_BIAS] + lo * size, n, like), view_like(gradient, n, like)
            for k in range(n):
                bias[k] = bias[k] + g[k]


@njit(**INLINE)
def add_tile(address: int, like: Any, own: int, tile: int, tiles: int, lo: int, n: int) -> None:
    """Add the gradients of a tile of rows, which lie in scratch, to those of the weights."""
    table = view_i64(address, _END)
    size, inputs, base = size_of(like), table[_INPUTS], view_i64(table[_BASES], tiles)[tile]
    weights, stride = table[_OF_WEIGHTS] + lo * size, table[_NEURONS] * size
    places = table[_PLACES] + tile * (inputs + 1) * 4
    rows, values = table[_SORTED_ROWS] + 4 * base, table[_SORTED] + base * size
    add_by_column(like, n, weights, stride, inputs, own + table[_TILE], n * size, places, rows, values)


def backward(place: Any) -> None:
    """Walk blocks of neurons back from the last step to the first, one sample after the other."""
    address, like = table_of(place)
    table = view_i64(address, _END)
    size = size_of(like)
    steps, length, batch, neurons = table[STEPS], table[SEGMENT], table[_BATCH], table[_NEURONS]
    span, group = table[_SPAN], table[_GROUP]
    pieces = (steps + span - 1) // span
    tiles = pieces * ((batch + group - 1) // group)
    arrays = view_i64(address + 8 * _END, 4 * table[STATES])
    own = own_scratch(address)
    while True:
        lo = atomic_add(address + 8 * CHUNK, 1) * table[_WIDTH]
        if lo >= neurons:
            break
        n = min(table[_WIDTH], neurons - lo)
        if table[_OF_WEIGHTS] != 0:
            for j in range(table[_INPUTS]):
                copy_bytes(table[_OF_WEIGHTS] + (j * neurons + lo) * size, 0, n * size)
        for b in range(batch):
            column, whole = b * neurons + lo, (b + 1) % group == 0 or b + 1 == batch
            load_states(own + table[_CARRY], arrays, 4, 2, column, n, size, OUTPUTS)
            for segment in range((steps - 1) // length, -1, -1):
                first, now = segment * length, own + table[_NOW]
                if segment > 0:
                    load_states(now, arrays, 4, 1, (segment - 1) * batch * neurons + column, n, size, OUTPUTS)
                else:
                    load_states(now, arrays, 4, 0, column, n, size, OUTPUTS)
                walk_back(address, like, own, first, min(length, steps - first), b, lo, n)
                if table[_OF_WEIGHTS] != 0 and whole and first % span == 0:
                    add_tile(address, like, own, b // group * pieces + first // span, tiles, lo, n)
            store_states(own + table[_CARRY], arrays, 4, 3, column, n, size, OUTPUTS)


KERNELS = Kernels(forward, backward)
