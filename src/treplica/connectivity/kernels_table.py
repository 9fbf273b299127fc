"""Sorting edges into rows, inside compiled kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(error_model="numpy", nogil=True, cache=True)
def rows_of_edges(sources: Any, targets: Any, indptr: Any, out: Any) -> None:
    """Sort edges by source: row i is out[indptr[i]:indptr[i + 1]]. `indptr` (n + 1) must be zero."""
    n = indptr.shape[0] - 1
    for source in sources:
        indptr[source] += 1
    total = np.int64(0)
    for i in range(n):
        total += indptr[i]
        indptr[i] = total
    indptr[n] = total
    for e in range(sources.shape[0] - 1, -1, -1):  # filling each row from its end turns indptr into starts
        indptr[sources[e]] -= 1
        out[indptr[sources[e]]] = targets[e]


@njit(error_model="numpy", nogil=True, cache=True)
def sort_rows(indptr: Any, first: Any, last: Any, targets: Any) -> None:
    """Sort each row of a range in place, where it is not sorted yet."""
    for i in range(first, last):
        row = targets[indptr[i] : indptr[i + 1]]
        for j in range(1, row.shape[0]):
            if row[j - 1] > row[j]:
                row.sort()
                break
