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
from treplica.engines.cpu.sleep import Awake
from treplica.engines.plan import Injection, Plan, PopulationPlan

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


class AllNeurons:
    """Where a thread's update kernel finds all neurons of a population: each at the place of its id."""

    def __init__(self, population: PopulationPlan, index: int, arrivals: Arrivals, thread: int) -> None:
        self.population, self.index, self.arrivals, self.thread = population, index, arrivals, thread
        self.slots, self.stride = arrivals.slots, arrivals.stride

    def item(self, *what: Any) -> NDArray[Any] | int:
        """The array, or its address, that an item of the kernel's frame is."""
        parts = self.population.composition.parts
        match what:
            case ("state", part, name):
                return cast(NDArray[Any], parts[part].states[name])
            case ("array", part, name):
                return np.asarray(parts[part].constants[name])
            case ("mask", part):
                return cast(NDArray[Any], parts[part].mask).astype(np.uint8)
            case ("external", name):
                return self.population.external[name]
            case ("arrivals", port):
                return self.arrivals.port(self.thread, self.index, port)
            case ("counts of drive", drive):
                return self.arrivals.counts[self.index, drive]
            case _:
                return np.zeros(self.population.size, dtype=np.uint8)  # still


def update_frame(plan: Plan, index: int, layout: Frame, neurons: AllNeurons | Awake) -> Filled:
    """The frame of an update kernel for the neurons of a thread."""
    filled = Filled()
    composition = plan.populations[index].composition
    parts, drives = composition.parts, cast(list[Any], composition.drives)
    scalars = [_scalar(plan, index, what) for what in layout.scalars]
    known: dict[str, Any] = {
        "scalars": lambda: filled.of(np.array(scalars, dtype=np.float64)),
        "seed_lo": lambda: plan.seed & 0xFFFFFFFF,
        "seed_hi": lambda: plan.seed >> 32,
        "gap": lambda: 0,
        "slots": lambda: neurons.slots,
        "stride": lambda: neurons.stride,
        "stream": lambda part, name: parts[part].streams[name],
        "stream of drive": lambda drive: drives[drive].stream,
        "classes of drive": lambda drive: filled.of(drives[drive].classes),
        "tables of drive": lambda drive: filled.of(drives[drive].tables),
        "width of drive": lambda drive: drives[drive].tables.shape[1],
    }

    def address(what: tuple[Any, ...]) -> int:
        if what[0] in known:
            return int(known[what[0]](*what[1:]))
        item = neurons.item(*what)
        return item if isinstance(item, int) else filled.of(item)

    return filled.close([address(what) for what in layout.items])


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
            *arrivals.reach(thread, connections.target, connections.port),
            *((0, 1, 0) if ring is None else (filled.of(ring), *ring.shape)),
            filled.of(table.splits),
            connections.shortest,
            connections.longest,
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
            *arrivals.reach(thread, injection.population, injection.port),
        ]
    )


def scatter_frame(
    drive: ScatteredDrive,
    seed: int,
    bounds: NDArray[np.int64],
    thread: int,
    counts: NDArray[np.float32],
    asleep: int,
) -> Filled:
    """The frame of a scattered drive for a thread; see `scatter.FRAME`."""
    filled = Filled()
    first, last = np.searchsorted(drive.ids, bounds[thread : thread + 2])
    tables = [item for t in drive.tables for item in (filled.of(t), t.size)]
    return filled.close(
        [
            seed & 0xFFFFFFFF, seed >> 32, drive.stream, drive.ids.size, int(first), int(last), *tables,
            filled.of(drive.ids), filled.of(counts), asleep, drive.block,
        ]
    )  # fmt: skip


def empty_frame(population: int, port: int, arrivals: Arrivals, thread: int) -> Filled:
    """The frame of a ring; see `deliver.EMPTY_FRAME`."""
    filled = Filled()
    ring = arrivals.rings[population, port]
    place = arrivals.port(thread, population, port)
    return filled.close([filled.of(ring), *ring.shape, place, arrivals.slots, arrivals.stride])
