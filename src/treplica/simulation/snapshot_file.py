"""A snapshot as named arrays of a file, and back; whether it fits a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.coding.arrays import check_spans
from treplica.engines.plan import Injection, Plan
from treplica.engines.snapshot import Snapshot, Spikes, spike_types

Arrays = dict[str, NDArray[Any]]
#: From the name of an array to the array.
Read = Callable[[str], NDArray[Any]]
#: Times of a continuous plan among the columns of spikes and of injections.
TIMES = ("exact", "times")


def to_arrays(snapshot: Snapshot) -> Arrays:
    """All arrays of a snapshot: states/POPULATION/VARIABLE and so on, populations and injections by number."""
    given = [i for i in snapshot.injections if i.steps.size]
    arrays: Arrays = {}
    for kind, tables in (("states", snapshot.states), ("external", snapshot.external)):
        for p, table in enumerate(tables):
            arrays |= {f"{kind}/{p}/{name}": values for name, values in table.items()}
    for p, spikes in enumerate(snapshot.flying):
        kept = spike_types(spikes.values is not None, spikes.exact is not None)
        arrays |= {f"flying/{p}/{name}": getattr(spikes, name) for name in kept}
    for j, injection in enumerate(given):
        given_columns = _injected(injection.times is not None)
        arrays |= {f"injections/{j}/{name}": getattr(injection, name) for name in given_columns}
        arrays[f"injections/{j}/onto"] = np.array([injection.population, injection.port], dtype=np.int64)
    arrays |= {f"asynchronous/{name}": array for name, array in snapshot.asynchronous.items()}
    arrays["totals"] = np.array([snapshot.step, snapshot.events, len(given)], dtype=np.int64)
    return arrays


def from_arrays(plan: Plan, read: Read) -> Snapshot:
    """The snapshot that `to_arrays` took apart; ValueError, or what `read` raises, where it does not fit the plan."""
    step, events, injections = (int(n) for n in read("totals"))
    if min(step, events, injections) < 0:
        raise ValueError(f"step {step}, {events} events, {injections} injections")
    states: list[Arrays] = []
    external: list[Arrays] = []
    flying = []
    for p, population in enumerate(plan.populations):
        known = population.composition.states(), population.external
        for tables, kind, like in zip((states, external), ("states", "external"), known, strict=True):
            tables.append({n: _fitting(f"{kind}/{p}/{n}", read, a) for n, a in like.items()})
        flying.append(_flying(plan, p, read, step))
    given = [_injection(plan, f"injections/{j}", read, step) for j in range(injections)]
    return Snapshot(step, states, external, flying, given, events, _asynchronous(plan, read))


def _asynchronous(plan: Plan, read: Read) -> Arrays:
    """What only the event engine keeps."""
    if not plan.continuous:
        return {}
    from treplica.engines.event.snapshots import empty

    return {name: _fitting(f"asynchronous/{name}", read, like) for name, like in empty(plan).items()}


def _fitting(name: str, read: Read, like: NDArray[Any]) -> NDArray[Any]:
    array = read(name)
    if (array.shape, array.dtype) != (like.shape, like.dtype):
        raise ValueError(f"{name} is {array.dtype}{list(array.shape)}, not {like.dtype}{list(like.shape)}")
    return array


def _injected(continuous: bool) -> dict[str, Any]:
    """The columns of an injection, and their types."""
    types: dict[str, Any] = {"steps": np.int64, "ids": np.int32, "amounts": np.int64}
    return {**types, "times": np.float64} if continuous else types


def columns(name: str, read: Read, types: dict[str, Any], dt: float) -> Arrays:
    """Arrays of one length, steps ascending; so do times, within their steps."""
    arrays = {column: read(f"{name}/{column}") for column in types}
    count = len(arrays["steps"])
    for column, array in arrays.items():
        if array.shape != (count,) or array.dtype != types[column]:
            raise ValueError(f"{name}/{column} is {array.dtype}{list(array.shape)}")
    if (np.diff(arrays["steps"]) < 0).any():
        raise ValueError(f"{name}/steps do not ascend")
    for column in set(TIMES) & {*arrays}:
        check_spans(f"{name}/{column}", arrays[column], arrays["steps"], dt)
        if (np.diff(arrays[column]) < 0.0).any():
            raise ValueError(f"{name}/{column} do not ascend")
    return arrays


def _flying(plan: Plan, p: int, read: Read, step: int) -> Spikes:
    """Spikes of the last steps, of neurons that there are."""
    types = spike_types(plan.populations[p].graded > 1, plan.continuous)
    arrays = columns(f"flying/{p}", read, types, plan.dt)
    check_range(f"flying/{p}/steps", arrays["steps"], step - plan.longest_delay + 1, step + plan.continuous)
    check_range(f"flying/{p}/ids", arrays["ids"], 0, plan.populations[p].size - 1)
    return Spikes(**arrays)


def _injection(plan: Plan, name: str, read: Read, step: int) -> Injection:
    """Arrivals after a step, at ports and neurons that there are."""
    population, port = (int(n) for n in read(f"{name}/onto"))
    check_range(f"{name}/onto", np.array([population]), 0, len(plan.populations) - 1)
    reached = plan.populations[population]
    check_range(f"{name}/onto", np.array([port]), 0, len(reached.composition.ports) - 1)
    arrays = columns(name, read, _injected(plan.continuous), plan.dt)
    check_range(f"{name}/steps", arrays["steps"], step + 1, 2**62)
    check_range(f"{name}/ids", arrays["ids"], 0, reached.size - 1)
    return Injection(population, port, **arrays)


def check_range(name: str, values: NDArray[Any], low: int, high: int) -> None:
    """ValueError for values that are too small or too large."""
    if values.size and not (low <= values.min() and values.max() <= high):
        raise ValueError(f"{name} goes from {values.min()} to {values.max()}, allowed are {low} to {high}")
