"""The loop over steps, compiled once: every thread runs it over the neurons it owns.

In each step a thread drives and updates its own slice of every population, waits for the others, then delivers the
spikes of all to its own neurons. What a thread reads of others was written before the barrier, and is not written
again before the next: spikes go to fresh places, and arrivals of later steps belong to the thread that owns them.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from treplica.engines.cpu.intrinsics import (
    INLINE,
    atomic_add,
    atomic_load,
    call6,
    load,
    view_i32,
    view_i64,
    view_u8,
    yield_core,
)
from treplica.engines.cpu.runtime import NOT_FINITE

Table = NDArray[np.int64]
#: Looks at the barrier before another thread of the machine gets the core: some microseconds.
SPINS = 5_000

# Columns of the tables that the driver reads; frames are of this thread.
POPULATION = ("update", "frame", "block")
DRIVE = ("kernel", "frame", "population")
DELIVERY = ("kernel", "frame")
SAMPLER = ("population", "state", "width", "ids", "interval", "out", "columns")


@njit(**INLINE)
def wait_for(barrier: int, threads: int, round_: int) -> None:
    """Return when all threads have arrived `round_` times; the counter only grows."""
    if threads == 1:
        return
    atomic_add(barrier, 1)
    spins = 0
    while atomic_load(barrier) < round_ * threads:
        spins += 1
        if spins > SPINS:
            yield_core()


@njit(**INLINE)
def _drive(drives: Table, bounds: Table, thread: int, step: int, scratch: int) -> None:
    for d in range(drives.shape[0]):
        p = drives[d, 2]
        call6(drives[d, 0], (drives[d, 1], bounds[p, thread], bounds[p, thread + 1], step, scratch, 0))


@njit(**INLINE)
def _update(
    populations: Table,
    bounds: Table,
    buffers: Table,
    counts: Table,
    starts: Table,
    thread: int,
    step: int,
    row: int,
    scratch: int,
) -> bool:
    """Update this thread's slice of every population; whether a state is not finite."""
    bad = False
    for p in range(populations.shape[0]):
        lo, end = bounds[p, thread], bounds[p, thread + 1]
        ids = buffers[p, thread] + 4 * starts[row, p, thread]
        found = 0
        while lo < end:
            hi = min(lo + populations[p, 2], end)
            new = call6(populations[p, 0], (populations[p, 1], lo, hi, step, scratch, ids + 4 * found))
            if new >= NOT_FINITE:
                bad = True
                new -= NOT_FINITE
            found += new
            lo = hi
        counts[row, p, thread] = found
        starts[row + 1, p, thread] = starts[row, p, thread] + found
    return bad


@njit(**INLINE)
def _sample(samplers: Table, splits: Table, awake: Table, thread: int, step: int, row_of: Table) -> None:
    """Copy chosen states of this thread's neurons into the row of this sample."""
    for i in range(samplers.shape[0]):
        if step % samplers[i, 4] != 0:
            continue
        width, columns = samplers[i, 2], samplers[i, 6]
        row = row_of[i] * columns
        row_of[i] += 1
        for j in range(splits[i, thread], splits[i, thread + 1]):
            neuron = load(samplers[i, 3], j, 8)
            source = samplers[i, 1] + neuron * width
            if awake[i, thread, 0] != 0:
                place = load(awake[i, thread, 0], neuron - awake[i, thread, 1], 4)
                if place != 0:
                    source = awake[i, thread, 2] + (place - 1) * width
            target = samplers[i, 5] + (row + j) * width
            if width == 8:
                view_i64(target, 1)[0] = load(source, 0, 8)
            elif width == 4:
                view_i32(target, 1)[0] = view_i32(source, 1)[0]
            else:
                for byte in range(width):
                    view_u8(target, 2)[byte] = view_u8(source, 2)[byte]


@njit(cache=True, **INLINE)
def run_thread(
    thread: int,
    threads: int,
    first_step: int,
    n_steps: int,
    populations: Table,
    drives: Table,
    deliveries: Table,
    samplers: Table,
    sampler_splits: Table,
    sampler_awake: Table,
    bounds: Table,
    buffers: Table,
    capacity: Table,
    counts: Table,
    starts: Table,
    board: int,
    history: int,
    bad_step: Table,
    barrier: int,
    barriers: int,
    scratch: int,
) -> int:
    """Do steps first_step + 1 to first_step + n_steps; how many were done.

    It stops before a step for whose spikes a buffer may lack room, and after a step that leaves a state that is not
    finite (then bad_step[thread] is that step). Every thread takes the same decision from the same numbers.

    populations, drives, deliveries, samplers: int64 tables, columns above. sampler_splits: int64[samplers, threads
    + 1]. sampler_awake: int64[samplers, threads, 3], where awake neurons are (0: all are at home): places, the first
    neuron, the column. bounds: int64[populations, threads + 1], neurons by owner. buffers, capacity:
    int64[populations, threads], address of the ids, room. counts, starts: int64[history + n_steps (+ 1),
    populations, threads], spikes of a step and their place in the buffer. board: see `deliver.BOARD`. barriers:
    waits in a step, 2 where what one thread delivers is read by others in the next step.
    """
    row_of = np.zeros(samplers.shape[0], np.int64)
    for s in range(n_steps):
        step, row = first_step + s + 1, history + s
        for p in range(populations.shape[0]):
            for t in range(threads):
                if starts[row, p, t] + bounds[p, t + 1] - bounds[p, t] > capacity[p, t]:
                    return s
        _drive(drives, bounds, thread, step, scratch)
        if _update(populations, bounds, buffers, counts, starts, thread, step, row, scratch):
            bad_step[thread] = step
        _sample(samplers, sampler_splits, sampler_awake, thread, step, row_of)
        wait_for(barrier, threads, barriers * step - barriers + 1)
        for t in range(threads):
            if bad_step[t] == step:
                return s + 1
        for j in range(deliveries.shape[0]):
            call6(deliveries[j, 0], (deliveries[j, 1], board, step, row, thread, scratch))
        if barriers == 2:
            wait_for(barrier, threads, barriers * step)
    return n_steps
