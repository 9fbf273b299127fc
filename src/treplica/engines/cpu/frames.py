"""Filling the frames of kernels: the addresses and numbers that their layouts name."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from treplica.engines.composition import PoissonDrive, ScatteredDrive
from treplica.engines.cpu.frame import Frame
from treplica.engines.cpu.memory import Arrivals
from treplica.engines.cpu.packing import PackedTable
from treplica.engines.cpu.rows import RowTable
from treplica.engines.plan import Injection, Plan

#: The item of an update kernel's frame that holds the distance from ids to values; the engine sets it.
GAP = Frame().item("gap")


#: (population, drive) -> how many spikes of a scattered drive have come to each neuron, float32[size]
Counts = dict[tuple[int, int], NDArray[np.float32]]


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


def update_frame(
    plan: Plan, index: int, layout: Frame, arrivals: Arrivals, thread: int, counts: Counts
) -> Filled:
    """The frame of an update kernel for the neurons of a thread; counts: of scattered drives."""
    filled = Filled()
    population = plan.populations[index]
    parts, drives = population.composition.parts, cast(list[Any], population.composition.drives)
    scalars = [_scalar(plan, index, what) for what in layout.scalars]
    address: dict[str, Any] = {
        "scalars": lambda: filled.of(np.array(scalars, dtype=np.float64)),
        "seed_lo": lambda: plan.seed & 0xFFFFFFFF,
        "seed_hi": lambda: plan.seed >> 32,
        "gap": lambda: 0,
        "slots": lambda: arrivals.slots,
        "stride": lambda: arrivals.stride,
        "state": lambda part, name: filled.of(parts[part].states[name]),
        "array": lambda part, name: filled.of(parts[part].constants[name]),  # type: ignore[arg-type]
        "mask": lambda part: filled.of(parts[part].mask.astype(np.uint8)),  # type: ignore[union-attr]
        "external": lambda name: filled.of(population.external[name]),
        "still": lambda: filled.of(np.zeros(population.size, dtype=np.uint8)),
        "arrivals": lambda port: arrivals.port(thread, index, port),
        "stream": lambda part, name: parts[part].streams[name],
        "counts of drive": lambda drive: filled.of(counts[index, drive]),
        "stream of drive": lambda drive: drives[drive].stream,
        "classes of drive": lambda drive: filled.of(drives[drive].classes),
        "tables of drive": lambda drive: filled.of(drives[drive].tables),
        "width of drive": lambda drive: drives[drive].tables.shape[1],
    }
    return filled.close([address[what[0]](*what[1:]) for what in layout.items])


def _scalar(plan: Plan, index: int, what: tuple[Any, ...]) -> float:
    composition = plan.populations[index].composition
    match what:
        case ("dt",):
            return plan.dt
        case ("rest",):
            return float(cast(float, composition.rest))
        case ("limit",):
            return float(composition.neuron.model.graded)
        case ("unit", port):
            return float(composition.ports[port].unit)
        case ("state unit", part, name):
            return float(composition.parts[part].fixed[name].unit)
        case ("units of state", part, name):
            return float(1.0 / composition.parts[part].fixed[name].unit)
        case ("weight", drive):
            return float(composition.drives[drive].weight)
        case ("threshold", drive, k):
            table = cast(PoissonDrive, composition.drives[drive]).uniform()
            return float(table[k]) if table is not None and k < table.size else 2.0**32 - 1.0
        case _:
            return float(composition.parts[what[1]].constants[what[2]])


def rows_frame(table: RowTable, arrivals: Arrivals, thread: int) -> Filled:
    """The frame of rows; see `deliver.ROWS_FRAME`."""
    filled = Filled()
    weights, delays = table.weights, table.delays
    connections = table.connections
    ring = arrivals.rings.get((connections.target, connections.port))
    return filled.close(
        [
            connections.source,
            table.first,
            table.indptr.size - 1,
            filled.of(table.indptr),
            filled.of(table.targets),
            0 if isinstance(weights, int) else filled.of(weights),
            0 if isinstance(delays, int) else filled.of(delays),
            weights if isinstance(weights, int) else 0,
            delays if isinstance(delays, int) else 0,
            arrivals.port(thread, connections.target, connections.port),
            arrivals.slots,
            arrivals.stride,
            *((0, 1, 0) if ring is None else (filled.of(ring), *ring.shape)),
            filled.of(table.splits),
        ]
    )


def packed_frame(table: PackedTable, arrivals: Arrivals, thread: int) -> Filled:
    """The frame of packed words; see `deliver_packed.PACKED_FRAME`."""
    filled = Filled()
    packing, regions = table.packing, table.regions
    return filled.close(
        [
            packing.source,
            table.first,
            table.rows,
            filled.of(table.starts),
            filled.of(table.offsets),
            table.offsets.shape[1],
            thread * regions.blocks * packing.groups,
            regions.blocks,
            packing.groups,
            packing.shortest,
            regions.bits,
            packing.slot_bits,
            filled.of(table.words),
            packing.weight or 0,
            arrivals.at(thread),
            arrivals.slots,
        ]
    )


def inject_frame(injection: Injection, arrivals: Arrivals, thread: int) -> Filled:
    """The frame of given arrivals; see `deliver.INJECT_FRAME`."""
    filled = Filled()
    return filled.close(
        [
            injection.steps.size,
            filled.of(injection.steps),
            filled.of(injection.ids),
            filled.of(injection.amounts),
            arrivals.port(thread, injection.population, injection.port),
            arrivals.slots,
            arrivals.stride,
        ]
    )


def scatter_frame(
    drive: ScatteredDrive, seed: int, counts: NDArray[np.float32], bounds: NDArray[np.int64], thread: int
) -> Filled:
    """The frame of a scattered drive for a thread; see `scatter.FRAME`."""
    filled = Filled()
    first, last = np.searchsorted(drive.ids, bounds[thread : thread + 2])
    tables = [item for t in drive.tables for item in (filled.of(t), t.size)]
    return filled.close(
        [
            seed & 0xFFFFFFFF, seed >> 32, drive.stream, drive.ids.size, int(first), int(last), *tables,
            filled.of(drive.ids), filled.of(counts),
        ]
    )  # fmt: skip


def empty_frame(population: int, port: int, arrivals: Arrivals, thread: int) -> Filled:
    """The frame of a ring; see `deliver.EMPTY_FRAME`."""
    filled = Filled()
    ring = arrivals.rings[population, port]
    place = arrivals.port(thread, population, port)
    return filled.close([filled.of(ring), *ring.shape, place, arrivals.slots, arrivals.stride])
