"""Checks of the arrays that make up spike trains."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.coding.grid import slack
from treplica.errors import InvalidValue


def whole_array(quantity: str, array: ArrayLike, kind: type[np.signedinteger[Any]]) -> NDArray[Any]:
    """Read-only one-dimensional view (or converted copy) of whole numbers of the integer type `kind`."""
    try:
        given = np.asarray(array)
    except ValueError:
        raise InvalidValue(quantity, array, "a one-dimensional array of whole numbers") from None
    if given.ndim != 1 or (given.dtype.kind not in "iu" and given.size):
        raise InvalidValue(quantity, array, "a one-dimensional array of whole numbers")
    if given.dtype != kind and given.size:
        limit, least, most = np.iinfo(kind), int(given.min()), int(given.max())
        if most > limit.max or least < limit.min:
            raise InvalidValue(quantity, max(least, most, key=abs), f"in {limit.min} … {limit.max}")
    frozen: NDArray[Any] = given.astype(kind, copy=False).view()
    frozen.flags.writeable = False
    return frozen


def same_length(quantity: str, array: NDArray[Any], steps: NDArray[Any]) -> None:
    """Raise `InvalidValue` unless `array` has one entry per spike."""
    if len(array) != len(steps):
        raise InvalidValue(f"len({quantity})", len(array), f"{len(steps)}, the number of steps")


def check_range(steps: NDArray[Any], ids: NDArray[Any], size: int, first_step: int, n_steps: int) -> None:
    """Raise `InvalidValue` for a step outside the steps covered or an id outside 0 … size - 1."""
    if not len(steps):
        return
    last = first_step + n_steps
    for step in (int(steps.min()), int(steps.max())):
        if not first_step < step <= last:
            raise InvalidValue("steps", step, f"in {first_step + 1} … {last}")
    for neuron in (int(ids.min()), int(ids.max())):
        if not 0 <= neuron < size:
            raise InvalidValue("ids", neuron, f"in 0 … {size - 1}")


def check_order(steps: NDArray[Any], ids: NDArray[Any], exact: NDArray[Any] | None = None) -> None:
    """Raise `InvalidValue` unless spikes ascend in step, then in exact time (if any), then in id."""
    good, same = np.zeros(len(steps[1:]), dtype=bool), np.ones(len(steps[1:]), dtype=bool)
    for key in (steps, ids) if exact is None else (steps, exact, ids):
        good |= same & (key[1:] > key[:-1])
        same &= key[1:] == key[:-1]
    if good.all():
        return
    at = int(np.argmin(good)) + 1
    spike: tuple[float, ...] = (int(steps[at]), int(ids[at]))
    what, allowed = f"spike {at} (step, id)", "after its predecessor in step, or in id within the step"
    once = "A neuron spikes at most once in a step; use `values` for graded spikes, or a smaller dt."
    if exact is not None:
        spike = (*spike, float(exact[at]))
        what, allowed = f"spike {at} (step, id, time)", "after its predecessor in time, or in id at one time"
        once = "A neuron spikes at most once at a time; use `values` for graded spikes."
    raise InvalidValue(what, spike, allowed, once if same[at - 1] else "SpikeTrains.from_steps sorts.")


def exact_array(exact: ArrayLike, steps: NDArray[np.int64], dt: float) -> NDArray[np.float64]:
    """Read-only view (or converted copy) of a time in ms for each spike, within the span of its step."""
    try:
        given = np.asarray(exact)
    except ValueError:
        given = np.empty(())
    if given.ndim != 1 or (given.dtype.kind not in "iuf" and given.size):
        raise InvalidValue("exact", exact, "a one-dimensional array of times in ms")
    same_length("exact", given, steps)
    frozen: NDArray[np.float64] = given.astype(np.float64, copy=False).view()
    frozen.flags.writeable = False
    check_spans("exact", frozen, steps, dt, "SpikeTrains.from_exact_times finds the steps.")
    return frozen


def check_spans(
    quantity: str, times: NDArray[np.float64], steps: NDArray[np.int64], dt: float, advice: str = ""
) -> None:
    """Raise `InvalidValue` for a time that lies, rounding aside, outside its step: ((step - 1) dt, step dt]."""
    with np.errstate(over="ignore"):
        late = times / dt - steps
    room = slack(steps)
    good = (late > -1.0 - room) & (late <= room)
    if not good.all():
        at = int(np.argmin(good))
        span = f"in the span of its step {steps[at]}, ({(steps[at] - 1) * dt:g}, {steps[at] * dt:g}] ms"
        raise InvalidValue(f"{quantity}[{at}]", float(times[at]), span, advice)
