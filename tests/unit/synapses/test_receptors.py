"""Receptors: exact kinetics, conserved charge, and agreement with neurons that have the synapse built in."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

import treplica as tr
from treplica.model import Instance
from treplica.synapses import (
    Alpha,
    Conductance,
    ConductanceAlpha,
    ConductanceDoubleExponential,
    DirectCurrent,
    DoubleExponential,
    Exponential,
    GaussianCurrent,
)

TAU, RISE, DECAY = 3.0, 0.7, 6.0


def currents(instance: Instance, dt: float, steps: int, weight: float = 1.0, **seen: float) -> np.ndarray:
    """What a receptor supplies in each step after one in which `weight` has arrived."""
    model = instance.model
    known = {n: instance.value(n) for n in model.of_kind("param", "state")} | {"dt": dt}
    checked = model.derive_checked.source
    known |= checked.function(**{a: known[a] for a in checked.arguments}) | seen
    result = []
    for k in range(steps + 1):
        known["arrived"] = weight if k == 0 else 0.0
        out = model.step(**{a: known[a] for a in model.arguments})
        result.append(out.pop("current"))
        known |= out
    assert result[0] == 0.0  # what arrives flows from the end of the step on
    return np.array(result[1:])


def double(t: float, rise: float = RISE, decay: float = DECAY) -> float:
    """Difference of exponentials with peak 1."""
    peak = math.log(decay / rise) * decay * rise / (decay - rise)
    height = math.exp(-peak / decay) - math.exp(-peak / rise)
    return (math.exp(-t / decay) - math.exp(-t / rise)) / height


SHAPES = {
    "Exponential": (Exponential(tau=TAU), lambda t: math.exp(-t / TAU), TAU),
    "Alpha": (Alpha(tau=TAU), lambda t: t / TAU * math.exp(1.0 - t / TAU), math.e * TAU),
    "DoubleExponential": (
        DoubleExponential(tau_rise=RISE, tau_decay=DECAY),
        double,
        quad(double, 0.0, 300.0, epsabs=1e-12, limit=200)[0],
    ),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dt", [0.01, 0.1, 1.0, 10.0])
def test_charge_does_not_depend_on_dt(name: str, dt: float) -> None:
    receptor, _, charge = SHAPES[name]
    flowed = currents(receptor, dt, round(300.0 / dt), weight=2.5).sum() * dt
    assert flowed == pytest.approx(2.5 * charge, rel=1e-9)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dt", [0.1, 2.0])
def test_current_of_a_step_is_the_mean_of_the_shape(name: str, dt: float) -> None:
    receptor, shape, _ = SHAPES[name]
    mean = [quad(shape, k * dt, (k + 1) * dt, epsabs=1e-13)[0] / dt for k in range(20)]
    np.testing.assert_allclose(currents(receptor, dt, 20), mean, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("receptor", [Alpha(tau=TAU), DoubleExponential(tau_rise=RISE, tau_decay=DECAY)])
def test_the_peak_is_the_weight(receptor: Instance) -> None:
    assert currents(receptor, 0.001, 8000, weight=7.0).max() == pytest.approx(7.0, rel=1e-6)


@pytest.mark.parametrize("apart", [0.0, 1e-12, 1e-8])
def test_equal_time_constants_give_the_alpha_function(apart: float) -> None:
    near = currents(DoubleExponential(tau_rise=TAU, tau_decay=TAU + apart), 0.1, 200)
    np.testing.assert_allclose(near, currents(Alpha(tau=TAU), 0.1, 200), rtol=1e-7, atol=1e-12)


def test_rise_and_decay_may_be_exchanged() -> None:
    one = currents(DoubleExponential(tau_rise=RISE, tau_decay=DECAY), 0.1, 200)
    other = currents(DoubleExponential(tau_rise=DECAY, tau_decay=RISE), 0.1, 200)
    np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize(
    ("conductance", "current"),
    [
        (Conductance(tau=TAU, reversal=-80.0), Exponential(tau=TAU)),
        (ConductanceAlpha(tau=TAU, reversal=-80.0), Alpha(tau=TAU)),
        (
            ConductanceDoubleExponential(tau_rise=RISE, tau_decay=DECAY, reversal=-80.0),
            DoubleExponential(tau_rise=RISE, tau_decay=DECAY),
        ),
    ],
)
def test_a_conductance_drives_v_to_its_reversal_potential(conductance: Instance, current: Instance) -> None:
    shape = currents(current, 0.5, 50)
    np.testing.assert_allclose(currents(conductance, 0.5, 50, v=-60.0), -20.0 * shape, rtol=1e-13)
    assert not currents(conductance, 0.5, 50, v=-80.0).any()


def potential(neuron: Instance, receptors: dict[str, Instance], weight: float, port: str, dt: float) -> float:
    """v 6 ms after a spike has arrived at 2 ms."""
    net = tr.Network()
    cell = net.add(tr.Population("cell", 1, neuron, receptors=receptors))
    trains = tr.SpikeTrains.from_lists([[2.0]], dt, 8.0)
    net.stimulate(cell, tr.SpikeInput(trains, weight=weight), port=port)
    with tr.Simulation(net, dt=dt, engine="plain", quiet=True) as sim:
        sim.run(8.0)
        return float(sim.state(cell, "v")[0])


@pytest.mark.parametrize(
    ("receptor", "neuron", "weight", "least"),
    [
        (Exponential(tau=2.0), tr.LIFExp(), 300.0, 1.9),
        (Alpha(tau=2.0), tr.LIFAlpha(), 100.0, 1.9),
        # the driving force is that of the beginning of the step: first order
        (Conductance(tau=2.0), tr.LIFCondExp(tau_ex=2.0), 5.0, 0.9),
        (ConductanceAlpha(tau=2.0), tr.LIFCondAlpha(tau_ex=2.0), 2.0, 0.9),
    ],
    ids=["Exponential", "Alpha", "Conductance", "ConductanceAlpha"],
)
def test_a_neuron_with_a_receptor_approaches_the_neuron_that_has_it_built_in(
    receptor: Instance, neuron: Instance, weight: float, least: float
) -> None:
    lif = tr.LIF(tau=250.0 / 16.6667) if "g_ex" in neuron.model.fields else tr.LIF()
    exact = potential(neuron, {}, weight, "ex", 0.01)
    errors = [abs(potential(lif, {"syn": receptor}, weight, "syn", dt) - exact) for dt in (0.2, 0.1)]
    assert exact > -69.5
    assert errors[1] < 0.02
    assert math.log2(errors[0] / errors[1]) > least


def test_direct_current_is_constant() -> None:
    assert DirectCurrent.step(amplitude=3.5) == {"current": 3.5}


def test_gaussian_current_scales_its_noise() -> None:
    assert GaussianCurrent.step(noise=-2.0, mean=3.0, std=0.5) == {"current": 2.0}


@pytest.mark.parametrize("dt", [0.1, 0.4])
def test_variance_of_v_under_gaussian_current_grows_with_dt(dt: float) -> None:
    """Of the leaky neuron: std^2 (tau / c_m)^2 (1 - d) / (1 + d) with d = exp(-dt / tau), so about std^2 dt."""
    tau, size = 5.0, 2000
    net = tr.Network(seed=5)
    cells = net.add(tr.Population("cells", size, tr.LIF(tau=tau, v_th=1e3)))
    net.stimulate(cells, GaussianCurrent(mean=50.0, std=100.0))
    with tr.Simulation(net, dt=dt, engine="cpu", quiet=True) as sim:
        sim.run(60.0)
        v = sim.state(cells, "v")
    decay = math.exp(-dt / tau)
    variance = (100.0 * tau / 250.0) ** 2 * (1.0 - decay) / (1.0 + decay)
    assert v.mean() == pytest.approx(-70.0 + 50.0 * tau / 250.0, abs=4.0 * math.sqrt(variance / size))
    assert v.var() == pytest.approx(variance, rel=4.0 * math.sqrt(2.0 / size))


def test_a_receptor_can_feed_a_chosen_current() -> None:
    assert Exponential(tau=2.0).into("i").feeds == "i"
