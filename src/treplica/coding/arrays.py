"""Checks of the arrays that make up spike trains."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


def check_order(steps: NDArray[Any], ids: NDArray[Any]) -> None:
    """Raise `InvalidValue` unless steps ascend, ids ascend within a step and no spike comes twice."""
    later, same = steps[1:] > steps[:-1], steps[1:] == steps[:-1]
    good = later | (same & (ids[1:] > ids[:-1]))
    if good.all():
        return
    at = int(np.argmin(good)) + 1
    twice = bool(same[at - 1]) and ids[at] == ids[at - 1]
    raise InvalidValue(
        f"spike {at} (step, id)",
        (int(steps[at]), int(ids[at])),
        "after its predecessor in step, or in id within the step",
        "A neuron spikes at most once in a step; use `values` for graded spikes, or a smaller dt."
        if twice
        else "SpikeTrains.from_steps sorts.",
    )
