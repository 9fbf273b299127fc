"""Sums of rows of a matrix: what every product with spikes is made of."""

from __future__ import annotations

from typing import Any

from numba import njit

from treplica.engines.cpu.intrinsics import INLINE
from treplica.numerics.compiled_memory import view_like, view_u8

#: Items of a row that are summed together: so many of a thousand rows fit the second-level cache.
OUTPUTS = 128


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
def _add_rows(result: Any, base: int, stride: int, columns: Any, values: Any, at: int, end: int) -> None:
    n, like = result.shape[0], result[0]
    # Four at a time: the sum is stored once for four.
    while at + 4 <= end:
        w0 = view_like(base + columns[at] * stride, n, like)
        w1 = view_like(base + columns[at + 1] * stride, n, like)
        w2 = view_like(base + columns[at + 2] * stride, n, like)
        w3 = view_like(base + columns[at + 3] * stride, n, like)
        v0, v1, v2, v3 = values[at], values[at + 1], values[at + 2], values[at + 3]
        for k in range(n):
            result[k] = result[k] + v0 * w0[k] + v1 * w1[k] + v2 * w2[k] + v3 * w3[k]
        at += 4
    while at < end:
        w, v = view_like(base + columns[at] * stride, n, like), values[at]
        for k in range(n):
            result[k] = result[k] + v * w[k]
        at += 1


@njit(**INLINE)
def add(
    like: Any, n: int, result: int, base: int, stride: int, columns: Any, values: Any, at: int, end: int
) -> None:
    """Add value times row `column` of a matrix to n <= OUTPUTS items at `result`, for entries `at` to `end`.

    The matrix begins at `base`, its rows are `stride` bytes apart; all numbers are of the type of `like`.
    """
    # A whole block has a length that the compiler knows.
    if n == OUTPUTS:
        _add_rows(view_like(result, OUTPUTS, like), base, stride, columns, values, at, end)
    else:
        _add_rows(view_like(result, n, like), base, stride, columns, values, at, end)
