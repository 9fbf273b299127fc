"""A network, running."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from treplica.coding import SpikeTrains, Traces
from treplica.engines.grid import steps_of
from treplica.engines.resolve import resolve
from treplica.errors import InvalidValue, NumericalError, SimulationError
from treplica.network import Network, Population, Probe, View
from treplica.network.checks import check_count, check_known, check_number
from treplica.simulation.choice import choose, make_engine
from treplica.simulation.feeding import Feeder
from treplica.simulation.interrupt import deferred_interrupt
from treplica.simulation.pace import Pace
from treplica.simulation.recorders import Recorders
from treplica.simulation.summary import Summary, peak_memory

#: Called between pieces of a run with (model ms done, model ms of this run, spikes so far).
Report = Callable[[float, float, int], None]


class Simulation:
    """Runs a network step by step.

    - `network`: the description; later changes to it are not seen
    - `dt`: length of a step in ms; delays and times are multiples of it
    - `engine`: "auto" (says what it chose), "cpu" or "plain"
    - `threads`: how many (None: a choice); the spikes do not depend on it
    - `precision`: "float64" or "float32"; engines agree bit for bit in either
    - `weights`: whole numbers that drawn weights become: "int8", "int14", "int16" bits with the sign, or "float32"
      with 24 significant ones; "auto" is int14 for random weights and 32 bits for given ones. The summary says what
      that does to them
    - `storage`: how synapses are kept: "packed" words, "rows", "procedural" (not kept, but recomputed at each spike)
      or "auto", the narrowest that is fast; the spikes do not depend on it
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
        precision: Literal["float64", "float32"] = "float64",
        weights: Literal["auto", "int8", "int14", "int16", "float32"] = "auto",
        storage: Literal["auto", "packed", "rows", "procedural"] = "auto",
        seed: int | None = None,
        record_to: str | Path | None = None,
        memory_budget: int = 256 * 2**20,
        quiet: bool = False,
    ) -> None:
        if not isinstance(network, Network):
            raise InvalidValue("Simulation(network)", network, "a Network")
        started = time.perf_counter()
        self.seed = network.seed if seed is None else check_count("seed", seed, 0, 2**64 - 1)
        self.plan = resolve(network, dt, self.seed, precision, weights)
        self.dt = self.plan.dt
        self.choice = choose(self.plan, engine, threads, storage)
        self.recorders = Recorders(self.plan, network, record_to, memory_budget)
        self.build_s = time.perf_counter() - started
        started = time.perf_counter()
        self.engine = make_engine(self.plan, self.choice, self.recorders.samplers, self.recorders.populations)
        self.compile_s = time.perf_counter() - started
        self.feeder = Feeder(self.plan, network)
        self.pace = Pace(self.plan.currents, self.recorders.most_steps)
        self.failure: NumericalError | None = None
        self.closed = False
        self.wall_s = 0.0
        self.spikes = np.zeros(len(self.plan.populations), dtype=np.int64)
        self._busiest = 0
        if not quiet:
            print(f"treplica: {self.choice}, {precision}", file=sys.stderr)

    @property
    def time(self) -> float:
        """Model time in ms."""
        return self.engine.step * self.dt

    def run(self, duration: float, report: Report | None = None) -> None:
        """Run for `duration` ms. `report` is called between pieces of the run, a few times a second.

        Ctrl-C ends the run after the present piece, with everything recorded until then kept, and is raised again.
        NumericalError, likewise, where a state is no longer finite.
        """
        steps = steps_of("run duration", check_number("run duration", duration), self.dt)
        if self.closed:
            raise SimulationError("The simulation was closed: make a new one to run again.")
        if self.failure:
            raise self.failure
        end = self.engine.step + steps
        with deferred_interrupt() as interrupted:
            try:
                while self.engine.step < end and not interrupted():
                    self.pace.set_currents(self.engine)
                    self._piece(self.pace.steps(self.engine.step, end))
                    if report:
                        done = steps - (end - self.engine.step)
                        report(done * self.dt, steps * self.dt, int(self.spikes.sum()))
            finally:
                self.recorders.flush()

    def _piece(self, n_steps: int) -> None:
        """Some steps without looking up."""
        started = time.perf_counter()
        done = self.engine.advance(n_steps)
        elapsed = time.perf_counter() - started
        self.wall_s += elapsed
        self.pace.learn(done.steps, elapsed)
        self.spikes += done.counts.sum(axis=0)
        self._busiest = max(self._busiest, int(done.counts.sum(axis=1).max(initial=0)))
        self.recorders.take(done)
        if done.failure:
            self.failure = done.failure
            raise done.failure

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

        The trains' time 0 is `start` ms of model time (default: now). Their dt must be a multiple of this dt.
        """
        now = self.engine.step
        first = now if start is None else steps_of("feed start", check_number("feed start", start), self.dt)
        if first < now:
            raise InvalidValue("feed start", start, f"not before now ({self.time:g} ms)")
        self.engine.inject(self.feeder.injection(target, trains, weight, port, first, now))

    @overload
    def __getitem__(self, probe: Probe) -> Any: ...
    @overload
    def __getitem__(self, probe: str) -> Any: ...
    def __getitem__(self, probe: Probe | str) -> SpikeTrains | Traces:
        """What a probe (or its name) has recorded so far: `SpikeTrains` or `Traces`."""
        return self.recorders.result(probe)

    def state(self, population: Population | str, variable: str) -> NDArray[Any]:
        """A copy of a state variable (`v`, `ampa.g`) of a population, [size]."""
        names = [p.name for p in self.plan.populations]
        asked = population.name if isinstance(population, Population) else population
        name = check_known("population", asked, names)
        index = names.index(name)
        known = self.plan.populations[index].composition.states()
        return self.engine.read(index, check_known(f"variable of {name}", variable, known))

    def summary(self) -> Summary:
        """Figures of the run so far."""
        model_s, neurons = self.time / 1000.0, self.plan.neurons
        steps, spikes = self.engine.step, int(self.spikes.sum())
        memory = self.engine.memory()
        synapses = self.engine.synapse_count
        targets = memory.get("synapses", 0)
        events = self.engine.synaptic_events
        roundings = self.plan.rounding.values()
        return Summary(
            engine=str(self.choice),
            precision=self.plan.format.name,
            dt_ms=self.dt,
            neurons=neurons,
            synapses=synapses,
            model_s=model_s,
            build_s=self.build_s,
            compile_s=self.compile_s,
            wall_s=self.wall_s,
            wall_s_per_model_s=self.wall_s / model_s if model_s else 0.0,
            peak_memory_bytes=peak_memory(),
            bytes_per_neuron=(sum(memory.values()) - targets) / neurons,
            bytes_per_synapse=targets / synapses if synapses else 0.0,
            spikes=spikes,
            mean_rate_hz=spikes / neurons / model_s if model_s else 0.0,
            silent_share_mean=1.0 - spikes / (neurons * steps) if steps else 1.0,
            silent_share_min=1.0 - self._busiest / neurons,
            synaptic_events=events,
            synaptic_events_per_s=events / self.wall_s if self.wall_s else 0.0,
            storage=self.engine.describe(),
            weight_rounding=max((r.largest for r in roundings), default=0.0),
            weight_mean_error=max((r.mean for r in roundings), default=0.0),
            weight_variance_error=max((r.variance for r in roundings), default=0.0),
        )

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
