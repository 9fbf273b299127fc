"""How many spikes numbers become: the cut of a latency code and the gain of a rate code that meet a budget."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from treplica.errors import InvalidValue

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: A budget is met when the mean number of spikes is within this share of it.
TOLERANCE = 0.01


def cut_for(values: Floats, budget: float) -> float:
    """The cut >= 0 above which [m, n] values in 0 … 1 are, `budget` of them per sample in the mean.

    Raises InvalidValue where equal values leave no cut that is within 1 % of the budget.
    """
    m, n = values.shape
    _check(budget, n, "one spike of each channel at most")
    kept = round(budget * m)
    if kept >= values.size:
        cut = max(0.0, float(np.nextafter(values.min(), -1.0)))
    else:
        cut = float(np.partition(values, values.size - kept - 1, axis=None)[values.size - kept - 1])
    _met(float((values > cut).sum()) / m, budget)
    return cut


def gain_for(values: Floats, steps: int, budget: float) -> float:
    """The gain of `counts` with which [m, n] values >= 0 make `budget` spikes per sample in the mean.

    Raises InvalidValue where equal values leave no gain that is within 1 % of the budget.
    """
    m, n = values.shape
    _check(budget, n * steps, "a spike of each channel in each step at most")
    low, high = 0.0, steps / max(float(values.min()), 1e-300)
    while True:
        middle = float(np.sqrt(low * high)) if low > 0.0 else min(1.0, high / 2.0)
        if not low < middle < high:
            break
        found = counts(values, middle, steps).sum()
        low, high = (middle, high) if found < budget * m else (low, middle)
        if abs(found - budget * m) <= 0.5:
            return middle
    _met(float(counts(values, high, steps).sum()) / m, budget)
    return high


def counts(values: Floats, gain: float, steps: int) -> Whole:
    """Spikes of values >= 0: gain · value rounded, one in each step at most."""
    found: Whole = np.minimum(np.rint(gain * values), steps).astype(np.int64)
    return found


def evenly(number: Whole, steps: int) -> tuple[Whole, Whole, Whole]:
    """Samples, steps and channels of [m, n] numbers of spikes: k of them in the middles of k parts of the window."""
    sample, channel = np.nonzero(number)
    each = number[sample, channel]
    place = np.arange(each.sum()) - np.repeat(each.cumsum() - each, each)
    total = np.repeat(each, each)
    step = ((2 * place + 1) * steps) // (2 * total) + 1
    return np.repeat(sample, each), step, np.repeat(channel, each)


def _check(budget: float, most: int, what: str) -> None:
    if not 0.0 < budget <= most:
        raise InvalidValue("budget", budget, f"spikes per sample, > 0 and <= {most:,}: {what}")


def _met(found: float, budget: float) -> None:
    if abs(found - budget) > TOLERANCE * budget:
        advice = "Many values are equal there: choose a budget on one side of them, or give more samples."
        raise InvalidValue("budget", budget, f"one that can be met; the nearest is {found:.6g}", advice)
