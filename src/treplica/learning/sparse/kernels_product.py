"""Products of rows of spikes with weights, compiled. Each is called by address with a table of int64 (`Slot`).

Rows are (step, sample) pairs; what a row sends are its non-zero entries: columns of a matrix and values. Weights lie
input by input: [inputs, outputs]. Threads take chunks from a counter; a chunk is computed by one thread, so results do
not depend on how many there are.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Any

from numba import njit

from treplica.engines.cpu.intrinsics import INLINE, atomic_add
from treplica.learning.native.compiled_bits import LOOK, bits_not_zero, lowest_bit
from treplica.learning.native.compiled_kernels import Kernels, table_of
from treplica.learning.native.kernels_add import add, add_by_column, copy_bytes
from treplica.learning.native.launch import OUTPUTS
from treplica.numerics.compiled_memory import size_of, view_i32, view_i64, view_like

#: Rows of a chunk where rows are shared out.
ROWS = 64
#: What is added to the counter of chunks where there are more entries than there may be.
TOO_MANY = 1 << 40


class Slot(IntEnum):
    """Items of the table of a product."""

    CHUNK = 0
    ROWS = auto()
    INPUTS = auto()
    OUTPUTS = auto()
    #: [rows, inputs]
    DENSE = auto()
    #: Counters of entries that have been found, of which there may be `MOST`, and of threads that have begun.
    FOUND = auto()
    THREAD = auto()
    MOST = auto()
    #: For every thread, room for all columns and values of a tile of rows; int64[tiles], where their entries were put.
    TILE_COLUMNS = auto()
    TILE_VALUES = auto()
    PLACED = auto()
    #: The entries tile by tile, in the order in which they were found.
    FOUND_COLUMNS = auto()
    FOUND_VALUES = auto()
    #: int64[rows + 1], int32[entries], real[entries]
    STARTS = auto()
    COLUMNS = auto()
    VALUES = auto()
    #: Samples, and samples and steps of a tile.
    BATCH = auto()
    GROUP = auto()
    SPAN = auto()
    #: int64[tiles], int32[tiles, inputs + 1], int32[entries], real[entries]
    BASES = auto()
    PLACES = auto()
    SORTED_ROWS = auto()
    SORTED = auto()
    #: [inputs, outputs], [outputs] or 0, [rows, outputs]
    WEIGHTS = auto()
    BIAS = auto()
    RESULT = auto()
    END = auto()


_CHUNK, _ROWS, _INPUTS, _OUTPUTS = int(Slot.CHUNK), int(Slot.ROWS), int(Slot.INPUTS), int(Slot.OUTPUTS)
_FOUND, _THREAD, _MOST, _BATCH = int(Slot.FOUND), int(Slot.THREAD), int(Slot.MOST), int(Slot.BATCH)
_TILE_COLUMNS, _TILE_VALUES, _PLACED = int(Slot.TILE_COLUMNS), int(Slot.TILE_VALUES), int(Slot.PLACED)
_FOUND_COLUMNS, _FOUND_VALUES = int(Slot.FOUND_COLUMNS), int(Slot.FOUND_VALUES)
_GROUP, _SPAN, _BASES = int(Slot.GROUP), int(Slot.SPAN), int(Slot.BASES)
_DENSE, _STARTS, _COLUMNS, _VALUES = int(Slot.DENSE), int(Slot.STARTS), int(Slot.COLUMNS), int(Slot.VALUES)
_PLACES, _SORTED_ROWS, _SORTED = int(Slot.PLACES), int(Slot.SORTED_ROWS), int(Slot.SORTED)
_WEIGHTS, _BIAS, _RESULT, _END = int(Slot.WEIGHTS), int(Slot.BIAS), int(Slot.RESULT), int(Slot.END)


@njit(**INLINE)
def _collect_row(dense: int, inputs: int, like: Any, columns: Any, values: Any, found: int) -> int:
    """Add the entries of a row to those found before; how many there are now."""
    row, size = view_like(dense, inputs, like), size_of(like)
    whole = inputs // LOOK * LOOK
    for base in range(0, whole, LOOK):
        bits = bits_not_zero(dense + base * size, like)
        while bits != 0:
            k = base + lowest_bit(bits)
            columns[found], values[found] = k, row[k]
            found += 1
            bits &= bits - 1
    for k in range(whole, inputs):
        if row[k] != 0:
            columns[found], values[found] = k, row[k]
            found += 1
    return found


def collect(place: Any) -> None:
    """Find columns and values of the entries of every tile of rows; how many of row r at starts[r + 1].

    Where the tiles that are done have more than `MOST` entries in all, the work ends, which the counter of chunks tells
    (`TOO_MANY`).
    """
    address, like = table_of(place)
    table = view_i64(address, _END)
    size = size_of(like)
    rows, inputs = table[_ROWS], table[_INPUTS]
    starts, placed = view_i64(table[_STARTS], rows + 1), view_i64(table[_PLACED], (rows + ROWS - 1) // ROWS)
    room = ROWS * inputs
    own = atomic_add(address + 8 * _THREAD, 1) * room
    columns_at, values_at = table[_TILE_COLUMNS] + own * 4, table[_TILE_VALUES] + own * size
    columns, values = view_i32(columns_at, room), view_like(values_at, room, like)
    while True:
        tile = atomic_add(address + 8 * _CHUNK, 1)
        first = tile * ROWS
        if first >= rows:
            break
        many = min(ROWS, rows - first)
        found = 0
        for i in range(many):
            before = found
            found = _collect_row(
                table[_DENSE] + (first + i) * inputs * size, inputs, like, columns, values, found
            )
            starts[first + i + 1] = found - before
        place = atomic_add(address + 8 * _FOUND, found)
        if place + found > table[_MOST]:
            atomic_add(address + 8 * _CHUNK, TOO_MANY)
            break
        placed[tile] = place
        copy_bytes(table[_FOUND_COLUMNS] + place * 4, columns_at, found * 4)
        copy_bytes(table[_FOUND_VALUES] + place * size, values_at, found * size)


def pack(place: Any) -> None:
    """Copy the entries of every tile from where `collect` left them to where starts says that they begin."""
    address, like = table_of(place)
    table = view_i64(address, _END)
    size = size_of(like)
    rows = table[_ROWS]
    starts, placed = view_i64(table[_STARTS], rows + 1), view_i64(table[_PLACED], (rows + ROWS - 1) // ROWS)
    while True:
        tile = atomic_add(address + 8 * _CHUNK, 1)
        if tile * ROWS >= rows:
            break
        first, last = starts[tile * ROWS], starts[min(tile * ROWS + ROWS, rows)]
        place, count = placed[tile], last - first
        copy_bytes(table[_COLUMNS] + first * 4, table[_FOUND_COLUMNS] + place * 4, count * 4)
        copy_bytes(table[_VALUES] + first * size, table[_FOUND_VALUES] + place * size, count * size)


def transpose(place: Any) -> None:
    """Sort the entries of every tile of rows by column: places[tile, column], rows within the tile, values.

    Row t * BATCH + b is that of step t and sample b. A tile has GROUP samples and SPAN steps of them, samples first.
    """
    address, like = table_of(place)
    table = view_i64(address, _END)
    rows, inputs, batch = table[_ROWS], table[_INPUTS], table[_BATCH]
    span, group = table[_SPAN], table[_GROUP]
    steps = rows // batch
    pieces, groups = (steps + span - 1) // span, (batch + group - 1) // group
    starts, bases = view_i64(table[_STARTS], rows + 1), view_i64(table[_BASES], pieces * groups)
    columns, values = view_i32(table[_COLUMNS], starts[rows]), view_like(table[_VALUES], starts[rows], like)
    sorted_rows, sorted_values = (
        view_i32(table[_SORTED_ROWS], starts[rows]),
        view_like(table[_SORTED], starts[rows], like),
    )
    while True:
        tile = atomic_add(address + 8 * _CHUNK, 1)
        if tile >= pieces * groups:
            break
        places, base = view_i32(table[_PLACES] + tile * (inputs + 1) * 4, inputs + 1), bases[tile]
        sample, step = tile // pieces * group, tile % pieces * span
        samples, many = min(group, batch - sample), min(span, steps - step)
        for j in range(inputs + 1):
            places[j] = 0
        for i in range(samples):
            for t in range(many):
                r = (step + t) * batch + sample + i
                for at in range(starts[r], starts[r + 1]):
                    places[columns[at] + 1] += 1
        for j in range(inputs):
            places[j + 1] += places[j]
        for i in range(samples):
            for t in range(many):
                r = (step + t) * batch + sample + i
                for at in range(starts[r], starts[r + 1]):
                    to = base + places[columns[at]]
                    sorted_rows[to], sorted_values[to] = i * span + t, values[at]
                    places[columns[at]] += 1
        for j in range(inputs, 0, -1):
            places[j] = places[j - 1]
        places[0] = 0


def forward(place: Any) -> None:
    """result[r] = bias + sum of value times weights[column] over the entries of row r."""
    address, like = table_of(place)
    table = view_i64(address, _END)
    size = size_of(like)
    rows, outputs = table[_ROWS], table[_OUTPUTS]
    starts = view_i64(table[_STARTS], rows + 1)
    tiles = (rows + ROWS - 1) // ROWS
    blocks = (outputs + OUTPUTS - 1) // OUTPUTS
    while True:
        # All rows of a block of outputs first: its weights stay in cache.
        chunk = atomic_add(address + 8 * _CHUNK, 1)
        if chunk >= tiles * blocks:
            break
        first, lo = (chunk % tiles) * ROWS, (chunk // tiles) * OUTPUTS
        n = min(OUTPUTS, outputs - lo)
        for r in range(first, min(first + ROWS, rows)):
            result, bias = table[_RESULT] + (r * outputs + lo) * size, table[_BIAS] + lo * size
            copy_bytes(result, bias if table[_BIAS] != 0 else 0, n * size)
            columns, values = table[_COLUMNS] + 4 * starts[r], table[_VALUES] + starts[r] * size
            weights, count = table[_WEIGHTS] + lo * size, starts[r + 1] - starts[r]
            add(like, n, result, weights, outputs * size, columns, values, count)


def backward(place: Any) -> None:
    """weights[column] = sum of value times result[r] over the entries of all rows, from those sorted by column."""
    address, like = table_of(place)
    table = view_i64(address, _END)
    size = size_of(like)
    rows, outputs, inputs = table[_ROWS], table[_OUTPUTS], table[_INPUTS]
    span = table[_SPAN]
    bases = view_i64(table[_BASES], (rows + span - 1) // span)
    while True:
        lo = atomic_add(address + 8 * _CHUNK, 1) * OUTPUTS
        if lo >= outputs:
            break
        n = min(OUTPUTS, outputs - lo)
        for j in range(inputs):
            copy_bytes(table[_WEIGHTS] + (j * outputs + lo) * size, 0, n * size)
        for tile in range((rows + span - 1) // span):
            gradient = table[_RESULT] + (tile * span * outputs + lo) * size
            weights, stride = table[_WEIGHTS] + lo * size, outputs * size
            places = table[_PLACES] + tile * (inputs + 1) * 4
            rows_of, values = table[_SORTED_ROWS] + 4 * bases[tile], table[_SORTED] + bases[tile] * size
            add_by_column(like, n, weights, stride, inputs, gradient, stride, places, rows_of, values)


KERNELS = Kernels(collect, pack, transpose, forward, backward)
