"""Compiled part of the Watts-Strogatz rule.

Lattice edge (j, u), j from 1 to h = k / 2, joins u and u + j (mod n). Edges are treated in networkx's
order: all u for j = 1, then for j = 2, .... Whether an edge is a candidate for rewiring is DECIDE word u
of row j; its new end comes from CHOOSE word u of row j, one attempt after another.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.connectivity.kernels_words import CHOOSE, DECIDE, U32, U64, rejected_below, row_word, row_words

CHUNK = 4096  # lattice edges that are decided together
_GOLDEN, _HALF = U64(0x9E3779B97F4A7C15), U64(32)


@njit(error_model="numpy", nogil=True, cache=True)
def count_candidates(
    k0: Any, k1: Any, stream: Any, n: Any, limit: Any, first: Any, last: Any, counts: Any
) -> None:
    """Write to counts[first:last] how many edges of each chunk are candidates (word below `limit`)."""
    chunks = (n + CHUNK - 1) // CHUNK
    words = np.empty(CHUNK, np.uint32)
    for chunk in range(first, last):
        begin = (chunk % chunks) * CHUNK
        row_words(k0, k1, stream, chunk // chunks + 1, DECIDE, begin, words)
        count = 0
        for i in range(min(CHUNK, n - begin)):
            count += U64(words[i]) < limit
        counts[chunk] = count


@njit(error_model="numpy", nogil=True, cache=True)
def list_candidates(
    k0: Any, k1: Any, stream: Any, n: Any, limit: Any, first: Any, last: Any, starts: Any, candidates: Any
) -> None:
    """Write the u of the candidates of chunks first..last-1, from candidates[starts[chunk]] on."""
    chunks = (n + CHUNK - 1) // CHUNK
    words = np.empty(CHUNK, np.uint32)
    for chunk in range(first, last):
        begin = (chunk % chunks) * CHUNK
        row_words(k0, k1, stream, chunk // chunks + 1, DECIDE, begin, words)
        at = starts[chunk]
        for i in range(min(CHUNK, n - begin)):
            if U64(words[i]) < limit:
                candidates[at] = begin + i
                at += 1


@njit(error_model="numpy", inline="always")
def _is_gone(gone: Any, edge: Any) -> Any:
    return (gone[edge >> 3] >> (edge & 7)) & 1


@njit(error_model="numpy", nogil=True)
def _find(table: Any, u: Any, w: Any) -> Any:
    """Return (key, slot) of the edge u-w: the slot that holds it, or the empty one where it belongs."""
    key = (U64(min(u, w)) << _HALF) | U64(max(u, w))
    slot = (((key * _GOLDEN) >> _HALF) * U64(table.shape[0])) >> _HALF
    while table[slot] != 0 and table[slot] != key:
        slot += U64(1)
        if slot == table.shape[0]:
            slot = U64(0)
    return key, slot


@njit(error_model="numpy", nogil=True)
def _on_lattice(gone: Any, n: Any, h: Any, u: Any, w: Any) -> Any:
    """Return whether the lattice edge u-w exists and is still in place."""
    ahead = w - u if w > u else w - u + n
    if ahead <= h:
        return _is_gone(gone, u * h + ahead - 1) == 0
    if n - ahead <= h:
        return _is_gone(gone, w * h + n - ahead - 1) == 0
    return False


@njit(error_model="numpy", nogil=True, cache=True)
def rewire(
    k0: Any, k1: Any, stream: Any, n: Any, h: Any, bounds: Any, candidates: Any, table: Any, gone: Any,
    degree: Any, ends: Any,
) -> None:  # fmt: skip
    """Give each candidate, in order, a new end: ends[c], or -1 where u is joined to all neurons already.

    bounds[j - 1]:bounds[j] are the candidates of distance j. Updated: `table` (empty uint64 hash table of
    added edges), `gone` (one bit per lattice edge u * h + j - 1) and `degree` (int32 per neuron). Key 0
    would be the edge 0-0, which never exists, so it marks empty slots.
    """
    rejected = rejected_below(n)
    for j in range(1, h + 1):
        for c in range(bounds[j - 1], bounds[j]):
            u = np.int64(candidates[c])
            ends[c] = -1
            attempt = -1
            while degree[u] < n - 1:
                attempt += 1
                product = U64(row_word(k0, k1, stream, j, CHOOSE, attempt, u)) * U64(n)
                w = np.int64(product >> _HALF)
                if U32(product) < rejected or w == u or _on_lattice(gone, n, h, u, w):
                    continue
                key, slot = _find(table, u, w)
                if table[slot] == key:
                    continue
                table[slot] = key
                edge = u * h + j - 1
                gone[edge >> 3] |= np.uint8(1 << (edge & 7))
                degree[u + j if u + j < n else u + j - n] -= 1
                degree[w] += 1
                ends[c] = w
                break


@njit(error_model="numpy", nogil=True, cache=True)
def added_rows(candidates: Any, ends: Any, indptr: Any, added: Any) -> None:
    """Sort the added edges into rows: both ends of each, ascending. `indptr` (n + 1) must be zero."""
    n = indptr.shape[0] - 1
    for c in range(ends.shape[0]):
        if ends[c] >= 0:
            indptr[candidates[c]] += 1
            indptr[ends[c]] += 1
    total = 0
    for u in range(n):
        total += indptr[u]
        indptr[u] = total
    indptr[n] = total
    for c in range(ends.shape[0] - 1, -1, -1):  # filling each row from its end turns indptr into starts
        u, w = candidates[c], ends[c]
        if w >= 0:
            indptr[u] -= 1
            added[indptr[u]] = w
            indptr[w] -= 1
            added[indptr[w]] = u
    for u in range(n):
        if indptr[u + 1] - indptr[u] > 1:
            added[indptr[u] : indptr[u + 1]].sort()


@njit(error_model="numpy", inline="always")
def _first_offset(n: Any, h: Any, u: Any) -> Any:
    """Return the offset -h..h of the lattice neighbour with the smallest id."""
    return -u if u < h else n - u if u + h >= n else -h


@njit(error_model="numpy", nogil=True)
def undirected_row(n: Any, h: Any, gone: Any, added: Any, u: Any, row: Any) -> None:
    """Write a row: the lattice neighbours still in place merged with the added ones, both ascending."""
    at, a = 0, 0
    offset = _first_offset(n, h, u)
    for _ in range(2 * h + 1):
        v = u + offset
        v = v + n if v < 0 else v - n if v >= n else v
        if offset != 0 and not _is_gone(gone, u * h + offset - 1 if offset > 0 else v * h - offset - 1):
            while a < added.shape[0] and added[a] < v:
                row[at] = added[a]
                at += 1
                a += 1
            row[at] = v
            at += 1
        offset = -h if offset == h else offset + 1
    row[at:] = added[a:]


@njit(error_model="numpy", nogil=True, cache=True)
def fill_undirected(
    n: Any, h: Any, gone: Any, added_indptr: Any, added: Any, first: Any, last: Any, indptr: Any, targets: Any
) -> None:
    """Write rows; see `undirected_row`."""
    for u in range(first, last):
        row = targets[indptr[u - first] : indptr[u - first + 1]]
        undirected_row(n, h, gone, added[added_indptr[u] : added_indptr[u + 1]], u, row)


@njit(error_model="numpy", nogil=True)
def directed_row(
    k0: Any, k1: Any, stream: Any, n: Any, h: Any, limit: Any, u: Any, ordered: Any, row: Any, words: Any
) -> None:
    """Write a row of 2 h targets: the lattice neighbours from -h to h, one slot each, some of them rewired.

    Unless `ordered`, it stays in the order of the slots. words: uint32, 2 h items or up to the next multiple of 64.
    """
    k = 2 * h
    for i in range(k):
        v = u + (i - h if i < h else i - h + 1)
        row[i] = v + n if v < 0 else v - n if v >= n else v
    if k < n - 1:
        rejected = rejected_below(n)
        row_words(k0, k1, stream, u, DECIDE, 0, words)
        for i in range(k):
            if U64(words[i]) < limit:
                _rewire_slot(k0, k1, stream, n, rejected, u, i, row)
    if ordered:
        row.sort()


@njit(error_model="numpy", nogil=True, cache=True)
def fill_directed(
    k0: Any, k1: Any, stream: Any, n: Any, h: Any, limit: Any, first: Any, last: Any, targets: Any
) -> None:
    """Write rows; see `directed_row`."""
    k = 2 * h
    words = np.empty((k + 63) & ~63, np.uint32)
    for u in range(first, last):
        row = targets[(u - first) * k : (u - first + 1) * k]
        directed_row(k0, k1, stream, n, h, limit, u, True, row, words)


@njit(error_model="numpy", nogil=True)
def _rewire_slot(k0: Any, k1: Any, stream: Any, n: Any, rejected: Any, u: Any, i: Any, row: Any) -> None:
    """Replace row[i] by a uniform neuron that is neither u nor in the row."""
    attempt = -1
    while True:
        attempt += 1
        product = U64(row_word(k0, k1, stream, u, CHOOSE, attempt, i)) * U64(n)
        w = np.int64(product >> _HALF)
        taken = w == u
        for x in row:
            taken |= x == w
        if not taken and U32(product) >= rejected:
            row[i] = w
            return
