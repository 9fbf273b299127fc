"""What spikes bring to neurons, found beside engines that keep only sums of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from treplica.engines.base import Noticed
from treplica.engines.connections import Connections, Row
from treplica.engines.plan import Injection, Plan
from treplica.engines.snapshot import Spikes

#: Of every projection, about as many synapses are kept at hand: 20 bytes each.
SYNAPSES_KEPT = 1 << 21

#: Population and port, by index.
Reached = tuple[int, int]


class Arriving:
    """Arrivals at some populations (by index), from the spikes of `sources` and from what is given.

    A spike sent in step s over a delay of d steps arrives in step s + d; so do the engines count.
    """

    def __init__(self, plan: Plan, populations: Collection[int]) -> None:
        self.plan, self.populations = plan, frozenset(populations)
        self.synapses: list[tuple[Connections, Callable[[int], Row]]] = [
            (c, _remembered(c)) for c in plan.connections if c.target in self.populations
        ]
        self.sources = {c.source for c, _ in self.synapses}
        self._given: list[Injection] = []
        #: by step, what is on its way: ids and whole units
        self._coming: dict[int, dict[Reached, list[tuple[NDArray[np.int32], NDArray[np.int64]]]]] = {}

    def begin(self, injections: Iterable[Injection], flying: list[Spikes], step: int) -> None:
        """From a step on: what is given later, and what spikes of earlier steps are still to bring."""
        for injection in injections:
            self.inject(injection)
        for source, spikes in enumerate(flying):
            self._send(source, spikes, step)

    def inject(self, injection: Injection) -> None:
        """Take note of arrivals that are given for later steps."""
        if injection.population in self.populations and injection.steps.size:
            self._given.append(injection)

    def take(self, spikes: dict[int, Spikes], first: int, last: int) -> list[Noticed]:
        """What arrives in the steps after `first` up to `last`, whose spikes are given by population."""
        for source in self.sources:
            self._send(source, spikes[source], first)
        for given in self._given:
            some = slice(*np.searchsorted(given.steps, [first, last], side="right"))
            self._expect(
                (given.population, given.port), given.steps[some], given.ids[some], given.amounts[some]
            )
        self._given = [given for given in self._given if given.steps[-1] > last]
        found = []
        for step in range(first + 1, last + 1):
            for (population, port), parts in sorted(self._coming.pop(step, {}).items()):
                ids, place = np.unique(np.concatenate([p[0] for p in parts]), return_inverse=True)
                units = np.zeros(ids.size, dtype=np.int64)
                np.add.at(units, place, np.concatenate([p[1] for p in parts]))
                value = units * self.plan.populations[population].composition.ports[port].unit
                found.append(Noticed("arrival", step * self.plan.dt, population, ids, value, port))
        return found

    def _send(self, source: int, spikes: Spikes, step: int) -> None:
        """Send spikes over their synapses; what has arrived by `step` is left out."""
        values = np.ones(spikes.ids.size, np.int64) if spikes.values is None else spikes.values
        for connections, row in self.synapses:
            if connections.source != source:
                continue
            reached = connections.target, connections.port
            for sent, part in by_step(spikes.steps):
                rows = [row(neuron) for neuron in spikes.ids[part].tolist()]
                ids = np.concatenate([r[0] for r in rows])
                amounts = np.concatenate([r[1] * value for r, value in zip(rows, values[part], strict=True)])
                steps = sent + np.concatenate([r[2] for r in rows])
                late = steps > step
                self._expect(reached, steps[late], ids[late], amounts[late])

    def _expect(
        self,
        reached: Reached,
        steps: NDArray[np.int64],
        ids: NDArray[np.int32],
        amounts: NDArray[np.int64],
    ) -> None:
        """Keep arrivals at a port until they are due."""
        order = np.argsort(steps, kind="stable")
        for step, part in by_step(steps[order]):
            arriving = ids[order[part]], amounts[order[part]]
            self._coming.setdefault(step, {}).setdefault(reached, []).append(arriving)


def by_step(steps: NDArray[np.int64]) -> Iterator[tuple[int, slice]]:
    """Each of the steps, which ascend, and where it is."""
    known, starts = np.unique(steps, return_index=True)
    bounds = pairwise([*starts.tolist(), steps.size])
    return ((step, slice(*own)) for step, own in zip(known.tolist(), bounds, strict=True))


def _remembered(connections: Connections) -> Callable[[int], Row]:
    """From a neuron to its synapses; those of the neurons that fired last are not computed again."""
    mean = connections.rows.expected_synapses / connections.rows.n_source
    return lru_cache(max(1, int(SYNAPSES_KEPT / max(1.0, mean))))(connections.row)
