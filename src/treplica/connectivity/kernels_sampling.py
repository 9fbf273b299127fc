"""Rows of uniformly drawn targets, inside compiled kernels.

Slot i of a row is one uniform number below n; a row takes its slots in order. With multapses it is the
sorted first k slots; without, it is the sorted first k different numbers among the slots.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.connectivity.kernels_bits import DENSE, complement, count_marked, list_bits, mark, mark_new
from treplica.connectivity.kernels_words import (
    CHOOSE,
    COUNT,
    U32,
    U64,
    rejected_below,
    row_word,
    row_words,
    slot_below,
)

SHORT = 24  # rows up to this length are sorted by insertion alone
CHUNK = 1024  # slots that are drawn together: they stay in the first-level cache
_HALF = U64(32)


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
def _below(words: Any, n: Any, rejected: Any, out: Any) -> Any:
    """Write what the words give at once; whether one of them must be redrawn."""
    any_rejected = U32(0)
    for i in range(out.shape[0]):
        product = U64(words[i]) * U64(n)
        out[i] = np.int32(U32(product >> _HALF))
        any_rejected |= U32(U32(product) < rejected)
    return any_rejected != U32(0)


@njit(error_model="numpy", nogil=True)
def draw_slots(k0: Any, k1: Any, stream: Any, source: Any, first: Any, n: Any, words: Any, out: Any) -> None:
    """Write the slots first, first + 1, ... of a row to `out` (int32); `words` has room for CHUNK items."""
    rejected = rejected_below(n)
    begin, at = first & ~63, 0
    while at < out.shape[0]:
        skip = first + at - begin
        size = min(CHUNK, (skip + out.shape[0] - at + 63) & ~63)
        row_words(k0, k1, stream, source, CHOOSE, begin, words[:size])
        part = out[at : at + size - skip]
        if _below(words[skip : skip + part.shape[0]], n, rejected, part):
            for i in range(part.shape[0]):
                slot = first + at + i
                part[i] = slot_below(k0, k1, stream, source, CHOOSE, slot, words[skip + i], n, rejected)
        at += part.shape[0]
        begin += size


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
    """Fill `row` with the first different numbers of the slots, ascending; see `mark_row`."""
    have, drawn, k = 0, 0, row.shape[0]
    while have < k:
        missing = k - have
        new = row[have:]
        draw_slots(k0, k1, stream, source, drawn, n, words, new)
        sort_uniform(new, n, scratch, starts)
        drawn += missing
        have = _merge_new(row[:have], new, merged)
        row[:have] = merged[:have]


@njit(error_model="numpy", nogil=True)
def mark_row(
    k0: Any, k1: Any, stream: Any, n: Any, skip_self: Any, source: Any, k: Any, work: Any, bits: Any
) -> None:
    """Set the bits of a row of k different targets; `bits` is empty before. For the rest see `uniform_row`."""
    words, slots = work[0], work[1]
    hole = np.int32(source) if skip_self else np.int32(n)
    few = k if 2 * k <= n else n - k
    have, drawn = np.int64(0), np.int64(0)
    while have < few:
        end = drawn + few - have  # never beyond the last slot that is needed
        first_round = drawn == 0
        while drawn < end:
            part = slots[: min(CHUNK, end - drawn)]
            draw_slots(k0, k1, stream, source, drawn, n, words, part)
            for i in range(part.shape[0]):
                part[i] += part[i] >= hole
            if first_round:
                mark(part, bits)
            else:
                have += mark_new(part, bits)
            drawn += part.shape[0]
        if first_round:
            have = count_marked(bits)
    if few < k:
        complement(bits, n + skip_self, hole if skip_self else n + 1)


@njit(error_model="numpy", nogil=True)
def uniform_row(
    k0: Any, k1: Any, stream: Any, n: Any, multapses: Any, skip_self: Any, source: Any, ordered: Any,
    row: Any, work: Any,
) -> None:  # fmt: skip
    """Write a row of uniform targets below n; without `ordered`, in any order.

    Without multapses, rows longer than half of all targets are the complement of a row of those left out.
    With `skip_self` the source itself is left out: n counts the others, and numbers from the source on
    move up by one. work: words[CHUNK], slots[CHUNK], and by the longest
    row scratch, merged (int32) and starts (int64, one more), then `bitmap_words` of bits.
    """
    words, _, scratch, merged, starts, bits = work
    k = row.shape[0]
    if not multapses and k >= DENSE * n:
        bits[:] = U64(0)
        mark_row(k0, k1, stream, n, skip_self, source, k, work, bits)
        list_bits(bits, row)
        return
    if multapses:
        draw_slots(k0, k1, stream, source, 0, n, words, row)
        if ordered:
            sort_uniform(row, n, scratch, starts)
    else:
        _few_distinct(k0, k1, stream, source, n, words, scratch, starts, merged, row)
    if skip_self:
        for i in range(k):
            row[i] += row[i] >= source


@njit(error_model="numpy", nogil=True)
def bitmap_words(n: Any, multapses: Any, skip_self: Any, longest: Any, share: Any) -> Any:
    """Return how many 64-bit words rows are marked in, 0 where the longest has less than this share of n targets."""
    return 0 if multapses or longest < share * n else (n + skip_self + 63) >> 6


@njit(error_model="numpy", nogil=True, cache=True)
def fill_uniform_rows(
    k0: Any, k1: Any, stream: Any, n: Any, multapses: Any, skip_self: Any, first: Any, last: Any, indptr: Any,
    targets: Any,
) -> None:  # fmt: skip
    """Write rows of uniform targets, ascending, of the lengths that `indptr` says; see `uniform_row`."""
    longest = np.int64(0)
    for i in range(last - first):
        longest = max(longest, indptr[i + 1] - indptr[i])
    work = (
        np.empty(CHUNK, np.uint32),
        np.empty(CHUNK, np.int32),
        np.empty(longest, np.int32),
        np.empty(longest, np.int32),
        np.empty(longest + 1, np.int64),
        np.empty(bitmap_words(n, multapses, skip_self, longest, DENSE), np.uint64),
    )
    for source in range(first, last):
        row = targets[indptr[source - first] : indptr[source - first + 1]]
        uniform_row(k0, k1, stream, n, multapses, skip_self, source, True, row, work)


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
