"""The event engine: equal to `plain` where everything is in steps, exact where not, whatever the pieces of a run."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treplica as tr
from treplica.testing.networks import KINDS

DT = 0.5
#: Kinds of populations without a closed form.
STEPPED = ("mesh", "receptors", "graded", "resting")


def _add(net: tr.Network, kind: str, name: str, size: int, pick: Any) -> tr.Population:
    if kind != "resting":
        return KINDS[kind].add(net, name, size, DT, pick)
    population = net.add(tr.Population(name, size, tr.Izhikevich(), sleep_within=1e-3))
    net.stimulate(population, tr.PoissonInput(pick(2.0, 10.0), 20.0))
    return population


@given(
    kinds=st.lists(st.sampled_from(STEPPED), min_size=1, max_size=3),
    seed=st.integers(0, 2**32 - 1),
    pieces=st.lists(st.integers(1, 30), min_size=1, max_size=4),
)
@settings(max_examples=25, deadline=None)
def test_neurons_without_a_closed_form_do_as_in_plain(kinds: list[str], seed: int, pieces: list[int]) -> None:
    """Delays are whole steps: then spikes and states are those of the plain engine, bit for bit."""
    random = np.random.default_rng(seed)
    net = tr.Network(seed=seed)
    populations = [
        _add(net, kind, f"p{j}", int(random.integers(3, 12)), random.uniform) for j, kind in enumerate(kinds)
    ]
    for target in populations:
        for source in populations:
            delay = DT * random.integers(1, 5) if random.random() < 0.5 else tr.FromArray(np.full(15, 2.5))
            rule = tr.FromArrays(
                np.sort(random.integers(0, len(source), 15)), random.integers(0, len(target), 15)
            )
            weight = 8.0 if target.neuron.model.name != "Levels" else 0.5
            net.connect(source, target, rule, weight=weight, delay=delay)
    spikes = [net.record(p, "spikes") for p in populations]
    traces = [net.record(p, p.variables[0], interval=3 * DT) for p in populations]
    plain, event = (tr.Simulation(net, dt=DT, engine=e, quiet=True) for e in ("plain", "event"))
    for piece in pieces:
        event.run(piece * DT)
    plain.run(sum(pieces) * DT)
    for probe in spikes:
        assert event[probe].on_grid() == plain[probe]
        np.testing.assert_array_equal(event[probe].times, plain[probe].times)
    for probe in traces:
        np.testing.assert_array_equal(event[probe].values, plain[probe].values)
    for population in populations:
        for name in population.variables:
            np.testing.assert_array_equal(event.state(population, name), plain.state(population, name))
    assert event.engine.synaptic_events == plain.engine.synaptic_events


def ring(delays: list[float], start: float) -> tuple[tr.Network, tr.Probe]:
    """Relays in a circle; the first gets a spike."""
    n = len(delays)
    net = tr.Network()
    relays = net.add(tr.Population("relays", n, tr.SpikeSource()))
    order = np.arange(n)
    net.connect(relays, relays, tr.FromArrays(order, (order + 1) % n), weight=1.0, delay=tr.FromArray(delays))
    net.stimulate(relays[:1], tr.SpikeInput(tr.SpikeTrains.from_exact_times([start], [0], 1, 1.0, 100.0)))
    return net, net.record(relays, "spikes")


@given(delays=st.lists(st.floats(1e-3, 30.0), min_size=1, max_size=6), start=st.floats(1e-3, 50.0))
def test_a_spike_goes_round_a_ring_at_times_that_are_sums_of_delays(
    delays: list[float], start: float
) -> None:
    net, probe = ring(delays, start)
    sim = tr.Simulation(net, dt=1.0, engine="event", quiet=True)
    sim.run(100.0)
    time, expected = start, []
    while time <= 100.0:
        expected.append((time, len(expected) % len(delays)))
        time += delays[(len(expected) - 1) % len(delays)]
    assert list(zip(sim[probe].times.tolist(), sim[probe].ids.tolist(), strict=True)) == expected


def test_a_synfire_chain_fires_layer_by_layer() -> None:
    """Three layers of five: a volley needs all five at one instant."""
    net = tr.Network()
    layers = [net.add(tr.Population(f"l{j}", 5, tr.LIF(tau=20.0))) for j in range(3)]
    for source, target in itertools.pairwise(layers):
        net.connect(source, target, tr.AllToAll(), weight=3.25, delay=1.7)
    trains = tr.SpikeTrains.from_exact_times([0.3] * 5, list(range(5)), 5, 0.1, 10.0)
    net.stimulate(layers[0], tr.SpikeInput(trains, 20.0))
    probes = [net.record(layer, "spikes") for layer in layers]
    sim = tr.Simulation(net, engine="event", quiet=True)
    sim.run(10.0)
    for j, probe in enumerate(probes):
        assert sim[probe].ids.tolist() == [0, 1, 2, 3, 4]
        assert set(sim[probe].times.tolist()) == {[0.3, 0.3 + 1.7, 0.3 + 1.7 + 1.7][j]}


def meeting(weights: list[float], delays: list[float]) -> tuple[list[float], float]:
    """Sources that fire at once onto one LIF neuron at rest; its spikes, and v at the end."""
    n = len(weights)
    net = tr.Network()
    sources, cell = net.add(tr.Population("s", n, tr.SpikeSource())), net.add(tr.Population("c", 1, tr.LIF()))
    edges = tr.FromArrays(np.arange(n), np.zeros(n, int))
    net.connect(sources, cell, edges, weight=tr.FromArray(weights), delay=tr.FromArray(delays))
    trains = tr.SpikeTrains.from_exact_times([1.0] * n, list(range(n)), n, 0.1, 5.0)
    net.stimulate(sources, tr.SpikeInput(trains))
    probe = net.record(cell, "spikes")
    sim = tr.Simulation(net, engine="event", quiet=True)
    sim.run(5.0)
    return sim[probe].times.tolist(), float(sim.state("c", "v")[0])


@given(
    weights=st.lists(st.integers(-40, 40).map(float), min_size=1, max_size=6),
    random=st.randoms(use_true_random=False),
)
@settings(max_examples=30, deadline=None)
def test_what_arrives_at_one_instant_has_no_order(weights: list[float], random: Any) -> None:
    """The sum decides, whatever the order of the synapses."""
    expected = [2.5] if sum(weights) >= 15.0 else []
    for _ in range(2):
        random.shuffle(weights)
        spikes, _ = meeting(weights, [1.5] * len(weights))
        assert spikes == expected


def test_inhibition_a_moment_earlier_prevents_a_spike_and_a_moment_later_does_not() -> None:
    assert meeting([16.0, -5.0], [1.5, 1.5])[0] == []
    assert meeting([16.0, -5.0], [1.5, 1.5 - 1e-12])[0] == []
    assert meeting([16.0, -5.0], [1.5, 1.5 + 1e-12])[0] == [2.5]


def lively(model: Any, seed: int = 3) -> tr.Network:
    """A small recurrent network with everything in it that the engine has."""
    net = tr.Network(seed=seed)
    cells = net.add(tr.Population("cells", 40, model))
    steps = net.add(tr.Population("steps", 10, tr.Izhikevich(), sleep_within=1e-3))
    source = net.add(tr.Population("source", 20, tr.PoissonSource(rate=80.0)))
    port = cells.ports[0]
    size = 400.0 if port != "arrived" else 4.0
    net.connect(source, cells, tr.FixedInDegree(4), weight=size, delay=tr.Uniform(0.2, 3.0), port=port)
    net.connect(
        cells, cells, tr.FixedInDegree(5), weight=tr.Normal(-0.1 * size, 0.1 * size), delay=1.234, port=port
    )
    net.connect(cells, steps, tr.FixedInDegree(5), weight=9.0, delay=0.77)
    net.connect(steps, cells, tr.FixedInDegree(2), weight=0.5 * size, delay=2.2, port=port)
    net.stimulate(cells, tr.PoissonInput(np.linspace(0.0, 600.0, 40), 0.3 * size), port=port)
    net.stimulate(cells[:20], tr.StepCurrent(np.array([5.0, 20.0]), np.array([300.0, 0.0])))
    for population in (cells, steps, source):
        net.record(population, "spikes", name=population.name)
    net.record(cells, "v", name="v", interval=1.0)
    return net


MODELS = [tr.LIF(), tr.LIFExpCurrent(), tr.LIFExp(tau_inh=5.0), tr.QuadraticIF(v_reset=-75.0)]


def results(sim: tr.Simulation) -> dict[str, Any]:
    """Everything that was recorded, and all states."""
    spikes = {n: (sim[n].times.tolist(), sim[n].ids.tolist()) for n in ("cells", "steps", "source")}
    return {**spikes, "v": sim["v"].values.tolist(), "now": sim.state("cells", "v").tolist()}


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.model.name)
@given(pieces=st.lists(st.integers(1, 200), min_size=1, max_size=5), cut=st.integers(0, 4))
@settings(max_examples=10, deadline=None)
def test_pieces_and_checkpoints_change_nothing(
    model: Any, pieces: list[int], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    net = lively(model)
    whole = tr.Simulation(net, engine="event", quiet=True)
    whole.run(sum(pieces) * 0.1)
    sim = tr.Simulation(net, engine="event", quiet=True)
    path = tmp_path_factory.mktemp("event") / "run.checkpoint"
    for j, piece in enumerate(pieces):
        sim.run(piece * 0.1)
        if j == cut:
            sim.save(path)
            sim = tr.Simulation.load(path, quiet=True)
    assert results(sim) == results(whole)
    assert sim.engine.synaptic_events == whole.engine.synaptic_events
