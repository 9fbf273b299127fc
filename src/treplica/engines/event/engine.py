"""The `event` engine: from event to event, in order of time, in closed form."""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.base import Advance, Noticed, Wanted
from treplica.engines.event.access import Cells
from treplica.engines.event.build import Places, make_drives, make_world, place_links
from treplica.engines.event.forms import form_of
from treplica.engines.event.found import Found
from treplica.engines.event.given import Deliveries
from treplica.engines.event.kernels_access import foresee
from treplica.engines.event.kernels_cells import STEPPED, V
from treplica.engines.event.kernels_clocks import make_clocks, set_clock
from treplica.engines.event.kernels_drives import start_drives
from treplica.engines.event.kernels_flights import grown, make_flights
from treplica.engines.event.kernels_loop import run
from treplica.engines.event.noticing import Noticing, watches_of
from treplica.engines.event.rows import Rows
from treplica.engines.event.snapshots import restore, take
from treplica.engines.event.stepped import Stepped
from treplica.engines.event.world import (
    B_BROKEN,
    B_EVENTS,
    B_FIRED,
    B_PAUSE,
    B_SENT,
    B_STEP,
    B_UPDATES,
    BROKEN,
    DONE,
    FULL,
    NO_ROOM,
    PAUSED,
    S_CLOCKS,
    STEP,
)
from treplica.engines.failure import find_failure
from treplica.engines.plan import Injection, Plan, Sampler
from treplica.engines.snapshot import Snapshot
from treplica.errors import NumericalError

#: Entries of the queue at the beginning.
ROOM = 1 << 10


class EventEngine:
    """Runs a continuous plan; `dt` is what recordings are counted in, and the step of neurons without a closed form."""

    name = "event"
    threads = 1

    def __init__(
        self, plan: Plan, samplers: list[Sampler], watched: Collection[int], wanted: Wanted | None = None
    ) -> None:
        self.plan, self.samplers, self.watched = plan, samplers, watched
        self.step = 0
        self.time = 0.0
        started = time.perf_counter()
        self.forms = [form_of(p) for p in plan.populations]
        self.places = places = Places(plan)
        self.wanted = wanted or Wanted()
        watches = watches_of(plan, self.forms, self.wanted)
        self.drives = make_drives(plan, self.forms, places)
        self.world = make_world(plan, self.forms, places, [w for _, w in watches], self.drives.rates.size)
        self.noticing = Noticing(plan, self.wanted, [c for c, _ in watches], places, self.world)
        self.noticed: list[Noticed] = []
        stepped = {p for p, form in enumerate(self.forms) if form.kind == STEPPED}
        self.rows = Rows(plan, places.firsts, places.sums, stepped, self.wanted.arrivals)
        place_links(self.world, np.array([c.source for c in self.rows.connections], np.int64))
        first = places.neurons
        self.clocks = make_clocks(int(self.world.sizes[S_CLOCKS]))
        self.grid = self.clocks.due.size - 1
        self.cells = Cells(plan, self.forms, places, self.world, self.clocks)
        self.flights = make_flights(ROOM)
        self.found = Found(plan, places, self.world)
        self.forget_given()
        for injection in plan.injections:
            self.inject(injection)
        self.stepped = {
            p: Stepped(plan, p, self.world, self._sums(p), int(places.firsts[p])) for p in stepped
        }
        self.build_s = time.perf_counter() - started
        start_drives(self.world, self.clocks, self.drives, first)
        for p in range(len(plan.populations)):
            if p not in stepped:
                foresee(self.world, self.clocks, self.cells.neurons(p), 0.0)
        self.wake()
        for population in self.stepped.values():
            self.noticing.begin(population)
        self.failure: NumericalError | None = None

    def _sums(self, population: int) -> list[NDArray[np.int64]]:
        """The sums of each port of a population."""
        size = self.plan.populations[population].size
        ports = range(len(self.plan.populations[population].composition.ports))
        starts = [self.places.sums[population, port] for port in ports]
        return [self.world.sums[s : s + size] for s in starts]

    # Running

    def advance(self, n_steps: int, until: float = math.inf) -> Advance:
        """Go on for n_steps steps, until a time in ms, or until something is noticed that is wanted at once."""
        first, dt = self.step, self.plan.dt
        last = first + n_steps
        samples: list[list[NDArray[Any]]] = [[] for _ in self.samplers]
        while self.step < last and self.time < until:
            whole = self._next_stop(last)
            stop = min(whole * dt, until)
            if not self._run(stop):
                break
            self.time = stop
            self.step = whole if stop == whole * dt else self._complete(stop)
            for taken, sampler in zip(samples, self.samplers, strict=True):
                if stop == whole * dt and whole % sampler.interval == 0:
                    taken.append(self._at(sampler.population, sampler.variable, sampler.ids))
        counts, spikes = self.found.completed(first, self.step, self.watched)
        rows = [
            np.array(taken, dtype=np.float64).reshape(len(taken), sampler.ids.size)
            for taken, sampler in zip(samples, self.samplers, strict=True)
        ]
        noticed, self.noticed = self.noticed, []
        return Advance(self.step - first, counts, spikes, rows, self.failure, noticed)

    def _next_stop(self, last: int) -> int:
        """The next step after which something is sampled, `last` at the latest."""
        return min([last, *((self.step // s.interval + 1) * s.interval for s in self.samplers)])

    def _complete(self, time: float) -> int:
        """How many steps are complete when everything up to and including a time has happened."""
        steps = math.ceil(time / self.plan.dt)
        while steps * self.plan.dt > time:
            steps -= 1
        return steps

    def _run(self, stop: float) -> bool:
        """Go through all events up to and including a time; whether that was reached."""
        board = self.world.board
        end = stop + self.world.grid[1] if self.stepped else stop
        while True:
            arrays = (self.world, self.clocks, self.flights, self.rows.synapses, self.drives)
            why = run(*arrays, self.deliveries.given, self.found.out, end)
            if why == DONE:
                self.found.drain()
                return True
            if why == NO_ROOM:
                self.flights = grown(self.flights)
            elif why == FULL:
                self.found.drain()
            elif why == STEP:
                board[B_STEP] = 0
                self._step(round((self.world.now[0] - self.world.grid[1]) / self.plan.dt))
            elif why == PAUSED:
                board[B_PAUSE] = 0
                self.noticed += self.noticing.instant()
            if why == BROKEN or self.failure or (why == PAUSED and self.wanted.at_once):
                self.found.drain()
                self._stand(min(float(self.world.now[1]), stop))
                self._fail()
                return False

    def _stand(self, time: float) -> None:
        """Stop at an instant; others may follow at the same time."""
        self.time = time
        step = self._complete(time)
        if step * self.plan.dt + self.world.grid[1] >= self.world.now[0]:
            step -= 1
        self.step = max(self.step, step)

    def _step(self, number: int) -> None:
        """The step of all neurons without a closed form that are awake."""
        fired, values, time = [], [], number * self.plan.dt
        before = len(self.noticed)
        for p, population in sorted(self.stepped.items()):
            arrived = population.waiting()
            if population.busy or arrived.size:
                self.noticed += self.noticing.arrives(population, arrived, time)
                ids, own, bad = population.step(number, arrived)
                self.noticed += self.noticing.rises(population, time)
                fired.append(ids + np.int32(self.places.firsts[p]))
                values.append(own)
                if bad:
                    self.failure = find_failure(self.plan, number)
        count = sum(f.size for f in fired)
        if count:
            self.world.fired[:count], self.world.values[:count] = (
                np.concatenate(fired),
                np.concatenate(values),
            )
        self.world.board[[B_FIRED, B_SENT]] = count, 0
        self.world.board[B_PAUSE] |= len(self.noticed) > before
        self.world.now[1] = time
        self.wake(number)

    def wake(self, done: int | None = None) -> None:
        """See to it that the step after `done` (the last complete one) is computed if somebody is awake."""
        if any(p.busy for p in self.stepped.values()):
            due = (1 + (self.step if done is None else done)) * self.plan.dt + self.world.grid[1]
            set_clock(self.clocks, self.grid, min(due, self.clocks.due[self.grid]))

    @property
    def done_until(self) -> float:
        """Up to and including which time everything has happened; steps are a little late, see `build.LATE`."""
        return float(self.time + self.world.grid[1]) if self.stepped else self.time

    def snapshot(self) -> Snapshot:
        """What the steps to come depend on."""
        return take(self)

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot."""
        restore(self, snapshot)

    def forget_given(self) -> None:
        """Nothing is given any more."""
        given = self.places.neurons + self.drives.rates.size
        set_clock(self.clocks, given, np.inf)
        self.deliveries = Deliveries(self.places, self.world, self.clocks, given)

    def _fail(self) -> None:
        neuron = int(self.world.board[B_BROKEN]) - 1
        if neuron >= 0:
            p = int(self.world.owner[neuron, 0])
            name, number = self.plan.populations[p].name, neuron - int(self.places.firsts[p])
            value = float(self.world.cells[neuron, V])
            self.failure = NumericalError(name, number, "v", value, self.step + 1, self.plan.dt)

    # Looking at states, and changing them

    def _at(self, population: int, variable: str, ids: NDArray[np.int64] | None = None) -> NDArray[Any]:
        if population in self.stepped:
            values = self.stepped[population].read(variable)
            return values if ids is None else values[ids]
        return self.cells.read(population, variable, self.time, ids)

    def read(self, population: int, variable: str) -> NDArray[Any]:
        """A copy of a state variable now, [size]."""
        return self._at(population, variable)

    def write(self, population: int, variable: str, values: NDArray[Any]) -> None:
        """Replace a state variable."""
        if population not in self.stepped:
            self.cells.write(population, variable, values, self.time)
            return
        self.stepped[population].settle()
        self.plan.populations[population].write(variable, values)
        self.stepped[population].refresh()
        self.wake()

    def set_external(
        self, population: int, current: str, ids: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Set the external current of some neurons from now on."""
        if population not in self.stepped:
            self.cells.set_external(population, current, ids, values, self.time)
            return
        self.stepped[population].settle()
        self.plan.populations[population].external[current][ids] = values
        self.stepped[population].refresh()
        self.wake()

    def inject(self, injection: Injection) -> None:
        """Add arrivals for times to come."""
        self.deliveries.add(injection)

    # Figures

    @property
    def synaptic_events(self) -> int:
        """How many synapses the spikes had that were sent."""
        return int(self.world.board[B_EVENTS])

    @property
    def updates(self) -> int:
        """How many times a neuron was brought up to date."""
        return int(self.world.board[B_UPDATES]) + sum(p.updates for p in self.stepped.values())

    @property
    def skipped_updates(self) -> float:
        """The share of updates that an engine with steps would do and this one did not."""
        steps = self.step * self.plan.neurons
        return max(0.0, 1.0 - self.updates / steps) if steps else 0.0

    @property
    def synapse_count(self) -> int:
        """How many synapses there are."""
        return self.rows.count

    def memory(self) -> dict[str, int]:
        """Bytes by purpose."""
        world = self.world
        sums = (world.sums, world.extra, world.reached)
        arrivals: list[NDArray[Any]] = [*sums, *self.clocks]
        states = sum(a.nbytes for a in world) - sum(a.nbytes for a in sums)
        states += sum(v.nbytes for p in self.plan.populations for v in p.composition.states().values())
        return {
            "states": states,
            "arrivals": sum(a.nbytes for a in arrivals),
            "synapses": self.rows.nbytes,
            "rows": self.rows.synapses.indptr.nbytes,
            "buffers": sum(f.nbytes for f in self.flights) + self.found.nbytes,
        }

    def describe(self) -> str:
        """How synapses are kept, and what has no closed form."""
        names = [self.plan.populations[p].name for p in sorted(self.stepped)]
        stepped = [f"{', '.join(names)} by steps while awake"] if names else []
        return "; ".join(["rows in order of delays, sums of 64 bits", *stepped])

    def close(self) -> None:
        """Nothing is held."""
