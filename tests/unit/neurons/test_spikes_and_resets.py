"""What can be computed by hand: where a spike is, what it resets, and how long the neuron rests."""

import itertools
import math

import pytest
from stepping import Stepper

from treplica.model import Instance, Model
from treplica.neurons import (
    ALIF,
    LIF,
    AdEx,
    ExponentialIF,
    HodgkinHuxley,
    Izhikevich,
    LIFAlpha,
    LIFCondAlpha,
    LIFCondExp,
    LIFExp,
    LIFExpCurrent,
    QuadraticIF,
    SoftResetLIF,
    SpikeSource,
)

#: Neurons that are held after a spike, with an input under which they fire in the first step they are free.
HELD = {
    "LIF": (LIF, dict(arrived=50.0)),
    "LIFExp": (LIFExp, dict(i=1e6)),
    "LIFExpCurrent": (LIFExpCurrent, dict(i=1e6)),
    "LIFAlpha": (LIFAlpha, dict(i=1e6)),
    "LIFCondExp": (LIFCondExp, dict(i=1e6)),
    "LIFCondAlpha": (LIFCondAlpha, dict(i=1e6)),
    "ExponentialIF": (ExponentialIF, dict(arrived=80.0)),
    "QuadraticIF": (QuadraticIF, dict(arrived=90.0)),
    "AdEx": (AdEx, dict(i=1e6)),
    "Izhikevich": (Izhikevich, dict(arrived=1000.0)),
}


@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize(
    ("refractory", "dt", "steps"),
    [
        (0.0, 0.1, 0),
        (2.0, 0.1, 20),
        (0.25, 0.1, 3),
        (0.3, 0.1, 3),
        (0.7, 0.1, 7),
        (0.01, 0.1, 1),
        (3.0, 1.0, 3),
    ],
)
def test_the_refractory_period_is_covered_by_whole_steps(
    name: str, refractory: float, dt: float, steps: int
) -> None:
    """0.3 / 0.1 is a little less than 3 and 0.7 / 0.1 too, in binary: neither may gain or lose a step."""
    model, inputs = HELD[name]
    neuron = Stepper(model(refractory=refractory), dt)
    assert neuron.spikes(3 * (steps + 1), **inputs) == [1, steps + 2, 2 * steps + 3]


@pytest.mark.parametrize(
    "name", ["LIF", "LIFExp", "LIFExpCurrent", "LIFAlpha", "LIFCondExp", "LIFCondAlpha", "AdEx"]
)
def test_v_stays_at_reset_during_the_refractory_period(name: str) -> None:
    model, inputs = HELD[name]
    neuron = Stepper(model(refractory=0.5, v_reset=-63.0), 0.1)
    assert neuron.step(**inputs) == 1.0
    for _ in range(5):
        assert neuron.state["v"] == -63.0
        assert neuron.step(**inputs) == 0.0
    assert neuron.state["v"] == -63.0
    assert neuron.state["wait"] == 0.0


@pytest.mark.parametrize("model", [LIF, SoftResetLIF, ALIF])
def test_the_threshold_belongs_to_the_spikes(model: Model) -> None:
    """v_rest + 15 mV is v_th exactly; the next smaller number is below it."""
    assert Stepper(model(), 0.1).step(arrived=15.0) == 1.0
    assert Stepper(model(), 0.1).step(arrived=math.nextafter(15.0, 0.0) - 1e-14) == 0.0


def test_what_arrives_is_added_to_v_and_leaks() -> None:
    neuron = Stepper(LIF(), 1.0)
    neuron.step(arrived=3.0)
    assert neuron.state["v"] == -67.0
    neuron.step(arrived=2.0)
    assert neuron.state["v"] == pytest.approx(-70.0 + 3.0 * math.exp(-0.1) + 2.0, abs=1e-13)


def test_lif_loses_what_arrives_while_it_rests() -> None:
    neuron = Stepper(LIF(refractory=1.0), 1.0)
    neuron.step(arrived=20.0)
    neuron.step(arrived=10.0)
    assert neuron.state["v"] == -70.0


def test_soft_reset_keeps_the_excess() -> None:
    neuron = Stepper(SoftResetLIF(), 0.1)
    assert neuron.step(arrived=20.0) == 1.0
    assert neuron.state["v"] == -65.0


def test_soft_reset_has_no_dead_time() -> None:
    """What flows in either leaks or leaves in spikes of v_th - v_rest; with hardly a leak the count is the input."""
    neuron = Stepper(SoftResetLIF(tau=1e9), 1.0)
    count = len(neuron.spikes(1000, arrived=7.0))
    assert count == 1000 * 7 // 15
    assert neuron.state["v"] == pytest.approx(-70.0 + 1000 * 7 - 15 * count, abs=0.1)


def test_alif_raises_its_threshold_by_beta() -> None:
    neuron = Stepper(ALIF(beta=2.0, refractory=0.0, tau_a=100.0), 1.0)
    assert neuron.step(arrived=16.0) == 1.0
    assert neuron.state["v"] == -69.0  # 16 above rest, less the distance of the threshold
    assert neuron.state["adaptation"] == 2.0
    neuron.state["v"] = -70.0
    assert neuron.step(arrived=16.0) == 0.0  # the threshold is now 15 + 2 exp(-1/100) above rest
    assert neuron.state["adaptation"] == pytest.approx(2.0 * math.exp(-0.01), abs=1e-14)


def test_alif_does_not_fire_while_it_rests_but_integrates() -> None:
    neuron = Stepper(ALIF(refractory=2.0, beta=0.0), 1.0)
    assert neuron.spikes(4, arrived=16.0) == [1, 4]


def test_alif_slows_down() -> None:
    steps = Stepper(ALIF(), 0.1).spikes(4000, i=700.0)
    intervals = [b - a for a, b in itertools.pairwise(steps)]
    assert len(intervals) > 5
    assert intervals[0] < intervals[-1]


def test_adex_gains_b_at_a_spike() -> None:
    """With a = 0 and a slow w nothing else changes it."""
    neuron = Stepper(AdEx(a=0.0, b=80.5, tau_w=1e12, refractory=2.0), 0.1)
    count = len(neuron.spikes(2000, i=2500.0))
    assert count > 10
    assert neuron.state["w"] == pytest.approx(80.5 * count, rel=1e-6)


def test_adex_at_the_peak_stays_finite() -> None:
    neuron = Stepper(AdEx(v=500.0, v_peak=600.0), 1.0)
    neuron.step()
    assert all(math.isfinite(x) for x in neuron.state.values())


def test_izhikevich_resets_to_c_and_raises_u_by_d() -> None:
    neuron = Stepper(Izhikevich(v=29.0, u=-10.0), 1.0)
    assert neuron.step() == 1.0
    assert neuron.state["v"] == -65.0
    assert neuron.state["u"] == pytest.approx(-10.0 + 0.02 * (0.2 * 29.0 + 10.0) + 8.0, abs=1e-14)


def test_izhikevich_semi_implicit_uses_the_new_v() -> None:
    neuron = Stepper(Izhikevich(v=-60.0, u=-12.0, semi_implicit=1.0), 0.5)
    neuron.step(i=10.0)
    v = -60.0 + 0.5 * (0.04 * 3600.0 - 300.0 + 140.0 + 12.0 + 10.0)
    assert neuron.state["v"] == pytest.approx(v, abs=1e-12)
    assert neuron.state["u"] == pytest.approx(-12.0 + 0.5 * 0.02 * (0.2 * v + 12.0), abs=1e-13)


@pytest.mark.parametrize(
    "neuron", [HodgkinHuxley(v=-40.0), HodgkinHuxley(v=-55.0)], ids=["alpha_m", "alpha_n"]
)
def test_hodgkin_huxley_is_smooth_where_its_rates_are_0_over_0(neuron: Instance) -> None:
    at, beside = Stepper(neuron, 0.01), Stepper(neuron.with_values(v=neuron.value("v") + 1e-7), 0.01)
    at.step()
    beside.step()
    for name, value in at.state.items():
        assert value == pytest.approx(beside.state[name], abs=1e-6)


def test_hodgkin_huxley_rests_and_fires() -> None:
    rest = Stepper(HodgkinHuxley(), 0.1)
    assert rest.spikes(300) == []
    assert rest.state["v"] == pytest.approx(-65.0, abs=0.1)
    steps = Stepper(HodgkinHuxley(), 0.1).spikes(600, i=1000.0)
    assert len(steps) == 4
    assert {b - a for a, b in itertools.pairwise(steps[1:])} <= {146, 147}


def test_a_spike_source_fires_where_something_arrives() -> None:
    source = Stepper(SpikeSource(), 0.1)
    assert [source.step(pending=x) for x in (0.0, 1.0, 0.4, 0.5, 2.0, -1.0)] == [0, 1, 0, 1, 1, 0]
