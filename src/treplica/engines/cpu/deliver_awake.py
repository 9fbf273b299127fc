"""Delivery over rows of synapses to a population that sleeps: what is reached wakes up.

A spike is looked at in every step in which one of its delays may end, and delivers the synapses for which it does. A
thread's part of a row is sorted by delay where delays differ.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import cfunc, njit

from treplica.engines.cpu.deliver import ask_ahead, part_of_row, sent_events, spikes_of
from treplica.engines.cpu.intrinsics import INLINE, accumulate, load, view_i32, view_i64
from treplica.engines.cpu.kernels_sleep import BATCH, wake_all
from treplica.engines.cpu.signature import SIGNATURE

#: The scratch that a batch takes: neurons, and what arrives at them.
BATCH_BYTES = 12 * BATCH


@njit(**INLINE)
def _add(asleep: int, arrivals: int, scratch: int, count: int, total: int) -> None:
    """Add amounts to what arrives at neurons; total: bytes of an accumulator."""
    wake_all(asleep, scratch, count)
    for k in range(count):
        place, amount = load(scratch, k, 4), load(scratch + 4 * BATCH, k, 8)
        if total == 4:
            accumulate(arrivals, place, 4, amount)
        else:
            accumulate(arrivals, place, 8, amount)


@njit(**INLINE)
def _delay(items: int, j: int, width: int) -> Any:
    """The delay of a synapse; width: 1 or 2 bytes, negative as they are unsigned."""
    return load(items, j, -1) if width == -1 else load(items, j, -2)


@njit(**INLINE)
def _first_of(items: int, begin: int, end: int, width: int, delay: int) -> int:
    """The first synapse from begin to end whose delay is not shorter; width 0: all have one."""
    if width == 0:
        return begin
    while begin < end:
        middle = (begin + end) // 2
        if _delay(items, middle, width) < delay:
            begin = middle + 1
        else:
            end = middle
    return begin


@cache
def awake_rows_kernel(weights: int, delays: int, total: int) -> Any:
    """rows(frame, board, step, row, thread, scratch): deliver what arrives in the next step.

    frame: as `deliver.ROWS_FRAME` says. weights, delays: item widths in bytes (see `intrinsics.load`), 0 for one for
    all. total: bytes of an accumulator.
    """

    def rows_of_spikes(frame: int, board: int, step: int, now: int, thread: int, scratch: int) -> int:
        f, b = view_i64(frame, 19), view_i64(board, 8)
        source, first, rows, indptr, targets = f[0], f[1], f[2], f[3], f[4]
        arrivals, asleep, splits, parts = f[9], f[12], f[16], b[7] - 1
        sent = sent_events(board, source, now, thread, first, rows, indptr)
        neurons, amounts, found = view_i32(scratch, BATCH), view_i64(scratch + 4 * BATCH, BATCH), 0
        for turn in range((f[18] - f[17] + 1) * b[7]):
            delay, t = f[17] + turn // b[7], turn % b[7]
            count, ids, values = spikes_of(board, source, now + 1 - delay, t)
            for s in range(count):
                ask_ahead(ids, s, count, first, rows, indptr, splits, parts, targets)
                r = load(ids, s, 4) - first
                if r < 0 or r >= rows:
                    continue
                begin, end = part_of_row(indptr, r, splits, parts, thread)
                value = 1 if values == 0 else load(values, s, 4)
                for j in range(_first_of(f[6], begin, end, delays, delay), end):
                    if delays != 0 and _delay(f[6], j, delays) != delay:
                        break
                    neurons[found] = np.int32(load(targets, j, 4))
                    amounts[found] = value * (f[7] if weights == 0 else load(f[5], j, weights))
                    found += 1
                    if found == BATCH:
                        _add(asleep, arrivals, scratch, found, total)
                        found = 0
        _add(asleep, arrivals, scratch, found, total)
        view_i64(b[5], b[7])[thread] += sent
        return 0

    return cfunc(SIGNATURE, cache=True, **INLINE)(rows_of_spikes)
