"""Spikes that were found: counted and handed over step by step, and kept as long as they are on their way."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.event.build import BUFFER, Places
from treplica.engines.event.world import B_WRITTEN, Fired, World
from treplica.engines.plan import Plan
from treplica.engines.snapshot import Spikes

#: Spikes: times in ms, numbers of neurons, values: float64[3, n].
Table = NDArray[np.float64]
#: Spikes, and tables of them, that are kept before it is looked which are still on their way.
MOST_RECENT, MOST_TABLES = 1 << 18, 1 << 10


class Found:
    """The loop's buffer of spikes, and what was taken out of it.

    held: spikes of the step that is not complete, and recent: those before that may still be on their way.
    """

    def __init__(self, plan: Plan, places: Places, world: World) -> None:
        self.plan, self.places, self.world = plan, places, world
        self.out = Fired(np.empty(BUFFER), np.empty(BUFFER, np.int32), np.empty(BUFFER, np.int32))
        self.held: list[Table] = []
        self.recent: list[Table] = []
        self.kept, self.most = 0, MOST_RECENT

    def drain(self) -> None:
        """Take spikes out of the buffer."""
        count = int(self.world.board[B_WRITTEN])
        if count:
            self.held.append(np.array([c[:count] for c in self.out], dtype=np.float64))
            self.world.board[B_WRITTEN] = 0

    def completed(
        self, first: int, last: int, watched: Collection[int]
    ) -> tuple[NDArray[np.int64], dict[int, Spikes]]:
        """Spikes of the steps first + 1 to last: int64[steps, populations] how many, and those of some populations."""
        table = np.concatenate([np.empty((3, 0)), *self.held], axis=1)
        counts = np.zeros((last - first, len(self.plan.populations)), dtype=np.int64)
        if not table.size:
            return counts, self.by_population(table, watched)
        table = table[:, np.lexsort((table[1], table[0]))]  # those of steps are computed a little late
        done = int(np.searchsorted(table[0], last * self.plan.dt, side="right"))
        self.held, table = [table[:, done:]], table[:, :done]
        populations = np.searchsorted(self.places.firsts, table[1], side="right") - 1
        np.add.at(counts, (self._steps(table[0]) - first - 1, populations), 1)
        if done:
            self.recent.append(table)
            self.kept += done
        if self.kept > self.most or len(self.recent) > MOST_TABLES:
            self.past(last * self.plan.dt)
        return counts, self.by_population(table, watched)

    def _steps(self, times: NDArray[np.float64]) -> NDArray[np.int64]:
        """The steps in which times are: step s ends at s dt, as a float."""
        steps = np.ceil(times / self.plan.dt)
        steps += steps * self.plan.dt < times
        steps -= (steps - 1.0) * self.plan.dt >= times
        return steps.astype(np.int64)

    def by_population(self, table: Table, which: Collection[int]) -> dict[int, Spikes]:
        """Spikes of some populations."""
        result = {}
        for p in which:
            population = self.plan.populations[p]
            own = (table[1] >= self.places.firsts[p]) & (table[1] < self.places.firsts[p + 1])
            ids = (table[1, own] - self.places.firsts[p]).astype(np.int32)
            values = table[2, own].astype(np.int32) if population.graded > 1 else None
            result[p] = Spikes(self._steps(table[0, own]), ids, values, table[0, own])
        return result

    def past(self, time: float) -> Table:
        """Spikes some of whose arrivals may come after a time, and those of the present step."""
        since = time - self.plan.longest_delay * self.plan.dt
        table = np.concatenate([np.empty((3, 0)), *self.recent], axis=1)
        self.recent = [table[:, table[0] > since]]
        self.kept = self.recent[0].shape[1]
        self.most = max(MOST_RECENT, 2 * self.kept)
        return np.concatenate([*self.recent, *self.held], axis=1)

    def remember(self, table: Table, time: float) -> None:
        """Take over spikes that were found before a snapshot at a time."""
        done = table[0] <= time
        self.recent, self.held = [table[:, done]], [table[:, ~done]]
        self.kept = int(done.sum())

    @property
    def nbytes(self) -> int:
        """Bytes of the buffer and of what is kept."""
        arrays: list[NDArray[Any]] = [*self.out, *self.held, *self.recent]
        return sum(a.nbytes for a in arrays)
