"""Sorting the synapses of a source population into packed words, by block of accumulators and delay."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def count_keys(
    ids: Any,
    indptr: Any,
    targets: Any,
    places: Any,
    bits: int,
    delays: Any,
    shortest: int,
    span: int,
    counts: Any,
) -> None:
    """Add the synapses of some rows to counts[id, block * span + delay - shortest]."""
    for r in range(ids.shape[0]):
        row = counts[ids[r]]
        for j in range(indptr[r], indptr[r + 1]):
            row[(places[targets[j]] >> bits) * span + np.int64(delays[j]) - shortest] += 1


@njit(cache=True, error_model="numpy", nogil=True)
def first_places(counts: Any, group: int, offsets: Any) -> None:
    """Turn counts into first places within each row; every `group`-th of them, and the end, goes to offsets."""
    for r in range(counts.shape[0]):
        row, out = counts[r], offsets[r]
        at = 0
        for key in range(row.shape[0]):
            if key % group == 0:
                out[key // group] = at
            at += row[key]
            row[key] = at - row[key]
        out[out.shape[0] - 1] = at


@njit(cache=True, error_model="numpy", nogil=True)
def place_words(
    ids: Any, indptr: Any, targets: Any, places: Any, bits: int, delays: Any, shortest: int, span: int,
    slot_bits: int, weights: Any, drawn: Any, cursor: Any, starts: Any, words: Any, load: Any,
) -> None:  # fmt: skip
    """Write the words of some rows to where cursor says, and add magnitudes of weights to load[target].

    drawn: whether words hold weights; else weights has one item. cursor: what `first_places` left.
    """
    block, slots = (np.int64(1) << bits) - 1, (np.int64(1) << slot_bits) - 1
    weight = np.int64(weights[0]) if weights.shape[0] else np.int64(0)
    for r in range(ids.shape[0]):
        row = cursor[ids[r]]
        out = words[starts[ids[r]] - starts[0] : starts[ids[r] + 1] - starts[0]]
        for j in range(indptr[r], indptr[r + 1]):
            target = targets[j]
            place = places[target]
            delay = np.int64(delays[j]) - shortest
            key = (place >> bits) * span + delay
            word = (place & block) | ((delay & slots) << bits)
            if drawn:
                weight = np.int64(weights[j])
                word |= weight << (bits + slot_bits)
            out[row[key]] = word
            row[key] += 1
            load[target] += abs(weight)


@njit(cache=True, error_model="numpy", nogil=True)
def add_load(targets: Any, weights: Any, load: Any) -> None:
    """Add magnitudes of weights (one for all, or one each) to load[target]."""
    weight = abs(np.int64(weights[0])) if weights.shape[0] else np.int64(0)
    each = weights.shape[0] == targets.shape[0]
    for j in range(targets.shape[0]):
        if each:
            weight = abs(np.int64(weights[j]))
        load[targets[j]] += weight
