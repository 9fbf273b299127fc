"""When given spikes arrive: in steps of the plan or, where it is continuous, at their times."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from treplica.coding.grid import steps_holding
from treplica.coding.trains import SpikeTrains
from treplica.engines.grid import steps_of
from treplica.engines.plan import Plan
from treplica.errors import InvalidValue


def arrival_times(
    plan: Plan, what: str, trains: SpikeTrains, start: float = 0.0
) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    """Steps of the plan, int64[n], and in a continuous plan times in ms, float64[n], both ascending.

    what: the trains, for messages. start: ms, when their time begins; a whole number of steps where the plan is in
    steps. Raises InvalidValue for what is not on the grid of such a plan.
    """
    if plan.continuous:
        # Rounding can leave a spike before one of the step before, or at the time at which the trains begin.
        times = np.maximum(np.maximum.accumulate(trains.times + start), np.nextafter(start, np.inf))
        return np.maximum(steps_holding(times, plan.dt), math.floor(start / plan.dt + 1e-9) + 1), times
    if trains.exact is not None:
        advice = "Give trains.on_grid(), or take engine='event'."
        raise InvalidValue(what, trains, "spikes on the grid, as this engine works in steps", advice)
    return trains.steps * steps_of(f"dt of {what}", trains.dt, plan.dt, least=1) + round(
        start / plan.dt
    ), None
