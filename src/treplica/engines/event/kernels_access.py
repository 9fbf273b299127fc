"""Looking at cells from outside, and changing them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.engines.event.kernels_cells import CELL, EXACT, advance, cell_of, constants_of, due, kind_of
from treplica.engines.event.kernels_clocks import COMPILED, set_clock
from treplica.engines.event.kernels_pointers import pointers
from treplica.engines.event.kernels_watches import watch
from treplica.engines.event.world import S_WATCHES


@njit(cache=True, **COMPILED)
def peek(world: Any, neurons: Any, time: float) -> Any:
    """The cells of some neurons (int64[n]) as they are at a time: float64[n, CELL]."""
    to, cells = pointers(world), np.empty((neurons.shape[0], CELL))
    for i in range(neurons.shape[0]):
        neuron = neurons[i]
        cells[i] = world.cells[neuron]
        advance(kind_of(to, neuron), cells[i], constants_of(to, neuron), time)
    return cells


@njit(cache=True, **COMPILED)
def settle(world: Any, neurons: Any, time: float) -> None:
    """Bring some neurons to a time, before they are changed."""
    to = pointers(world)
    for i in range(neurons.shape[0]):
        neuron = neurons[i]
        advance(kind_of(to, neuron), cell_of(to, neuron), constants_of(to, neuron), time)


@njit(cache=True, **COMPILED)
def foresee(world: Any, clocks: Any, neurons: Any, time: float) -> None:
    """Set the clocks of some neurons, after they were changed."""
    to, on = pointers(world), pointers(clocks)
    for i in range(neurons.shape[0]):
        neuron = neurons[i]
        cell = cell_of(to, neuron)
        cell[EXACT] = 0.0
        set_clock(on, neuron, due(kind_of(to, neuron), cell, constants_of(to, neuron), time, False))
        if world.sizes[S_WATCHES] != 0:
            watch(to, on, np.int64(to.owner[2 * neuron]), neuron, time, False)
