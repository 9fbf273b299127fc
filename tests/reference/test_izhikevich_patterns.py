"""The twenty patterns against the equations of the published figure, written down a second time.

The transcription below follows the program published with Izhikevich 2004, figure 1 (figure1.m): its parameters,
stimuli, initial values, dt and its update of u with the new v. It shares nothing with the model but the numbers.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

import treplica as tr
from treplica.neurons import Izhikevich
from treplica.systems.izhikevich_patterns import PATTERNS, Run, picture, run_all


def within(t: float, width: float, *starts: float) -> bool:
    return any(start < t < start + width for start in starts)


def accommodation(t: float) -> float:
    if t < 200:
        return t / 25
    if t < 300:
        return 0.0
    return (t - 300) / 12.5 * 4 if t < 312.5 else 0.0


# name: (a, b, c, d, first v, tau, end, I(t), spikes of the figure)
FIGURE = {
    "tonic_spiking": (0.02, 0.2, -65, 6, -70, 0.25, 100, lambda t: 14 * (t > 10), 5),
    "phasic_spiking": (0.02, 0.25, -65, 6, -64, 0.25, 200, lambda t: 0.5 * (t > 20), 1),
    "tonic_bursting": (0.02, 0.2, -50, 2, -70, 0.25, 220, lambda t: 15 * (t > 22), 28),
    "phasic_bursting": (0.02, 0.25, -55, 0.05, -64, 0.2, 200, lambda t: 0.6 * (t > 20), 6),
    "mixed_mode": (0.02, 0.2, -55, 4, -70, 0.25, 160, lambda t: 10 * (t > 16), 6),
    "spike_frequency_adaptation": (0.01, 0.2, -65, 8, -70, 0.25, 85, lambda t: 30 * (t > 8.5), 6),
    "class_1": (0.02, -0.1, -55, 6, -60, 0.25, 300, lambda t: 0.075 * (t - 30) * (t > 30), 10),
    "class_2": (0.2, 0.26, -65, 0, -64, 0.25, 300, lambda t: -0.5 + 0.015 * (t - 30) * (t > 30), 14),
    "spike_latency": (0.02, 0.2, -65, 6, -70, 0.2, 100, lambda t: 7.04 * within(t, 3, 10), 1),
    "subthreshold_oscillation": (0.05, 0.26, -60, 0, -62, 0.25, 200, lambda t: 2 * within(t, 5, 20), 1),
    "resonator": (0.1, 0.26, -60, -1, -62, 0.25, 400, lambda t: 0.65 * within(t, 4, 40, 60, 280, 320), 1),
    "integrator": (
        0.02, -0.1, -55, 6, -60, 0.25, 100,
        lambda t: 9 * within(t, 2, 100 / 11, 100 / 11 + 5, 70, 80), 1,
    ),
    "rebound_spike": (0.03, 0.25, -60, 4, -64, 0.2, 200, lambda t: -15 * within(t, 5, 20), 1),
    "rebound_burst": (0.03, 0.25, -52, 0, -64, 0.2, 200, lambda t: -15 * within(t, 5, 20), 7),
    "threshold_variability": (
        0.03, 0.25, -60, 4, -64, 0.25, 100, lambda t: 1 * within(t, 5, 10, 80) - 6 * within(t, 5, 70), 1,
    ),
    "bistability": (0.1, 0.26, -60, 0, -61, 0.25, 300, lambda t: 0.24 + within(t, 5, 37.5, 216), 5),
    "depolarizing_after_potential": (1, 0.2, -60, -21, -70, 0.1, 50, lambda t: 20 * (abs(t - 10) < 1), 1),
    "accommodation": (0.02, 1, -55, 4, -65, 0.5, 400, accommodation, 1),
    "inhibition_induced_spiking": (
        -0.02, -1, -60, 8, -63.8, 0.5, 350, lambda t: 80 if t < 50 or t > 250 else 75, 3,
    ),
    "inhibition_induced_bursting": (
        -0.026, -1, -45, -2, -63.8, 0.5, 350, lambda t: 80 if t < 50 or t > 250 else 75, 12,
    ),
}  # fmt: skip


def figure_1(name: str) -> tuple[list[float], NDArray[np.float64]]:
    """Spike times in ms and v after every step, 30 where there is a spike."""
    a, b, c, d, v, tau, end, stimulus, _ = FIGURE[name]
    flat = name in ("class_1", "integrator")
    v, u = float(v), -16.0 if name == "accommodation" else float(b * v)
    spikes, trace = [], []
    for k in range(round(end / tau) + 1):
        i = float(stimulus(round(k * tau, 9)))
        quadratic = 0.04 * v**2 + 4.1 * v + 108 if flat else 0.04 * v**2 + 5 * v + 140
        v = v + tau * (quadratic - u + i)
        u = u + tau * a * (b * (v + 65) if name == "accommodation" else b * v - u)
        trace.append(v)
        if v > 30:
            trace[-1] = 30.0
            v, u = c, u + d
            spikes.append((k + 1) * tau)
    return spikes, np.array(trace)


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {run.pattern.preset: run for run in run_all()}


def test_every_pattern_is_there() -> None:
    assert len(PATTERNS) == 20
    assert [p.preset for p in PATTERNS] == list(FIGURE)
    assert all(hasattr(Izhikevich, name) for name in FIGURE)


@pytest.mark.parametrize("name", FIGURE)
def test_spikes_and_potential_of_the_figure(runs: dict[str, Run], name: str) -> None:
    spikes, v = figure_1(name)
    assert len(spikes) == FIGURE[name][-1]
    np.testing.assert_allclose(runs[name].spikes, spikes, rtol=0.0, atol=1e-9)
    # The two add their terms in another order. Class 2 enlarges that rounding a thousand million times.
    off = np.abs(runs[name].v - v)
    assert np.median(off) < 1e-9
    assert off.max() < 0.02


@pytest.mark.parametrize(
    ("name", "spikes"),
    [("bistability", 7), ("depolarizing_after_potential", 4), ("inhibition_induced_bursting", 390)],
)
def test_three_patterns_need_the_new_v(name: str, spikes: int) -> None:
    """With u driven by the v of the beginning of the step, as in plain forward Euler, these become something else."""
    pattern = next(p for p in PATTERNS if p.preset == name)
    assert spikes != FIGURE[name][-1]
    net = tr.Network()
    cell = net.add(tr.Population("cell", 1, Izhikevich.preset(name, semi_implicit=0.0)))
    times = np.arange(round(pattern.duration / pattern.dt) + 1) * pattern.dt
    net.stimulate(cell, tr.StepCurrent(times, [pattern.stimulus(round(t, 9)) for t in times.tolist()]))
    probe = net.record(cell, "spikes")
    with tr.Simulation(net, dt=pattern.dt, engine="plain", quiet=True) as sim:
        sim.run(times.size * pattern.dt)
        assert len(sim[probe]) == spikes


def test_the_picture_has_twenty_panels(runs: dict[str, Run]) -> None:
    figure = picture(list(runs.values()))
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert len(titles) == 20
    assert titles[0] == "(A) tonic spiking"
    assert titles[-1] == "(T) inhibition-induced bursting"
    assert all(len(ax.lines) >= 3 for ax in figure.axes)
