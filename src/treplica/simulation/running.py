"""The run loop: pieces of a run, and what is done between them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from treplica.engines.base import Engine
from treplica.engines.plan import Injection, Plan
from treplica.errors import InvalidValue, NumericalError, SimulationError
from treplica.simulation.autosave import Autosave
from treplica.simulation.checkpoint import Counts, Course
from treplica.simulation.events import EventDispatcher
from treplica.simulation.interrupt import deferred_interrupt
from treplica.simulation.pace import Pace
from treplica.simulation.recorders import Recorders
from treplica.simulation.settings import Schedule
from treplica.simulation.watching import Watching

if TYPE_CHECKING:
    from treplica.simulation.simulation import Simulation

#: Called between pieces of a run with (model ms done, model ms of this run, spikes so far).
Report = Callable[[float, float, int], None]


class RunLoop:
    """Lets an engine do its steps; between them sets currents, records, counts, handles events and saves.

    watching: what finds events beside an engine with steps. course: what a checkpoint says of schedule and counts; None
    for a simulation that begins.
    wall_s, spikes (int64[populations]), busiest: counts, see `Counts`. failure: why the engine cannot go on, if so.
    """

    def __init__(
        self,
        plan: Plan,
        engine: Engine,
        recorders: Recorders,
        events: EventDispatcher,
        watching: Watching,
        course: Course | None,
    ) -> None:
        self.dt, self.engine, self.recorders, self.events = plan.dt, engine, recorders, events
        self.watching = watching
        most = [n for n in (recorders.most_steps, watching.most_steps) if n is not None]
        self.pace = Pace(plan.currents, min(most))
        self.running = False
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
        end = self.engine.step + steps
        self._check(sim, end, keeping)
        self.schedule = Schedule(end, keeping.every)
        with deferred_interrupt() as interrupted:
            try:
                self.running = True
                # Emitted for now between runs, or left by a handler that raised.
                self.events.dispatch(sim, self.engine.time)
                self._autosave(sim, keeping)
                while self.engine.step < end and not (interrupted() and self._may_stop(keeping)):
                    stop = keeping.stop(self.engine.step, end)
                    self.pace.set_currents(self.engine)
                    self._piece(sim, stop)
                    if self.engine.step == stop:
                        self._autosave(sim, keeping)
                    if report:
                        done = steps - (end - self.engine.step)
                        report(done * self.dt, steps * self.dt, int(self.spikes.sum()))
                if self.engine.step < end:
                    self._autosave(sim, keeping)
            finally:
                self.running = False
                self.recorders.flush()

    def _check(self, sim: Simulation, end: int, keeping: Autosave) -> None:
        """Whether a run to a step can be made."""
        if self.failure:
            raise self.failure
        if self.running:
            raise SimulationError(
                "A handler cannot run its own simulation: let it emit events and feed spikes."
            )
        if not self.events.serves(sim):
            problem = "The EventDispatcher of this simulation was given to another one"
            raise SimulationError(f"{problem}: make one for each.")
        if keeping.every is not None:
            for what, steps in (("checkpoint_every", keeping.every), ("end of the run", end)):
                if not self._may_save(steps * self.dt):
                    allowed = f"a multiple of the slice of events, {self.events.slice:g} ms"
                    advice = "In between, events are waiting, and a file cannot hold them."
                    raise InvalidValue(what, steps * self.dt, allowed, advice)

    def _may_save(self, time: float) -> bool:
        """Whether no slice of events is under way at a time."""
        return self.events.clock.end(time) == time

    def _may_stop(self, keeping: Autosave) -> bool:
        return keeping.every is None or self._may_save(self.engine.time)

    def check_save(self) -> None:
        """SimulationError where a file could not hold what there is."""
        if self.failure:
            raise SimulationError(f"The simulation has failed and cannot be saved: {self.failure}")
        if self.events.pending:
            next_time = f"the next at {self.events.next_time:g} ms"
            what = f"{self.events.pending} events are still to be handled ({next_time})"
            raise SimulationError(f"{what}: a file cannot hold them. Save when there are none.")

    def inject(self, injection: Injection) -> None:
        """Let given spikes arrive."""
        self.engine.inject(injection)
        self.watching.inject(injection)

    def _autosave(self, sim: Simulation, keeping: Autosave) -> None:
        if keeping.every is not None:
            sim.save(keeping.path)

    def _piece(self, sim: Simulation, stop: int) -> None:
        """Some steps without looking up, until `stop` at most; then what is due."""
        engine, until = self.engine, self.events.due(self.engine.time)
        steps = self.events.clock.dt is not None
        pause = round(until / self.dt) if steps and until < stop * self.dt else stop
        started = time.perf_counter()
        done = engine.advance(self.pace.steps(engine.step, pause), until)
        elapsed = time.perf_counter() - started
        self.wall_s += elapsed
        self.pace.learn(done.steps, elapsed)
        self.spikes += done.counts.sum(axis=0)
        self.busiest = max(self.busiest, int(done.counts.sum(axis=1).max(initial=0)))
        self.recorders.take(done)
        if done.failure:
            self.failure = done.failure
            raise done.failure
        self.events.notice(done.noticed + self.watching.take(done, engine.step))
        self.events.dispatch(sim, engine.time)
