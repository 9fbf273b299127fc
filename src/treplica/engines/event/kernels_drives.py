"""Poisson spikes in continuous time.

The spikes of all neurons of a drive are one Poisson process of their summed rate, and each reaches a neuron with a
chance in proportion to that neuron's rate. Spike n has the words w of the Philox counter (n, stream, n / 2^32, 2^31):
it comes -log(u) / rate after the one before, with u from w0 and w1, and reaches the neuron that w2 and w3 say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.engines.event.kernels_clocks import COMPILED, INLINED, set_clock
from treplica.engines.event.kernels_pointers import pointers, row
from treplica.engines.event.kernels_travel import touch
from treplica.engines.event.world import (
    D_CHANCES,
    D_COLUMNS,
    D_COUNT,
    D_IDS,
    D_NEURON,
    D_NEXT,
    D_SIZE,
    D_STREAM,
    D_SUMS,
    FIRES,
    S_DRIVES,
    TOUCHED,
)
from treplica.numerics.compiled_elementary import log64 as log
from treplica.numerics.compiled_noise import philox

_U32 = np.uint32
#: Counters of other uses of a stream have no such last word.
_TAG = np.uint32(1 << 31)


@njit(**INLINED)
def _unit(high: Any, low: Any) -> Any:
    """A number in (0, 1) from two words: 53 bits."""
    return (np.float64(high >> _U32(5)) * 67108864.0 + np.float64(low >> _U32(6)) + 0.5) * 2.0**-53


@njit(**INLINED)
def _which(drives: Any, own: Any, u: float) -> Any:
    """The position, among the neurons of a drive, that a number in (0, 1) stands for."""
    if own[D_CHANCES] < 0:
        return min(np.int64(u * np.float64(own[D_SIZE])), own[D_SIZE] - 1)
    low, high = 0, own[D_SIZE] - 1
    while low < high:
        middle = (low + high) >> 1
        if drives.chances[own[D_CHANCES] + middle] < u:
            low = middle + 1
        else:
            high = middle
    return low


@njit(**INLINED)
def draw(world: Any, clocks: Any, drives: Any, d: int, clock: int, time: float) -> None:
    """Draw the next spike of a drive after a time."""
    own = row(drives.table, d * D_COLUMNS)
    n = own[D_COUNT]
    words = philox(_U32(n), _U32(own[D_STREAM]), _U32(n >> 32), _TAG, world.seed[0], world.seed[1])
    own[D_NEXT] = _which(drives, own, _unit(words[2], words[3]))
    set_clock(clocks, clock, time - log(_unit(words[0], words[1])) / drives.rates[d])


@njit(**INLINED)
def drive(world: Any, clocks: Any, drives: Any, d: int, clock: int, touched: int) -> Any:
    """Let the spike of a drive arrive that is due; how many neurons are touched at this instant."""
    own, time = row(drives.table, d * D_COLUMNS), clocks.due[clock]
    neuron = np.int64(drives.ids[own[D_IDS] + own[D_NEXT]])
    if own[D_SUMS] >= 0:
        world.extra[own[D_SUMS] + neuron - own[D_NEURON]] += drives.weights[d]
    touched = touch(world, neuron, TOUCHED if own[D_SUMS] >= 0 else FIRES, touched)
    own[D_COUNT] += 1
    draw(world, clocks, drives, d, clock, time)
    return touched


@njit(cache=True, **COMPILED)
def start_drives(world: Any, clocks: Any, drives: Any, first: int) -> None:
    """Draw the first spike of every drive; first: the clock of drive 0."""
    to, clock, of = pointers(world), pointers(clocks), pointers(drives)
    for d in range(world.sizes[S_DRIVES]):
        if drives.rates[d] > 0.0:
            draw(to, clock, of, d, first + d, 0.0)
