"""From milliseconds to whole time steps and back."""

from __future__ import annotations

import math
import operator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.errors import InvalidValue

TOLERANCE = 1e-6
"""A time counts as on the grid when it lies within this share of a step of a whole step."""


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
    try:
        given = np.asarray(times, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidValue("times", times, "an array of numbers in ms") from None
    if given.ndim != 1:
        raise InvalidValue("times", given.shape, "one-dimensional (one time per spike)")
    scaled = given / dt
    nearest = np.rint(scaled)
    with np.errstate(invalid="ignore"):
        good = (np.abs(scaled - nearest) <= TOLERANCE) & (nearest >= 1.0) & (nearest < 2.0**62)
    if not good.all():
        first = int(np.argmin(good))
        raise InvalidValue(
            f"times[{first}]", float(given[first]), f"on the grid {dt:g}, {2 * dt:g}, {3 * dt:g}, … ms",
            "Round the times to it, or choose the dt they were recorded with.",
        )  # fmt: skip
    return nearest.astype(np.int64)


def as_number(value: object) -> float:
    """`value` as a float, or NaN where it is none: the range check that follows then refuses it."""
    if isinstance(value, (bool, str, bytes)):
        return math.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.nan
