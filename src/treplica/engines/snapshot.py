"""The state of a simulation between two steps, the same for every engine, storage and number of threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.plan import Injection, Plan


@dataclass
class Spikes:
    """Spikes of one population: steps (ascending), ids (ascending within a step), values of graded spikes.

    exact: in a continuous plan their times in ms, ascending, see `SpikeTrains.exact`; ids ascend at one time.
    """

    steps: NDArray[np.int64]
    ids: NDArray[np.int32]
    values: NDArray[np.int32] | None = None
    exact: NDArray[np.float64] | None = None


def spike_types(graded: bool, exact: bool) -> dict[str, Any]:
    """The columns of `Spikes` that there are, and their types."""
    types: dict[str, Any] = {"steps": np.int64, "ids": np.int32}
    return {**types, **({"values": np.int32} if graded else {}), **({"exact": np.float64} if exact else {})}


@dataclass
class Snapshot:
    """What the steps after `step` depend on, beside the plan.

    states: by population, then by variable, [size] in the working type. external: by population and current. flying:
    by population, the spikes of the last `plan.longest_delay` steps, some of whose arrivals are to come. injections:
    given arrivals after `step`. events: synaptic events so far. asynchronous: what only the event engine keeps, by
    name: cells, due, drives (see `event.snapshots`). Noise has no state: it follows from seed and step.
    """

    step: int
    states: list[dict[str, NDArray[Any]]]
    external: list[dict[str, NDArray[Any]]]
    flying: list[Spikes]
    injections: list[Injection]
    events: int
    asynchronous: dict[str, NDArray[Any]] = field(default_factory=dict)


def copy_states(plan: Plan) -> tuple[list[dict[str, NDArray[Any]]], list[dict[str, NDArray[Any]]]]:
    """Copies of all states and of all external currents."""
    states = [{n: v.copy() for n, v in p.composition.states().items()} for p in plan.populations]
    return states, [{n: v.copy() for n, v in p.external.items()} for p in plan.populations]


def set_states(plan: Plan, snapshot: Snapshot) -> None:
    """Put states and external currents of a snapshot into the arrays of a plan."""
    for population, states, external in zip(
        plan.populations, snapshot.states, snapshot.external, strict=True
    ):
        for name, values in population.composition.states().items():
            values[:] = states[name]
        for name, values in population.external.items():
            values[:] = external[name]


def pending(injection: Injection, step: int) -> Injection:
    """What is given for steps after `step`."""
    kept = slice(int(np.searchsorted(injection.steps, step, side="right")), None)
    own = injection.steps[kept].copy(), injection.ids[kept].copy(), injection.amounts[kept].copy()
    times = None if injection.times is None else injection.times[kept].copy()
    return Injection(injection.population, injection.port, *own, times)
