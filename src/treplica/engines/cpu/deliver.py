"""Kernels that add to the arrivals: spikes over rows of synapses, given arrivals, rings into accumulators.

Every one is called by address with six int64, like an update kernel. A thread adds only to the neurons it owns, so
nothing is shared, and the sums are integers, so the order does not matter.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from numba import cfunc, njit

from treplica.engines.cpu.intrinsics import INLINE, accumulate, load, prefetch, view_i64
from treplica.engines.cpu.kernels_sleep import wake
from treplica.engines.cpu.signature import SIGNATURE

#: How many spikes ahead rows are asked for, and how many of a row's arrivals.
AHEAD, SHORT = 16, 8
#: What a delivery finds out about spikes: int64 items of the board, the first six of them addresses.
BOARD = ("counts", "starts", "buffers", "gaps", "graded", "events", "populations", "threads")
#: Items of the frame of rows. arrivals: where neuron 0 would be in slot 0. ring, depth, size: where delays differ.
ROWS_FRAME = (
    "source", "first", "rows", "indptr", "targets", "weights", "delays", "weight", "delay", "arrivals", "slots",
    "stride", "asleep", "ring", "depth", "size", "splits", "shortest", "longest",
)  # fmt: skip
#: Items of the frame of given arrivals, sorted by step.
INJECT_FRAME = ("count", "steps", "ids", "amounts", "arrivals", "slots", "stride", "asleep")
#: Items of the frame of a ring that is emptied into accumulators.
EMPTY_FRAME = ("ring", "depth", "size", "arrivals", "slots", "stride")


@njit(forceinline=True, **INLINE)
def spikes_of(board: int, source: int, row: int, thread: int) -> Any:
    """The spikes that a thread found in the step of a row: how many, address of ids, address of values or 0."""
    b = view_i64(board, 8)
    at, own = (row * b[6] + source) * b[7] + thread, source * b[7] + thread
    ids = load(b[2], own, 8) + 4 * load(b[1], at, 8)
    return load(b[0], at, 8), ids, ids + load(b[3], own, 8) if load(b[4], source, 8) > 1 else 0


@njit(**INLINE)
def sent_events(board: int, source: int, row: int, thread: int, first: int, rows: int, starts: int) -> int:
    """How many synapses the spikes have that this thread found in this step; starts: of rows, int64[rows + 1]."""
    count, ids, _ = spikes_of(board, source, row, thread)
    events = 0
    for s in range(count):
        r = load(ids, s, 4) - first
        if r >= 0 and r < rows:
            events += load(starts, r + 1, 8) - load(starts, r, 8)
    return events


@njit(forceinline=True, **INLINE)
def row_ahead(ids: int, s: int, first: int, rows: int) -> Any:
    """The row of a later spike; any row where it has none, as it is only asked for."""
    return min(max(load(ids, s, 4) - first, 0), rows - 1)


@njit(forceinline=True, **INLINE)
def ask_ahead(
    ids: int, s: int, count: int, first: int, rows: int, indptr: int, splits: int, parts: int, targets: int
) -> None:
    """At spike s ask for what finds the row of one to come, and for the targets of one that comes earlier."""
    if s + 2 * AHEAD < count:
        r = row_ahead(ids, s + 2 * AHEAD, first, rows)
        prefetch(indptr + r * 8)
        prefetch(splits + r * parts * 4)
    if s + AHEAD < count:
        r = row_ahead(ids, s + AHEAD, first, rows)
        prefetch(targets + load(indptr, r, 8) * 4)


@njit(forceinline=True, **INLINE)
def part_of_row(indptr: int, r: int, splits: int, parts: int, thread: int) -> Any:
    """Where the synapses of a row begin and end whose targets a thread owns."""
    start = load(indptr, r, 8)
    begin, end = start, load(indptr, r + 1, 8)
    if thread < parts:
        end = start + load(splits, r * parts + thread, 4)
    if thread > 0:
        begin = start + load(splits, r * parts + thread - 1, 4)
    return begin, end


@cache
def rows_kernel(weights: int, delays: int, total: int) -> Any:
    """rows(frame, board, step, row, thread, _) for item widths in bytes (see `intrinsics.load`).

    weights or delays of width 0: one for all synapses; with one delay, the spikes that arrive in the next step are
    delivered, else those of this step. total: bytes of an accumulator.
    """

    def rows_of_spikes(frame: int, board: int, step: int, row: int, thread: int, _: int) -> int:
        f = view_i64(frame, 19)
        b = view_i64(board, 8)
        # Locals, because LLVM must assume that a store into the accumulators changes the frame.
        source, first, rows, indptr, targets = f[0], f[1], f[2], f[3], f[4]
        weight_items, delay_items, one_weight, one_delay = f[5], f[6], f[7], f[8]
        ring, depth, size, splits, parts = f[13], f[14], f[15], f[16], b[7] - 1
        slot = 0
        sent = sent_events(board, source, row, thread, first, rows, indptr)
        if delays == 0:
            ring = f[9] + ((step + 1) & (f[10] - 1)) * f[11] * total
            row += 1 - one_delay
        for t in range(b[7]):
            count, ids, values = spikes_of(board, source, row, t)
            for s in range(count):
                ask_ahead(ids, s, count, first, rows, indptr, splits, parts, targets)
                if delays == 0 and s + AHEAD // 2 < count:
                    r = row_ahead(ids, s + AHEAD // 2, first, rows)
                    start = load(indptr, r, 8)
                    for j in range(start, min(start + SHORT, load(indptr, r + 1, 8))):
                        prefetch(ring + load(targets, j, 4) * total)
                r = load(ids, s, 4) - first
                if r < 0 or r >= rows:
                    continue
                begin, end = part_of_row(indptr, r, splits, parts, thread)
                value = 1 if values == 0 else load(values, s, 4)
                for j in range(begin, end):
                    weight = one_weight if weights == 0 else load(weight_items, j, weights)
                    if delays != 0:
                        slot = ((step + load(delay_items, j, delays)) % depth) * size
                    accumulate(ring, slot + load(targets, j, 4), total, weight * value)
        view_i64(b[5], b[7])[thread] += sent
        return 0

    return cfunc(SIGNATURE, cache=True, **INLINE)(rows_of_spikes)


@cache
def inject_kernel(total: int) -> Any:
    """inject(frame, lo, hi, step, _, __): add what is given for this step to neurons lo to hi."""

    def inject(frame: int, lo: int, hi: int, step: int, _: int, __: int) -> int:
        f = view_i64(frame, 8)
        low, high = 0, f[0]
        while low < high:
            middle = (low + high) // 2
            if load(f[1], middle, 8) < step:
                low = middle + 1
            else:
                high = middle
        slot = (step & (f[5] - 1)) * f[6]
        while low < f[0] and load(f[1], low, 8) == step:
            neuron = load(f[2], low, 4)
            if lo <= neuron and neuron < hi:
                place = slot + neuron if f[7] == 0 else wake(f[7], neuron)
                accumulate(f[4], place, total, load(f[3], low, 8))
            low += 1
        return 0

    return cfunc(SIGNATURE, cache=True, **INLINE)(inject)


@cache
def empty_kernel(total: int) -> Any:
    """empty(frame, lo, hi, step, _, __): move this step's slot of a ring to the accumulators of neurons lo to hi."""

    def empty(frame: int, lo: int, hi: int, step: int, _: int, __: int) -> int:
        f = view_i64(frame, 6)
        ring, arrivals = f[0] + (step % f[1]) * f[2] * total, f[3] + (step & (f[4] - 1)) * f[5] * total
        for k in range(lo, hi):
            amount = load(ring, k, total)
            accumulate(arrivals, k, total, amount)
            accumulate(ring, k, total, -amount)
        return 0

    return cfunc(SIGNATURE, cache=True, **INLINE)(empty)
