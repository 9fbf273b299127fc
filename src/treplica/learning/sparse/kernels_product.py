"""Products of rows of spikes with weights, compiled. Each is called by address with a table of int64 (`Slot`).

Rows are (step, sample) pairs; what a row sends are its non-zero entries: columns of a matrix and values. Weights lie
input by input: [inputs, outputs]. Threads take chunks from a counter; a chunk is computed by one thread, so results do
not depend on how many there are.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Any

from numba import cfunc, types

from treplica.engines.cpu.intrinsics import INLINE, atomic_add
from treplica.learning.sparse.kernels_add import OUTPUTS, adder
from treplica.numerics.compiled_memory import view_f32, view_f64, view_i32, view_i64

#: Rows of a chunk where rows are shared out.
ROWS = 64
#: Rows whose entries are sorted by column together: their gradients fit the second-level cache.
TILE = 512
VOID = types.void(types.int64)


class Slot(IntEnum):
    """Items of the table of a product."""

    CHUNK = 0
    ROWS = auto()
    INPUTS = auto()
    OUTPUTS = auto()
    #: [rows, inputs]
    DENSE = auto()
    #: int64[rows + 1], int32[entries], real[entries]
    STARTS = auto()
    COLUMNS = auto()
    VALUES = auto()
    #: int32[tiles, inputs + 1], int32[entries], real[entries]
    PLACES = auto()
    SORTED_ROWS = auto()
    SORTED = auto()
    #: [inputs, outputs], [outputs] or 0, [rows, outputs]
    WEIGHTS = auto()
    BIAS = auto()
    RESULT = auto()
    END = auto()


_CHUNK, _ROWS, _INPUTS, _OUTPUTS = int(Slot.CHUNK), int(Slot.ROWS), int(Slot.INPUTS), int(Slot.OUTPUTS)
_DENSE, _STARTS, _COLUMNS, _VALUES = int(Slot.DENSE), int(Slot.STARTS), int(Slot.COLUMNS), int(Slot.VALUES)
_PLACES, _SORTED_ROWS, _SORTED = int(Slot.PLACES), int(Slot.SORTED_ROWS), int(Slot.SORTED)
_WEIGHTS, _BIAS, _RESULT, _END = int(Slot.WEIGHTS), int(Slot.BIAS), int(Slot.RESULT), int(Slot.END)


def _finding(view: Any, size: int) -> dict[str, Any]:
    """Entries of rows, for one floating-point type of `size` bytes."""

    @cfunc(VOID, cache=True, **INLINE)
    def count(address: int) -> None:
        """Write the number of entries of every row r at starts[r + 1]."""
        table = view_i64(address, _END)
        rows, inputs = table[_ROWS], table[_INPUTS]
        starts = view_i64(table[_STARTS], rows + 1)
        while True:
            first = atomic_add(address + 8 * _CHUNK, 1) * ROWS
            if first >= rows:
                break
            for i in range(min(ROWS, rows - first)):
                row = view(table[_DENSE] + (first + i) * inputs * size, inputs)
                found = 0
                for k in range(inputs):
                    found += row[k] != 0
                starts[first + i + 1] = found

    @cfunc(VOID, cache=True, **INLINE)
    def collect(address: int) -> None:
        """Write columns and values of the entries of every row, from starts[r] on."""
        table = view_i64(address, _END)
        rows, inputs = table[_ROWS], table[_INPUTS]
        starts = view_i64(table[_STARTS], rows + 1)
        entries = starts[rows]
        columns, values = view_i32(table[_COLUMNS], entries), view(table[_VALUES], entries)
        while True:
            first = atomic_add(address + 8 * _CHUNK, 1) * ROWS
            if first >= rows:
                break
            for i in range(min(ROWS, rows - first)):
                row = view(table[_DENSE] + (first + i) * inputs * size, inputs)
                at, end = starts[first + i], starts[first + i + 1]
                k = 0
                while at < end:
                    if row[k] != 0:
                        columns[at] = k
                        values[at] = row[k]
                        at += 1
                    k += 1

    return {"count": count, "collect": collect}


def _sorting(view: Any) -> dict[str, Any]:
    """Entries by column."""

    @cfunc(VOID, cache=True, **INLINE)
    def transpose(address: int) -> None:
        """Sort the entries of every tile of rows by column: places[tile, column], rows within the tile, values."""
        table = view_i64(address, _END)
        rows, inputs = table[_ROWS], table[_INPUTS]
        starts = view_i64(table[_STARTS], rows + 1)
        columns, values = view_i32(table[_COLUMNS], starts[rows]), view(table[_VALUES], starts[rows])
        sorted_rows, sorted_values = (
            view_i32(table[_SORTED_ROWS], starts[rows]),
            view(table[_SORTED], starts[rows]),
        )
        while True:
            tile = atomic_add(address + 8 * _CHUNK, 1)
            if tile * TILE >= rows:
                break
            places = view_i32(table[_PLACES] + tile * (inputs + 1) * 4, inputs + 1)
            first, last = tile * TILE, min(tile * TILE + TILE, rows)
            base, end = starts[first], starts[last]
            for j in range(inputs + 1):
                places[j] = 0
            for at in range(base, end):
                places[columns[at] + 1] += 1
            for j in range(inputs):
                places[j + 1] += places[j]
            for r in range(first, last):
                for at in range(starts[r], starts[r + 1]):
                    to = base + places[columns[at]]
                    sorted_rows[to], sorted_values[to] = r - first, values[at]
                    places[columns[at]] += 1
            for j in range(inputs, 0, -1):
                places[j] = places[j - 1]
            places[0] = 0

    return {"transpose": transpose}


def _forward(view: Any, size: int, add: Any) -> Any:
    @cfunc(VOID, cache=True, **INLINE)
    def forward(address: int) -> None:
        """result[r] = bias + sum of value times weights[column] over the entries of row r."""
        table = view_i64(address, _END)
        rows, outputs = table[_ROWS], table[_OUTPUTS]
        starts = view_i64(table[_STARTS], rows + 1)
        columns, values = view_i32(table[_COLUMNS], starts[rows]), view(table[_VALUES], starts[rows])
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
                result = view(table[_RESULT] + (r * outputs + lo) * size, n)
                if table[_BIAS] != 0:
                    bias = view(table[_BIAS] + lo * size, n)
                    for k in range(n):
                        result[k] = bias[k]
                else:
                    for k in range(n):
                        result[k] = 0
                weights, place = table[_WEIGHTS] + lo * size, table[_RESULT] + (r * outputs + lo) * size
                add(n, place, weights, outputs * size, columns, values, starts[r], starts[r + 1])

    return forward


def _backward(view: Any, size: int, add: Any) -> Any:
    @cfunc(VOID, cache=True, **INLINE)
    def backward(address: int) -> None:
        """weights[column] = sum of value times result[r] over the entries of all rows, from those sorted by column."""
        table = view_i64(address, _END)
        rows, outputs, inputs = table[_ROWS], table[_OUTPUTS], table[_INPUTS]
        starts = view_i64(table[_STARTS], rows + 1)
        sorted_rows, values = view_i32(table[_SORTED_ROWS], starts[rows]), view(table[_SORTED], starts[rows])
        while True:
            lo = atomic_add(address + 8 * _CHUNK, 1) * OUTPUTS
            if lo >= outputs:
                break
            n = min(OUTPUTS, outputs - lo)
            for j in range(inputs):
                weights = view(table[_WEIGHTS] + (j * outputs + lo) * size, n)
                for k in range(n):
                    weights[k] = 0
            for tile in range((rows + TILE - 1) // TILE):
                places = view_i32(table[_PLACES] + tile * (inputs + 1) * 4, inputs + 1)
                base = starts[tile * TILE]
                gradient = table[_RESULT] + (tile * TILE * outputs + lo) * size
                for j in range(inputs):
                    if places[j] < places[j + 1]:
                        place = table[_WEIGHTS] + (j * outputs + lo) * size
                        first, last = base + places[j], base + places[j + 1]
                        add(n, place, gradient, outputs * size, sorted_rows, values, first, last)

    return backward


def _kernels(view: Any, size: int) -> dict[str, Any]:
    """All kernels for one floating-point type of `size` bytes."""
    add = adder(view, size)
    products = {"forward": _forward(view, size, add), "backward": _backward(view, size, add)}
    return {**_finding(view, size), **_sorting(view), **products}


FLOAT32 = _kernels(view_f32, 4)
FLOAT64 = _kernels(view_f64, 8)
