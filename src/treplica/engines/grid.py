"""Times as whole steps."""

from __future__ import annotations

import math
import numbers

from treplica.errors import InvalidValue

#: No time has as many steps: beyond, neighbouring floats are more than a step apart.
MOST = 2.0**53


def check_dt(dt: float) -> float:
    """The length of a step; InvalidValue where it is none."""
    number = isinstance(dt, numbers.Real) and not isinstance(dt, bool)
    if not (number and math.isfinite(dt) and dt > 0.0):
        raise InvalidValue("dt", dt, "a finite number > 0 ms")
    return float(dt)


def steps_of(what: str, time: float, dt: float, least: int = 0) -> int:
    """A time in whole steps; InvalidValue where it is not a multiple of dt or too small."""
    if not abs(time / dt) < MOST:
        raise InvalidValue(what, time, f"a finite time, below {MOST * dt:g} ms")
    steps = round(time / dt)
    if abs(steps * dt - time) > 1e-6 * dt + 1e-9 * abs(time):
        nearest = max(steps, least) * dt
        raise InvalidValue(what, time, f"a multiple of dt = {dt:g} ms", f"Nearest: {nearest:g} ms.")
    if steps < least:
        raise InvalidValue(
            what, time, f"at least {least * dt:g} ms ({least} steps)", "Use a larger value or a smaller dt."
        )
    return steps
