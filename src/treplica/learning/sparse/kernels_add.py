"""Sums of rows of a matrix: what every product with spikes is made of."""

from __future__ import annotations

from typing import Any

from numba import float32, float64, njit

from treplica.engines.cpu.intrinsics import INLINE
from treplica.numerics.compiled_memory import view_like

#: Items of a row that are summed together: so many of a thousand rows fit the second-level cache.
OUTPUTS = 128


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


def adder(view: Any, size: int) -> Any:
    """`add` without `like`, for the type of `size` bytes; what has it in a closure is compiled in every process."""
    like = float32(0.0) if size == 4 else float64(0.0)

    @njit(**INLINE)
    def typed(
        n: int, result: int, base: int, stride: int, columns: Any, values: Any, at: int, end: int
    ) -> None:
        add(like, n, result, base, stride, columns, values, at, end)

    return typed
