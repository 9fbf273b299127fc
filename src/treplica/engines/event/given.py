"""Arrivals that are given, from all injections in one order of time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.event.build import Places
from treplica.engines.event.kernels_clocks import Clocks, set_clock
from treplica.engines.event.world import B_GIVEN, S_GIVEN, Given, World
from treplica.engines.plan import Injection


class Deliveries:
    """What is given and has not arrived yet; clock: the one that shows the next."""

    def __init__(self, places: Places, world: World, clocks: Clocks, clock: int) -> None:
        self.places, self.world, self.clocks, self.clock = places, world, clocks, clock
        self.injections: list[Injection] = []
        self.given = Given(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int64))

    def add(self, injection: Injection) -> None:
        """Add arrivals; their times are after now."""
        assert injection.times is not None
        left = slice(int(self.world.board[B_GIVEN]), None)
        self.injections = [
            i for i in self.injections if i.times is not None and i.times[-1] > self.world.now[0]
        ]
        if not injection.times.size:
            return
        self.injections.append(injection)
        base = self.places.sums[injection.population, injection.port]
        neurons = injection.ids + self.places.firsts[injection.population]
        new = (injection.times, injection.ids.astype(np.int64) + base, neurons, injection.amounts)
        before: tuple[NDArray[Any], ...] = self.given
        columns = [np.concatenate([old[left], own]) for old, own in zip(before, new, strict=True)]
        order = np.argsort(columns[0], kind="stable")
        self.given = Given(*(c[order].astype(old.dtype) for c, old in zip(columns, before, strict=True)))
        self.world.board[B_GIVEN], self.world.sizes[S_GIVEN] = 0, order.size
        set_clock(self.clocks, self.clock, float(self.given.times[0]))

    def pending(self, time: float) -> list[Injection]:
        """What arrives after a time."""
        kept = []
        for i in self.injections:
            assert i.times is not None
            late = slice(int(np.searchsorted(i.times, time, side="right")), None)
            if i.times[late].size:
                kept.append(
                    Injection(
                        i.population, i.port, i.steps[late], i.ids[late], i.amounts[late], i.times[late]
                    )
                )
        return kept
