"""Spikes moved in time: all of them by some steps, one recording after another, each to the end of its step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treplica.errors import InvalidValue

if TYPE_CHECKING:
    from treplica.coding.trains import SpikeTrains

_EACH = slice(None)


def columns(trains: SpikeTrains, chosen: Any = _EACH) -> dict[str, Any]:
    """The arrays that have an entry for each spike (or None), at the chosen places."""
    whole = {name: getattr(trains, name) for name in ("steps", "ids", "values", "exact")}
    return {name: None if column is None else column[chosen] for name, column in whole.items()}


def moved(trains: SpikeTrains, delta: int) -> SpikeTrains:
    """The spikes `delta` steps later."""
    rows = {**columns(trains), "steps": trains.steps + delta, "first_step": trains.first_step + delta}
    if trains.exact is not None:
        rows["exact"] = _later(trains, delta)
    return _with(trains, rows)


def joined(parts: Sequence[SpikeTrains]) -> SpikeTrains:
    """Parts one after another, see `SpikeTrains.concatenate`."""
    if not parts:
        raise InvalidValue("parts", parts, "one or more SpikeTrains")
    head = parts[0]
    for part in parts:
        if (part.size, part.dt) != (head.size, head.dt):
            allowed = f"{(head.size, head.dt)} as in the first part"
            raise InvalidValue("(size, dt)", (part.size, part.dt), allowed)
    ends = head.first_step + np.cumsum([part.n_steps for part in parts])
    starts = [head.first_step, *ends[:-1].tolist()]
    placed = [(part, begin - part.first_step) for part, begin in zip(parts, starts, strict=True)]
    rows: dict[str, Any] = {
        "steps": np.concatenate([part.steps + delta for part, delta in placed]),
        "ids": np.concatenate([part.ids for part in parts]),
        "values": None,
        "exact": None,
        "n_steps": int(ends[-1]) - head.first_step,
    }
    if any(part.values is not None for part in parts):
        ones = [np.ones(len(p), np.int32) if p.values is None else p.values for p in parts]
        rows["values"] = np.concatenate(ones)
    if any(part.exact is not None for part in parts):
        rows["exact"] = np.concatenate([_later(part, delta) for part, delta in placed])
    return _with(head, rows)


def on_grid(trains: SpikeTrains) -> SpikeTrains:
    """Each spike at the end of its step, see `SpikeTrains.on_grid`."""
    if trains.exact is None:
        return trains
    rows = columns(trains, np.lexsort((trains.ids, trains.steps)))
    steps, ids = rows["steps"], rows["ids"]
    twice = (steps[1:] == steps[:-1]) & (ids[1:] == ids[:-1])
    if twice.any():
        at = int(np.argmax(twice))
        when = f"neuron {ids[at]} spikes twice in the step that ends at {steps[at] * trains.dt:g} ms"
        allowed = f"small enough for one spike of a neuron in a step ({when})"
        advice = "SpikeTrains.from_exact_times(trains.times, trains.ids, ...) takes a smaller dt."
        raise InvalidValue("dt", trains.dt, allowed, advice)
    return replace(trains, **{**rows, "exact": None})


def _later(trains: SpikeTrains, delta: int) -> NDArray[np.float64]:
    """Times of the spikes `delta` steps later; where there are none to go, not a bit of them changes."""
    if not delta:
        return trains.times
    dt, steps = np.float64(trains.dt), trains.steps + delta
    # What rounding does far from 0 may be more than a step allows nearer to it.
    return np.clip(trains.times + delta * dt, np.nextafter((steps - 1) * dt, np.inf), steps * dt)


def _with(like: SpikeTrains, changes: dict[str, Any]) -> SpikeTrains:
    """Trains with moved spikes. Rounding may bring exact times together, so that ids decide the order."""
    if changes["exact"] is None:
        return replace(like, **changes)
    about = {name: getattr(like, name) for name in ("size", "dt", "n_steps", "first_step")}
    return like.from_steps(**{**about, **changes})
