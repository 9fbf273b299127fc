"""What arrives at an instant: from spikes that travel along their rows, and from outside."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from treplica.engines.event.kernels_cells import CELL, STEPPED
from treplica.engines.event.kernels_clocks import COMPILED, INLINED, set_clock
from treplica.engines.event.kernels_flights import drop, put_back, take
from treplica.engines.event.kernels_pointers import ask_for, row
from treplica.engines.event.world import (
    B_GIVEN,
    L_COLUMNS,
    L_DELAYS,
    L_DRAWN,
    L_FIRST,
    L_INDPTR,
    L_LISTENS,
    L_NEURON,
    L_POPULATION,
    L_ROWS,
    L_STEPPED,
    L_SUMS,
    L_TIMED,
    L_WEIGHT,
    L_WEIGHTS,
    P_COLUMNS,
    P_KIND,
    P_LISTENS,
    P_PENDING,
    S_CLOCKS,
    S_GIVEN,
    TOUCHED,
)

_INFINITY = np.inf
#: By how many steps a time may be beyond a whole step and still belong to it.
LATE = 1e-6
#: Synapses between the one that is delivered and the one whose memory is asked for: their rows lie anywhere.
AHEAD = 12


@njit(**COMPILED)
def wait_for_step(world: Any, clocks: Any, time: float) -> None:
    """See to it that the step in whose span a time lies is computed."""
    dt, late = world.grid[0], world.grid[1]
    key = math.ceil(time / dt - LATE) * dt + late
    clock = world.sizes[S_CLOCKS] - 1
    if key < clocks.due[clock]:
        set_clock(clocks, clock, key)


@njit(**INLINED)
def touch(world: Any, neuron: int, mark: int, touched: int) -> Any:
    """Mark a neuron with a closed form for this instant; how many are touched."""
    before = world.mark[neuron]
    world.mark[neuron] = before | mark
    if before != 0:
        return touched
    world.touched[touched] = neuron
    return touched + 1


@njit(**INLINED)
def _reach(world: Any, p: int, stepped: bool, neuron: int, touched: int) -> Any:
    """Take note of a neuron at which something arrives; how many are touched at this instant."""
    if not stepped:
        return touch(world, neuron, TOUCHED, touched)
    if world.mark[neuron] == 0:
        world.mark[neuron] = TOUCHED
        world.pending[world.populations[p * P_COLUMNS + P_PENDING] + world.waiting[p]] = neuron
        world.waiting[p] += 1
    return touched


@njit(**INLINED)
def row_of(synapses: Any, link: int, neuron: int) -> Any:
    """(first, end) of a neuron's synapses over a connection, equal where it has none; the connection's columns."""
    columns = row(synapses.links, link * L_COLUMNS)
    number = neuron - columns[L_FIRST]
    if number < 0 or number >= columns[L_ROWS]:
        return np.int64(0), np.int64(0), columns
    at = columns[L_INDPTR] + number
    return synapses.indptr[at], synapses.indptr[at + 1], columns


@njit(**INLINED)
def deliver(world: Any, clocks: Any, flights: Any, synapses: Any, time: float, touched: int) -> Any:
    """Deliver what the first spike of the queue brings at this instant; how many neurons are touched."""
    entry = take(flights)
    place = row(flights.places, 4 * entry)
    link, first, end, value = row(synapses.links, place[0] * L_COLUMNS), place[1], place[2], place[3]
    last = end
    if link[L_TIMED] != 0:
        sent, base, last = flights.sent[entry], link[L_DELAYS], first + 1
        ask_for(synapses.delays, base + first + AHEAD)
        ask_for(synapses.targets, first + AHEAD)
        while last < end and sent + synapses.delays[base + last] == time:
            last += 1
    p, stepped, listens = link[L_POPULATION], link[L_STEPPED] != 0, link[L_LISTENS] != 0
    if stepped:
        wait_for_step(world, clocks, time)
    weight, drawn, weights = link[L_WEIGHT] * value, link[L_DRAWN] != 0, link[L_WEIGHTS]
    neuron, sums = link[L_NEURON], link[L_SUMS]
    for j in range(first, last):
        target = np.int64(synapses.targets[j])
        if drawn:
            weight = np.int64(synapses.weights[weights + j]) * value
        world.sums[sums + target] += weight
        if listens:
            world.reached[sums + target] = 1
        touched = _reach(world, p, stepped, neuron + target, touched)
    if last < end:
        place[1] = last
        if not stepped:
            ask_for(world.cells, (neuron + np.int64(synapses.targets[last])) * CELL)
        put_back(flights, entry, flights.sent[entry] + synapses.delays[link[L_DELAYS] + last])
    else:
        drop(flights, entry)
    return touched


@njit(**INLINED)
def give(world: Any, clocks: Any, given: Any, clock: int, time: float, touched: int) -> Any:
    """Let arrive what is given for this instant; how many neurons are touched."""
    at = world.board[B_GIVEN]
    while at < world.sizes[S_GIVEN] and given.times[at] == time:
        neuron = np.int64(given.neurons[at])
        p = np.int64(world.owner[2 * neuron])
        stepped = world.populations[p * P_COLUMNS + P_KIND] == STEPPED
        if stepped:
            wait_for_step(world, clocks, time)
        world.sums[given.sums[at]] += given.amounts[at]
        if world.populations[p * P_COLUMNS + P_LISTENS] != 0:
            world.reached[given.sums[at]] = 1
        touched = _reach(world, p, stepped, neuron, touched)
        at += 1
    world.board[B_GIVEN] = at
    set_clock(clocks, clock, given.times[at] if at < world.sizes[S_GIVEN] else _INFINITY)
    return touched
