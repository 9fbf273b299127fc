"""Neurons of the event engine against closed forms: when they fire, and what is read of them at any time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

import treplica as tr
from treplica.errors import InvalidValue, NumericalError


def simulation(net: tr.Network, dt: float = 0.1) -> tr.Simulation:
    """The network on the event engine."""
    return tr.Simulation(net, dt=dt, engine="event", quiet=True)


def test_a_constant_current_makes_a_leaky_neuron_fire_at_equal_intervals() -> None:
    net = tr.Network()
    cell = net.add(tr.Population("c", 1, tr.LIF(refractory=1.5)))
    net.stimulate(cell, tr.DirectCurrent(amplitude=500.0))
    probe = net.record(cell, "spikes")
    sim = simulation(net)
    sim.run(200.0)
    interval = 10.0 * math.log(20.0 / 5.0)
    expected = interval + (interval + 1.5) * np.arange(13)
    np.testing.assert_allclose(sim[probe].times, expected[expected <= 200.0], rtol=0.0, atol=1e-11)


def test_a_constant_current_makes_a_quadratic_neuron_fire_at_equal_intervals() -> None:
    net = tr.Network()
    cell = net.add(tr.Population("c", 1, tr.QuadraticIF(refractory=1.0, v_reset=-75.0, v=-75.0)))
    net.stimulate(cell, tr.DirectCurrent(amplitude=200.0))
    probe = net.record(cell, "spikes")
    sim = simulation(net)
    sim.run(300.0)
    # tau D dx/dt = x^2 + a with x = v + 62.5 mV, D = 15 mV
    root = math.sqrt(10.0 * 15.0 * 200.0 / 250.0 - 15.0**2 / 4.0)
    interval = 10.0 * 15.0 / root * (math.atan(62.5 / root) - math.atan(-12.5 / root))
    expected = interval + (interval + 1.0) * np.arange(40)
    assert len(sim[probe]) > 5
    np.testing.assert_allclose(sim[probe].times, expected[expected <= 300.0], rtol=0.0, atol=1e-10)


def test_a_synaptic_current_that_lifts_v_for_a_moment_is_not_missed() -> None:
    """The peak is 1e-9 above the threshold, and no event lies near it."""
    tau, tau_syn, c_m = 10.0, 2.0, 250.0
    peak_at = tau * tau_syn / (tau - tau_syn) * math.log(tau / tau_syn)
    peak = tau * tau_syn / (c_m * (tau - tau_syn)) * (math.exp(-peak_at / tau) - math.exp(-peak_at / tau_syn))
    for above, spikes in ((1e-9, 1), (-1e-9, 0)):
        net = tr.Network()
        cell = net.add(tr.Population("c", 1, tr.LIFExpCurrent(i_syn=(15.0 + above) / peak)))
        probe = net.record(cell, "spikes")
        sim = simulation(net)
        sim.run(100.0)
        assert len(sim[probe]) == spikes
        if spikes:
            assert abs(sim[probe].times[0] - peak_at) < 1e-3


def test_states_are_read_as_they_are_now_though_nothing_has_happened() -> None:
    net = tr.Network()
    leaky = net.add(tr.Population("c", 2, tr.LIFExp(v=-60.0, i_ex=100.0, tau_ex=3.0)))
    trace = net.record(leaky, "v", interval=0.5)
    sim = simulation(net)
    sim.run(7.3)
    assert sim.engine.updates == 0

    def v(t: Any) -> Any:
        response = 10.0 * 3.0 / (250.0 * 7.0) * (np.exp(-t / 10.0) - np.exp(-t / 3.0))
        return -70.0 + 10.0 * np.exp(-t / 10.0) + 100.0 * response

    np.testing.assert_allclose(sim.state(leaky, "v"), v(7.3), rtol=1e-13)
    np.testing.assert_allclose(sim.state(leaky, "i_ex"), 100.0 * math.exp(-7.3 / 3.0), rtol=1e-13)
    np.testing.assert_allclose(sim[trace].values[:, 0], v(sim[trace].times), rtol=1e-13)
    assert sim[trace].times.tolist() == [0.5 * k for k in range(1, 15)]


def test_the_refractory_period_is_read_in_steps_and_loses_what_moves_v() -> None:
    net = tr.Network()
    cell = net.add(tr.Population("c", 1, tr.LIF(refractory=2.0)))
    end = 1.05 + 2.0
    within = np.nextafter(end, 0.0)
    trains = tr.SpikeTrains.from_exact_times([1.05, 2.0, within, end], [0] * 4, 1, 0.1, 10.0)
    net.stimulate(cell, tr.SpikeInput(trains, 15.0))
    probe = net.record(cell, "spikes")
    sim = simulation(net)
    sim.run(1.5)
    assert sim.state(cell, "wait").tolist() == [16.0]  # until 3.05 ms
    sim.run(3.5)
    assert sim[probe].times.tolist() == [1.05, end]


def test_a_written_state_counts_from_now_on() -> None:
    net = tr.Network()
    cell = net.add(tr.Population("c", 2, tr.LIF()))
    probe = net.record(cell, "spikes")
    sim = simulation(net)
    sim.run(3.0)
    sim.engine.write(0, "v", np.array([-50.0, -60.0]))
    sim.run(1.0)
    assert sim[probe].ids.tolist() == [0]
    assert sim[probe].times[0] == np.nextafter(3.0, 4.0)
    np.testing.assert_allclose(sim.state(cell, "v")[1], -70.0 + 10.0 * math.exp(-0.1), rtol=1e-14)


def test_a_current_acts_from_its_time_on() -> None:
    net = tr.Network()
    cell = net.add(tr.Population("c", 3, tr.LIF()))
    net.stimulate(cell[1:], tr.StepCurrent(np.array([5.0, 9.0]), np.array([100.0, 0.0])))
    sim = simulation(net)
    sim.run(12.0)
    lifted = 10.0 * 100.0 / 250.0 * (1.0 - math.exp(-0.4)) * math.exp(-0.3)
    np.testing.assert_allclose(sim.state(cell, "v"), -70.0 + np.array([0.0, lifted, lifted]), rtol=1e-13)


def test_an_exponential_receptor_is_a_current_of_the_neuron() -> None:
    """LIF with a receptor and LIFExpCurrent are the same neuron."""
    spikes = []
    for neuron, receptors in (
        (tr.LIF(), {"syn": tr.Exponential(tau=3.0)}),
        (tr.LIFExpCurrent(tau_syn=3.0), {}),
    ):
        net = tr.Network(seed=1)
        cell = net.add(tr.Population("c", 5, neuron, receptors))
        net.stimulate(cell, tr.PoissonInput(2000.0, 120.0), port="syn", name="noise")
        probe = net.record(cell, "spikes")
        sim = simulation(net)
        sim.run(300.0)
        spikes.append(sim[probe])
    assert len(spikes[0]) > 20
    assert spikes[0] == spikes[1]


def test_poisson_drives_and_sources_are_poisson_processes() -> None:
    net = tr.Network(seed=8)
    rates = np.linspace(0.0, 400.0, 20)
    relays = net.add(tr.Population("relays", 20, tr.SpikeSource()))
    net.stimulate(relays, tr.PoissonInput(rates, 1.0))
    sources = net.add(tr.Population("sources", 20, tr.PoissonSource(rate=rates)))
    probes = [net.record(relays, "spikes"), net.record(sources, "spikes")]
    sim = simulation(net)
    sim.run(20_000.0)
    for probe in probes:
        counts, expected = sim[probe].counts(), 20.0 * rates
        assert counts[0] == 0
        assert stats.chisquare(counts[1:], expected[1:] * counts.sum() / expected.sum()).pvalue > 1e-3
        assert abs(counts.sum() - expected.sum()) < 4.0 * math.sqrt(expected.sum())
        intervals = np.diff(sim[probe].of(19))
        assert stats.kstest(intervals, stats.expon(scale=1000.0 / 400.0).cdf).pvalue > 1e-3
    one, other = (sim[probe].of(19)[:50] for probe in probes)
    assert not np.isin(one, other).any()


@pytest.mark.parametrize(
    ("neuron", "quantity"),
    [
        (tr.LIF(v_reset=-55.0), "v_reset"),
        (tr.LIFExp(v_th=np.array([-55.0, -70.0])), "v_reset"),
        (tr.QuadraticIF(v_th=-70.0), "v_th"),
    ],
)
def test_a_neuron_that_would_fire_without_end_is_refused(neuron: Any, quantity: str) -> None:
    net = tr.Network()
    net.add(tr.Population("c", 2, neuron))
    with pytest.raises(InvalidValue, match=rf"c\.{quantity}.*event engine"):
        simulation(net)


@pytest.mark.parametrize(
    ("choice", "value"),
    [
        ("threads", 2),
        ("precision", "float32"),
        ("precision", "int16"),
        ("storage", "packed"),
        ("sleep", "never"),
    ],
)
def test_what_the_engine_does_not_have_is_refused(choice: str, value: Any) -> None:
    net = tr.Network()
    net.add(tr.Population("c", 1, tr.LIF()))
    with pytest.raises(InvalidValue, match=f"{choice}.*event engine"):
        tr.Simulation(net, engine="event", quiet=True, **{choice: value})


def test_a_state_that_is_not_finite_ends_the_run_and_is_named() -> None:
    net = tr.Network()
    cell = net.add(tr.Population("c", 3, tr.LIFExpCurrent()))
    sim = simulation(net)
    sim.engine.write(0, "i_syn", np.array([0.0, np.nan, 0.0]))
    sim.feed(cell, tr.SpikeTrains.from_exact_times([2.05], [1], 3, 0.1, 5.0))
    with pytest.raises(NumericalError, match=r"c\[1\]\.v became nan in step 21 "):
        sim.run(5.0)
