"""From milliseconds to whole time steps and back."""

from __future__ import annotations

import math
import operator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.errors import InvalidValue

TOLERANCE = 1e-6
"""A time counts as on the grid when it lies within this share of a step of a whole step."""
ROUNDING = 1e-9
"""Share of a step by which rounding may move a time that is not on the grid; see `slack`."""


def check_dt(dt: float) -> float:
    """Return `dt` (ms) as a float; raises `InvalidValue` unless it is finite and > 0."""
    return check_positive("dt", dt, "ms")


def check_positive(quantity: str, value: float, unit: str) -> float:
    """Return `value` as a float; raises `InvalidValue` unless it is a finite number > 0."""
    number = as_number(value)
    if not (math.isfinite(number) and number > 0.0):
        raise InvalidValue(quantity, value, f"a finite number > 0 {unit}")
    return number


def check_count(quantity: str, value: int, low: int) -> int:
    """Return `value` as an int; raises `InvalidValue` unless it is a whole number >= `low`."""
    try:
        count = operator.index(value)
    except TypeError:
        raise InvalidValue(quantity, value, f"a whole number >= {low}") from None
    if count < low or isinstance(value, bool):
        raise InvalidValue(quantity, value, f"a whole number >= {low}")
    return count


def whole_steps(quantity: str, ms: float, dt: float) -> int:
    """Whole number of steps of `dt` in a time `ms` >= 0; raises `InvalidValue` where it is off the grid."""
    steps = as_number(ms) / dt
    if not (math.isfinite(steps) and 0.0 <= steps < 2.0**62 and abs(steps - round(steps)) <= TOLERANCE):
        raise InvalidValue(quantity, ms, f"a whole multiple >= 0 of dt = {dt:g} ms")
    return round(steps)


def times_to_steps(times: ArrayLike, dt: float) -> NDArray[np.int64]:
    """Steps int64[n] of spike times (ms) that lie on the grid dt, 2 dt, ….

    Raises `InvalidValue` naming the first time that is off the grid by more than 1e-6 of a step.
    """
    given = _as_times(times)
    scaled = given / dt
    nearest = np.rint(scaled)
    with np.errstate(invalid="ignore"):
        good = (np.abs(scaled - nearest) <= TOLERANCE) & (nearest >= 1.0) & (nearest < 2.0**62)
    if not good.all():
        first = int(np.argmin(good))
        raise InvalidValue(
            f"times[{first}]", float(given[first]), f"on the grid {dt:g}, {2 * dt:g}, {3 * dt:g}, … ms",
            "Round the times to it, choose the dt they were recorded with, or keep them: from_exact_times.",
        )  # fmt: skip
    return nearest.astype(np.int64)


def _as_times(times: ArrayLike) -> NDArray[np.float64]:
    try:
        given = np.asarray(times, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidValue("times", times, "an array of numbers in ms") from None
    if given.ndim != 1:
        raise InvalidValue("times", given.shape, "one-dimensional (one time per spike)")
    return given


def slack(steps: ArrayLike) -> NDArray[np.float64]:
    """Share of a step by which times of so many steps may miss a multiple of dt and still count as it.

    The second part is what floats do to a product, a quotient and a sum; it is the larger one from 10**6 steps on.
    """
    return ROUNDING + 4.0 * np.finfo(np.float64).eps * np.asarray(steps, dtype=np.float64)


def steps_holding(times: NDArray[np.float64], dt: float) -> NDArray[np.int64]:
    """Step s of each time (ms): (s - 1) dt < time <= s dt, where multiples of dt may be off by rounding."""
    return _held(times, dt).astype(np.int64)


def _held(times: NDArray[np.float64], dt: float) -> NDArray[np.float64]:
    scaled = times / dt
    held: NDArray[np.float64] = np.ceil(scaled - slack(scaled))
    return held


def times_within(
    times: ArrayLike, dt: float, first: int, last: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Times (ms) as float64[n], and the steps that hold them, int64[n].

    Raises `InvalidValue` naming the first time that is not in a step after `first`, up to `last`.
    """
    given = _as_times(times)
    with np.errstate(over="ignore", invalid="ignore"):
        held = _held(given, dt)
        held = np.where((held == first) & (given > first * dt), first + 1.0, held)  # however soon after
        good = (held > first) & (held <= last)
    if not good.all():
        at = int(np.argmin(good))
        span = f"a time in ({first * dt:g}, {last * dt:g}] ms"
        raise InvalidValue(f"times[{at}]", float(given[at]), span)
    return given, held.astype(np.int64)


def as_number(value: object) -> float:
    """`value` as a float, or NaN where it is none: the range check that follows then refuses it."""
    if isinstance(value, (bool, str, bytes)):
        return math.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.nan
