"""What handlers wait for: spikes, arrivals and levels, each at its own time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from treplica.engines.base import Crossing, Noticed, Wanted
from treplica.engines.event.build import Places, Watch
from treplica.engines.event.forms import Form
from treplica.engines.event.kernels_cells import FIRST_CURRENT, STEPPED, V
from treplica.engines.event.stepped import Stepped
from treplica.engines.event.world import B_CROSSED, B_FIRED, B_NOTED, P_HEARD, P_LISTENS, World
from treplica.engines.plan import Plan
from treplica.errors import InvalidValue


def watches_of(plan: Plan, forms: list[Form], wanted: Wanted) -> list[tuple[Crossing, Watch]]:
    """Crossings of neurons with a closed form, with population, level and column of the cell."""
    found = []
    for crossing in wanted.crossings:
        form = forms[crossing.population]
        if form.kind == STEPPED:
            continue
        names = [part.key(state) for part, state, _ in form.currents]
        if crossing.variable not in ("v", *names):
            name = f"{plan.populations[crossing.population].name}: variable of a threshold"
            raise InvalidValue(name, crossing.variable, f"{' or '.join(['v', *names])} on the event engine")
        column = V if crossing.variable == "v" else FIRST_CURRENT + names.index(crossing.variable)
        found.append((crossing, (crossing.population, crossing.level, column)))
    return found


class Noticing:
    """Reads what is wanted off the loop's board, and off the steps of neurons without a closed form."""

    def __init__(
        self, plan: Plan, wanted: Wanted, crossings: list[Crossing], places: Places, world: World
    ) -> None:
        self.plan, self.wanted, self.crossings = plan, wanted, crossings
        self.places, self.world = places, world
        world.populations[list(wanted.spikes), P_HEARD] = 1
        world.populations[list(wanted.arrivals), P_LISTENS] = 1
        #: by population and variable, the states of stepped populations after their last step
        self._before: dict[tuple[int, str], NDArray[np.float64]] = {}

    def instant(self) -> list[Noticed]:
        """What was wanted and has happened at the last instant; the board is cleared."""
        board, now = self.world.board, self.world.now
        found = list(self._arrivals(float(now[0]))) + list(self._crossed(float(now[0])))
        found += self._spikes(float(now[1]))
        board[B_NOTED] = board[B_CROSSED] = 0
        return found

    def _by_population(self, neurons: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        owners = self.world.owner[neurons, 0]
        for p in np.unique(owners).tolist():
            yield p, owners == p

    def _spikes(self, time: float) -> Iterator[Noticed]:
        neurons = self.world.fired[: self.world.board[B_FIRED]].astype(np.int64)
        for p, own in self._by_population(neurons):
            if p in self.wanted.spikes:
                yield Noticed("spike", time, p, neurons[own] - self.places.firsts[p])

    def _arrivals(self, time: float) -> Iterator[Noticed]:
        table = self.world.noted[: self.world.board[B_NOTED]]
        table = table[np.argsort(table[:, 0])]
        neurons = table[:, 0].astype(np.int64)
        for p, own in self._by_population(neurons):
            for port in range(len(self.plan.populations[p].composition.ports)):
                some = own & ~np.isnan(table[:, 1 + port])
                if some.any():
                    ids = neurons[some] - self.places.firsts[p]
                    yield Noticed("arrival", time, p, ids, table[some, 1 + port], port)

    def _crossed(self, time: float) -> Iterator[Noticed]:
        table = self.world.crossed[: self.world.board[B_CROSSED]].astype(np.int64)
        for w in np.unique(table[:, 0]).tolist():
            crossing = self.crossings[w]
            ids = np.sort(table[table[:, 0] == w, 1]) - self.places.firsts[crossing.population]
            yield Noticed(
                "threshold", time, crossing.population, ids, crossing.level, variable=crossing.variable
            )

    # Populations without a closed form

    def arrives(self, population: Stepped, ids: NDArray[np.int64], time: float) -> list[Noticed]:
        """What arrives in a step; before it is computed."""
        if population.index not in self.wanted.arrivals:
            return []
        found = []
        for port, (sums, unit) in enumerate(zip(population.sums, population.units, strict=True)):
            start = self.places.sums[population.index, port]
            reached = self.world.reached[start : start + sums.size]
            some = ids[reached[ids] != 0]
            reached[some] = 0
            if some.size:
                found.append(Noticed("arrival", time, population.index, some, sums[some] * unit, port))
        return found

    def begin(self, population: Stepped) -> None:
        """Remember the states with which later ones are compared."""
        for crossing in self.wanted.crossings:
            if crossing.population == population.index:
                state = population.read(crossing.variable)
                self._before[crossing.population, crossing.variable] = state

    def rises(self, population: Stepped, time: float) -> list[Noticed]:
        """Levels to which states have risen in a step; after it was computed."""
        found = []
        for crossing in self.wanted.crossings:
            if crossing.population == population.index:
                before = self._before[crossing.population, crossing.variable]
                state = population.read(crossing.variable)
                ids = np.flatnonzero((before < crossing.level) & (state >= crossing.level))
                if ids.size:
                    found.append(
                        Noticed(
                            "threshold",
                            time,
                            population.index,
                            ids,
                            crossing.level,
                            variable=crossing.variable,
                        )
                    )
        self.begin(population)
        return found
