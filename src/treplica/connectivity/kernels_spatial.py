"""Rows of the distance-dependent rule, inside compiled kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.connectivity.kernels_words import DECIDE, U64, row_words


@njit(error_model="numpy", forceinline=True)
def _runs(x: Any, low: Any, high: Any, size: Any, periodic: Any) -> Any:
    """Return the offsets low..high as two runs (begin, end, shift) in which x + offset + shift ascends."""
    if not periodic:
        return max(low, -x), min(high, size - 1 - x) + 1, 0, 0, 0, 0
    if x + low < 0:  # what falls off below comes back as the largest ids
        return -x, high + 1, 0, low, -x, size
    if x + high >= size:
        return size - x, high + 1, -size, low, size - x, 0
    return low, high + 1, 0, 0, 0, 0


@njit(error_model="numpy", nogil=True)
def _accept(words: Any, limits: Any, first_id: Any, out: Any, at: Any) -> Any:
    """Write the ids first_id + i whose word is below limits[i], from out[at] on; return the next place."""
    for i in range(limits.shape[0]):
        if U64(words[i]) < limits[i]:
            out[at] = first_id + i
            at += 1
    return at


@njit(error_model="numpy", nogil=True)
def _count(words: Any, limits: Any) -> Any:
    count = 0
    for i in range(limits.shape[0]):
        count += U64(words[i]) < limits[i]
    return count


@njit(error_model="numpy", nogil=True)
def spatial_row(
    k0: Any, k1: Any, stream: Any, rows: Any, columns: Any, periodic: Any, limits: Any, low_y: Any,
    low_x: Any, source: Any, counting: Any, row: Any, words: Any,
) -> Any:  # fmt: skip
    """Count the targets of a source, or write them to `row`; how many they are.

    limits[dy - low_y, dx - low_x] words out of 2**32 mean a synapse at the offset (dy, dx). The word of a
    pair is DECIDE word `target` of row `source`. words: uint32, `line_words` items.
    """
    high_y, high_x = low_y + limits.shape[0] - 1, low_x + limits.shape[1] - 1
    y, x = source // columns, source % columns
    y_runs, x_runs = _runs(y, low_y, high_y, rows, periodic), _runs(x, low_x, high_x, columns, periodic)
    at = 0
    for v in range(0, 6, 3):
        for dy in range(y_runs[v], y_runs[v + 1]):
            line = limits[dy - low_y]
            base = (y + dy + y_runs[v + 2]) * columns
            for h in range(0, 6, 3):
                begin, end = x_runs[h], x_runs[h + 1]
                if begin >= end:
                    continue
                run = line[begin - low_x : end - low_x]
                target = base + x + begin + x_runs[h + 2]
                block = target & ~63
                size = (target - block + end - begin + 63) & ~63
                row_words(k0, k1, stream, source, DECIDE, block, words[:size])
                drawn = words[target - block :]
                if counting:
                    at += _count(drawn, run)
                else:
                    at = _accept(drawn, run, target, row, at)
    return at


@njit(error_model="numpy", nogil=True)
def line_words(columns: Any) -> Any:
    """Return how many words a line of so many offsets may need."""
    return ((columns + 63) & ~63) + 128


@njit(error_model="numpy", nogil=True, cache=True)
def spatial_rows(
    k0: Any, k1: Any, stream: Any, rows: Any, columns: Any, periodic: Any, limits: Any, low_y: Any,
    low_x: Any, first: Any, last: Any, counting: Any, indptr: Any, targets: Any,
) -> None:  # fmt: skip
    """Count the targets of some sources into `indptr` (one per source), or write them; see `spatial_row`."""
    words = np.empty(line_words(limits.shape[1]), np.uint32)
    sheet = (rows, columns, periodic, limits, low_y, low_x)
    for source in range(first, last):
        row = targets if counting else targets[indptr[source - first] : indptr[source - first + 1]]
        count = spatial_row(k0, k1, stream, *sheet, source, counting, row, words)
        if counting:
            indptr[source - first] = count
