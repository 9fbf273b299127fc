"""Sums of rows of a matrix: what every product with spikes is made of."""

from __future__ import annotations

from typing import Any

from numba import njit

from treplica.engines.cpu.intrinsics import INLINE
from treplica.learning.native.compiled_rows import SPAN, add_rows
from treplica.numerics.compiled_memory import size_of, view_i32, view_like, view_u8


@njit(**INLINE)
def copy_bytes(target: int, source: int, count: int) -> None:
    """Copy bytes; where there is no source, zeros."""
    to = view_u8(target, count)
    if source == 0:
        for i in range(count):
            to[i] = 0
    else:
        of = view_u8(source, count)
        for i in range(count):
            to[i] = of[i]


@njit(**INLINE)
def add(
    like: Any, n: int, result: int, base: int, stride: int, columns: int, values: int, count: int
) -> None:
    """Add value times row `column` of a matrix to n items at `result`, for so many entries in order.

    The matrix begins at `base`, its rows are `stride` bytes apart; `columns` (int32) and `values` are addresses. All
    numbers are of the type of `like`.
    """
    size = size_of(like)
    span = SPAN // size
    whole = n // span * span
    for lo in range(0, whole, span):
        add_rows(like, result + lo * size, base + lo * size, stride, columns, values, count)
    if whole < n:
        tail, column, value = (
            view_like(result + whole * size, n - whole, like),
            view_i32(columns, count),
            view_like(values, count, like),
        )
        for e in range(count):
            row, v = view_like(base + column[e] * stride + whole * size, n - whole, like), value[e]
            for k in range(n - whole):
                tail[k] = tail[k] + v * row[k]


@njit(**INLINE)
def add_by_column(
    like: Any,
    n: int,
    weights: int,
    stride: int,
    inputs: int,
    base: int,
    apart: int,
    places: int,
    rows: int,
    values: int,
) -> None:
    """Add value times n items of a row of the matrix at `base` to row j of that at `weights`, for entries by column.

    Entries places[j] to places[j + 1] (int32[inputs + 1]) are those of column j; `rows` (int32) and `values` are their
    addresses. The rows of the first matrix are `apart` bytes apart, those of the other `stride`.
    """
    size, place = size_of(like), view_i32(places, inputs + 1)
    for j in range(inputs):
        first, count = place[j], place[j + 1] - place[j]
        if count > 0:
            add(like, n, weights + j * stride, base, apart, rows + 4 * first, values + first * size, count)
