"""The language must hold what comes later: one model of each kind, written and tested now.

Each runs on both engines with the same result, and travels through a description file.
"""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest

import treplica as tr
from treplica.model import (
    Instance,
    arrival,
    current,
    exp,
    expm1,
    floor,
    neuron,
    param,
    spike,
    state,
    uniform,
    where,
)
from treplica.model.text import from_dict, to_dict


def rotation(tau, period, dt):
    """One step of z' = (-1/tau + 2 pi i / period) z: modulus and the tangent of half the angle."""
    return dict(damping=exp(-dt / tau), half=3.141592653589793 * dt / period)


@neuron(
    x=state("1", doc="real part"),
    y=state("1", doc="imaginary part; a spike is where it crosses the threshold"),
    arrived=arrival("1", doc="kicks the real part"),
    tau=param("ms", 20.0, low=0.0, low_open=True, doc="damping"),
    period=param("ms", 10.0, low=0.0, low_open=True, doc="of the oscillation"),
    threshold=param("1", 1.5, doc="of the imaginary part"),
    derive=rotation,
    source="Izhikevich 2001, doi:10.1016/S0893-6080(01)00078-8",
)
def ResonateAndFire(x, y, arrived, threshold, damping, half):
    """Complex state as two real ones. The rotation is the Cayley transform (1 + ih)/(1 - ih): its modulus is 1."""
    norm = 1.0 + half * half
    cosine = (1.0 - half * half) / norm
    sine = 2.0 * half / norm
    x1 = damping * (cosine * x - sine * y) + arrived
    y1 = damping * (sine * x + cosine * y)
    s = spike(y1 - threshold)
    return dict(x=where(s > 0.0, 0.0, x1), y=where(s > 0.0, 1.0, y1), spike=s)


@neuron(
    graded=127,
    v=state("1", doc="what has not been sent yet"),
    arrived=arrival("1", doc="adds to v"),
    theta=param("1", 1.0, low=0.0, low_open=True, doc="worth of one unit of a spike"),
    source="sigma-delta modulation with graded spikes",
)
def SigmaDelta(v, arrived, theta):
    """A spike is a whole number: as many thetas as v holds."""
    v1 = v + arrived
    s = floor(v1 / theta)
    return dict(v=v1 - s * theta, spike=s)


def membrane(tau, dt):
    """Decay over a step."""
    return dict(decay=exp(-dt / tau))


@neuron(
    v=state("mV", doc="membrane potential"),
    i=current("mV/ms", doc="input"),
    luck=uniform(doc="decides"),
    tau=param("ms", 10.0, low=0.0, low_open=True, doc="membrane time constant"),
    base=param("1/ms", 0.01, low=0.0, doc="rate of firing at threshold"),
    v_th=param("mV", 15.0, doc="threshold"),
    width=param("mV", 2.0, low=0.0, low_open=True, doc="how soft the threshold is"),
    derive=membrane,
    source="Gerstner & Kistler 2002, Spiking Neuron Models, section 5.3 (escape noise)",
)
def EscapeRate(v, i, luck, decay, base, v_th, width, dt):
    """Fires with the probability that a Poisson process of rate base exp((v - v_th) / width) has an event."""
    v1 = v * decay + dt * i
    probability = 0.0 - expm1(-dt * base * exp((v1 - v_th) / width))
    s = where(luck < probability, 1.0, 0.0)
    return dict(v=where(s > 0.0, 0.0, v1), spike=s)


@neuron(
    v=state("mV", doc="soma"),
    v_dend=state("mV", doc="dendrite"),
    i=current("pA", doc="into the soma"),
    i_dend=current("pA", doc="into the dendrite"),
    at_soma=arrival("mV", doc="raises v"),
    at_dend=arrival("mV", doc="raises v_dend"),
    c_m=param("pF", 100.0, low=0.0, low_open=True, doc="capacitance of each compartment"),
    g_leak=param("nS", 5.0, low=0.0, doc="leak of each compartment"),
    g_axial=param("nS", 10.0, low=0.0, doc="conductance between them"),
    v_th=param("mV", 15.0, doc="threshold of the soma"),
    source="two compartments with an axial conductance",
)
def TwoCompartments(v, v_dend, i, i_dend, at_soma, at_dend, c_m, g_leak, g_axial, v_th, dt):
    """Soma and dendrite with an input current and a port each; forward Euler."""
    axial = g_axial * (v_dend - v)
    v1 = v + dt / c_m * (i - g_leak * v + axial) + at_soma
    d1 = v_dend + dt / c_m * (i_dend - g_leak * v_dend - axial) + at_dend
    s = spike(v1 - v_th)
    return dict(v=where(s > 0.0, 0.0, v1), v_dend=d1, spike=s)


@neuron(
    slope=state("1/ms", doc="sum of the weights that have arrived"),
    count=state("1", doc="grows by slope"),
    arrived=arrival("1/ms", doc="adds to the slope"),
    threshold=param("1", 10.0, doc="a spike is where the count reaches this; then both start again"),
    source="single-spike temporal coding with piecewise linear potentials",
)
def Counter(slope, count, arrived, threshold, dt):
    """A counter whose slope is the sum of the weights that arrived: the time of its spike is their weighted sum."""
    count1 = count + slope * dt
    s = spike(count1 - threshold)
    fired = s > 0.0
    return dict(slope=where(fired, 0.0, slope + arrived), count=where(fired, 0.0, count1), spike=s)


ALL = [ResonateAndFire, SigmaDelta, EscapeRate, TwoCompartments, Counter]


def simulate(net: tr.Network, probes: list[tr.Probe], dt: float, duration: float) -> list[list[np.ndarray]]:
    """What the probes recorded (steps, ids, values, or samples), after checking that both engines agree."""
    results = []
    for engine in ("plain", "cpu"):
        with tr.Simulation(net, dt=dt, engine=engine, quiet=True) as sim:
            sim.run(duration)
            found = [sim[p] for p in probes]
            results.append(
                [
                    [f.steps, f.ids, f.values] if isinstance(f, tr.SpikeTrains) else [f.values[:, 0]]
                    for f in found
                ]
            )
    for one, other in zip(*results, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)
    return results[0]


def driven(neuron: Instance, inputs: dict[str, list[tuple[float, float]]], dt: float, duration: float):
    """One neuron at which (time, weight) arrive at ports; its network, cell and probe of spikes."""
    net = tr.Network(seed=2)
    cell = net.add(tr.Population("cell", 1, neuron))
    for port, given in inputs.items():
        for time, weight in given:
            trains = tr.SpikeTrains.from_lists([[time]], dt, duration)
            net.stimulate(cell, tr.SpikeInput(trains, weight=weight), port=port)
    return net, cell, net.record(cell, "spikes")


@pytest.mark.parametrize("model", ALL, ids=lambda m: m.name)
def test_it_travels_as_text(model) -> None:
    assert from_dict(to_dict(model), "test").fingerprint == model.fingerprint


def test_complex_state_rotates_and_decays() -> None:
    dt, tau, period = 0.1, 20.0, 10.0
    net, cell, _ = driven(ResonateAndFire(), {"arrived": [(0.1, 1.0)]}, dt, 8.0)
    x, y = (net.record(cell, what) for what in "xy")
    (x,), (y,) = simulate(net, [x, y], dt, 8.0)
    half = math.pi * dt / period
    turn = math.exp(-dt / tau) * (1 + 1j * half) / (1 - 1j * half)
    expected = turn ** np.arange(x.size)
    np.testing.assert_allclose(x + 1j * y, expected, atol=1e-13)
    assert abs(turn - cmath.exp(dt * (-1 / tau + 2j * math.pi / period))) < 1e-4


@pytest.mark.parametrize(("gap", "fires"), [(10.0, True), (5.0, False), (20.0, True), (15.0, False)])
def test_complex_state_resonates(gap: float, fires: bool) -> None:
    """Two kicks one or two periods apart add up; half a period apart they cancel."""
    kicks = [(1.0, 1.2), (1.0 + gap, 1.2)]
    net, _, spikes = driven(ResonateAndFire(threshold=1.4), {"arrived": kicks}, 0.1, 40.0)
    steps, _, _ = simulate(net, [spikes], 0.1, 40.0)[0]
    assert (steps.size > 0) == fires


def test_graded_spikes_carry_what_arrived() -> None:
    given = [(1.0, 3.25), (2.0, -5.5), (4.0, 40.0), (5.0, 0.5), (6.0, 0.75)]
    net, cell, spikes = driven(SigmaDelta(), {"arrived": given}, 1.0, 8.0)
    sink = net.add(tr.Population("sink", 1, SigmaDelta(theta=1000.0)))
    net.connect(cell, sink, tr.OneToOne(), weight=0.5, delay=1.0)
    rest, total = net.record(cell, "v"), net.record(sink, "v")
    (steps, _, values), (rest,), (total,) = simulate(net, [spikes, rest, total], 1.0, 8.0)
    # 3.25 -> 3; 0.25 - 5.5 -> -6; 0.75 + 40 -> 40; 0.75 + 0.5 -> 1; 0.25 + 0.75 -> 1
    assert list(zip(steps.tolist(), values.tolist(), strict=True)) == [
        (1, 3),
        (2, -6),
        (4, 40),
        (5, 1),
        (6, 1),
    ]
    assert values.sum() + rest[-1] == sum(w for _, w in given)
    assert total[-1] == 0.5 * values.sum()  # below zero the sink borrowed one theta and gave it back


def test_firing_with_a_probability() -> None:
    """Without input v is 0 and every step fires with the same probability."""
    size, dt, duration = 200, 0.5, 100.0
    neuron = EscapeRate(v_th=4.0, base=0.2)
    net = tr.Network(seed=11)
    cells = net.add(tr.Population("cells", size, neuron))
    probe = net.record(cells, "spikes")
    steps, ids, _ = simulate(net, [probe], dt, duration)[0]
    chance = -math.expm1(-dt * 0.2 * math.exp(-2.0))
    trials = size * round(duration / dt)
    assert abs(steps.size - trials * chance) < 4.0 * math.sqrt(trials * chance * (1.0 - chance))
    assert np.unique(ids).size > 0.9 * size


def test_a_soft_threshold_hardens_with_its_width() -> None:
    net = tr.Network(seed=11)
    cells = net.add(tr.Population("cells", 20, EscapeRate(width=0.001, base=1.0)))
    net.stimulate(cells, tr.DirectCurrent(amplitude=2.0))  # towards 20 mV: 15 mV after tau log(4) = 13.86 ms
    probe = net.record(cells, "spikes")
    steps, _, _ = simulate(net, [probe], 0.1, 16.0)[0]
    assert steps.size == 20
    assert steps.min() * 0.1 == pytest.approx(13.86, abs=0.2)
    assert steps.max() - steps.min() <= 1


def test_two_compartments_settle_where_kirchhoff_says() -> None:
    net = tr.Network()
    cell = net.add(tr.Population("cell", 1, TwoCompartments(v_th=100.0)))
    net.stimulate(cell, tr.DirectCurrent(amplitude=30.0), current="i")
    net.stimulate(cell, tr.StepCurrent([0.0], [90.0]), current="i_dend")
    probes = [net.record(cell, "v"), net.record(cell, "v_dend")]
    (v,), (v_dend,) = simulate(net, probes, 0.1, 400.0)
    conductances = np.array([[15.0, -10.0], [-10.0, 15.0]])
    np.testing.assert_allclose([v[-1], v_dend[-1]], np.linalg.solve(conductances, [30.0, 90.0]), rtol=1e-6)


def test_two_compartments_have_two_ports() -> None:
    inputs = {"at_soma": [(1.0, 4.0)], "at_dend": [(2.0, 6.0)]}
    net, cell, _ = driven(TwoCompartments(g_leak=0.0), inputs, 0.5, 300.0)
    probes = [net.record(cell, "v"), net.record(cell, "v_dend")]
    (v,), (v_dend,) = simulate(net, probes, 0.5, 300.0)
    assert v[1] == 4.0
    assert v_dend[3] > 6.0
    np.testing.assert_allclose(v + v_dend, np.repeat([0.0, 4.0, 10.0], [1, 2, v.size - 3]), rtol=1e-12)
    assert v[-1] == pytest.approx(5.0, rel=1e-9)


def test_receptors_choose_a_compartment() -> None:
    receptors = {"basal": tr.Exponential(tau=2.0), "apical": tr.Exponential(tau=2.0).into("i_dend")}
    found = {}
    for port in receptors:
        net = tr.Network()
        cell = net.add(tr.Population("cell", 1, TwoCompartments(g_axial=0.0), receptors=receptors))
        trains = tr.SpikeTrains.from_lists([[1.0]], 0.5, 10.0)
        net.stimulate(cell, tr.SpikeInput(trains, weight=80.0), port=port)
        probes = [net.record(cell, "v"), net.record(cell, "v_dend")]
        (v,), (v_dend,) = simulate(net, probes, 0.5, 10.0)
        found[port] = (v.max() > 0.5, v_dend.max() > 0.5)
    assert found == {"basal": (True, False), "apical": (False, True)}


def test_a_counter_fires_where_its_line_meets_the_threshold() -> None:
    """Slope 1 from 2 ms on and 3 more from 6 ms on: 4 at 6 ms, 10 after another 1.5 ms."""
    given = [(2.0, 1.0), (6.0, 3.0)]
    net, _, spikes = driven(Counter(threshold=10.0), {"arrived": given}, 0.5, 12.0)
    steps, _, _ = simulate(net, [spikes], 0.5, 12.0)[0]
    assert (steps * 0.5).tolist() == [7.5]
