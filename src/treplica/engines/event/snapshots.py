"""The state of the engine at the end of a step, and going on from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.event.build import Places, make_drives
from treplica.engines.event.forms import form_of
from treplica.engines.event.kernels_cells import CELL
from treplica.engines.event.kernels_clocks import set_clock
from treplica.engines.event.kernels_flights import grown
from treplica.engines.event.kernels_resume import resume
from treplica.engines.event.world import B_EVENTS, D_COUNT, D_NEXT
from treplica.engines.plan import Plan
from treplica.engines.snapshot import Snapshot, copy_states, set_states
from treplica.errors import SimulationError

if TYPE_CHECKING:
    from treplica.engines.event.engine import EventEngine


def empty(plan: Plan) -> dict[str, NDArray[Any]]:
    """Arrays of the types and shapes of `Snapshot.asynchronous`."""
    drives = make_drives(plan, [form_of(p) for p in plan.populations], Places(plan)).rates.size
    return {
        "cells": np.empty((plan.neurons, CELL)),
        "due": np.empty(plan.neurons + drives),
        "drives": np.empty((drives, 2), np.int64),
    }


def take(engine: EventEngine) -> Snapshot:
    """What the times to come depend on."""
    if engine.time != engine.step * engine.plan.dt:
        allowed = f"at a multiple of dt ({engine.plan.dt:g} ms)"
        raise SimulationError(f"The simulation is at {engine.time!r} ms: it can be saved {allowed}.")
    for population in engine.stepped.values():
        population.settle()
    clocks = engine.clocks.due[: engine.places.neurons + engine.drives.rates.size]
    asynchronous = {
        "cells": engine.world.cells.copy(),
        "due": clocks.copy(),
        "drives": engine.drives.table[:, [D_COUNT, D_NEXT]],
    }
    populations = range(len(engine.plan.populations))
    flying = list(engine.found.by_population(engine.found.past(engine.time), populations).values())
    given = engine.deliveries.pending(engine.done_until)
    return Snapshot(
        engine.step, *copy_states(engine.plan), flying, given, engine.synaptic_events, asynchronous
    )


def restore(engine: EventEngine, snapshot: Snapshot) -> None:
    """Go on from a snapshot; for an engine that has not done a step."""
    set_states(engine.plan, snapshot)
    engine.step, engine.time = snapshot.step, snapshot.step * engine.plan.dt
    engine.world.now[:] = engine.done_until
    engine.world.cells[:] = snapshot.asynchronous["cells"]
    engine.drives.table[:, [D_COUNT, D_NEXT]] = snapshot.asynchronous["drives"]
    for clock, due in enumerate(snapshot.asynchronous["due"].tolist()):
        set_clock(engine.clocks, clock, due)
    for population in engine.stepped.values():
        population.refresh()
        engine.noticing.begin(population)
    engine.forget_given()
    for injection in snapshot.injections:
        engine.inject(injection)
    parts = [np.empty((3, 0))]
    for p, spikes in enumerate(snapshot.flying):
        values = np.ones(spikes.ids.size) if spikes.values is None else spikes.values
        parts.append(np.array([spikes.exact, spikes.ids + engine.places.firsts[p], values], dtype=np.float64))
    table = np.concatenate(parts, axis=1)
    table = table[:, np.lexsort((table[1], table[0]))]
    first = 0
    while first < table.shape[1]:
        first = resume(engine.world, engine.flights, engine.rows.synapses, table, first, engine.done_until)
        if first < table.shape[1]:
            engine.flights = grown(engine.flights)
    engine.found.remember(table, engine.time)
    engine.world.board[B_EVENTS] = snapshot.events
    set_clock(engine.clocks, engine.grid, np.inf)
    engine.wake()
