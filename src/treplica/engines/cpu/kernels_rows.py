"""Splitting rows of synapses by the owner of the target; joining the spikes of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def split_rows(indptr: Any, targets: Any, bounds: Any, out: Any, first: int, last: int) -> None:
    """out[row, t] = how many targets of rows first to last are below bounds[t + 1]; rows are ascending."""
    for row in range(first, last):
        j = indptr[row]
        for t in range(out.shape[1]):
            while j < indptr[row + 1] and targets[j] < bounds[t + 1]:
                j += 1
            out[row, t] = j - indptr[row]


@njit(cache=True, error_model="numpy", nogil=True)
def sort_by_delay(
    indptr: Any, splits: Any, targets: Any, weights: Any, delays: Any, first: int, last: int
) -> None:
    """Bring each thread's part of rows first to last into the order of delays; weights: one each, or empty."""
    for row in range(first, last):
        begin = indptr[row]
        for t in range(splits.shape[1] + 1):
            end = indptr[row + 1] if t == splits.shape[1] else indptr[row] + splits[row, t]
            order = np.argsort(delays[begin:end], kind="mergesort")  # stable
            targets[begin:end] = targets[begin:end][order]
            delays[begin:end] = delays[begin:end][order]
            if weights.size > 0:
                weights[begin:end] = weights[begin:end][order]
            begin = end


@njit(cache=True, error_model="numpy", nogil=True)
def join_spikes(parts: Any, counts: Any, read: Any, first: int, steps: Any, ids: Any, values: Any) -> None:
    """Bring the spikes of threads into the order of steps and ids.

    parts: for each thread int32[1 or 2, n], ids and perhaps values. counts: int64[steps, threads]. read: where each
    thread's begin, int64[threads]; it ends as where they end.
    """
    at = 0
    for s in range(counts.shape[0]):
        for t in range(counts.shape[1]):
            part = parts[t]
            for _ in range(counts[s, t]):
                steps[at] = first + s + 1
                ids[at] = part[0, read[t]]
                if values.size > 0:
                    values[at] = part[1, read[t]]
                read[t] += 1
                at += 1
