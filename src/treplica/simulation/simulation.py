"""A network, running."""

from __future__ import annotations

import sys
import time
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from treplica.coding import SpikeTrains, Traces
from treplica.engines.base import Sleep, Wanted
from treplica.engines.budget import check_memory
from treplica.engines.grid import check_dt, steps_of
from treplica.engines.plan import Plan
from treplica.engines.resolve import resolve
from treplica.errors import InvalidValue, SimulationError
from treplica.network import Network, Population, Probe, View
from treplica.network.checks import check_count, check_known, check_number
from treplica.network.file import to_text
from treplica.numerics.formats import Precision
from treplica.simulation.autosave import autosave
from treplica.simulation.checkpoint import Course, Saved, read, units_of, write
from treplica.simulation.choice import choose, make_engine
from treplica.simulation.events import EventDispatcher
from treplica.simulation.feeding import Feeder
from treplica.simulation.recorders import Recorders
from treplica.simulation.running import Report, RunLoop
from treplica.simulation.settings import Settings
from treplica.simulation.summary import Summary, summarise
from treplica.simulation.watching import Watching


class Simulation:
    """Runs a network step by step.

    - `network`: the description; later changes to it are not seen
    - `dt`: length of a step in ms; delays and times are multiples of it
    - `engine`: "auto" (says what it chose), "cpu", "plain", or "event", which works without steps: delays and times of
      spikes are any, and `dt` is what recordings and currents are counted in
    - `threads`: how many (None: a choice); the spikes do not depend on it
    - `precision`: "float64", "float32", or "int16" and "int8", which keep states in fixed point and compute in float32;
      engines agree bit for bit in each
    - `weights`: whole numbers that drawn weights become: "int8", "int14", "int16" bits with the sign, or "float32"
      with 24 significant ones; "auto" is int14 for random weights and 32 bits for given ones. The summary says what
      that does to them
    - `storage`: how synapses are kept: "packed" words, "rows", "procedural" (not kept, but recomputed at each spike)
      or "auto", the narrowest that is fast; the spikes do not depend on it
    - `sleep`: whether neurons at rest are skipped: "auto" (where most of a population rest), "always" or "never"; the
      spikes do not depend on it
    - `events`: handlers of what happens in the network, called between steps or slices (see `EventDispatcher`)
    - `seed`: instead of the network's
    - `record_to`: a folder for recordings, one HDF5 file for each probe, written as the run goes (None: memory)
    - `memory_budget`: bytes that recordings may hold before they are written
    - `quiet`: do not say which engine was chosen

    Raises InvalidValue, before anything runs, for what does not fit.
    """

    def __init__(
        self,
        network: Network,
        *,
        dt: float = 0.1,
        engine: str = "auto",
        threads: int | None = None,
        precision: Precision = "float64",
        weights: Literal["auto", "int8", "int14", "int16", "float32"] = "auto",
        storage: Literal["auto", "packed", "rows", "procedural"] = "auto",
        sleep: Sleep = "auto",
        events: EventDispatcher | None = None,
        seed: int | None = None,
        record_to: str | Path | None = None,
        memory_budget: int = 256 * 2**20,
        quiet: bool = False,
    ) -> None:
        if not isinstance(network, Network):
            raise InvalidValue("Simulation(network)", network, "a Network")
        started = time.perf_counter()
        dt = check_dt(dt)
        chosen = network.seed if seed is None else check_count("seed", seed, 0, 2**64 - 1)
        settings = Settings(
            dt, engine, threads, precision, weights, storage, sleep, chosen, record_to, memory_budget
        )
        self.choice = choose(network, engine, threads, storage, sleep, precision)
        self._listen(network, events, dt)
        kept, continuous = (self.choice.storage, self.choice.threads), not self.choice.steps
        check_memory(network, dt, precision, weights, *kept, continuous)
        plan = resolve(network, dt, chosen, precision, weights, continuous)
        self._build(network.copy(), plan, settings, started, quiet)

    def _listen(self, network: Network, events: EventDispatcher | None, dt: float, now: float = 0.0) -> None:
        """Take handlers of events, which must fit; now: ms."""
        self.events = EventDispatcher() if events is None else events
        if not isinstance(self.events, EventDispatcher):
            raise InvalidValue("events", events, "an EventDispatcher")
        self.events.check(network, dt if self.choice.steps else None, now)

    def _build(
        self,
        network: Network,
        plan: Plan,
        asked: Settings,
        started: float,
        quiet: bool,
        saved: Saved | None = None,
    ) -> None:
        """Make everything, as it was at a checkpoint where one is given. started: when, for the figures."""
        self._network, self.plan, self.seed, self.dt = network, plan, plan.seed, plan.dt
        wanted = self.events.wanted(plan)
        watching = Watching(plan, wanted if self.choice.steps else Wanted())
        course = saved.course if saved else None
        kept = course.recordings if course else None
        self.recorders = Recorders(plan, network, asked.record_to, asked.memory_budget, kept)
        self.settings = asked.checked(plan.dt, self.recorders.folder)
        before = time.perf_counter() - started
        started = time.perf_counter()
        watched = {*self.recorders.populations, *watching.populations}
        samplers = [*self.recorders.samplers, *watching.samplers]
        self.engine = make_engine(plan, self.choice, samplers, sorted(watched), wanted)
        self.build_s = before + self.engine.build_s
        if saved:
            self.engine.restore(saved.snapshot)
            self.recorders.go_on()
        watching.begin(self.engine, saved.snapshot if saved else None)
        self.compile_s = time.perf_counter() - started - self.engine.build_s
        self.feeder = Feeder(plan, network, course.fed if course else None)
        self.loop = RunLoop(plan, self.engine, self.recorders, self.events, watching, course)
        self.closed = False
        self.events.serve(self, network, self.dt if self.choice.steps else None)
        if not quiet:
            print(f"treplica: {self.choice}, {asked.precision}", file=sys.stderr)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        threads: int | None = None,
        engine: str | None = None,
        storage: Literal["auto", "packed", "rows", "procedural"] | None = None,
        events: EventDispatcher | None = None,
        record_to: str | Path | None = None,
        quiet: bool = False,
    ) -> Simulation:
        """The simulation that was saved to a file; it goes on as if it had never stopped, with the same spikes.

        - `threads`, `engine`, `storage`: others than those that were asked for; the spikes do not depend on them
        - `events`: handlers of events, which a file cannot hold
        - `record_to`: where the folder with its recordings is now (None: where it was; a checkpoint that lies in it
          may be moved with it). For recordings in memory: an empty folder, into which they go from now on
        - `quiet`: do not say which engine was chosen

        Files of recordings are cut to where they were at the checkpoint. `sim.remaining` is what was left of the run
        that was under way. Raises DescriptionError for a file that is not a checkpoint, was cut off, damaged, or
        written by a later release, and for recordings that are not those of the checkpoint.
        """
        started = time.perf_counter()
        saved = read(Path(path))
        asked = saved.course.settings.changed(engine, threads, storage, record_to)
        sim = cls.__new__(cls)
        sim.choice = choose(
            saved.network, asked.engine, asked.threads, asked.storage, asked.sleep, asked.precision
        )
        sim._listen(saved.network, events, asked.dt, saved.snapshot.step * asked.dt)
        sim._build(saved.network, saved.plan, asked, started, quiet, saved)
        return sim

    def save(self, path: str | Path) -> None:
        """Write everything that the run depends on, and what was recorded so far, to a file (a checkpoint).

        It is written beside, and renamed when it is on the disk: a process that is killed leaves the file that was
        there before, or the new one. What is recorded to a folder stays there; the checkpoint knows how far it was.
        Raises SimulationError for a simulation that was closed or has failed, OutputError where the file cannot be
        written, DescriptionError for a network that `Network.save` cannot write.
        """
        target = Path(path)
        if self.closed:
            raise SimulationError(
                "The simulation was closed and cannot be saved: save it before it is closed."
            )
        self.loop.check_save()
        self.recorders.refuse(target)
        course = Course(
            self.settings,
            self.loop.schedule,
            self.loop.counts,
            units_of(self.plan),
            self.feeder.fed,
            self.recorders.kept(),
        )
        write(target, self._description, course, self.engine.snapshot())

    @cached_property
    def _description(self) -> str:
        """The network as text; arrays of gigabytes are packed once."""
        return to_text(self._network)

    @property
    def network(self) -> Network:
        """The network that is simulated; adding to it does not change the simulation."""
        return self._network.copy()

    @property
    def time(self) -> float:
        """Model time in ms."""
        return self.engine.time

    @property
    def remaining(self) -> float:
        """What is left, in ms, of a run that was interrupted, or that was under way when it was saved; else 0."""
        return max(0, self.loop.schedule.end - self.engine.step) * self.dt

    @property
    def checkpoint_every(self) -> float | None:
        """The time in ms between checkpoints of the last run (None: there were none)."""
        every = self.loop.schedule.every
        return every and every * self.dt

    @property
    def spikes(self) -> NDArray[np.int64]:
        """Spikes so far, int64[populations]; it counts on while the simulation runs."""
        return self.loop.spikes

    @property
    def wall_s(self) -> float:
        """Wall time that the engine took so far, in s."""
        return self.loop.wall_s

    def run(
        self,
        duration: float,
        report: Report | None = None,
        *,
        checkpoint_every: float | None = None,
        checkpoint: str | Path | None = None,
    ) -> None:
        """Run for `duration` ms. `report` is called between pieces of the run, a few times a second.

        With `checkpoint_every` the simulation is saved to the file `checkpoint` at the beginning, whenever the model
        time is a multiple of so many ms, and at the end (default: `run.checkpoint` in the folder of recordings).

        Ctrl-C ends the run after the present piece, with everything recorded until then kept, and is raised again.
        NumericalError, likewise, where a state is no longer finite; HandlerError where a handler of events raises.
        """
        steps = steps_of("run duration", check_number("run duration", duration), self.dt)
        keeping = autosave(checkpoint_every, checkpoint, self.dt, self.recorders.folder)
        if self.closed:
            raise SimulationError("The simulation was closed: make a new one to run again.")
        self.loop.run(self, steps, keeping, report)

    def feed(
        self,
        target: Population | View,
        trains: SpikeTrains,
        *,
        weight: float = 1.0,
        port: str | None = None,
        start: float | None = None,
    ) -> None:
        """Let given spikes arrive: train j at the j-th neuron of the target, each with `weight`, onto a port.

        The trains' time 0 is `start` ms of model time (default: now). Where the engine works in steps, their dt must be
        a multiple of this dt, and they may not have exact times (see `SpikeTrains.on_grid`).
        """
        begin = self.time if start is None else check_number("feed start", start)
        if self.choice.steps:
            begin = steps_of("feed start", begin, self.dt) * self.dt
        if begin < self.time:
            raise InvalidValue("feed start", start, f"not before now ({self.time:g} ms)")
        self.loop.inject(self.feeder.injection(target, trains, weight, port, begin, self.engine.step))

    @overload
    def __getitem__(self, probe: Probe) -> Any: ...
    @overload
    def __getitem__(self, probe: str) -> Any: ...
    def __getitem__(self, probe: Probe | str) -> SpikeTrains | Traces:
        """What a probe (or its name) has recorded so far: `SpikeTrains` or `Traces`."""
        return self.recorders.result(probe)

    def state(self, population: Population | str, variable: str) -> NDArray[Any]:
        """A copy of a state variable (`v`, `ampa.g`) of a population, [size]."""
        asked = population.name if isinstance(population, Population) else population
        name = check_known("population", asked, [p.name for p in self.plan.populations])
        index = self.plan.index(name)
        known = self.plan.populations[index].composition.states()
        return self.engine.read(index, check_known(f"variable of {name}", variable, known))

    def summary(self) -> Summary:
        """Figures of the run so far."""
        return summarise(self)

    def close(self) -> None:
        """Give threads back and put recordings on disk; the results stay readable."""
        self.closed = True
        self.engine.close()
        self.recorders.finish()

    def __enter__(self) -> Simulation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Simulation at {self.time:g} ms: {self.plan.neurons} neurons, {self.choice}>"
