"""Sums of rows of a matrix, and copies: what every product with spikes is made of."""

from __future__ import annotations

from typing import Any

from numba import njit

from treplica.engines.cpu.intrinsics import INLINE
from treplica.numerics.compiled_memory import view_u8

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


def adder(view: Any, size: int) -> Any:
    """`add(n, result, base, stride, columns, values, at, end)` for one floating-point type of `size` bytes.

    It adds value times row `column` of the matrix at `base`, whose rows are `stride` bytes apart, to the n <= OUTPUTS
    items at `result`, for entries `at` to `end`.
    """

    @njit(**INLINE)
    def add_rows(result: Any, base: int, stride: int, columns: Any, values: Any, at: int, end: int) -> None:
        # Four at a time: the sum is stored once for four.
        n = result.shape[0]
        while at + 4 <= end:
            w0 = view(base + columns[at] * stride, n)
            w1 = view(base + columns[at + 1] * stride, n)
            w2 = view(base + columns[at + 2] * stride, n)
            w3 = view(base + columns[at + 3] * stride, n)
            v0, v1, v2, v3 = values[at], values[at + 1], values[at + 2], values[at + 3]
            for k in range(n):
                result[k] = result[k] + v0 * w0[k] + v1 * w1[k] + v2 * w2[k] + v3 * w3[k]
            at += 4
        while at < end:
            w, v = view(base + columns[at] * stride, n), values[at]
            for k in range(n):
                result[k] = result[k] + v * w[k]
            at += 1

    @njit(**INLINE)
    def add(
        n: int, result: int, base: int, stride: int, columns: Any, values: Any, at: int, end: int
    ) -> None:
        # A whole block has a length that the compiler knows.
        if n == OUTPUTS:
            add_rows(view(result, OUTPUTS), base, stride, columns, values, at, end)
        else:
            add_rows(view(result, n), base, stride, columns, values, at, end)

    return add
