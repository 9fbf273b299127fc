"""Delivery over rows of synapses to a population that sleeps: what is reached wakes up."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import cfunc, njit

from treplica.engines.cpu.deliver import AHEAD, sent_events
from treplica.engines.cpu.intrinsics import INLINE, accumulate, load, prefetch, view_i32, view_i64
from treplica.engines.cpu.kernels_sleep import BATCH, wake_all
from treplica.engines.cpu.signature import SIGNATURE

#: The scratch that a batch takes: neurons, and what arrives at them.
BATCH_BYTES = 12 * BATCH


@cache
def awake_rows_kernel(weights: int, total: int) -> Any:
    """rows(frame, board, step, row, thread, scratch): spikes over rows of one delay, in the frame `deliver.ROWS_FRAME`.

    weights: item width in bytes (see `intrinsics.load`), 0 for one weight. total: bytes of an accumulator.
    """

    def add(asleep: int, arrivals: int, scratch: int, count: int) -> None:
        wake_all(asleep, scratch, count)
        for k in range(count):
            accumulate(arrivals, load(scratch, k, 4), total, load(scratch + 4 * BATCH, k, 8))

    def rows_of_spikes(frame: int, board: int, step: int, row: int, thread: int, scratch: int) -> int:
        f, b = view_i64(frame, 17), view_i64(board, 8)
        source, first, rows, indptr, targets = f[0], f[1], f[2], f[3], f[4]
        arrivals, asleep, splits, parts = f[9], f[12], f[16], b[7] - 1
        sent = sent_events(board, source, row, thread, first, rows, indptr)
        neurons, amounts, found = view_i32(scratch, BATCH), view_i64(scratch + 4 * BATCH, BATCH), 0
        row += 1 - f[8]
        for t in range(b[7]):
            at = (row * b[6] + source) * b[7] + t
            count = load(b[0], at, 8)
            if count == 0:
                continue
            ids = load(b[2], source * b[7] + t, 8) + 4 * load(b[1], at, 8)
            values = ids + load(b[3], source * b[7] + t, 8) if load(b[4], source, 8) > 1 else 0
            for s in range(count):
                if s + 2 * AHEAD < count:
                    r = min(max(load(ids, s + 2 * AHEAD, 4) - first, 0), rows - 1)
                    prefetch(indptr + r * 8)
                    prefetch(splits + r * parts * 4)
                if s + AHEAD < count:
                    r = min(max(load(ids, s + AHEAD, 4) - first, 0), rows - 1)
                    prefetch(targets + load(indptr, r, 8) * 4)
                r = load(ids, s, 4) - first
                if r < 0 or r >= rows:
                    continue
                start = load(indptr, r, 8)
                begin, end = start, load(indptr, r + 1, 8)
                if thread < parts:
                    end = start + load(splits, r * parts + thread, 4)
                if thread > 0:
                    begin = start + load(splits, r * parts + thread - 1, 4)
                value = 1 if values == 0 else load(values, s, 4)
                for j in range(begin, end):
                    neurons[found] = np.int32(load(targets, j, 4))
                    amounts[found] = value * (f[7] if weights == 0 else load(f[5], j, weights))
                    found += 1
                    if found == BATCH:
                        add(asleep, arrivals, scratch, found)
                        found = 0
        add(asleep, arrivals, scratch, found)
        view_i64(b[5], b[7])[thread] += sent
        return 0

    add = njit(**INLINE)(add)
    return cfunc(SIGNATURE, cache=True, **INLINE)(rows_of_spikes)
