"""The twenty firing patterns of Izhikevich's neuron, with the stimuli of the published figure.

Claim: one neuron with two variables shows the twenty most prominent features of cortical neurons.
Izhikevich 2004, Which model to use for cortical spiking neurons?, figure 1, doi:10.1109/TNN.2004.832719.

Parameters, stimuli, initial values and dt are those of the program published with the figure (figure1.m). They
belong together: the program takes Euler steps of 0.1 to 0.5 ms in which u follows the new v. With much smaller steps
four of the patterns are lost: the spike of spike latency fails, bistability does not switch off, the depolarizing
after-potential fires again and again, and inhibition-induced bursting does not stop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import treplica as tr
from treplica.analysis.panels import Panel, trace_panels

Waveform = Callable[[float], float]


def step(start: float, amplitude: float, base: float = 0.0) -> Waveform:
    """A current that is `amplitude` after `start` ms and `base` until then."""
    return lambda t: amplitude if t > start else base


def ramp(start: float, slope: float, base: float = 0.0) -> Waveform:
    """A current that grows by `slope` per ms after `start` ms, from `base`."""
    return lambda t: base + slope * max(t - start, 0.0)


def pulses(*starts: float, width: float, amplitude: float, base: float = 0.0) -> Waveform:
    """Pulses of `width` ms after each of `starts`: `amplitude` instead of `base`. The ends do not belong to them."""
    return lambda t: amplitude if any(start < t < start + width for start in starts) else base


def threshold_variability(t: float) -> float:
    """Two equal pulses, the second one after an inhibitory pulse."""
    return pulses(10.0, 80.0, width=5.0, amplitude=1.0)(t) + pulses(70.0, width=5.0, amplitude=-6.0)(t)


def accommodation(t: float) -> float:
    """A slow ramp to 8 at 200 ms, then a steep one to 4 between 300 and 312.5 ms."""
    if t < 200.0:
        return t / 25.0
    return (t - 300.0) / 12.5 * 4.0 if 300.0 <= t < 312.5 else 0.0


def inhibition(t: float) -> float:
    """80, and 75 from 50 to 250 ms."""
    return 75.0 if 50.0 <= t <= 250.0 else 80.0


@dataclass(frozen=True)
class Pattern:
    """A panel of the figure: title, preset of `Izhikevich`, dt and duration in ms, current as a function of ms.

    magnified_from: from this time on the figure shows v magnified as well.
    """

    title: str
    preset: str
    dt: float
    duration: float
    stimulus: Waveform
    magnified_from: float | None = None


def _pattern(
    title: str,
    dt: float,
    duration: float,
    stimulus: Waveform,
    preset: str = "",
    magnified: float | None = None,
) -> Pattern:
    name = preset or title.replace(" ", "_").replace("-", "_")
    return Pattern(title, name, dt, duration, stimulus, magnified)


PATTERNS = (
    _pattern("tonic spiking", 0.25, 100.0, step(10.0, 14.0)),
    _pattern("phasic spiking", 0.25, 200.0, step(20.0, 0.5)),
    _pattern("tonic bursting", 0.25, 220.0, step(22.0, 15.0)),
    _pattern("phasic bursting", 0.2, 200.0, step(20.0, 0.6)),
    _pattern("mixed mode", 0.25, 160.0, step(16.0, 10.0)),
    _pattern("spike frequency adaptation", 0.25, 85.0, step(8.5, 30.0)),
    _pattern("class 1 excitable", 0.25, 300.0, ramp(30.0, 0.075), "class_1"),
    _pattern("class 2 excitable", 0.25, 300.0, ramp(30.0, 0.015, base=-0.5), "class_2"),
    _pattern("spike latency", 0.2, 100.0, pulses(10.0, width=3.0, amplitude=7.04)),
    _pattern("subthreshold oscillation", 0.25, 200.0, pulses(20.0, width=5.0, amplitude=2.0), magnified=55.0),
    _pattern("resonator", 0.25, 400.0, pulses(40.0, 60.0, 280.0, 320.0, width=4.0, amplitude=0.65)),
    _pattern(
        "integrator",
        0.25,
        100.0,
        pulses(100.0 / 11.0, 100.0 / 11.0 + 5.0, 70.0, 80.0, width=2.0, amplitude=9.0),
    ),
    _pattern("rebound spike", 0.2, 200.0, pulses(20.0, width=5.0, amplitude=-15.0)),
    _pattern("rebound burst", 0.2, 200.0, pulses(20.0, width=5.0, amplitude=-15.0)),
    _pattern("threshold variability", 0.25, 100.0, threshold_variability),
    _pattern("bistability", 0.25, 300.0, pulses(37.5, 216.0, width=5.0, amplitude=1.24, base=0.24)),
    _pattern("depolarizing after-potential", 0.1, 50.0, pulses(9.0, width=2.0, amplitude=20.0)),
    _pattern("accommodation", 0.5, 400.0, accommodation),
    _pattern("inhibition-induced spiking", 0.5, 350.0, inhibition),
    _pattern("inhibition-induced bursting", 0.5, 350.0, inhibition),
)


@dataclass(frozen=True)
class Run:
    """What a pattern did: times (ms), v (mV), u and the current, float[T] each; spikes in ms.

    Where there is a spike v is the peak, although the neuron is reset in the same step.
    """

    pattern: Pattern
    times: NDArray[np.float64]
    v: NDArray[np.float64]
    u: NDArray[np.float64]
    current: NDArray[np.float64]
    spikes: NDArray[np.float64]


def run_pattern(pattern: Pattern, engine: str = "plain") -> Run:
    """Simulate one neuron through one panel of the figure, from time 0 to its duration inclusive, as figure1.m does."""
    steps = round(pattern.duration / pattern.dt) + 1
    times = np.arange(steps, dtype=np.float64) * pattern.dt
    current = np.array([pattern.stimulus(round(t, 9)) for t in times.tolist()])
    net = tr.Network()
    cell = net.add(tr.Population("cell", 1, tr.Izhikevich.preset(pattern.preset)))
    net.stimulate(cell, tr.StepCurrent(times, current))
    spikes, v, u = (net.record(cell, what) for what in ("spikes", "v", "u"))
    with tr.Simulation(net, dt=pattern.dt, engine=engine, quiet=True) as sim:
        sim.run(steps * pattern.dt)
        potential = sim[v].values[:, 0].astype(np.float64)
        potential[sim[spikes].steps - 1] = cell.neuron.value("peak")
        return Run(
            pattern,
            sim[v].times,
            potential,
            sim[u].values[:, 0].astype(np.float64),
            current,
            sim[spikes].times,
        )


def run_all(engine: str = "plain") -> list[Run]:
    """All twenty, in the order of the figure."""
    return [run_pattern(pattern, engine) for pattern in PATTERNS]


def picture(runs: list[Run]) -> Any:
    """The panels (A) to (T), v in black and the stimulus below it: a matplotlib Figure."""
    panels = [
        Panel(
            f"({chr(ord('A') + k)}) {run.pattern.title}",
            run.times,
            run.v,
            run.current,
            run.pattern.magnified_from,
        )
        for k, run in enumerate(runs)
    ]
    return trace_panels(panels, columns=4, scale_ms=20.0)
