"""Rows of uniformly drawn targets, inside compiled kernels.

Slot i of a row is one uniform number below n; a row takes its slots in order. With multapses it is the
sorted first k slots; without, it is the sorted first k different numbers among the slots.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.connectivity.kernels_words import (
    CHOOSE,
    COUNT,
    U64,
    rejected_below,
    row_word,
    row_words,
    slot_below,
)

SHORT = 24  # rows up to this length are sorted by insertion alone


@njit(error_model="numpy", nogil=True)
def insertion_sort(values: Any) -> None:
    """Sort a short or nearly sorted array in place."""
    for i in range(1, values.shape[0]):
        x = values[i]
        j = i - 1
        while j >= 0 and values[j] > x:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = x


@njit(error_model="numpy", nogil=True)
def sort_uniform(values: Any, n: Any, scratch: Any, starts: Any) -> None:
    """Sort numbers that are spread evenly over 0..n-1, in linear time: by bucket, then by insertion.

    `scratch` holds at least as many items as `values`, `starts` one more.
    """
    count = values.shape[0]
    if count > SHORT:
        scale = (U64(count) << U64(32)) // U64(n)  # value * scale >> 32 is a bucket below count
        starts[: count + 1] = 0
        for x in values:
            starts[np.int64((U64(x) * scale) >> U64(32)) + 1] += 1
        for i in range(count):
            starts[i + 1] += starts[i]
        for x in values:
            b = np.int64((U64(x) * scale) >> U64(32))
            scratch[starts[b]] = x
            starts[b] += 1
        values[:] = scratch[:count]
    insertion_sort(values)


@njit(error_model="numpy", nogil=True)
def draw_slots(k0: Any, k1: Any, stream: Any, source: Any, first: Any, n: Any, words: Any, out: Any) -> None:
    """Write the slots first, first + 1, ... of a row to `out` (int32); `words` has 128 items more."""
    begin = first & ~63
    row_words(k0, k1, stream, source, CHOOSE, begin, words[: ((first + out.shape[0] + 63) & ~63) - begin])
    rejected = rejected_below(n)
    skip = first - begin
    for i in range(out.shape[0]):
        out[i] = slot_below(k0, k1, stream, source, CHOOSE, first + i, words[skip + i], n, rejected)


@njit(error_model="numpy", nogil=True)
def _merge_new(old: Any, new: Any, out: Any) -> Any:
    """Write the union of two sorted arrays, the first without repetitions, to `out`; return its length."""
    at, i = 0, 0
    for x in new:
        while i < old.shape[0] and old[i] < x:
            out[at] = old[i]
            at += 1
            i += 1
        if (i == old.shape[0] or old[i] != x) and (at == 0 or out[at - 1] != x):
            out[at] = x
            at += 1
    while i < old.shape[0]:
        out[at] = old[i]
        at += 1
        i += 1
    return at


@njit(error_model="numpy", nogil=True)
def _few_distinct(
    k0: Any,
    k1: Any,
    stream: Any,
    source: Any,
    n: Any,
    words: Any,
    scratch: Any,
    starts: Any,
    merged: Any,
    row: Any,
) -> None:
    """Fill `row` with the first different numbers of the slots, ascending.

    Drawing only as many slots as are still missing never draws beyond the last one needed.
    """
    have, drawn, k = 0, 0, row.shape[0]
    while have < k:
        missing = k - have
        new = row[have:]
        draw_slots(k0, k1, stream, source, drawn, n, words, new)
        sort_uniform(new, n, scratch, starts)
        drawn += missing
        have = _merge_new(row[:have], new, merged)
        row[:have] = merged[:have]


@njit(error_model="numpy", nogil=True, cache=True)
def fill_uniform_rows(
    k0: Any, k1: Any, stream: Any, n: Any, multapses: Any, skip_self: Any, first: Any, last: Any, indptr: Any,
    targets: Any,
) -> None:  # fmt: skip
    """Write rows of uniform targets below n, of the lengths that `indptr` says.

    Without multapses, rows longer than half of all targets are the complement of a row of those left out.
    With `skip_self` the source itself is left out: n counts the others, and numbers from the source on
    move up by one.
    """
    longest = np.int64(0)
    for i in range(last - first):
        longest = max(longest, indptr[i + 1] - indptr[i])
    words = np.empty(((longest + 63) & ~63) + 128, np.uint32)
    scratch, merged, absent = (
        np.empty(longest, np.int32),
        np.empty(longest, np.int32),
        np.empty(longest, np.int32),
    )
    starts = np.empty(longest + 1, np.int64)
    for source in range(first, last):
        row = targets[indptr[source - first] : indptr[source - first + 1]]
        k = row.shape[0]
        if multapses:
            draw_slots(k0, k1, stream, source, 0, n, words, row)
            sort_uniform(row, n, scratch, starts)
        elif 2 * k <= n:
            _few_distinct(k0, k1, stream, source, n, words, scratch, starts, merged, row)
        else:
            gaps = absent[: n - k]
            _few_distinct(k0, k1, stream, source, n, words, scratch, starts, merged, gaps)
            at, gap = 0, 0
            for x in range(n):
                if gap < gaps.shape[0] and gaps[gap] == x:
                    gap += 1
                else:
                    row[at] = x
                    at += 1
        if skip_self:
            for i in range(k):
                row[i] += row[i] >= source


@njit(error_model="numpy", nogil=True, cache=True)
def binomial_degrees(k0: Any, k1: Any, stream: Any, low: Any, table: Any, first: Any, out: Any) -> None:
    """Write one binomial number per row by inversion of its cumulative table (see `binomial_table`)."""
    for i in range(out.shape[0]):
        above = U64(row_word(k0, k1, stream, first + i, COUNT, 0, 0)) << U64(21)
        below = U64(row_word(k0, k1, stream, first + i, COUNT, 0, 16)) >> U64(11)
        u = (above | below) * 2.0**-53
        a, b = 0, table.shape[0] - 1
        while a < b:  # the first item above u
            middle = (a + b) >> 1
            if table[middle] > u:
                b = middle
            else:
                a = middle + 1
        out[i] = low + a


@njit(error_model="numpy", nogil=True, cache=True)
def count_draws(k0: Any, k1: Any, stream: Any, n: Any, first: Any, last: Any, counts: Any) -> None:
    """Add to `counts` how often each number below n comes up in the draws first..last-1; first % 64 is 0."""
    words = np.empty(1024, np.uint32)
    rejected = rejected_below(n)
    for begin in range(first, last, 1024):
        row_words(k0, k1, stream, 0, COUNT, begin, words)
        for i in range(min(1024, last - begin)):
            counts[slot_below(k0, k1, stream, 0, COUNT, begin + i, words[i], n, rejected)] += 1
