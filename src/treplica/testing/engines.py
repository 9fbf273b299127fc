"""Is an engine right? It must do what the plain engine does: spikes, states, samples, counts of events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.coding import SpikeTrains
from treplica.engines.base import Advance, Engine
from treplica.engines.plain import PlainEngine
from treplica.engines.plan import Injection, Plan, Sampler
from treplica.engines.resolve import resolve
from treplica.engines.snapshot import spike_types
from treplica.network import Network
from treplica.numerics.formats import Precision
from treplica.simulation.pace import Pace
from treplica.testing.networks import sample_networks
from treplica.testing.spikes import spike_difference

#: From a plan, what is sampled, and the populations whose spikes are wanted, to an engine that owns the plan.
MakeEngine = Callable[[Plan, list[Sampler], Collection[int]], Engine]

STEPS = 60


@dataclass
class Record:
    """What an engine did: spikes, final states and sampled states by population, counts, events, failure."""

    spikes: dict[str, SpikeTrains]
    states: dict[str, NDArray[Any]]
    samples: list[NDArray[Any]]
    counts: NDArray[np.int64]
    events: int
    failure: str


def check_engine(
    make_engine: MakeEngine,
    networks: Sequence[Network] | None = None,
    *,
    dt: float = 0.5,
    steps: int = STEPS,
    precisions: Sequence[Precision] = ("float64", "float32"),
) -> int:
    """Run networks on an engine, in one go and in pieces, and compare with the plain engine bit for bit.

    networks: descriptions small enough for the plain engine (default: one of each kind that engines must hold).
    Returns how many spikes were compared; AssertionError names the network and the first difference, also where
    nothing fired.
    """
    total = 0
    for network in sample_networks() if networks is None else networks:
        for precision in precisions:
            expected = run_engine(PlainEngine, network, dt, steps, precision)
            for piece in (steps, 7):
                found = run_engine(make_engine, network, dt, steps, precision, piece)
                difference = record_difference(expected, found)
                assert not difference, f"{network!r} in {precision}, pieces of {piece} steps: {difference}"
            total += sum(len(s) for s in expected.spikes.values())
    assert total, "no neuron fired: nothing was compared"
    return total


def run_engine(
    make_engine: MakeEngine,
    network: Network,
    dt: float,
    steps: int,
    precision: Precision,
    piece: int | None = None,
    injections: Sequence[Injection] = (),
    weights: str = "auto",
) -> Record:
    """Run a network for some steps, at most `piece` at a time; all states are sampled every third step.

    injections: arrivals given after a third of the time.
    """
    plan = resolve(network, dt, network.seed, precision, weights)
    everyone = [(p, name) for p, q in enumerate(plan.populations) for name in q.composition.states()]
    samplers = [
        Sampler(p, name, np.arange(plan.populations[p].size, dtype=np.int64), 3) for p, name in everyone
    ]
    engine = make_engine(plan, samplers, range(len(plan.populations)))
    pace = Pace(plan.currents)
    parts: list[Advance] = []
    while engine.step < steps and not (parts and parts[-1].failure):
        if engine.step == steps // 3:
            for injection in injections:
                engine.inject(injection)
        pace.set_currents(engine)
        pace.piece = piece or steps
        goal = steps // 3 if engine.step < steps // 3 else steps
        parts.append(engine.advance(pace.steps(engine.step, goal)))
    states = {f"{plan.populations[p].name}.{name}": engine.read(p, name) for p, name in everyone}
    record = _joined(plan, parts, states, engine.synaptic_events)
    engine.close()
    return record


def _joined(plan: Plan, parts: list[Advance], states: dict[str, NDArray[Any]], events: int) -> Record:
    spikes = {}
    n_steps = sum(p.steps for p in parts)
    for index, population in enumerate(plan.populations):
        types = spike_types(population.graded > 1, plan.continuous)
        columns: dict[str, Any] = {
            n: np.concatenate([getattr(p.spikes[index], n) for p in parts]) for n in types
        }
        spikes[population.name] = SpikeTrains(
            size=population.size, dt=plan.dt, n_steps=n_steps, **columns
        )  # checks the order too
    samples = [np.concatenate([p.samples[j] for p in parts]) for j in range(len(parts[0].samples))]
    counts = np.concatenate([p.counts for p in parts])
    return Record(spikes, states, samples, counts, events, str(parts[-1].failure or ""))


def record_difference(a: Record, b: Record) -> str | None:
    """None where two records are equal bit for bit, else the first difference in words."""
    for name, trains in a.spikes.items():
        found = spike_difference(trains, b.spikes[name], ("plain", "engine"))
        if found:
            return f"spikes of {name}: {found}"
    for name, values in a.states.items():
        different = _different(values, b.states[name])
        if different.any():
            neuron = int(np.argmax(different))
            return f"{name}[{neuron}] ends as {values[neuron]!r} (plain), {b.states[name][neuron]!r} (engine)"
    for j, (mine, other) in enumerate(zip(a.samples, b.samples, strict=True)):
        if mine.shape != other.shape or _different(mine, other).any():
            return f"sampled states {j} of shape {mine.shape} (plain) and {other.shape} (engine) differ"
    if not np.array_equal(a.counts, b.counts):
        return "the spikes counted in each step differ"
    if a.events != b.events:
        return f"{a.events} synaptic events (plain), {b.events} (engine)"
    if a.failure != b.failure:
        return f"failure {a.failure!r} (plain), {b.failure!r} (engine)"
    return None


def _different(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Where two arrays differ in a bit; one NaN is like another."""
    bits = np.dtype(f"i{a.itemsize}")
    different: NDArray[np.bool_] = (a.view(bits) != b.view(bits)) & ~(np.isnan(a) & np.isnan(b))
    return different
