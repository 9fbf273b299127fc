"""Rows of the fixed in-degree, inside compiled kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.connectivity.kernels_sampling import sort_uniform
from treplica.connectivity.kernels_words import U64

_GOLDEN, _MIX1, _MIX2 = U64(0x9E3779B97F4A7C15), U64(0xBF58476D1CE4E5B9), U64(0x94D049BB133111EB)
ROUNDS = 4  # of two half rounds each
PIECE = 512
_HALF, _LOW = U64(32), U64(0xFFFFFFFF)


@njit(error_model="numpy", forceinline=True)
def _scrambled_below(x: Any, key: Any, n: Any) -> Any:
    """Return a number below n (n < 2**32) that depends on x and a 64-bit key without visible pattern.

    The mixing is that of SplitMix64: Steele, Lea & Flood 2014, doi:10.1145/2714064.2660195.
    """
    z = U64(x) * _GOLDEN + key
    z = (z ^ (z >> U64(30))) * _MIX1
    z = (z ^ (z >> U64(27))) * _MIX2
    z = z ^ (z >> U64(31))
    return ((z >> _HALF) * n + (((z & _LOW) * n) >> _HALF)) >> _HALF


@njit(error_model="numpy", nogil=True)
def _rounds(left: Any, right: Any, width: Any, height: Any, keys: Any) -> None:
    """Apply the rounds of the Feistel network to arrays of halves, left < width and right < height (uint64)."""
    for i in range(left.shape[0]):
        a, b = left[i], right[i]
        for r in range(ROUNDS):
            a += _scrambled_below(b, keys[2 * r], width)
            a -= width if a >= width else U64(0)
            b += _scrambled_below(a, keys[2 * r + 1], height)
            b -= height if b >= height else U64(0)
        left[i], right[i] = a, b


@njit(error_model="numpy", nogil=True, cache=True)
def permute(first: Any, size: Any, width: Any, height: Any, keys: Any, out: Any) -> None:
    """Write the images of first, first + 1, ... under a keyed permutation of 0..size - 1 (size <= width * height).

    A Feistel network on x = left * height + right, repeated until the image is below `size` (cycle walking:
    Black & Rogaway 2002, doi:10.1007/3-540-45760-7_9). `keys`: 2 ROUNDS uint64 numbers.
    """
    size, width, height = U64(size), U64(width), U64(height)
    left, right = np.empty(PIECE, np.uint64), np.empty(PIECE, np.uint64)
    for begin in range(0, out.shape[0], PIECE):
        piece = out[begin : begin + PIECE]
        n = piece.shape[0]
        a, b = U64(first + begin) // height, U64(first + begin) % height
        for i in range(n):
            left[i], right[i] = a, b
            b += U64(1)
            if b == height:
                a, b = a + U64(1), U64(0)
        _rounds(left[:n], right[:n], width, height, keys)
        for i in range(n):
            while left[i] * height + right[i] >= size:
                _rounds(left[i : i + 1], right[i : i + 1], width, height, keys)
            piece[i] = left[i] * height + right[i]


@njit(error_model="numpy", nogil=True)
def slot_row(n: Any, k: Any, box: Any, start: Any, ordered: Any, row: Any, work: Any) -> None:
    """Write the row that owns the permuted target slots start, start + 1, ... of n * k; unless `ordered`, in any order.

    box: width, height and keys of `permute`. work: as long as the longest row, scratch (int32), starts (int64, one
    more), slots (int64).
    """
    scratch, starts, slots = work
    permute(start, n * k, *box, slots[: row.shape[0]])
    for j in range(row.shape[0]):
        row[j] = slots[j] // k
    if ordered:
        sort_uniform(row, n, scratch, starts)


@njit(error_model="numpy", nogil=True, cache=True)
def fill_slots(
    n: Any, k: Any, width: Any, height: Any, keys: Any, first: Any, last: Any, start: Any, indptr: Any,
    targets: Any,
) -> None:  # fmt: skip
    """Write rows: source s owns the slots start + indptr[s - first]...; see `slot_row`."""
    longest = np.int64(0)
    for i in range(last - first):
        longest = max(longest, indptr[i + 1] - indptr[i])
    work = (np.empty(longest, np.int32), np.empty(longest + 1, np.int64), np.empty(longest, np.int64))
    for i in range(last - first):
        row = targets[indptr[i] : indptr[i + 1]]
        slot_row(n, k, (width, height, keys), start + indptr[i], True, row, work)


@njit(error_model="numpy", nogil=True)
def _first_at_least(row: Any, x: Any) -> Any:
    low, high = 0, row.shape[0]
    while low < high:
        middle = (low + high) >> 1
        if row[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low


@njit(error_model="numpy", nogil=True, cache=True)
def count_sources(columns: Any, first: Any, last: Any, counts: Any) -> None:
    """Add to `counts` how often each source of first..last-1 occurs; a row of `columns` is sorted."""
    for t in range(columns.shape[0]):
        column = columns[t]
        for j in range(_first_at_least(column, first), column.shape[0]):
            if column[j] >= last:
                break
            counts[column[j]] += 1


@njit(error_model="numpy", nogil=True, cache=True)
def transpose(columns: Any, first: Any, last: Any, indptr: Any, targets: Any) -> None:
    """Write the rows of the sources first..last-1; columns[t] are the sources of target t, sorted."""
    at = indptr[first:last].copy()
    for t in range(columns.shape[0]):
        column = columns[t]
        for j in range(_first_at_least(column, first), column.shape[0]):
            if column[j] >= last:
                break
            targets[at[column[j] - first]] = t
            at[column[j] - first] += 1
