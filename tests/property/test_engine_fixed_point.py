"""States in fixed point: the cpu engine does what the plain one does, over any network that can be kept so."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import treplica as tr
from treplica.engines.cpu.engine import CpuEngine
from treplica.engines.plain import PlainEngine
from treplica.engines.resolve import resolve
from treplica.errors import InvalidValue, NumericalError
from treplica.model import arrival, neuron, spike, state
from treplica.testing.engines import record_difference, run_engine

DT, STEPS = 0.5, 60


@st.composite
def networks(draw) -> tr.Network:
    """One or two populations with synapses of both signs, driven."""
    net = tr.Network(seed=draw(st.integers(0, 2**64 - 1)))
    models = [
        (tr.Izhikevich(refractory=draw(st.sampled_from([0.0, 3.0]))), 12.0),
        (tr.Izhikevich.fast_spiking(), 12.0),
        (tr.LIF(refractory=draw(st.sampled_from([0.0, 2.0]))), 500.0),
    ]
    populations = []
    for k in range(draw(st.integers(1, 2))):
        model, current = draw(st.sampled_from(models))
        cells = net.add(tr.Population(f"cells{k}", draw(st.sampled_from([1, 17, 64, 150])), model))
        net.stimulate(cells, tr.GaussianCurrent(mean=current, std=current))
        if draw(st.booleans()):
            net.stimulate(
                cells, tr.PoissonInput(rate=draw(st.floats(1.0, 2000.0)), weight=draw(st.floats(-5.0, 20.0)))
            )
        populations.append(cells)
    for source in populations:
        for target in populations:
            weight = draw(st.sampled_from([tr.Normal(3.0, 2.0), -2.0, tr.Uniform(-400.0, 400.0)]))
            net.connect(source, target, tr.Bernoulli(0.2), weight=weight, delay=tr.Uniform(0.5, 4.0))
    return net


@pytest.mark.parametrize("precision", ["int16", "int8"])
def test_the_same_spikes_and_states(precision) -> None:
    spikes = []

    @given(networks(), st.integers(1, 3), st.integers(1, STEPS))
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def check(network, threads: int, piece: int) -> None:
        expected = run_engine(PlainEngine, network, DT, STEPS, precision)
        found = run_engine(lambda p, s, w: CpuEngine(p, s, w, threads), network, DT, STEPS, precision, piece)
        assert record_difference(expected, found) is None
        spikes.append(sum(len(s) for s in expected.spikes.values()))

    check()
    assert sum(spikes) > 10_000


def test_states_are_multiples_of_the_unit() -> None:
    net = tr.Network(seed=1)
    cells = net.add(tr.Population("cells", 100, tr.Izhikevich(refractory=3.0)))
    net.stimulate(cells, tr.GaussianCurrent(mean=8.0, std=4.0))
    potential = net.record(cells, "v")
    with tr.Simulation(net, dt=0.5, precision="int16", quiet=True) as sim:
        sim.run(100.0)
        for values in (sim.state(cells, "v"), sim.state(cells, "u"), sim[potential].values):
            assert values.dtype == np.float32
            assert np.array_equal(values * 256.0, np.rint(values * 256.0))
            assert len(np.unique(values)) > 50
        assert sim.engine.memory()["states"] == 100 * 6


def test_rates_are_those_of_float32_within_a_tenth() -> None:
    net = tr.Network(seed=2)
    cells = net.add(tr.Population("cells", 1000, tr.Izhikevich()))
    net.stimulate(cells, tr.GaussianCurrent(mean=4.0, std=4.0))
    counts = []
    for precision in ("float32", "int16"):
        with tr.Simulation(net, dt=0.5, precision=precision, quiet=True) as sim:
            sim.run(2000.0)
            counts.append(int(sim.spikes.sum()))
    assert counts[0] > 5000
    assert abs(counts[1] - counts[0]) < 0.1 * counts[0]


def test_what_has_no_span_is_refused() -> None:
    net = tr.Network(seed=1)
    net.add(tr.Population("cells", 10, tr.LIF(), {"ampa": tr.Exponential()}))
    with pytest.raises(
        InvalidValue, match=r"precision must be float64 or float32: Exponential\.\w+ does not declare"
    ):
        tr.Simulation(net, precision="int16", quiet=True)


def test_initial_values_beyond_the_span_are_refused() -> None:
    net = tr.Network(seed=1)
    net.add(tr.Population("cells", 3, tr.LIF(v=np.array([-70.0, -200.0, -70.0]))))
    with pytest.raises(InvalidValue, match=r"LIF\.v must be from -128 to 128 for int16, got -200\.0"):
        tr.Simulation(net, precision="int16", quiet=True)


@neuron(x=state("1", span=(-8.0, 8.0)), arrived=arrival("1"))
def Grower(x, arrived):
    """Squares itself, so that it is soon beyond every number."""
    return dict(x=x + x * x * x * x + arrived, spike=spike(x - 100.0))


@neuron(x=state("1", 1.0, span=(-8.0, 8.0)), arrived=arrival("1"))
def Breaker(x, arrived):
    """Divides by zero after eight steps."""
    return dict(x=x - 0.125 + 0.0 / (x - 0.125) + arrived, spike=spike(x - 100.0))


@pytest.mark.parametrize("make", [PlainEngine, lambda p, s, w: CpuEngine(p, s, w, 2)], ids=["plain", "cpu"])
def test_saturation_and_what_is_not_finite(make) -> None:
    for model, end in ((Grower(x=1.0), 8.0 - 2.0**-12), (Breaker(), None)):
        net = tr.Network(seed=1)
        net.add(tr.Population("cells", 2, model))
        engine = make(resolve(net, DT, 1, "int16"), [], [])
        done = engine.advance(20)
        if end is None:
            assert done.steps == 8
            assert isinstance(done.failure, NumericalError)
            assert "cells" in str(done.failure)
        else:
            assert done.failure is None
            assert (engine.read(0, "x") == end).all()
        engine.close()
