"""Measures of a graph that is given as rows, inside compiled kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(error_model="numpy", nogil=True)
def _common(a: Any, b: Any, u: Any, v: Any) -> Any:
    """Return how many numbers two sorted arrays share: each counts once, u and v do not count."""
    count, i, j = 0, 0, 0
    while i < a.shape[0] and j < b.shape[0]:
        x, y = a[i], b[j]
        count += x == y and x != u and x != v
        while x <= y and i < a.shape[0] and a[i] == x:
            i += 1
        while y <= x and j < b.shape[0] and b[j] == y:
            j += 1
    return count


@njit(error_model="numpy", nogil=True, cache=True)
def local_clustering(indptr: Any, targets: Any, first: Any, last: Any, out: Any) -> None:
    """Write for each neuron the fraction of ordered pairs of its targets that are connected."""
    for u in range(first, last):
        row = targets[indptr[u] : indptr[u + 1]]
        degree, links = 0, 0
        for i in range(row.shape[0]):
            v = row[i]
            if v != u and (i == 0 or row[i - 1] != v):
                degree += 1
                links += _common(row, targets[indptr[v] : indptr[v + 1]], u, v)
        out[u] = links / (degree * (degree - 1)) if degree > 1 else 0.0


@njit(error_model="numpy", nogil=True, cache=True)
def path_lengths(
    indptr: Any, targets: Any, starts: Any, first: Any, last: Any, sums: Any, reached: Any
) -> None:
    """Write, for each start, the sum of the distances to all neurons it reaches and their number."""
    n = indptr.shape[0] - 1
    distance, queue = np.empty(n, np.int32), np.empty(n, np.int32)
    for s in range(first, last):
        distance[:] = -1
        distance[starts[s]] = 0
        queue[0] = starts[s]
        head, tail, total = 0, 1, 0
        while head < tail:
            u = queue[head]
            head += 1
            total += distance[u]
            for v in targets[indptr[u] : indptr[u + 1]]:
                if distance[v] < 0:
                    distance[v] = distance[u] + 1
                    queue[tail] = v
                    tail += 1
        sums[s] = total
        reached[s] = tail - 1
