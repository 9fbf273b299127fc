"""The kernels that deliver synapses which are not kept: a spike's row is computed and added to sums.

Threads share the spikes, so each has sums of its own for all targets; in the next step the owner of a neuron collects
them from all threads. Where a row is dense and needs neither order nor weights, it is only marked in a bitmap, and
rows are counted together.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import cfunc, njit

from treplica.engines.cpu.deliver import sent_events, spikes_of
from treplica.engines.cpu.intrinsics import INLINE, accumulate, call6, load, view_f64, view_i32, view_i64
from treplica.engines.cpu.signature import SIGNATURE
from treplica.engines.cpu.tally import LEVELS, MOST_ROWS, add_counts, count_row
from treplica.numerics.compiled_memory import view_u64

#: Items of the frame: int64, but for `inverse` (of the unit of weights) and `dt`, which are float64. row_ids: the
#: sources, if they do not follow one another. mark, weigh, time: addresses of functions, or 0. weight: one for all.
#: width, depth, size: bytes of a sum, slots (a power of two), sums of a slot. targets, amounts, places: room for a row.
PROCEDURAL_FRAME = (
    "source", "first", "rows", "starts", "row_ids", "n_rows", "row", "mark", "row_settings", "weigh",
    "weigh_settings", "inverse", "rounded", "weight", "time", "time_settings", "dt", "shortest", "longest",
    "first_target", "target_ids", "n_target", "sums", "width", "stamps", "depth", "size", "targets", "amounts",
    "places", "scratch", "bits", "planes",
)  # fmt: skip
(
    SOURCE, FIRST, ROWS, STARTS, ROW_IDS, N_ROWS, ROW, MARK, ROW_SETTINGS, WEIGH,
    WEIGH_SETTINGS, INVERSE, ROUNDED, WEIGHT, TIME, TIME_SETTINGS, DT, SHORTEST, LONGEST,
    FIRST_TARGET, TARGET_IDS, N_TARGET, SUMS, WIDTH, STAMPS, DEPTH, SIZE, TARGETS, AMOUNTS,
    PLACES, SCRATCH, BITS, PLANES,
) = ITEMS = range(len(PROCEDURAL_FRAME))  # fmt: skip
#: Items of the frame of sums that are collected. sums, stamps: addresses of the addresses of every thread's.
COLLECT_FRAME = (
    "threads", "sums", "stamps", "depth", "size", "arrivals", "slots", "stride", "factor", "limit", "beyond",
)  # fmt: skip


@njit(**INLINE)
def _place_of(ids: int, count: int, neuron: int) -> int:
    """The place of a neuron among ascending ids."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if load(ids, middle, 8) < neuron:
            low = middle + 1
        else:
            high = middle
    return low


@njit(**INLINE)
def _amounts(f: Any, inverse: float, source: int, degree: int, begin: int, value: int) -> None:
    """Write what every synapse of a row delivers, in whole units, as `Connections` rounds them."""
    real, whole = view_f64(f[AMOUNTS], degree), view_i64(f[AMOUNTS], degree)
    if f[WEIGH] == 0:
        whole[:] = f[WEIGHT] * value
        return
    call6(f[WEIGH], (f[WEIGH_SETTINGS], source, degree, f[AMOUNTS], f[SCRATCH], begin))
    if f[ROUNDED] != 0:
        for j in range(degree):
            real[j] = np.float64(np.float32(real[j]))
    for j in range(degree):
        whole[j] = np.int64(np.rint(real[j] * inverse)) * value


@njit(**INLINE)
def _places(f: Any, dt: float, source: int, degree: int, begin: int, step: int) -> None:
    """Write where the slots begin in which the synapses of a row arrive."""
    real, whole = view_f64(f[PLACES], degree), view_i64(f[PLACES], degree)
    if f[TIME] == 0:
        whole[:] = 0
        return
    call6(f[TIME], (f[TIME_SETTINGS], source, degree, f[PLACES], f[SCRATCH], begin))
    mask, size = f[DEPTH] - 1, f[SIZE]
    for j in range(degree):
        whole[j] = ((step + np.int64(np.floor(real[j] / dt + 0.5))) & mask) * size


@njit(**INLINE)
def _add_row(
    f: Any, inverse: float, dt: float, step: int, source: int, degree: int, begin: int, value: int
) -> None:
    """Compute a row and add what it delivers to the sums."""
    drawn = f[WEIGH] != 0 or f[TIME] != 0
    targets = f[TARGETS]
    call6(f[ROW], (f[ROW_SETTINGS], source, degree, targets, f[SCRATCH], 1 if drawn else 0))
    if f[TARGET_IDS] != 0:
        row, ids = view_i32(targets, degree), f[TARGET_IDS]
        for j in range(degree):
            row[j] = load(ids, row[j], 4)
    sums, amount = f[SUMS] + f[FIRST_TARGET] * f[WIDTH], f[WEIGHT] * value
    if not drawn:
        if f[WIDTH] == 4:
            for j in range(degree):
                accumulate(sums, load(targets, j, 4), 4, amount)
        else:
            for j in range(degree):
                accumulate(sums, load(targets, j, 4), 8, amount)
        return
    _amounts(f, inverse, source, degree, begin, value)
    _places(f, dt, source, degree, begin, step)
    amounts, places = f[AMOUNTS], f[PLACES]
    if f[WIDTH] == 4:
        for j in range(degree):
            accumulate(sums, load(places, j, 8) + load(targets, j, 4), 4, load(amounts, j, 8))
    else:
        for j in range(degree):
            accumulate(sums, load(places, j, 8) + load(targets, j, 4), 8, load(amounts, j, 8))


@njit(**INLINE)
def _planes(f: Any) -> Any:
    words = (f[N_TARGET] + 63) >> 6
    return view_u64(f[PLANES], 2 * LEVELS * words).reshape((2 * LEVELS, words))


@njit(**INLINE)
def _count_row(f: Any, source: int, degree: int, counted: int) -> int:
    """Mark a row and count it; how many rows the planes hold then."""
    if counted == MOST_ROWS:
        _add_counted(f, counted)
        counted = 0
    call6(f[MARK], (f[ROW_SETTINGS], source, degree, f[BITS], f[SCRATCH], 0))
    count_row(_planes(f), view_u64(f[BITS], (f[N_TARGET] + 63) >> 6), counted)
    return counted + 1


@njit(**INLINE)
def _add_counted(f: Any, counted: int) -> None:
    """Add the counts of all marked rows to the sums."""
    if counted > 0:
        counts = np.empty(64, np.int32)
        first, ids, n = f[FIRST_TARGET], f[TARGET_IDS], f[N_TARGET]
        add_counts(_planes(f), counted, counts, f[SUMS], ids, first, n, f[WIDTH])


@njit(**INLINE)
def _stamp(stamps: int, depth: int, first: int, last: int) -> None:
    """Note that the slots of the steps first to last hold something for these steps."""
    marks = view_i64(stamps, depth)
    for step in range(first, last + 1):
        marks[step & (depth - 1)] = step


def procedural(frame: int, board: int, step: int, row: int, thread: int, _: int) -> int:
    """Deliver this thread's share of spikes: with one delay those that arrive in the next step, else those of this."""
    f, real, b = view_i64(frame, 33), view_f64(frame, 33), view_i64(board, 8)
    inverse, dt = real[INVERSE], real[DT]
    source, first, rows, starts, threads = f[SOURCE], f[FIRST], f[ROWS], f[STARTS], b[7]
    view_i64(b[5], threads)[thread] += sent_events(board, source, row, thread, first, rows, starts)
    if f[TIME] == 0:
        row += 1 - f[SHORTEST]
    seen, counted, found = 0, 0, False
    for t in range(threads):
        count, ids, values = spikes_of(board, source, row, t)
        for s in range((thread - seen) % threads, count, threads):
            neuron = load(ids, s, 4)
            r = neuron - first
            if r < 0 or r >= rows:
                continue
            begin = load(starts, r, 8)
            degree = load(starts, r + 1, 8) - begin
            if degree == 0:
                continue
            if f[ROW_IDS] != 0:
                r = _place_of(f[ROW_IDS], f[N_ROWS], neuron)
            found = True
            if f[MARK] != 0:
                counted = _count_row(f, r, degree, counted)
            else:
                value = 1 if values == 0 else load(values, s, 4)
                _add_row(f, inverse, dt, step, r, degree, begin, value)
        seen += count
    _add_counted(f, counted)
    if found:
        ahead = 1 if f[TIME] == 0 else f[SHORTEST]
        _stamp(f[STAMPS], f[DEPTH], step + ahead, step + (1 if f[TIME] == 0 else f[LONGEST]))
    return 0


@cache
def procedural_kernel() -> Any:
    """The kernel, compiled when it is first needed."""
    return cfunc(SIGNATURE, cache=True, **INLINE)(procedural)


@cache
def collect_kernel(width: int, total: int) -> Any:
    """collect(frame, lo, hi, step, _, __): move what all threads have for neurons lo to hi in this step.

    width, total: bytes of a sum and of an accumulator. The first step with a sum beyond the limit is noted.
    """

    def collect(frame: int, lo: int, hi: int, step: int, _: int, __: int) -> int:
        f = view_i64(frame, 11)
        slot = step & (f[3] - 1)
        arrivals, factor, limit = f[5] + (step & (f[6] - 1)) * f[7] * total, f[8], f[9]
        beyond = False
        for t in range(f[0]):
            if load(load(f[2], t, 8), slot, 8) != step:
                continue
            sums = load(f[1], t, 8) + slot * f[4] * width
            for k in range(lo, hi):
                amount = load(sums, k, width)
                beyond |= abs(amount) > limit
                accumulate(arrivals, k, total, amount * factor)
                accumulate(sums, k, width, -amount)
        first = view_i64(f[10], 1)
        if beyond and first[0] < 0:
            first[0] = step
        return 0

    return cfunc(SIGNATURE, cache=True, **INLINE)(collect)
