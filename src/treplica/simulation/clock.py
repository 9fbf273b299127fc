"""When events are handled: at the ends of steps, at the ends of slices, or at their own times."""

from __future__ import annotations

import math

from treplica.engines.grid import MOST, steps_of
from treplica.errors import InvalidValue


class Clock:
    """Tells when what happens at a time is handled.

    dt: ms, the length of a step (None: of an engine without steps). slice: ms, the length of a slice of events (None:
    they are handled as soon as can be: at the end of their step, or at their own time where there are no steps).
    Raises InvalidValue for a slice that is not a whole number of steps.
    """

    def __init__(self, dt: float | None = None, slice: float | None = None) -> None:
        self.dt, self.slice = dt, slice
        # Ends are whole multiples of the unit, computed as engines compute the times of steps.
        self._unit = slice if dt is None else dt
        self._many = (
            1 if dt is None or slice is None else steps_of("slice of an EventDispatcher", slice, dt, 1)
        )

    def moment(self, time: float) -> float:
        """A time (ms) as the engine counts it: that of a step where it differs from it by rounding only.

        So 2.1 is a step of 0.7 ms, and 3 * 0.7, which is a little less, is the same time.
        Raises InvalidValue for one that has too many steps to be counted.
        """
        if self._unit is not None and not abs(time / self._unit) < MOST:
            raise InvalidValue("event time", time, f"below {MOST * self._unit:g} ms")
        if self.dt is None:
            return time
        nearest = round(time / self.dt) * self.dt
        return nearest if abs(nearest - time) <= 1e-9 * self.dt + 4.0 * math.ulp(time) else time

    def end(self, moment: float) -> float:
        """When what happens at a moment is handled, in ms; not before it."""
        if self._unit is None:
            return moment
        return -(-self._ceil(moment) // self._many) * self._many * self._unit

    def after(self, now: float) -> float:
        """The end of the step or slice that comes after now, in ms; infinite where there is neither."""
        if self._unit is None:
            return math.inf
        begun = self._ceil(now)
        begun -= begun * self._unit > now
        return (begun // self._many + 1) * self._many * self._unit

    def _ceil(self, time: float) -> int:
        """The smallest whole multiple of the unit that is not below a time; division may miss it by one."""
        assert self._unit is not None
        count = math.ceil(time / self._unit)
        if (count - 1) * self._unit >= time:
            return count - 1
        return count + (count * self._unit < time)
