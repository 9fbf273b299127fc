"""The loop over instants: what arrives, who fires, and what that sets going.

An instant is one value of time, and everything that happens at it happens together:

    all arrivals of the instant are summed for each neuron and port, in whole units, so that they have no order
    each neuron that something arrives at, or that reaches its threshold by itself, is brought to the instant
    it fires if it has reached its threshold by itself, or if it is at or above it with all that arrived
    spikes are sent in order of populations and ids; nothing arrives at the instant at which it was sent
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit

from treplica.engines.event.kernels_cells import (
    EXACT,
    FIRST_CURRENT,
    FREE,
    RELAY,
    V,
    advance,
    cell_of,
    constants_of,
    due,
    fire,
    kind_of,
)
from treplica.engines.event.kernels_clocks import COMPILED, INLINED, next_due, set_clock
from treplica.engines.event.kernels_drives import drive
from treplica.engines.event.kernels_flights import COUNT, ROOM, next_arrival, push
from treplica.engines.event.kernels_pointers import pointers, row
from treplica.engines.event.kernels_roots import THRESHOLD
from treplica.engines.event.kernels_travel import deliver, give, row_of, touch
from treplica.engines.event.kernels_watches import compare, watch, watcher
from treplica.engines.event.world import (
    B_BROKEN,
    B_EVENTS,
    B_FIRED,
    B_NOTED,
    B_PAUSE,
    B_SENT,
    B_STEP,
    B_UPDATES,
    B_WRITTEN,
    BROKEN,
    CROSSES,
    DELTA,
    DONE,
    FIRES,
    FULL,
    L_DELAYS,
    L_TIMED,
    MOST_PORTS,
    NO_ROOM,
    P_COLUMNS,
    P_FIRST,
    P_HEARD,
    P_KIND,
    P_LINKS_FROM,
    P_LINKS_TO,
    P_LISTENS,
    P_ONTO,
    P_PORTS,
    P_SIZE,
    P_SUMS,
    PAUSED,
    S_BUFFER,
    S_CLOCKS,
    S_DRIVES,
    S_NEURONS,
    S_WATCHES,
    STEP,
)

_INFINITY = np.inf


@njit(**INLINED)
def _send(world: Any, flights: Any, synapses: Any, out: Any) -> Any:
    """Record the spikes of an instant and set them on their way; DONE, or why it has to go on later."""
    board, time = world.board, world.now[1]
    while board[B_SENT] < board[B_FIRED]:
        neuron, value = np.int64(world.fired[board[B_SENT]]), np.int64(world.values[board[B_SENT]])
        own = row(world.populations, np.int64(world.owner[2 * neuron]) * P_COLUMNS)
        links_from, links_to = own[P_LINKS_FROM], own[P_LINKS_TO]
        if flights.numbers[COUNT] + links_to - links_from > flights.numbers[ROOM]:
            return NO_ROOM
        written = board[B_WRITTEN]
        if written == world.sizes[S_BUFFER]:
            return FULL
        out.times[written], out.neurons[written], out.values[written] = time, neuron, value
        board[B_WRITTEN] += 1
        if own[P_HEARD] != 0:
            board[B_PAUSE] = 1
        for link in range(links_from, links_to):
            position, end, columns = row_of(synapses, link, neuron)
            if position < end:
                board[B_EVENTS] += end - position
                delay = synapses.delay[link]
                if columns[L_TIMED] != 0:
                    delay = synapses.delays[columns[L_DELAYS] + position]
                push(flights, time + delay, time, link, position, end, value)
        board[B_SENT] += 1
    return DONE


@njit(**INLINED)
def _take(world: Any, p: int, neuron: int, cell: Any, time: float) -> Any:
    """Let what arrives at a neuron act, except on v during the refractory period; the sum over ports."""
    own, total = row(world.populations, p * P_COLUMNS), 0.0
    at = own[P_SUMS] + neuron - own[P_FIRST]
    listens = own[P_LISTENS] != 0
    noted, some = row(world.noted, world.board[B_NOTED] * (MOST_PORTS + 1)), False
    for port in range(own[P_PORTS]):
        arrived = np.float64(world.sums[at]) * world.units[p * MOST_PORTS + port]
        if listens:
            some |= world.reached[at] != 0
            noted[1 + port] = arrived if world.reached[at] != 0 else np.nan
            world.reached[at] = 0
        arrived += world.extra[at]
        world.sums[at], world.extra[at] = 0, 0.0
        at += own[P_SIZE]
        total += arrived
        onto = own[P_ONTO + port]
        if onto == DELTA:
            if time >= cell[FREE]:
                cell[V] += arrived
        else:
            cell[FIRST_CURRENT + onto] += arrived
    if some:
        noted[0] = np.float64(neuron)
        world.board[B_NOTED] += 1
        world.board[B_PAUSE] = 1
    return total


@njit(**INLINED)
def _expect(clocks: Any, neuron: int, kind: int, cell: Any, k: Any, time: float) -> None:
    """Set a neuron's clock after something has happened to it.

    Most often more arrives before it could fire: the clock shows a time before which it does not, and only when that
    has come is the exact one computed. A clock that shows an earlier time may go on: it rings in vain.
    """
    cell[EXACT] = 0.0
    before = clocks.due[neuron]
    new = due(kind, cell, k, time, False)
    if new < before or before <= time:
        set_clock(clocks, neuron, new)


@njit(**INLINED)
def _ring(world: Any, clocks: Any, neuron: int, time: float, touched: int) -> Any:
    """A neuron's clock is due: it fires, or it is computed when it will; how many neurons are touched."""
    cell, k = cell_of(world, neuron), constants_of(world, neuron)
    kind = kind_of(world, neuron)
    before = np.nextafter(time, -_INFINITY)
    if cell[EXACT] == 0.0:
        new = due(kind, cell, k, before, False)
        if new <= time:
            cell[EXACT] = 1.0
            new = due(kind, cell, k, before, True)
        set_clock(clocks, neuron, new)
        if new != time or cell[EXACT] == 0.0:
            return touched
    set_clock(clocks, neuron, _INFINITY)
    return touch(world, neuron, FIRES, touched)


@njit(**INLINED)
def _meet(world: Any, clocks: Any, touched: int, time: float) -> Any:
    """Bring the touched neurons to this instant; how many fire."""
    fired = 0
    for i in range(touched):
        neuron = np.int64(world.touched[i])
        p, k, cell = np.int64(world.owner[2 * neuron]), constants_of(world, neuron), cell_of(world, neuron)
        kind = world.populations[p * P_COLUMNS + P_KIND]
        marks = world.mark[neuron]
        world.mark[neuron] = 0
        advance(kind, cell, k, time)
        before = cell[V], cell[FIRST_CURRENT], cell[FIRST_CURRENT + 1]
        arrived = _take(world, p, neuron, cell, time)
        fires = marks & FIRES != 0
        if kind == RELAY:
            fires |= arrived >= 0.5
        elif time >= cell[FREE] and cell[V] >= k[THRESHOLD]:
            fires = True
        if not np.isfinite(cell[V] + cell[FIRST_CURRENT] + cell[FIRST_CURRENT + 1]):
            world.board[B_BROKEN] = neuron + 1
            return 0
        if world.sizes[S_WATCHES] != 0:
            compare(world, p, neuron, before, cell, marks & CROSSES != 0)
        if fires:
            fire(cell, k, time)
            world.fired[fired], world.values[fired] = neuron, 1
            fired += 1
        _expect(clocks, neuron, kind, cell, k, time)
        if world.sizes[S_WATCHES] != 0:
            watch(world, clocks, p, neuron, time, marks & CROSSES != 0)
    return fired


@njit(**INLINED)
def _gather(
    world: Any, clocks: Any, flights: Any, synapses: Any, drives: Any, given: Any, time: float
) -> Any:
    """Sum up everything that arrives at an instant; how many neurons it touches."""
    neurons, touched = world.sizes[S_NEURONS], 0
    first_given, last = neurons + world.sizes[S_DRIVES], world.sizes[S_CLOCKS] - 1
    while next_arrival(flights) == time:
        touched = deliver(world, clocks, flights, synapses, time, touched)
    while next_due(clocks) == time:
        clock = np.int64(clocks.heap[0])
        if clock < neurons:
            touched = _ring(world, clocks, clock, time, touched)
        elif clock < first_given:
            touched = drive(world, clocks, drives, clock - neurons, clock, touched)
        elif clock == first_given:
            touched = give(world, clocks, given, clock, time, touched)
        elif clock < last:
            set_clock(clocks, clock, _INFINITY)
            touched = touch(world, watcher(world, clock), CROSSES, touched)
        else:
            set_clock(clocks, clock, _INFINITY)
            world.board[B_STEP] = 1
    return touched


@njit(**INLINED)
def _go_on(
    world: Any, clocks: Any, flights: Any, synapses: Any, drives: Any, given: Any, out: Any, stop: float
) -> Any:
    """`run`, on pointers."""
    board = world.board
    while True:
        why = _send(world, flights, synapses, out)
        if why != DONE:
            return why
        if board[B_BROKEN] != 0:
            return BROKEN
        if board[B_PAUSE] != 0:
            return PAUSED
        if board[B_STEP] != 0:
            return STEP
        time = min(next_due(clocks), next_arrival(flights))
        if time > stop or time == _INFINITY:
            return DONE
        world.now[0] = world.now[1] = time
        touched = _gather(world, clocks, flights, synapses, drives, given, time)
        board[B_UPDATES] += touched
        fired = _meet(world, clocks, touched, time)
        if fired > 1:
            carray(world.fired, fired).sort()
        board[B_FIRED], board[B_SENT] = fired, 0


@njit(cache=True, **COMPILED)
def run(
    world: Any, clocks: Any, flights: Any, synapses: Any, drives: Any, given: Any, out: Any, stop: float
) -> Any:
    """Go through all instants up to and including `stop` (ms); see `world` for why it returns earlier.

    Whatever it returns for, it goes on from there when it is called again.
    """
    return _go_on(
        pointers(world), pointers(clocks), pointers(flights), pointers(synapses), pointers(drives), pointers(given),
        pointers(out), stop,
    )  # fmt: skip
