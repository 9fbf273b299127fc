"""Filling the frames of kernels: the addresses and numbers that their layouts name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.cpu.codegen import Frame
from treplica.engines.cpu.memory import Arrivals
from treplica.engines.plan import Injection, Plan, PoissonPlan, Synapses

#: The item of an update kernel's frame that holds the distance from ids to values; the engine sets it.
GAP = Frame().item("gap")


class Filled:
    """A frame in memory; it keeps alive every array whose address it holds."""

    def __init__(self) -> None:
        self.alive: list[NDArray[Any]] = []
        self.items = np.zeros(0, dtype=np.int64)

    def of(self, array: NDArray[Any]) -> int:
        """The address of an array, which must be contiguous."""
        array = np.ascontiguousarray(array)
        self.alive.append(array)
        return array.ctypes.data

    def close(self, items: list[int]) -> Filled:
        """Store the items."""
        self.items = np.array([i - 2**64 if i >= 2**63 else i for i in items], dtype=np.int64)
        return self

    @property
    def address(self) -> int:
        """Where the items are."""
        return self.items.ctypes.data


def update_frame(plan: Plan, index: int, layout: Frame, arrivals: Arrivals) -> Filled:
    """The frame of an update kernel."""
    filled = Filled()
    population = plan.populations[index]
    parts = population.composition.parts
    scalars = [_scalar(plan, index, what) for what in layout.scalars]
    address: dict[str, Any] = {
        "scalars": lambda: filled.of(np.array(scalars, dtype=np.float64)),
        "seed_lo": lambda: plan.seed & 0xFFFFFFFF,
        "seed_hi": lambda: plan.seed >> 32,
        "gap": lambda: 0,
        "state": lambda part, name: filled.of(parts[part].states[name]),
        "array": lambda part, name: filled.of(parts[part].constants[name]),  # type: ignore[arg-type]
        "mask": lambda part: filled.of(parts[part].mask.astype(np.uint8)),  # type: ignore[union-attr]
        "external": lambda name: filled.of(population.external[name]),
        "ring": lambda port: arrivals.at(index, port)[0],
        "depth": lambda port: arrivals.at(index, port)[1],
        "size": lambda port: arrivals.at(index, port)[2],
        "stream": lambda part, name: parts[part].streams[name],
    }
    return filled.close([address[what[0]](*what[1:]) for what in layout.items])


def _scalar(plan: Plan, index: int, what: tuple[Any, ...]) -> float:
    composition = plan.populations[index].composition
    match what:
        case ("dt",):
            return plan.dt
        case ("limit",):
            return float(composition.neuron.model.graded)
        case ("unit", port):
            return float(composition.ports[port].unit)
        case _:
            return float(composition.parts[what[1]].constants[what[2]])


def deliver_frame(
    synapses: Synapses, splits: NDArray[np.int32], arrivals: Arrivals, threads: int, events: NDArray[np.int64]
) -> Filled:
    """The frame of a projection; see `deliver.DELIVER_FRAME`."""
    filled = Filled()
    weights, delays = synapses.weights, synapses.delays
    return filled.close(
        [
            synapses.first,
            synapses.indptr.size - 1,
            filled.of(synapses.indptr),
            filled.of(synapses.targets),
            0 if isinstance(weights, int) else filled.of(weights),
            0 if isinstance(delays, int) else filled.of(delays),
            weights if isinstance(weights, int) else 0,
            delays if isinstance(delays, int) else 0,
            *arrivals.at(synapses.target, synapses.port),
            filled.of(splits),
            threads,
            filled.of(events),
        ]
    )


def poisson_frame(drive: PoissonPlan, seed: int, arrivals: Arrivals) -> Filled:
    """The frame of a Poisson drive; see `deliver.POISSON_FRAME`."""
    filled = Filled()
    return filled.close(
        [
            seed & 0xFFFFFFFF,
            seed >> 32,
            drive.stream,
            filled.of(drive.classes),
            filled.of(drive.tables),
            drive.tables.shape[1],
            drive.weight,
            *arrivals.at(drive.population, drive.port),
        ]
    )


def inject_frame(injection: Injection, arrivals: Arrivals) -> Filled:
    """The frame of given arrivals; see `deliver.INJECT_FRAME`."""
    filled = Filled()
    return filled.close(
        [
            injection.steps.size,
            filled.of(injection.steps),
            filled.of(injection.ids),
            filled.of(injection.amounts),
            *arrivals.at(injection.population, injection.port),
        ]
    )
