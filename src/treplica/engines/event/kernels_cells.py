"""Neurons with a closed form: from one event to the next, what arrives, when they reach their threshold by themselves.

A cell is a line of memory with all that changes in a neuron; `constants` has a row for each class of neurons.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.engines.event.kernels_clocks import COMPILED, INLINED, moment_after
from treplica.engines.event.kernels_pointers import row
from treplica.engines.event.kernels_quadratic import flow, reach_from
from treplica.engines.event.kernels_roots import (
    COLUMNS,
    RATE,
    REFRACTORY,
    RESET,
    REST,
    SECOND,
    SYN_RATE,
    SYNAPSE,
    THRESHOLD,
    evolve,
    reach,
    reach_at_least,
)
from treplica.engines.event.world import P_COLUMNS, P_KIND
from treplica.numerics.compiled_elementary import exp64 as exp

#: Columns of a cell. at: the time of its state, ms. free: when the refractory period ends. drive: where v goes without
#: synaptic currents (leaky), or a of the quadratic flow. exact: whether the clock shows when the neuron fires; else it
#: does not fire before.
AT, FREE, V, FIRST_CURRENT, SECOND_CURRENT, DRIVE, EXACT, CELL = 0, 1, 2, 3, 4, 5, 6, 8
#: What a population is. Relays fire where at least 1/2 arrives; stepped ones have no closed form.
LEAKY, QUADRATIC, RELAY, STEPPED = range(4)
_INFINITY = np.inf


@njit(**INLINED)
def cell_of(world: Any, neuron: int) -> Any:
    """The cell of a neuron."""
    return row(world.cells, neuron * CELL)


@njit(**INLINED)
def constants_of(world: Any, neuron: int) -> Any:
    """The constants of a neuron."""
    return row(world.constants, np.int64(world.owner[2 * neuron + 1]) * COLUMNS)


@njit(**INLINED)
def kind_of(world: Any, neuron: int) -> Any:
    """What kind of neuron it is."""
    return world.populations[np.int64(world.owner[2 * neuron]) * P_COLUMNS + P_KIND]


@njit(**COMPILED)
def _decay(cell: Any, k: Any, h: float) -> None:
    """Let the currents decay for h ms."""
    if cell[FIRST_CURRENT] != 0.0:
        cell[FIRST_CURRENT] *= exp(-h * k[SYNAPSE + SYN_RATE])
    if cell[SECOND_CURRENT] != 0.0:
        cell[SECOND_CURRENT] *= exp(-h * k[SECOND + SYN_RATE])


@njit(**COMPILED)
def advance(kind: int, cell: Any, k: Any, time: float) -> None:
    """Bring a cell to a time at which it has not fired yet."""
    at = cell[AT]
    if time <= at:
        return
    cell[AT] = time
    if cell[FREE] > at:
        end = min(cell[FREE], time)
        _decay(cell, k, end - at)
        at = end
        if at == time:
            return
    if kind == LEAKY:
        cell[V], cell[FIRST_CURRENT], cell[SECOND_CURRENT] = evolve(
            k, time - at, cell[DRIVE], cell[V], cell[FIRST_CURRENT], cell[SECOND_CURRENT]
        )
    elif kind == QUADRATIC:
        cell[V] = k[REST] + flow(cell[V] - k[REST], cell[DRIVE], (time - at) * k[RATE])


@njit(**COMPILED)
def _when(kind: int, cell: Any, k: Any, level: float, exact: bool) -> Any:
    """When v of a cell reaches a level above it if nothing arrives, ms, or a time before which it does not."""
    start = max(cell[AT], cell[FREE])
    if kind == LEAKY:
        i1, i2, wait = cell[FIRST_CURRENT], cell[SECOND_CURRENT], start - cell[AT]
        if wait > 0.0:
            i1, i2 = i1 * exp(-wait * k[SYNAPSE + SYN_RATE]), i2 * exp(-wait * k[SECOND + SYN_RATE])
        if exact:
            return start + reach(k, level, cell[DRIVE], cell[V], i1, i2)
        return start + reach_at_least(k, level, cell[DRIVE], cell[V], i1, i2)
    if kind == QUADRATIC:
        middle = k[REST]
        return start + reach_from(cell[V] - middle, cell[DRIVE], level - middle) / k[RATE]
    return _INFINITY


@njit(**COMPILED)
def reach_level(kind: int, cell: Any, k: Any, level: float) -> Any:
    """When v of a cell reaches a level from below if nothing arrives, ms; infinite: never."""
    return _when(kind, cell, k, level, True)


@njit(**COMPILED)
def due(kind: int, cell: Any, k: Any, now: float, exact: bool) -> Any:
    """When a cell fires if nothing arrives, or a time before which it does not; at once if it is at its threshold."""
    if kind == RELAY:
        return _INFINITY
    if cell[V] >= k[THRESHOLD]:
        return max(max(cell[AT], cell[FREE]), moment_after(now))
    return max(_when(kind, cell, k, k[THRESHOLD], exact), moment_after(now))


@njit(**COMPILED)
def fire(cell: Any, k: Any, time: float) -> None:
    """Reset a cell that has been brought to a time."""
    cell[V] = k[RESET]
    cell[FREE] = time + k[REFRACTORY]
