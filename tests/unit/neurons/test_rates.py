"""Firing rates against closed forms."""

import math

import numpy as np
import pytest
from stepping import Stepper

import treplica as tr
from treplica.neurons import LIF, LIFAlpha, LIFExp, LIFExpCurrent, PoissonSource, QuadraticIF

RHEOBASE = 375.0  # pA: (v_th - v_rest) c_m / tau with the defaults


def interval(i: float, tau: float = 10.0, c_m: float = 250.0, distance: float = 15.0) -> float:
    """Time from reset to threshold in ms: tau log(RI / (RI - (v_th - v_rest))), with v_reset = v_rest."""
    drive = i * tau / c_m
    return tau * math.log(drive / (drive - distance))


@pytest.mark.parametrize("model", [LIF, LIFExp, LIFExpCurrent, LIFAlpha])
@pytest.mark.parametrize("i", [RHEOBASE + 0.01, 400.0, 500.0, 800.0, 1500.0])
def test_intervals_of_the_lif_are_those_of_the_closed_form(model: tr.model.Model, i: float) -> None:
    """Integrated exactly, an interval is the closed form rounded up to whole steps, plus the refractory period."""
    dt = 0.1
    exact = math.ceil(interval(i) / dt)
    steps = Stepper(model(refractory=2.0), dt).spikes(4 * (exact + 20), i=i)
    assert steps == [exact + k * (exact + 20) for k in range(4)]


def test_f_i_curve_of_the_lif() -> None:
    """The rate is 1 / (refractory + interval) to within the rounding of an interval to a step."""
    dt, currents = 0.01, np.array([380.0, 450.0, 600.0, 1000.0, 2000.0])
    net = tr.Network()
    cells = net.add(tr.Population("cells", currents.size, LIF(refractory=2.0)))
    net.stimulate(cells, tr.StepCurrent([0.0], currents[None, :]))
    probe = net.record(cells, "spikes")
    with tr.Simulation(net, dt=dt, engine="cpu", quiet=True) as sim:
        sim.run(1000.0)
        spikes = sim[probe]
    for k, i in enumerate(currents):
        times = spikes.times[spikes.ids == k]
        assert 1.0 / np.diff(times).mean() == pytest.approx(1.0 / (2.0 + interval(i)), rel=dt / interval(i))


@pytest.mark.parametrize("model", [LIF, LIFExp, LIFAlpha])
def test_no_spike_below_rheobase(model: tr.model.Model) -> None:
    neuron = Stepper(model(), 0.1)
    assert neuron.spikes(3000, i=RHEOBASE - 0.01) == []
    assert neuron.state["v"] == pytest.approx(-70.0 + (RHEOBASE - 0.01) * 10.0 / 250.0, abs=1e-9)


def test_rate_of_the_qif_above_its_bifurcation() -> None:
    """dv/dt = (v^2 + w^2) / q: from v_reset to v_peak it takes q / w (atan(v_peak / w) - atan(v_reset / w))."""
    tau, rest, threshold, reset, peak, c_m, i, dt = 10.0, -70.0, -55.0, -70.0, 0.0, 250.0, 300.0, 0.01
    q, middle = tau * (threshold - rest), 0.5 * (rest + threshold)
    w = math.sqrt(q * i / c_m - (0.5 * (threshold - rest)) ** 2)
    expected = q / w * (math.atan((peak - middle) / w) - math.atan((reset - middle) / w))
    steps = Stepper(QuadraticIF(refractory=0.0), dt).spikes(round(3.5 * expected / dt), i=i)
    assert len(steps) == 3
    assert np.diff(steps) * dt == pytest.approx(expected, abs=dt)


def poisson(rate: float | list[float], size: int, dt: float, duration: float) -> tr.SpikeTrains:
    net = tr.Network(seed=3)
    source = net.add(tr.Population("source", size, PoissonSource(rate=rate)))
    probe = net.record(source, "spikes")
    with tr.Simulation(net, dt=dt, engine="cpu", quiet=True) as sim:
        sim.run(duration)
        return sim[probe]


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_poisson_source_has_its_rate(dt: float) -> None:
    rate, size, seconds = 40.0, 500, 2.0
    spikes = poisson(rate, size, dt, 1000.0 * seconds)
    expected, chance = rate * size * seconds, rate * dt / 1000.0
    assert abs(len(spikes) - expected) < 4.0 * math.sqrt(expected * (1.0 - chance))
    counts = np.bincount(spikes.ids, minlength=size)
    # variance over mean of a binomial count is 1 - chance; its estimate over 500 neurons scatters by sqrt(2 / 499)
    assert counts.var(ddof=1) / counts.mean() == pytest.approx(1.0 - chance, abs=4.0 * math.sqrt(2.0 / 499.0))


def test_poisson_source_takes_a_rate_for_each_neuron_and_zero_is_silence() -> None:
    spikes = poisson([0.0, 2000.0, 1e6], 3, 0.5, 200.0)
    assert np.bincount(spikes.ids, minlength=3).tolist() == [0, 400, 400]  # at most one spike in a step
