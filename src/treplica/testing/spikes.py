"""Where two recordings of spikes part, in words."""

from __future__ import annotations

import numpy as np

from treplica.coding import SpikeTrains

#: Spikes of one step that a message lists at most.
SHOWN = 8


def spike_difference(a: SpikeTrains, b: SpikeTrains, names: tuple[str, str] = ("a", "b")) -> str | None:
    """None where two recordings are equal, else the first difference and what is around it.

    That is the first spike, by step and id, that one has and the other has not or with another value; how many spikes
    they have in common before; what fires in that step; and when the neuron fires in the other.
    """
    for quantity in ("size", "dt", "first_step", "n_steps"):
        mine, other = getattr(a, quantity), getattr(b, quantity)
        if mine != other:
            return f"{names[0]} has {quantity} = {mine}, {names[1]} has {quantity} = {other}"
    if a == b:
        return None
    first, second = _events(a), _events(b)
    common = min(len(first), len(second))
    same = (first[:common] == second[:common]).all(axis=1)
    at = int(np.argmin(same)) if not same.all() else common
    event = min(tuple(e[at].tolist()) for e in (first, second) if at < len(e))
    step, neuron = event[0], event[1]
    lines = [
        f"the first {at} spikes are equal; {names[0]} has {len(first)} spikes, {names[1]} {len(second)}",
        f"they part at step {step} (t = {step * a.dt:g} ms) at neuron {neuron}",
        *(_around(e, step, neuron, n) for e, n in zip((first, second), names, strict=True)),
    ]
    return "\n".join(lines)


def _events(trains: SpikeTrains) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """One row for each spike: step, id, value."""
    values = np.ones(len(trains), np.int64) if trains.values is None else trains.values
    return np.stack([trains.steps, trains.ids, values], axis=1).astype(np.int64)


def _around(
    events: np.ndarray[tuple[int, int], np.dtype[np.int64]], step: int, neuron: int, name: str
) -> str:
    now = events[events[:, 0] == step]
    ids = now[:SHOWN, 1].tolist()
    listing = f"{', '.join(map(str, ids))}{', ...' if len(now) > SHOWN else ''}" if ids else "none"
    own = events[events[:, 1] == neuron]
    here = own[own[:, 0] == step]
    if len(here):
        told = f"neuron {neuron} fires with value {int(here[0, 2])}"
    elif len(own):
        nearest = int(own[np.argmin(np.abs(own[:, 0] - step)), 0])
        told = f"neuron {neuron} is silent; it fires nearest at step {nearest} ({nearest - step:+d})"
    else:
        told = f"neuron {neuron} is silent and never fires"
    return f"{name}: {told}; in this step fire {len(now)}: {listing}"
