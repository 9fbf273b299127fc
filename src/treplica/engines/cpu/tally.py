"""Counting in how many bitmaps every bit is set, many rows at once: by carry-save addition, 64 targets a word.

planes: uint64[2 LEVELS, words]. Plane l holds bit l of the counts; plane LEVELS + l holds one bitmap of weight 2**l
that waits for a second one. Which wait follows from how many rows were added, as in a binary counter. (Harley & Seal's
way to count bits: Warren, "Hacker's Delight", 2nd ed., 2013, section 5-1.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.engines.cpu.intrinsics import INLINE, accumulate, load

LEVELS = 8
#: Rows that are counted before the counts must go elsewhere.
MOST_ROWS = 2**LEVELS - 1
_ONE = np.uint64(1)


@njit(**INLINE)
def _full_add(ones: Any, held: Any, bits: Any) -> None:
    """Add two bitmaps to a plane; what is carried replaces the second."""
    for w in range(bits.shape[0]):
        a, b, c = ones[w], held[w], bits[w]
        either = a ^ b
        ones[w] = either ^ c
        bits[w] = (a & b) | (either & c)


@njit(**INLINE)
def count_row(planes: Any, bits: Any, rows: int) -> None:
    """Add a bitmap, which is overwritten, to the counts of `rows` rows; the first row needs no planes cleared."""
    level = 0
    while (rows >> level) & 1:
        ones = planes[level]
        if rows >> level == 1:  # the first carry out of this level
            ones[:] = np.uint64(0)
        _full_add(ones, planes[LEVELS + level], bits)
        level += 1
    planes[LEVELS + level][:] = bits


@njit(**INLINE)
def add_counts(
    planes: Any, rows: int, counts: Any, sums: int, ids: int, first: int, targets: int, width: int
) -> None:
    """Add the counts of `rows` rows to sums; target j is at first + j, or at ids[j]. counts: int32[64]."""
    for w in range(planes.shape[1]):
        counts[:] = 0
        for level in range(LEVELS):
            if rows >> level > 1:
                word = planes[level, w]
                for j in range(64):
                    counts[j] += np.int32((word >> np.uint64(j)) & _ONE) << level
            if (rows >> level) & 1:
                word = planes[LEVELS + level, w]
                for j in range(64):
                    counts[j] += np.int32((word >> np.uint64(j)) & _ONE) << level
        for j in range(min(64, targets - 64 * w)):
            place = first + 64 * w + j if ids == 0 else load(ids, 64 * w + j, 4)
            if width == 4:
                accumulate(sums, place, 4, counts[j])
            else:
                accumulate(sums, place, 8, counts[j])
