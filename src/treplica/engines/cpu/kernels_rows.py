"""Splitting rows of synapses by the thread that owns the target."""

from __future__ import annotations

from typing import Any

from numba import njit, prange


@njit(parallel=True, cache=True, error_model="numpy")
def split_rows(indptr: Any, targets: Any, bounds: Any, out: Any) -> None:
    """out[row, t] = how many targets of a row are below bounds[t + 1]; rows are ascending."""
    for row in prange(out.shape[0]):
        j = indptr[row]
        for t in range(out.shape[1]):
            while j < indptr[row + 1] and targets[j] < bounds[t + 1]:
                j += 1
            out[row, t] = j - indptr[row]
