"""Times as whole steps."""

from __future__ import annotations

from treplica.errors import InvalidValue


def steps_of(what: str, time: float, dt: float, least: int = 0) -> int:
    """A time in whole steps; InvalidValue where it is not a multiple of dt or too small."""
    steps = round(time / dt)
    if abs(steps * dt - time) > 1e-6 * dt + 1e-9 * abs(time):
        raise InvalidValue(what, time, f"a multiple of dt = {dt:g} ms", f"Nearest: {steps * dt:g} ms.")
    if steps < least:
        raise InvalidValue(
            what, time, f"at least {least * dt:g} ms ({least} steps)", "Use a larger value or a smaller dt."
        )
    return steps
