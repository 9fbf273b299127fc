"""Events and their handlers: a network that reacts to what happens in it.

An engine with steps handles events between steps: those of a step (t - dt, t] after it, or those of a slice after its
last step. So a handler sees the network as it is at the end of the step or slice.

Events are handled in the order of their times. At one time: first what was emitted for it before the network got
there; then what the network did, in the order in which one leads to the other: arrivals, thresholds, spikes, of each
kind in the order of populations, then of ports or of registration; then what handlers of these emit for the same time.
What was emitted is handled in the order of emission.
"""

from __future__ import annotations

import heapq
import itertools
import math
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike

from treplica.engines.base import NOTICED, Crossing, Noticed, Wanted
from treplica.engines.plan import Plan
from treplica.errors import HandlerError, InvalidValue, SimulationError
from treplica.network import Network
from treplica.network.checks import check_known, check_name, check_number
from treplica.simulation.clock import Clock
from treplica.simulation.topics import KINDS, Event, Topic

if TYPE_CHECKING:
    from treplica.simulation.simulation import Simulation

Handler = Callable[["Simulation", Event], Any]


class EventDispatcher:
    """Calls handlers for events in order of time; give it to `Simulation(..., events=dispatcher)`.

    kinds: further kinds of events, beside "arrival", "threshold", "spike", "reward" and "timer". A handler takes the
    simulation and the event; it may emit events, feed spikes and look at states. One that raises ends the run with a
    HandlerError; the simulation is then as it was after the step or slice, other events and handlers are kept, and
    `run` goes on with them.

    slice: ms. Events of a slice (0, slice], (slice, 2 slice], ... are handled together at its end, in order, each with
    its own time, so that an engine is not interrupted at every step. Where a run ends within a slice they wait for its
    end. For an engine with steps it is a whole number of steps. None: events are handled as soon as possible.

    A dispatcher serves one simulation at a time: the one that was made with it last.
    """

    def __init__(self, kinds: Iterable[str] = (), slice: float | None = None) -> None:
        if isinstance(kinds, str):
            raise InvalidValue("kinds of an EventDispatcher", kinds, "a list of names", f"Write [{kinds!r}].")
        own = [check_name("kind of event", kind) for kind in kinds]
        for kind in own:
            if kind in KINDS or own.count(kind) > 1:
                raise InvalidValue("kind of event", kind, "a name that is not taken")
        if slice is not None:
            allowed = "a finite number > 0 ms, or None"
            slice = check_number("slice of an EventDispatcher", slice, allowed)
            if slice <= 0.0:
                raise InvalidValue("slice of an EventDispatcher", slice, allowed)
        self.kinds, self.slice = (*KINDS, *own), slice
        self.handlers: list[tuple[Topic, Handler]] = []
        #: ms: nothing can be emitted for an earlier time. While a handler runs, the time of its event, or the end of
        #: the slice
        self.now = 0.0
        self.clock = Clock()
        #: moments, numbers in order of emission, events
        self._queue: list[tuple[float, int, Event]] = []
        self._count = itertools.count()
        #: what is left of the event that is being handled
        self._calls: deque[tuple[Handler, Event]] = deque()
        self._network: Network | None = None
        self._served: Callable[[], Simulation | None] = lambda: None

    @overload
    def on(
        self,
        kind: str,
        handler: None = None,
        *,
        population: str = "",
        variable: str = "",
        level: float | None = None,
    ) -> Callable[[Handler], Handler]: ...
    @overload
    def on(
        self,
        kind: str,
        handler: Handler,
        *,
        population: str = "",
        variable: str = "",
        level: float | None = None,
    ) -> Handler: ...
    def on(
        self,
        kind: str,
        handler: Handler | None = None,
        *,
        population: str = "",
        variable: str = "",
        level: float | None = None,
    ) -> Any:
        """Register a handler; also as a decorator, `@dispatcher.on("reward")`.

        population: only events of that population ("" for events of any); needed for what the network does. Handlers
        of an event are called in the order in which they were registered.

        - "spike": neurons of the population fire
        - "arrival": spikes, or what was fed, arrive at neurons of the population, whether these make use of it or not;
          one event for each port. The Poisson spikes of a `PoissonInput` are noise that is computed with the neuron,
          and not among them
        - "threshold": a state `variable` (`v`, `ampa.g`) of the population rises to `level`, in its unit, or above,
          from below. Engines with steps compare the state at the ends of steps, the first one with the state at the
          start: what a spike resets within the step is not seen

        Raises UnknownName for a kind that nobody declared, InvalidValue for what does not fit the kind, SimulationError
        for a handler of what the network does when its simulation has been made.
        """
        topic = Topic(check_known("kind of event", kind, self.kinds), population, variable, level)
        if self._network is not None and self._served() is not None:
            if kind in NOTICED and topic not in [known for known, _ in self.handlers]:
                advice = "Register the handler before its simulation is made."
                raise SimulationError(
                    f"Nobody has asked the network for {kind} events of {population}. {advice}"
                )
            topic.check(self._network)

        def add(given: Handler) -> Handler:
            if not callable(given):
                raise InvalidValue(f"handler of {kind}", given, "a function of the simulation and the event")
            self.handlers.append((topic, given))
            return given

        return add if handler is None else add(handler)

    def emit(
        self, kind: str, time: float, *, population: str = "", ids: ArrayLike = (), value: Any = None
    ) -> Event:
        """Let something happen at `time` (ms), not before now.

        In a handler, now is the time of its event, or, where there are slices, the end of the slice that is over.
        Raises InvalidValue for a time that is past and for what only the network does, UnknownName for a kind or
        population that is not there.
        """
        check_known("kind of event", kind, self.kinds)
        if kind in NOTICED:
            raise InvalidValue("kind of an emitted event", kind, f"another: {kind}s come from the network")
        given = np.array(ids)
        if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
            raise InvalidValue("ids of an event", ids, "whole numbers, [n]")
        event = Event(kind, check_number("event time", time), population, given.astype(np.int64), value)
        self._check(event, self._network, self.clock, self.now)
        return self._put(event)

    def _check(self, event: Event, network: Network | None, clock: Clock, now: float) -> None:
        """InvalidValue or UnknownName for an event that cannot come."""
        if not clock.moment(event.time) >= now:
            raise InvalidValue("event time", event.time, f"not before now ({now:g} ms)")
        if network is not None and event.population:
            check_known("population of an event", event.population, [p.name for p in network.populations])

    def _put(self, event: Event) -> Event:
        heapq.heappush(self._queue, (self.clock.moment(event.time), next(self._count), event))
        return event

    @property
    def pending(self) -> int:
        """How many events are still to be handled."""
        return len(self._queue) + bool(self._calls)

    @property
    def next_time(self) -> float:
        """The time of the next event in ms; infinite where there is none."""
        if self._calls:
            return self._calls[0][1].time
        return self._queue[0][2].time if self._queue else math.inf

    def check(self, network: Network, dt: float | None, now: float = 0.0) -> Clock:
        """Whether it can serve a simulation of a network that stands at `now` (ms), and when it handles events.

        dt: ms, of an engine with steps, else None. Raises InvalidValue or UnknownName for a handler or a waiting event
        of what is not there, an event in the past, a slice that is not a whole number of steps; SimulationError
        where it still has to handle what another simulation did.
        """
        clock = Clock(dt, self.slice)
        for topic, _ in self.handlers:
            topic.check(network)
        others = [event for _, event in self._calls] + [e for _, _, e in self._queue if e.kind in NOTICED]
        if others:
            problem = f"The EventDispatcher has still to handle {others[0]!r} of another simulation"
            raise SimulationError(f"{problem}: let that one go on, or make a new dispatcher.")
        for _, _, event in self._queue:
            self._check(event, network, clock, now)
        return clock

    def serve(self, sim: Simulation, network: Network, dt: float | None) -> None:
        """From now on, dispatch events of a simulation that was just made of a network; raises like `check`."""
        self.clock = self.check(network, dt, sim.time)
        self._network, self._served, self.now = network, weakref.ref(sim), sim.time
        self._queue = [(self.clock.moment(event.time), number, event) for _, number, event in self._queue]
        heapq.heapify(self._queue)

    def serves(self, sim: Simulation) -> bool:
        """Whether it dispatches events of a simulation, and not of one that was made later."""
        return self._served() is sim

    def wanted(self, plan: Plan) -> Wanted:
        """What the handlers ask of an engine; InvalidValue for a level beyond the numbers of the plan's format."""
        known = dict.fromkeys(topic for topic, _ in self.handlers if topic.kind in NOTICED)
        topics = sorted(((plan.index(t.population), t) for t in known), key=lambda found: found[0])
        crossings = [Crossing(p, t.variable, t.level) for p, t in topics if t.level is not None]
        for crossing in crossings:
            plan.format.check_range("level of a threshold", crossing.level)
        spikes, arrivals = (tuple(p for p, t in topics if t.kind == kind) for kind in ("spike", "arrival"))
        return Wanted(spikes, arrivals, tuple(crossings), self.slice is None)

    def due(self, now: float) -> float:
        """When to look at events next, in ms, for all that is known now: the end of a step or slice, if there are any.

        An engine without steps may be interrupted earlier, by what it notices.
        """
        heard = any(topic.kind in NOTICED for topic, _ in self.handlers)
        next_end = self.clock.end(self._queue[0][0]) if self._queue else math.inf
        return min(next_end, self.clock.after(now)) if heard else next_end

    def notice(self, noticed: Iterable[Noticed]) -> None:
        """Take note of what the network did in a piece of a run, which is over."""
        assert self._network is not None
        for found in sorted(noticed, key=lambda n: (n.time, NOTICED.index(n.kind))):
            population = self._network.populations[found.population]
            port = population.ports[found.port] if found.kind == "arrival" else ""
            ids = np.asarray(found.ids, dtype=np.int64)
            self._put(Event(found.kind, found.time, population.name, ids, found.value, port, found.variable))

    def dispatch(self, sim: Simulation, now: float) -> None:
        """Handle all events that are due now (ms), those that handlers emit for now as well."""
        while self._calls or (self._queue and self.clock.end(self._queue[0][0]) <= now):
            if self._calls:
                self._call(sim, *self._calls.popleft())
                continue
            moment, _, event = heapq.heappop(self._queue)
            self.now = moment if self.slice is None else self.clock.end(moment)
            self._calls.extend((handler, event) for topic, handler in self.handlers if topic.covers(event))
        self.now = max(self.now, now)

    def _call(self, sim: Simulation, handler: Handler, event: Event) -> None:
        try:
            handler(sim, event)
        except HandlerError:
            raise
        except Exception as error:
            name = getattr(handler, "__qualname__", repr(handler))
            raise HandlerError(name, event, error) from error
