"""The run loop: pieces of a run, and what is done between them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from treplica.engines.base import Engine
from treplica.engines.plan import Plan
from treplica.errors import NumericalError
from treplica.simulation.autosave import Autosave
from treplica.simulation.checkpoint import Counts, Course
from treplica.simulation.events import EventDispatcher
from treplica.simulation.interrupt import deferred_interrupt
from treplica.simulation.pace import Pace
from treplica.simulation.recorders import Recorders
from treplica.simulation.settings import Schedule

if TYPE_CHECKING:
    from treplica.simulation.simulation import Simulation

#: Called between pieces of a run with (model ms done, model ms of this run, spikes so far).
Report = Callable[[float, float, int], None]


class RunLoop:
    """Lets an engine do its steps; between them sets currents, records, counts, handles events and saves.

    course: what a checkpoint says of schedule and counts; None for a simulation that begins.
    wall_s, spikes (int64[populations]), busiest: counts, see `Counts`. failure: why the engine cannot go on, if so.
    """

    def __init__(
        self, plan: Plan, engine: Engine, recorders: Recorders, events: EventDispatcher, course: Course | None
    ) -> None:
        self.dt, self.engine, self.recorders, self.events = plan.dt, engine, recorders, events
        self.heard = {plan.index(name): name for name in events.populations()}
        self.pace = Pace(plan.currents, recorders.most_steps)
        self.schedule = course.schedule if course else Schedule()
        counts = course.counts if course else Counts(0.0, [0] * len(plan.populations), 0)
        self.wall_s, self.busiest = counts.wall_s, counts.busiest
        self.spikes = np.array(counts.spikes, dtype=np.int64)
        self.failure: NumericalError | None = None

    @property
    def counts(self) -> Counts:
        """What was counted so far."""
        return Counts(self.wall_s, self.spikes.tolist(), self.busiest)

    def run(self, sim: Simulation, steps: int, keeping: Autosave, report: Report | None) -> None:
        """Do some steps, of a simulation that handlers are given and that is saved as `keeping` says."""
        if self.failure:
            raise self.failure
        end = self.engine.step + steps
        self.schedule = Schedule(end, keeping.every)
        with deferred_interrupt() as interrupted:
            try:
                self._autosave(sim, keeping)
                while self.engine.step < end and not interrupted():
                    stop = keeping.stop(self.engine.step, end)
                    self.pace.set_currents(self.engine)
                    pause = self.events.pause(self.engine.step, self.dt, stop)
                    self._piece(sim, self.pace.steps(self.engine.step, pause))
                    if self.engine.step == stop:
                        self._autosave(sim, keeping)
                    if report:
                        done = steps - (end - self.engine.step)
                        report(done * self.dt, steps * self.dt, int(self.spikes.sum()))
                if self.engine.step < end:
                    self._autosave(sim, keeping)
            finally:
                self.recorders.flush()

    def _autosave(self, sim: Simulation, keeping: Autosave) -> None:
        if keeping.every is not None:
            sim.save(keeping.path)

    def _piece(self, sim: Simulation, n_steps: int) -> None:
        """Some steps without looking up."""
        started = time.perf_counter()
        done = self.engine.advance(n_steps)
        elapsed = time.perf_counter() - started
        self.wall_s += elapsed
        self.pace.learn(done.steps, elapsed)
        self.spikes += done.counts.sum(axis=0)
        self.busiest = max(self.busiest, int(done.counts.sum(axis=1).max(initial=0)))
        self.recorders.take(done)
        if done.failure:
            self.failure = done.failure
            raise done.failure
        for index, name in self.heard.items():
            self.events.spikes(sim.time, name, done.spikes[index].ids)
        self.events.dispatch(sim, sim.time)
