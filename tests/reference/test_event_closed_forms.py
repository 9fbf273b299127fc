"""The event engine against other ways to compute the same: a plain event-driven simulation, and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from event_oracle import Cell, simulate

import treplica as tr

DURATION = 60.0


def random_network(seed: int, model: tr.model.Model) -> tuple[tr.Network, list[Cell], list, list]:
    """Ten neurons with values of their own, real delays, given spikes; as a network and for the oracle."""
    random = np.random.default_rng(seed)
    n = 10
    quarter = lambda values: np.rint(values * 64.0) / 64.0  # noqa: E731 - weights are exact in any unit
    same = {
        "tau": random.uniform(5.0, 25.0),
        "c_m": 200.0,
        "v_reset": -68.0,
        "refractory": random.uniform(0.0, 3.0),
    }
    tau = same["tau"]
    threshold = random.uniform(-58.0, -52.0, n)
    current = quarter(random.uniform(0.8, 1.4, n) * (threshold + 70.0) * 200.0 / tau)
    v = random.uniform(-70.0, -60.0, n)
    names = {tr.LIF: (), tr.LIFExpCurrent: ("tau_syn",), tr.LIFExp: ("tau_ex", "tau_inh")}[model]
    taus = tuple(random.choice([2.0, tau, 30.0, random.uniform(0.5, 20.0)]) for _ in names)
    net = tr.Network(seed=seed)
    neurons = net.add(
        tr.Population("n", n, model(v=v, v_th=threshold, **same, **dict(zip(names, taus, strict=True))))
    )
    net.stimulate(neurons, tr.DirectCurrent(amplitude=current))
    cells = [
        Cell(tau, 200.0, -70.0 + tau * i / 200.0, th, -68.0, same["refractory"], taus, start, [0.0] * len(taus))
        for i, th, start in zip(current, threshold, v, strict=True)
    ]  # fmt: skip
    ports = list(neurons.ports)
    synapses: list[list[tuple[int, int, float, float]]] = [[] for _ in range(n)]
    given = []
    size = 2.0 if model is tr.LIF else 100.0
    for k, port in enumerate(ports):
        source, target = np.sort(random.integers(0, n, 30)), random.integers(0, n, 30)
        target = target[np.lexsort((target, source))]
        weight = quarter(
            random.normal(0.0, size, 30) if len(ports) == 1 else (1 - 2 * k) * random.uniform(0, size, 30)
        )
        delay = random.uniform(0.01, 7.0, 30)
        net.connect(
            neurons, neurons, tr.FromArrays(source, target),
            weight=tr.FromArray(weight), delay=tr.FromArray(delay), port=port,
        )  # fmt: skip
        index = -1 if model is tr.LIF else k
        for s, t, w, d in zip(source.tolist(), target.tolist(), weight.tolist(), delay.tolist(), strict=True):
            synapses[s].append((t, index, w, d))
        times, ids = np.sort(random.uniform(0.0, DURATION, 40)), random.integers(0, n, 40)
        trains = tr.SpikeTrains.from_exact_times(times, ids, n, 0.1, DURATION)
        net.stimulate(neurons, tr.SpikeInput(trains, size), port=port)
        given += [(t, i, index, size) for t, i in zip(times.tolist(), ids.tolist(), strict=True)]
    return net, cells, synapses, given


@pytest.mark.parametrize("model", [tr.LIF, tr.LIFExpCurrent, tr.LIFExp], ids=lambda m: m.name)
@pytest.mark.parametrize("seed", range(4))
def test_the_engine_equals_a_simulation_by_other_means(seed: int, model: tr.model.Model) -> None:
    net, cells, synapses, given = random_network(seed, model)
    probe = net.record(net.populations[0], "spikes")
    sim = tr.Simulation(net, dt=0.1, engine="event", quiet=True)
    sim.run(DURATION)
    found, expected = sim[probe], simulate(cells, synapses, given, DURATION)
    assert len(expected) > 10
    assert found.ids.tolist() == [n for _, n in expected]
    np.testing.assert_allclose(found.times, [t for t, _ in expected], rtol=0.0, atol=1e-8)


def recurrent(model: tr.model.Instance) -> tuple[tr.Network, tr.Probe]:
    """Twenty neurons whose delays are whole steps of every dt below."""
    random = np.random.default_rng(5)
    n = 20
    net = tr.Network(seed=5)
    cells = net.add(tr.Population("c", n, model))
    net.stimulate(cells, tr.DirectCurrent(amplitude=random.uniform(380.0, 480.0, n)))
    size = {"LIF": 2.0, "QuadraticIF": 1.5}.get(model.model.name, 150.0)
    for k, port in enumerate(cells.ports):
        edges = tr.FromArrays(np.sort(random.integers(0, n, 60)), random.integers(0, n, 60))
        one = len(cells.ports) == 1
        weight = random.normal(0.0, size, 60) if one else (1 - 2 * k) * random.uniform(0.0, size, 60)
        delay = 0.4 * random.integers(1, 10, 60)
        net.connect(cells, cells, edges, weight=tr.FromArray(weight), delay=tr.FromArray(delay), port=port)
    return net, net.record(cells, "spikes")


MODELS = [tr.LIF(), tr.LIFExpCurrent(), tr.LIFExp(), tr.QuadraticIF(v_reset=-75.0)]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.model.name)
def test_plain_converges_to_the_engine_in_proportion_to_dt(model: tr.model.Instance) -> None:
    net, probe = recurrent(model)
    event = tr.Simulation(net, dt=0.1, engine="event", quiet=True)
    event.run(60.0)
    exact = event[probe]
    assert len(exact) > 30
    errors = []
    for dt in (0.05, 0.025, 0.0125):
        sim = tr.Simulation(net, dt=dt, engine="plain", quiet=True)
        sim.run(60.0)
        assert sim[probe].counts().tolist() == exact.counts().tolist()
        errors.append(max(np.abs(sim[probe].of(i) - exact.of(i)).max(initial=0.0) for i in range(20)) / dt)
    # A spike is late by up to a step, and so is all that follows from it: in steps, the error stays what it is.
    assert min(errors) > 0.5
    assert max(errors) < 6.0
