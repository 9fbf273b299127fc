"""States of neurons with a closed form at a time: they are kept as they were when something happened to them last."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.event.build import Places
from treplica.engines.event.forms import Form, drive_of
from treplica.engines.event.kernels_access import foresee, peek, settle
from treplica.engines.event.kernels_cells import DRIVE, FIRST_CURRENT, FREE, V
from treplica.engines.event.kernels_clocks import Clocks
from treplica.engines.event.world import World
from treplica.engines.plan import Plan


class Cells:
    """Reads and changes cells by population and variable."""

    def __init__(self, plan: Plan, forms: list[Form], places: Places, world: World, clocks: Clocks) -> None:
        self.plan, self.forms, self.places, self.world, self.clocks = plan, forms, places, world, clocks

    def neurons(self, population: int, ids: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Numbers of neurons of a population among all."""
        first = self.places.firsts[population]
        return np.arange(first, self.places.firsts[population + 1]) if ids is None else ids + first

    def read(
        self, population: int, variable: str, now: float, ids: NDArray[np.int64] | None = None
    ) -> NDArray[Any]:
        """A state variable at a time, [size] or [ids]."""
        cells = peek(self.world, self.neurons(population, ids), now)
        if variable == "wait":
            return np.asarray(np.maximum(0.0, np.ceil((cells[:, FREE] - now) / self.plan.dt - 1e-9)))
        return cells[:, self._column(population, variable)].copy()  # type: ignore[no-any-return]

    def write(self, population: int, variable: str, values: NDArray[Any], now: float) -> None:
        """Replace a state variable."""
        neurons = self.neurons(population)
        settle(self.world, neurons, now)
        own = self.world.cells[neurons[0] : neurons[-1] + 1]
        if variable == "wait":
            own[:, FREE] = now + np.asarray(values) * self.plan.dt
        else:
            own[:, self._column(population, variable)] = values
        foresee(self.world, self.clocks, neurons, now)

    def set_external(
        self, population: int, current: str, ids: NDArray[np.int64], values: NDArray[np.float64], now: float
    ) -> None:
        """Set an external current from a time on."""
        neurons, own = self.neurons(population, ids), self.plan.populations[population]
        settle(self.world, neurons, now)
        own.external[current][ids] = values
        self.world.cells[neurons, DRIVE] = drive_of(own, self.forms[population])[ids]
        foresee(self.world, self.clocks, neurons, now)

    def _column(self, population: int, variable: str) -> int:
        names = [part.key(state) for part, state, _ in self.forms[population].currents]
        return FIRST_CURRENT + names.index(variable) if variable in names else V
