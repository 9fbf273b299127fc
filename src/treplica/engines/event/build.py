"""From a plan to the arrays of the loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from treplica.engines.composition import Number
from treplica.engines.event.forms import Form, cells_of, constants_of
from treplica.engines.event.kernels_cells import CELL, STEPPED
from treplica.engines.event.kernels_roots import COLUMNS
from treplica.engines.event.world import BOARD, DRIVE, MOST_PORTS, P_ONTO, POPULATION, Drives, World
from treplica.engines.plan import Plan
from treplica.errors import InvalidValue
from treplica.neurons import PoissonSource

#: By how many steps the steps of neurons without a closed form are computed late: what arrives at the end of a step
#: but for rounding belongs to it.
LATE = 2.0**-19
#: Spikes that the loop keeps before it hands them over.
BUFFER = 1 << 16
#: What is watched: population, level, column of the cell.
Watch = tuple[int, float, int]


class Places:
    """Where each population's neurons and the sums of each port begin, among all."""

    def __init__(self, plan: Plan) -> None:
        sizes = [p.size for p in plan.populations]
        self.firsts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.neurons = int(self.firsts[-1])
        if self.neurons >= 2**31:
            raise InvalidValue(
                "neurons", self.neurons, "fewer than 2^31 on the event engine", "Take engine='cpu'."
            )
        self.sums: dict[tuple[int, int], int] = {}
        self.total = 0
        for p, population in enumerate(plan.populations):
            for port in range(len(population.composition.ports)):
                self.sums[p, port] = self.total
                self.total += population.size


def make_world(plan: Plan, forms: list[Form], places: Places, watches: list[Watch], drives: int) -> World:
    """Neurons at time 0. drives: how many there are."""
    populations = np.zeros((len(forms), len(POPULATION)), dtype=np.int64)
    units = np.zeros((len(forms), MOST_PORTS))
    owner = np.zeros((places.neurons, 2), dtype=np.int32)
    cells = np.zeros((places.neurons, CELL))
    constants, classes = [np.zeros((1, COLUMNS))], 1
    for p, (population, form) in enumerate(zip(plan.populations, forms, strict=True)):
        first, own = int(places.firsts[p]), slice(int(places.firsts[p]), int(places.firsts[p + 1]))
        ports = len(form.onto)
        onto = [*form.onto, *([0] * MOST_PORTS)][:MOST_PORTS]
        populations[p] = (
            form.kind, first, population.size, ports, places.sums.get((p, 0), 0), *onto, 0, 0, 0, 0, first,
        )  # fmt: skip
        units[p, :ports] = [port.unit for port in population.composition.ports[:ports]]
        owner[own, 0] = p
        if form.kind == STEPPED:
            continue
        rows = constants_of(population, form)
        owner[own, 1] = classes + (np.arange(population.size) if len(rows) > 1 else 0)
        constants.append(rows)
        classes += len(rows)
        cells[own] = cells_of(population, form, plan.dt)
    sizes = [plan.populations[p].size for p, _, _ in watches]
    clocks = places.neurons + drives + 1 + np.cumsum([0, *sizes])
    counts = (places.neurons, drives, len(watches), clocks[-1] + 1, 0, BUFFER)
    return World(
        cells=cells, owner=owner, constants=np.concatenate(constants), populations=populations, units=units,
        sums=np.zeros(places.total, np.int64), extra=np.zeros(places.total),
        reached=np.zeros(places.total, np.uint8),
        mark=np.zeros(places.neurons, np.uint8), touched=np.zeros(places.neurons, np.int32),
        fired=np.zeros(places.neurons, np.int32), values=np.ones(places.neurons, np.int32),
        pending=np.zeros(places.neurons, np.int32), waiting=np.zeros(len(forms), np.int64),
        noted=np.zeros((places.neurons, MOST_PORTS + 1)),
        watches=np.array(
            [(p, c, column) for (p, _, column), c in zip(watches, clocks, strict=False)], np.int64
        ).reshape(-1, 3),
        levels=np.array([level for _, level, _ in watches], np.float64),
        crossed=np.zeros((1 + sum(sizes), 2), np.int32), now=np.zeros(2),
        seed=np.array([plan.seed & 0xFFFFFFFF, plan.seed >> 32], np.uint32), board=np.zeros(len(BOARD), np.int64),
        sizes=np.array(counts, np.int64),
        grid=np.array([plan.dt, LATE * plan.dt]),
    )  # fmt: skip


def place_links(world: World, sources: NDArray[np.int64]) -> None:
    """Tell each population which connections are its own; sources: their populations, ascending."""
    for p, row in enumerate(world.populations):
        row[P_ONTO + MOST_PORTS : P_ONTO + MOST_PORTS + 2] = np.searchsorted(sources, [p, p + 1])


def make_drives(plan: Plan, forms: list[Form], places: Places) -> Drives:
    """Poisson drives of neurons with a closed form, and sources."""
    table, rates, weights, ids, chances = [], [], [], [np.empty(0, np.int32)], [np.empty(0)]
    listed = summed = 0

    def add(stream: int, sums: int, p: int, own: NDArray[np.int64], rate: Number, weight: float) -> None:
        nonlocal listed, summed
        each = np.broadcast_to(np.asarray(rate), own.size) / 1000.0
        even = bool((each == each[0]).all())
        first = int(places.firsts[p])
        table.append((stream, sums, first, listed, own.size, -1 if even else summed, 0, 0))
        rates.append(float(each[0] * own.size) if even else float(each.sum()))
        weights.append(weight)
        ids.append((own + first).astype(np.int32))
        listed += own.size
        if not even:
            chances.append(np.cumsum(each) / each.sum())
            summed += own.size

    for p, (population, form) in enumerate(zip(plan.populations, forms, strict=True)):
        if form.kind == STEPPED:
            continue
        composition = population.composition
        for drive in composition.drives:
            add(drive.stream, places.sums[p, drive.port], p, drive.ids, drive.rates, drive.weight)
        if composition.neuron.model is PoissonSource:
            stream, rate = composition.neuron.streams["draw"], composition.neuron.parameters["rate"]
            add(stream, -1, p, np.arange(population.size), rate, 1.0)
    return Drives(
        np.array(table, np.int64).reshape(-1, len(DRIVE)), np.array(rates, np.float64),
        np.array(weights, np.float64), np.concatenate(ids), np.concatenate(chances),
    )  # fmt: skip
