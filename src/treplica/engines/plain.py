"""The oracle: one neuron, one synapse, one number at a time, by calling the model functions as they are written.

Nothing here is clever. What another engine does differently from this is wrong.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.base import Advance
from treplica.engines.composition import Part, PoissonDrive, ScatteredDrive
from treplica.engines.connections import Connections, Row
from treplica.engines.failure import find_failure
from treplica.engines.plan import Injection, Plan, PopulationPlan, Sampler
from treplica.engines.poisson import scattered
from treplica.engines.snapshot import Snapshot, Spikes, copy_states, pending, set_states
from treplica.model.check import WORDS
from treplica.model.rebind import rebind
from treplica.numerics import noise

Event = tuple[int, int]  # neuron id, value of its spike


class PlainEngine:
    """Runs a plan in CPython. Sums are Python integers, neurons numpy scalars of the working type."""

    name = "plain"
    threads = 1
    build_s = 0.0
    skipped_updates = 0.0

    def __init__(self, plan: Plan, samplers: list[Sampler], watched: Collection[int]) -> None:
        plan.check_steps(self.name)
        self.plan, self.samplers, self.watched = plan, samplers, watched
        self.step = 0
        self.synaptic_events = 0
        self.failed = False
        real = plan.format.to_real
        self.functions = [
            [rebind(part.model.step_checked, WORDS, real) for part in p.composition.parts]
            for p in plan.populations
        ]
        #: arrivals[step][population, port, id] -> whole units
        self.arrivals: dict[int, dict[tuple[int, int, int], int]] = defaultdict(lambda: defaultdict(int))
        self.rows: dict[tuple[str, int], Row] = {}
        self.flying: list[tuple[int, list[list[Event]]]] = []
        self.injections: list[Injection] = []
        for injection in plan.injections:
            self.inject(injection)

    def advance(self, n_steps: int, until: float = math.inf) -> Advance:
        """Do n_steps steps, or fewer where a state is not finite."""
        first = self.step
        counts = np.zeros((n_steps, len(self.plan.populations)), dtype=np.int64)
        events: list[list[tuple[int, int, int]]] = [[] for _ in self.plan.populations]
        samples: list[list[NDArray[Any]]] = [[] for _ in self.samplers]
        for s in range(n_steps):
            self.step += 1
            fired = self.one_step()
            self._remember(fired)
            for index, spikes in enumerate(fired):
                counts[s, index] = len(spikes)
                events[index] += [(self.step, neuron, value) for neuron, value in spikes]
            for taken, sampler in zip(samples, self.samplers, strict=True):
                if self.step % sampler.interval == 0:
                    taken.append(self.read(sampler.population, sampler.variable)[sampler.ids])
            if self.failed:
                break
        recorded = {p: self._spikes(events[p], self.plan.populations[p]) for p in self.watched}
        real = self.plan.format.real
        rows = [
            np.array(taken, dtype=real).reshape(len(taken), sampler.ids.size)
            for taken, sampler in zip(samples, self.samplers, strict=True)
        ]
        done = self.step - first
        failure = find_failure(self.plan, self.step) if self.failed else None
        return Advance(done, counts[:done], recorded, rows, failure)

    def one_step(self) -> list[list[Event]]:
        """Read what arrives, update every neuron, send the spikes."""
        arriving = self.arrivals.pop(self.step, {})
        with np.errstate(all="ignore"):
            fired = [self._update(p, arriving) for p in range(len(self.plan.populations))]
        if not self.failed:
            self._send_all(fired)
        return fired

    def _send_all(self, fired: list[list[Event]]) -> None:
        for connections in self.plan.connections:
            for neuron, value in fired[connections.source]:
                self._send(connections, neuron, value)

    def _send(self, connections: Connections, neuron: int, value: int) -> None:
        """Deliver a spike over every synapse of its row."""
        key = connections.name, neuron
        if key not in self.rows:
            self.rows[key] = connections.row(neuron)
        for target, weight, delay in zip(*self.rows[key], strict=True):
            reached = (connections.target, connections.port, int(target))
            self.arrivals[self.step + int(delay)][reached] += int(weight) * value
            self.synaptic_events += 1

    def _update(self, index: int, arriving: dict[tuple[int, int, int], int]) -> list[Event]:
        population = self.plan.populations[index]
        drawn = {part.label: self._noise(part, population.size) for part in population.composition.parts}
        spikes = [self._poisson(drive, population.size) for drive in population.composition.drives]
        fired = []
        for neuron in range(population.size):
            counts = [int(s[neuron]) for s in spikes]
            arrived = self._arrived(index, population, neuron, arriving, counts)
            silent = not any(counts) and not any(
                arriving.get((index, j, neuron), 0) for j in range(len(population.composition.ports))
            )
            value = self._neuron(index, population, neuron, arrived, drawn, silent)
            if value:
                fired.append((neuron, value))
        return fired

    def _noise(self, part: Part, size: int) -> dict[str, NDArray[np.float32]]:
        laws = {"normal": noise.normal, "uniform": noise.uniform}
        return {
            name: laws[part.model.fields[name].law](self.plan.seed, stream, self.step, 0, size)
            for name, stream in part.streams.items()
        }

    def _poisson(self, drive: PoissonDrive | ScatteredDrive, size: int) -> NDArray[np.int64]:
        """How many spikes of a drive reach each neuron in this step."""
        if isinstance(drive, ScatteredDrive):
            return np.bincount(scattered(drive, self.plan.seed, self.step), minlength=size)
        words = noise.words(self.plan.seed, drive.stream, self.step, 0, size)
        counts: NDArray[np.int64] = (drive.tables[drive.classes] < words[:, None]).sum(axis=1)
        return counts

    def _arrived(
        self,
        index: int,
        population: PopulationPlan,
        neuron: int,
        arriving: dict[tuple[int, int, int], int],
        spikes: list[int],
    ) -> list[Any]:
        """What arrives at every port of a neuron."""
        real, arrived = self.plan.format.to_real, []
        for j, port in enumerate(population.composition.ports):
            total = real(np.int64(arriving.get((index, j, neuron), 0))) * real(port.unit)
            for drive, count in zip(population.composition.drives, spikes, strict=True):
                if drive.port == j:
                    total = total + real(count) * real(drive.weight)
            arrived.append(total)
        return arrived

    def _neuron(
        self,
        index: int,
        population: PopulationPlan,
        neuron: int,
        arrived: list[Any],
        drawn: dict[str, dict[str, NDArray[np.float32]]],
        silent: bool,
    ) -> int:
        """Compute one neuron with its receptors and stimuli, as `composition` defines it; the value of its spike.

        silent: nothing arrived.
        """
        real = self.plan.format.to_real
        composition = population.composition
        before = self._states(composition.neuron, neuron)
        supplied: dict[str, Any] = {name: values[neuron] for name, values in population.external.items()}
        results = []
        for part, function in zip(composition.parts, self.functions[index], strict=True):
            known: dict[str, Any] = {"dt": real(self.plan.dt), **before}
            known |= self._states(part, neuron)
            known |= {n: real(v if isinstance(v, float) else v[neuron]) for n, v in part.constants.items()}
            known |= {n: real(values[neuron]) for n, values in drawn[part.label].items()}
            known |= {name: arrived[port] for name, port in part.ports.items()}
            if part is composition.neuron:
                known |= {n: supplied.get(n, real(0.0)) for n in part.model.of_kind("current")}
            result = function(**{a: known[a] for a in part.model.arguments})
            results.append(result)
            if part is not composition.neuron:
                current = result["current"] if part.mask is None or part.mask[neuron] else real(0.0)
                supplied[part.feeds] = supplied[part.feeds] + current if part.feeds in supplied else current
        if silent and composition.rest is not None and not results[-1]["spike"]:
            rest = real(composition.rest)
            changes = [
                abs(result[n] - old)
                for part, result in zip(composition.parts, results, strict=True)
                for n, old in self._states(part, neuron).items()
            ]
            if all(change <= rest for change in changes):
                return 0
        for part, result in zip(composition.parts, results, strict=True):
            for name, values in part.states.items():
                self.failed |= not np.isfinite(result[name])
                fixed = part.fixed.get(name)
                values[neuron] = fixed.to_whole(result[name]) if fixed else result[name]
        value = float(results[-1]["spike"])
        if population.graded == 1:
            return int(value != 0.0)
        if not abs(value) <= population.graded:
            self.failed = True
            return 0
        return int(value)

    def _states(self, part: Part, neuron: int) -> dict[str, Any]:
        """The states of a part for one neuron, in the working type."""
        real = self.plan.format.real
        return {
            n: part.fixed[n].to_real(values[neuron], real) if n in part.fixed else values[neuron]
            for n, values in part.states.items()
        }

    def _spikes(self, events: list[tuple[int, int, int]], population: PopulationPlan) -> Spikes:
        table = np.array(events, dtype=np.int64).reshape(-1, 3)
        values = table[:, 2].astype(np.int32) if population.graded > 1 else None
        return Spikes(table[:, 0], table[:, 1].astype(np.int32), values)

    def set_external(
        self, population: int, current: str, ids: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Set the external current of some neurons."""
        self.plan.populations[population].external[current][ids] = values

    def inject(self, injection: Injection) -> None:
        """Add arrivals for steps to come."""
        self.injections.append(injection)
        for step, neuron, amount in zip(injection.steps, injection.ids, injection.amounts, strict=True):
            self.arrivals[int(step)][injection.population, injection.port, int(neuron)] += int(amount)

    def _remember(self, fired: list[list[Event]]) -> None:
        """Keep spikes as long as they travel."""
        self.flying.append((self.step, fired))
        while self.flying[0][0] <= self.step - self.plan.longest_delay:
            self.flying.pop(0)

    def snapshot(self) -> Snapshot:
        """What the steps to come depend on."""
        flying = []
        for p, population in enumerate(self.plan.populations):
            events = [(step, *event) for step, fired in self.flying for event in fired[p]]
            flying.append(self._spikes(events, population))
        given = [pending(i, self.step) for i in self.injections]
        return Snapshot(self.step, *copy_states(self.plan), flying, given, self.synaptic_events)

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot; for an engine that has not done a step."""
        set_states(self.plan, snapshot)
        self.arrivals.clear()
        self.injections = []
        for injection in snapshot.injections:
            self.inject(injection)
        fired: dict[int, list[list[Event]]] = {}
        for p, spikes in enumerate(snapshot.flying):
            values = np.ones(spikes.ids.size, np.int32) if spikes.values is None else spikes.values
            for step, neuron, value in zip(spikes.steps, spikes.ids, values, strict=True):
                events = fired.setdefault(int(step), [[] for _ in self.plan.populations])
                events[p].append((int(neuron), int(value)))
        self.flying = sorted(fired.items())
        for step, events in self.flying:
            self.step = step
            self._send_all(events)
        self.step, self.synaptic_events = snapshot.step, snapshot.events
        for past in [s for s in self.arrivals if s <= self.step]:
            del self.arrivals[past]

    def read(self, population: int, variable: str) -> NDArray[Any]:
        """A copy of a state variable."""
        return self.plan.populations[population].read(variable, self.plan.format.real)

    def write(self, population: int, variable: str, values: NDArray[Any]) -> None:
        """Replace a state variable."""
        self.plan.populations[population].write(variable, values)

    def memory(self) -> dict[str, int]:
        """Bytes of the arrays; Python's own objects are not counted."""
        states = sum(v.nbytes for p in self.plan.populations for v in p.composition.states().values())
        return {"states": states, "synapses": 0}

    @property
    def time(self) -> float:
        """Model time in ms."""
        return self.step * self.plan.dt

    @property
    def synapse_count(self) -> int:
        """How many synapses there are."""
        return sum(c.count for c in self.plan.connections)

    def describe(self) -> str:
        """How synapses and sums are kept."""
        return "rows computed when they are needed; sums of any size"

    def close(self) -> None:
        """Nothing is held."""
