"""Latency code: the larger a value, the earlier its one spike.

Two laws map a value v in (cut, 1] to a time t after the frame's start; both round t to the time grid.

linear
    t = dt + (1 - v)·(window - dt), so that 1 spikes in the first step and 0 in the last.
logarithmic
    a capacitor charged towards v reaches `cut` after t = tau·ln(v / (v - cut)). With `tau` given, t is used
    as it is and what would come after the window is silent. Without, times are mapped linearly onto the
    window, from t(1) in the first step to t(cut + (1 - cut)/255) in the last; values closer to `cut` come in
    the last step too.

Values <= cut are silent.

Sources: Thorpe, Delorme & Van Rullen 2001, doi:10.1016/S0893-6080(01)00083-1 (the code); the charging law is
the time a leaky integrator takes from rest to its threshold (Gerstner et al. 2014, Neuronal Dynamics, ch. 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.coding.frames import Schedule, as_unit_frames, unit_frames_in_parts
from treplica.coding.grid import as_number, check_positive
from treplica.coding.trains import SpikeTrains
from treplica.errors import InvalidValue, UnknownName

Law = Literal["linear", "logarithmic"]
Floats = NDArray[np.float64]

LEVELS = 255
"""Grey levels above `cut` that the scaled logarithmic law keeps inside the window."""


def latency(
    values: ArrayLike,
    window: float,
    dt: float = 1.0,
    cut: float = 0.0,
    law: Law = "linear",
    tau: float | None = None,
    gap: float = 0.0,
) -> SpikeTrains:
    """One spike per value, early for large values.

    - `values`: numbers in 0 … 1, shown frame after frame: [n] one frame, [m, n] m frames, or images [m, h, w]
    - `window`, `gap`: ms, whole steps; each frame takes the window (two steps at least) and then the silent gap
    - `dt`: time step in ms
    - `cut`: values up to this one are silent; 0 <= cut < 1, and > 0 for the logarithmic law
    - `law`: "linear" or "logarithmic", see the formulas of this module
    - `tau`: ms, time constant of the logarithmic law; None scales it into the window

    Returns trains of n neurons over m·(window + gap) ms. Raises `InvalidValue` or `UnknownName`.
    """
    schedule = Schedule.of(window, gap, dt, shortest=2)
    code = _code(law, cut, tau, schedule)
    frames = as_unit_frames(values)
    frame, neuron = np.nonzero(frames > cut)
    steps = np.maximum(np.rint(code.steps(frames[frame, neuron])), 1.0)
    in_time = steps <= schedule.window
    steps = steps[in_time].astype(np.int64) + frame[in_time] * schedule.period
    size, n_steps = frames.shape[1], len(frames) * schedule.period
    return SpikeTrains.from_steps(steps, neuron[in_time], size, schedule.dt, n_steps)


def latency_steps(
    values: ArrayLike,
    window: float,
    dt: float = 1.0,
    cut: float = 0.0,
    law: Law = "linear",
    tau: float | None = None,
) -> NDArray[Any]:
    """Step 1 … window / dt of the one spike of each value, 0 where it is silent; arguments as in `latency`.

    Returns [m, n] of m frames of n values, as uint8 up to 255 steps, int16 up to 32,767, else int32. These are the
    spikes that `latency` gives, each counted from the beginning of its frame; `SpikeSamples.from_first` takes them.
    """
    schedule = Schedule.of(window, 0.0, dt, shortest=2)
    code = _code(law, cut, tau, schedule)
    kind = next(kind for kind in (np.uint8, np.int16, np.int32) if schedule.window <= np.iinfo(kind).max)
    parts = []
    for frames in unit_frames_in_parts(values):
        spiking = frames > cut
        steps = np.maximum(np.rint(code.steps(frames[spiking])), 1.0)
        part = np.zeros(frames.shape, dtype=kind)
        part[spiking] = np.where(steps <= schedule.window, steps, 0.0)
        parts.append(part)
    return np.concatenate(parts)


def latency_decode(
    trains: SpikeTrains,
    window: float,
    cut: float = 0.0,
    law: Law = "linear",
    tau: float | None = None,
    gap: float = 0.0,
    silent: float = 0.0,
) -> Floats:
    """Values float64[m, n] from the first spike of each neuron in each window; arguments as in `latency`.

    A neuron without a spike in the window gets `silent`. The decoded value's exact time differs from the
    encoded value's by at most half a step: for the linear law, values by at most dt / (2·(window - dt)). Trains
    with exact times are decoded by those; what comes before the time of the value 1 is 1.
    """
    schedule = Schedule.of(window, gap, trains.dt, shortest=2)
    code = _code(law, cut, tau, schedule)
    frame, step = np.divmod(trains.steps - trains.first_step - 1, schedule.period)
    inside = step < schedule.window
    late = step + 1.0 if trains.exact is None else trains.exact / trains.dt - (trains.steps - step - 1)
    first = np.full((schedule.frames_in(trains), trains.size), np.inf)
    np.minimum.at(first, (frame[inside], trains.ids[inside]), late[inside])
    spiked = first < np.inf
    decoded = np.clip(code.value(np.where(spiked, first, schedule.window)), cut, 1.0)
    return np.where(spiked, decoded, float(silent))


@dataclass(frozen=True)
class _Code:
    """A law as a pair of inverse functions between values and (fractional) steps 1 … window."""

    steps: Callable[[Floats], Floats]
    value: Callable[[Floats], Floats]


def _code(law: str, cut: float, tau: float | None, schedule: Schedule) -> _Code:
    low = as_number(cut)
    if law == "linear":
        if not 0.0 <= low < 1.0:
            raise InvalidValue("cut", cut, "a number with 0 <= cut < 1")
        if tau is not None:
            raise InvalidValue("tau", tau, "None for the linear law", 'It belongs to law="logarithmic".')
        span = schedule.window - 1
        return _Code(lambda v: 1.0 + (1.0 - v) * span, lambda s: 1.0 - (s - 1.0) / span)
    if law != "logarithmic":
        raise UnknownName("latency law", law, ("linear", "logarithmic"))
    if not 0.0 < low < 1.0:
        raise InvalidValue("cut", cut, "a number with 0 < cut < 1 for the logarithmic law")
    return _logarithmic(low, tau, schedule)


def _logarithmic(cut: float, tau: float | None, schedule: Schedule) -> _Code:
    def charging(v: Floats) -> Floats:
        return np.log(v / (v - cut))

    fastest, slowest = charging(np.array([1.0, cut + (1.0 - cut) / LEVELS]))
    if tau is not None:
        scale, begin, first = check_positive("tau", tau, "ms") / schedule.dt, 0.0, 0.0
        slowest = np.inf
    else:
        scale, begin, first = (schedule.window - 1) / (slowest - fastest), fastest, 1.0

    def value(s: Floats) -> Floats:
        charged = (s - first) / scale + begin
        return np.where(charged < fastest, 1.0, cut / -np.expm1(-np.maximum(charged, fastest)))

    return _Code(lambda v: first + scale * (np.minimum(charging(v), slowest) - begin), value)
