"""Kernels that add to the arrivals: spikes over synapses, Poisson drives, given arrivals.

Every one is called by address with six int64, like an update kernel. A thread adds only to the neurons it owns, so
nothing is shared, and the sums are integers, so the order does not matter.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from numba import cfunc

from treplica.engines.cpu.intrinsics import INLINE, accumulate, load, prefetch, view_i64, view_u8, view_u32
from treplica.engines.cpu.signature import SIGNATURE
from treplica.numerics.compiled_noise import fill_words

#: How many spikes ahead rows are asked for, and how many of a row's arrivals; see benchmarks/README.md.
AHEAD, SHORT = 16, 8
#: Items of the frame of a projection.
DELIVER_FRAME = (
    "first", "rows", "indptr", "targets", "weights", "delays", "weight", "delay", "ring", "depth", "size",
    "splits", "threads", "events",
)  # fmt: skip
#: Items of the frame of a Poisson drive; `scratch` has room for one word for each neuron of a block.
POISSON_FRAME = (
    "seed_lo",
    "seed_hi",
    "stream",
    "classes",
    "tables",
    "width",
    "weight",
    "ring",
    "depth",
    "size",
)
#: Items of the frame of given arrivals, sorted by step.
INJECT_FRAME = ("count", "steps", "ids", "amounts", "ring", "depth", "size")


@cache
def deliver_kernel(weights: int, delays: int, total: int) -> Any:
    """deliver(frame, ids, values, count, step, thread) for item widths in bytes (see `intrinsics.load`).

    weights or delays of width 0: one for all synapses. values: address of the spikes' values, 0 for plain spikes.
    """

    def deliver(frame: int, ids: int, values: int, count: int, step: int, thread: int) -> int:
        f = view_i64(frame, 14)
        # Locals, because LLVM must assume that a store into the ring changes the frame.
        first, rows, indptr, targets = f[0], f[1], f[2], f[3]
        weight_items, delay_items, one_weight, one_delay = f[4], f[5], f[6], f[7]
        ring, depth, size, splits, parts = f[8], f[9], f[10], f[11], f[12] - 1
        slot = ((step + one_delay) % depth) * size
        events = 0
        for s in range(count):
            if s + 2 * AHEAD < count:
                row = min(max(load(ids, s + 2 * AHEAD, 4) - first, 0), rows - 1)
                prefetch(indptr + row * 8)
                prefetch(splits + row * parts * 4)
            if s + AHEAD < count:
                row = min(max(load(ids, s + AHEAD, 4) - first, 0), rows - 1)
                prefetch(targets + load(indptr, row, 8) * 4)
            if s + AHEAD // 2 < count:
                row = min(max(load(ids, s + AHEAD // 2, 4) - first, 0), rows - 1)
                start = load(indptr, row, 8)
                for j in range(start, min(start + SHORT, load(indptr, row + 1, 8))):
                    prefetch(ring + (slot + load(targets, j, 4)) * total)
            row = load(ids, s, 4) - first
            if row < 0 or row >= rows:
                continue
            start = load(indptr, row, 8)
            begin, end = start, load(indptr, row + 1, 8)
            if thread < parts:
                end = start + load(splits, row * parts + thread, 4)
            if thread > 0:
                begin = start + load(splits, row * parts + thread - 1, 4)
            value = 1 if values == 0 else load(values, s, 4)
            for j in range(begin, end):
                weight = one_weight if weights == 0 else load(weight_items, j, weights)
                if delays != 0:
                    slot = ((step + load(delay_items, j, delays)) % depth) * size
                accumulate(ring, slot + load(targets, j, 4), total, weight * value)
            events += end - begin
        view_i64(f[13], parts + 1)[thread] += events
        return 0

    return cfunc(SIGNATURE, cache=True, **INLINE)(deliver)


@cache
def poisson_kernel(total: int) -> Any:
    """poisson(frame, lo, hi, step, scratch, _): add the spikes of this step to the arrivals of this step."""

    def poisson(frame: int, lo: int, hi: int, step: int, scratch: int, _: int) -> int:
        f = view_i64(frame, 10)
        n = hi - lo
        words = view_u32(scratch, n)
        fill_words(f[0], f[1], f[2], step, lo, words)
        classes = view_u8(f[3] + lo, n)
        width = f[5]
        slot = (step % f[8]) * f[9] + lo
        for k in range(n):
            count = 0
            table = view_u32(f[4] + int(classes[k]) * width * 4, width)
            for j in range(width):
                count += int(table[j] < words[k])
            accumulate(f[7], slot + k, total, count * f[6])
        return 0

    return cfunc(SIGNATURE, cache=True, **INLINE)(poisson)


@cache
def inject_kernel(total: int) -> Any:
    """inject(frame, lo, hi, step, _, __): add what is given for this step to neurons lo to hi."""

    def inject(frame: int, lo: int, hi: int, step: int, _: int, __: int) -> int:
        f = view_i64(frame, 7)
        low, high = 0, f[0]
        while low < high:
            middle = (low + high) // 2
            if load(f[1], middle, 8) < step:
                low = middle + 1
            else:
                high = middle
        slot = (step % f[5]) * f[6]
        while low < f[0] and load(f[1], low, 8) == step:
            neuron = load(f[2], low, 4)
            if lo <= neuron and neuron < hi:
                accumulate(f[4], slot + neuron, total, load(f[3], low, 8))
            low += 1
        return 0

    return cfunc(SIGNATURE, cache=True, **INLINE)(inject)
