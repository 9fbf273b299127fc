"""Times as whole steps."""

from __future__ import annotations

from treplica.errors import InvalidValue

#: No time has as many steps: beyond, neighbouring floats are more than a step apart.
MOST = 2.0**53


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
