import re

import numpy as np
import pytest

import treplica as tr
from treplica.errors import InvalidValue
from treplica.systems.vogels_abbott import MODELS
from treplica.systems.vogels_abbott_dense import START, PromptLIFExp, vogels_abbott_dense


@pytest.mark.parametrize(("neurons", "p"), [(200, 0.1), (4000, 0.02), (320_000, 0.1)])
def test_parameters_of_the_program(neurons: int, p: float) -> None:
    """At p = 0.1 the paper gives the weights as 3.2 / N and 40.8 / N nA; every pair may be connected, but no neuron
    with itself."""
    net = vogels_abbott_dense(neurons, p)
    (cells,) = net.populations
    assert cells.size == neurons
    assert (START.low, START.high) == tuple(MODELS["cuba"][0].value(name) for name in ("v_reset", "v_th"))
    assert cells.neuron.value("tau") / cells.neuron.value("c_m") == pytest.approx(20.0 / 1000.0)  # 20 MOhm
    sizes = [(len(q.source), len(q.target)) for q in net.projections]
    e, i = neurons * 4 // 5, neurons // 5
    assert sizes == [(e, e), (e, i), (i, e), (i, i)]
    for q in net.projections:
        assert q.rule == tr.Bernoulli(p, self_connections=q.source != q.target)
        nanoamperes = {"ex": 3.2, "inh": -40.8}[q.port] / neurons * 0.1 / p
        assert q.weight == pytest.approx(1000.0 * nanoamperes)
        assert q.delay == 1.0
    expected = sum(q.rule.expected_synapses(*pair) for q, pair in zip(net.projections, sizes, strict=True))
    assert expected == pytest.approx(p * neurons * (neurons - 1))


def test_what_arrives_moves_v_one_step_sooner_than_in_lif_exp() -> None:
    """And that is all: from rest, v is the same one step later."""
    found = {}
    for model in (PromptLIFExp, tr.LIFExp):
        net = tr.Network(seed=1)
        cell = net.add(tr.Population("cell", 1, model(tau_ex=5.0, tau_inh=10.0)))
        given = np.zeros((40, 1), dtype=bool)
        given[[3, 4, 20]] = True
        for port, weight in (("ex", 900.0), ("inh", -400.0)):
            given = np.roll(given, 5)
            net.stimulate(
                cell, tr.SpikeInput(tr.SpikeTrains.from_dense(given, 1.0), weight=weight), port=port
            )
        v = net.record(cell, "v")
        with tr.Simulation(net, dt=1.0, quiet=True) as sim:
            sim.run(60.0)
            found[model.name] = sim[v].values[:, 0]
    np.testing.assert_array_equal(found["PromptLIFExp"][:-1], found["LIFExp"][1:])
    assert np.ptp(found["LIFExp"]) > 5.0


@pytest.mark.parametrize(("neurons", "p"), [(4000, 0.02), (4000, 0.1), (20_000, 0.1)])
def test_the_rate_is_the_same_at_every_size_and_density(neurons: int, p: float) -> None:
    """And no step has many times more spikes than the mean: the network does not fire all at once."""
    net = vogels_abbott_dense(neurons, p)
    probe = net.record(net.population("cells"), "spikes")
    with tr.Simulation(net, dt=1.0, quiet=True, storage="procedural") as sim:
        sim.run(400.0)
        times = sim[probe].between(100.0, 400.0).times
    counts = np.histogram(times, np.arange(100.5, 401.0))[0]
    assert 6.0 < counts.sum() / neurons / 0.3 < 10.0
    assert counts.max() < 2.5 * counts.mean()


def test_kept_and_recomputed_synapses_give_the_same_spikes() -> None:
    net = vogels_abbott_dense(200)
    probe = net.record(net.population("cells"), "spikes")
    found = []
    for storage, threads in (("procedural", 1), ("procedural", 2), ("rows", 1), ("packed", 2)):
        with tr.Simulation(net, dt=1.0, storage=storage, threads=threads, quiet=True) as sim:
            sim.run(500.0)
            found.append(sim[probe])
    assert len(found[0]) > 200
    assert found[0] == found[1] == found[2] == found[3]


@pytest.mark.parametrize(
    ("neurons", "p", "message"),
    [
        (99, 0.1, "vogels_abbott_dense: neurons must be a multiple of 5, at least 100, got 99."),
        (1e3, 0.1, "vogels_abbott_dense: neurons must be a multiple of 5, at least 100, got 1000.0."),
        (200, 0.0, "vogels_abbott_dense: p must be a number from 0.001 to 1, got 0.0."),
        (200, 1.5, "vogels_abbott_dense: p must be a number from 0.001 to 1, got 1.5."),
        (200, float("nan"), "vogels_abbott_dense: p must be a number from 0.001 to 1, got nan."),
    ],
)
def test_settings_that_make_no_network(neurons: int, p: float, message: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(message)):
        vogels_abbott_dense(neurons, p)
