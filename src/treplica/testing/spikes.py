"""Where two recordings of spikes part, in words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.coding import SpikeTrains

#: Spikes of one step that a message lists at most.
SHOWN = 8


def spike_difference(a: SpikeTrains, b: SpikeTrains, names: tuple[str, str] = ("a", "b")) -> str | None:
    """None where two recordings are equal, else the first difference and what is around it.

    That is the first spike, by step, time and id, that one has and the other has not or with another value; how many
    spikes they have in common before; what fires in that step; and when the neuron fires in the other.
    """
    for quantity in ("size", "dt", "first_step", "n_steps"):
        mine, other = getattr(a, quantity), getattr(b, quantity)
        if mine != other:
            return f"{names[0]} has {quantity} = {mine}, {names[1]} has {quantity} = {other}"
    if a == b:
        return None
    common = min(len(a), len(b))
    columns = zip(_events(a), _events(b), strict=True)
    same = np.all([mine[:common] == other[:common] for mine, other in columns], axis=0)
    at = int(np.argmin(same)) if not same.all() else common
    left = [tuple(column[at].item() for column in _events(t)) for t in (a, b) if at < len(t)]
    if not left:
        return f"{names[0]} and {names[1]} have the same spikes, but one has values or exact times, the other not"
    step, time, neuron, _ = min(left)
    lines = [
        f"the first {at} spikes are equal; {names[0]} has {len(a)} spikes, {names[1]} {len(b)}",
        f"they part at step {step} (t = {time:.12g} ms) at neuron {neuron}",
        *(_around(trains, step, neuron, name) for trains, name in zip((a, b), names, strict=True)),
    ]
    return "\n".join(lines)


def _events(trains: SpikeTrains) -> tuple[NDArray[Any], ...]:
    """Columns of all spikes: step, time in ms, id, value."""
    values = np.ones(len(trains), np.int64) if trains.values is None else trains.values
    return trains.steps, trains.times, trains.ids, values


def _around(trains: SpikeTrains, step: int, neuron: int, name: str) -> str:
    steps, times, ids, values = _events(trains)
    now = ids[steps == step]
    shown = now[:SHOWN].tolist()
    listing = f"{', '.join(map(str, shown))}{', ...' if len(now) > SHOWN else ''}" if shown else "none"
    (own,) = np.nonzero(ids == neuron)
    here = own[steps[own] == step]
    if len(here):
        when = "" if trains.exact is None else f"at {', '.join(map(repr, times[here].tolist()))} ms "
        told = f"neuron {neuron} fires {when}with value {', '.join(map(str, values[here]))}"
    elif len(own):
        nearest = int(steps[own[np.argmin(np.abs(steps[own] - step))]])
        told = f"neuron {neuron} is silent; it fires nearest at step {nearest} ({nearest - step:+d})"
    else:
        told = f"neuron {neuron} is silent and never fires"
    return f"{name}: {told}; in this step fire {len(now)}: {listing}"
