"""What handlers wait for, found beside engines with steps: such an engine knows nothing of events."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from treplica.engines.base import Advance, Crossing, Engine, Noticed, Wanted
from treplica.engines.plan import Injection, Plan, Sampler
from treplica.engines.snapshot import Snapshot, Spikes
from treplica.simulation.arriving import Arriving, by_step

#: States that are sampled between two looks at an engine, in bytes.
SAMPLED = 1 << 25


class Watching:
    """Makes what is wanted out of an engine's spikes and of states at the ends of its steps.

    The engine is to watch `populations` and to sample `samplers`, after all others.
    """

    def __init__(self, plan: Plan, wanted: Wanted) -> None:
        self.plan, self.wanted = plan, wanted
        self.arriving = Arriving(plan, wanted.arrivals)
        self.populations = {*wanted.spikes, *self.arriving.sources}
        states = dict.fromkeys((c.population, c.variable) for c in wanted.crossings)
        self.samplers = [Sampler(p, v, np.arange(plan.populations[p].size), 1) for p, v in states]
        #: by population and variable, the state at the end of the last step
        self._before: dict[tuple[int, str], NDArray[np.floating]] = {}

    @property
    def most_steps(self) -> int:
        """How many steps an engine may do at once so that it does not sample too much."""
        item = np.dtype(self.plan.format.real).itemsize
        return max(1, SAMPLED // max(1, item * sum(s.ids.size for s in self.samplers)))

    def begin(self, engine: Engine, snapshot: Snapshot | None) -> None:
        """From where an engine stands; snapshot: what it was restored from, if it was."""
        self._before = {
            (s.population, s.variable): engine.read(s.population, s.variable) for s in self.samplers
        }
        given, flying = (snapshot.injections, snapshot.flying) if snapshot else (self.plan.injections, [])
        self.arriving.begin(given, flying, engine.step)

    def inject(self, injection: Injection) -> None:
        """Take note of arrivals that are given for later steps."""
        self.arriving.inject(injection)

    def take(self, done: Advance, step: int) -> list[Noticed]:
        """What has happened in steps that are done, up to `step`."""
        first = step - done.steps
        found = self.arriving.take(done.spikes, first, step)
        samples = done.samples[len(done.samples) - len(self.samplers) :]
        states = {
            key: np.concatenate([before[None], values])
            for (key, before), values in zip(self._before.items(), samples, strict=True)
        }
        # Copies, since views of the last rows would keep all of them.
        self._before = {key: values[-1].copy() for key, values in states.items()}
        for crossing in self.wanted.crossings:
            found += self._crossings(crossing, states[crossing.population, crossing.variable], first)
        for population in self.wanted.spikes:
            found += self._spikes(population, done.spikes[population])
        return found

    def _crossings(self, crossing: Crossing, values: NDArray[np.floating], first: int) -> Iterator[Noticed]:
        """Rises to a level; values: at the ends of steps from `first` on, [steps + 1, size]."""
        high = values >= self.plan.format.to_real(crossing.level)  # 0.7 is what a state of 0.7 reaches
        rises = high[1:] & ~high[:-1]
        for row in np.flatnonzero(rises.any(axis=1)).tolist():
            time = (first + 1 + row) * self.plan.dt
            ids = np.flatnonzero(rises[row])
            yield Noticed(
                "threshold", time, crossing.population, ids, crossing.level, variable=crossing.variable
            )

    def _spikes(self, population: int, spikes: Spikes) -> Iterator[Noticed]:
        """Spikes of every step."""
        for step, part in by_step(spikes.steps):
            yield Noticed("spike", step * self.plan.dt, population, spikes.ids[part])
