"""Events and their handlers: a network that reacts to what happens in it.

An engine with steps handles events between steps: those of a step (t - dt, t] after it, in the order of their times,
spikes last, since a spike found in the step is stamped t. Events of one time are handled in the order in which they
were emitted. So a handler sees the network as it is at the end of the step.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.errors import HandlerError, InvalidValue
from treplica.network.checks import check_known, check_name, check_number

if TYPE_CHECKING:
    from treplica.simulation.simulation import Simulation

#: What every dispatcher knows; engines emit spikes themselves.
KINDS = ("spike", "reward", "timer")


@dataclass(frozen=True, eq=False)
class Event:
    """Something that happens.

    kind: "spike", "reward", "timer" or a kind of your own. time: ms. population: where, if anywhere. ids: int64[n],
    which neurons; of a spike event, all that fired in the step. value: anything else.
    """

    kind: str
    time: float
    population: str = ""
    ids: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    value: Any = None

    def __repr__(self) -> str:
        where = f" in {self.population}" if self.population else ""
        which = f", {self.ids.size} neurons" if self.ids.size else ""
        what = "" if self.value is None else f", {self.value!r}"
        return f"<{self.kind} at {self.time:g} ms{where}{which}{what}>"


Handler = Callable[["Simulation", Event], Any]


class EventDispatcher:
    """Calls handlers for events in order of time; give it to `Simulation(..., events=dispatcher)`.

    kinds: further kinds of events, beside "spike", "reward" and "timer". A handler takes the simulation and the event;
    it may emit events, feed spikes and look at states. One that raises ends the run with a HandlerError; the simulation
    is then as it was after the step, other events are kept, and `run` goes on from there.
    """

    def __init__(self, kinds: Iterable[str] = ()) -> None:
        self.kinds = (*KINDS, *(check_name("kind of event", k) for k in kinds))
        self.handlers: list[tuple[str, str, Handler]] = []
        #: time of the event that is being handled, or that was handled last
        self.now = 0.0
        self._queue: list[tuple[float, int, Event]] = []
        self._count = itertools.count()

    @overload
    def on(
        self, kind: str, handler: None = None, *, population: str = ""
    ) -> Callable[[Handler], Handler]: ...
    @overload
    def on(self, kind: str, handler: Handler, *, population: str = "") -> Handler: ...
    def on(self, kind: str, handler: Handler | None = None, *, population: str = "") -> Any:
        """Register a handler; also as a decorator, `@dispatcher.on("reward")`.

        population: only events of that population ("" for events of any); a handler of spikes must name one. Handlers
        of an event are called in the order in which they were registered. UnknownName for a kind nobody declared.
        """
        check_known("kind of event", kind, self.kinds)
        if kind == "spike" and not population:
            advice = "Register the handler once for each population that it is to see."
            raise InvalidValue("population of a handler of spikes", population, "the name of one", advice)
        if handler is None:
            return lambda given: self.on(kind, given, population=population)
        if not callable(handler):
            raise InvalidValue(f"handler of {kind}", handler, "a function of the simulation and the event")
        self.handlers.append((kind, population, handler))
        return handler

    def emit(
        self, kind: str, time: float, *, population: str = "", ids: ArrayLike = (), value: Any = None
    ) -> Event:
        """Let something happen at `time` (ms), not before now. InvalidValue for a time that is past."""
        check_known("kind of event", kind, self.kinds)
        if kind == "spike":
            raise InvalidValue("kind of an emitted event", kind, "another: spikes come from the network")
        return self._put(
            Event(kind, check_number("event time", time), population, np.array(ids, np.int64), value)
        )

    def _put(self, event: Event) -> Event:
        if not event.time >= self.now:
            raise InvalidValue("event time", event.time, f"not before now ({self.now:g} ms)")
        heapq.heappush(self._queue, (event.time, next(self._count), event))
        return event

    @property
    def pending(self) -> int:
        """How many events are still to be handled."""
        return len(self._queue)

    @property
    def next_time(self) -> float:
        """The time of the next event in ms; infinite where there is none."""
        return self._queue[0][0] if self._queue else math.inf

    def populations(self) -> tuple[str, ...]:
        """Populations whose spikes somebody handles."""
        return tuple(dict.fromkeys(p for kind, p, _ in self.handlers if kind == "spike"))

    def check(self, populations: Collection[str]) -> None:
        """UnknownName for a handler of a population that is not there."""
        for _, population, _ in self.handlers:
            if population:
                check_known("population of a handler", population, populations)

    def pause(self, step: int, dt: float, stop: int) -> int:
        """The step after which events are to be handled, `stop` at the latest: the next one where spikes are heard."""
        if self.populations():
            return step + 1
        steps = min((self.next_time - step * dt) / dt, float(stop - step))
        return step + max(1, math.ceil(steps - 1e-9))

    def spikes(self, time: float, population: str, ids: NDArray[Any]) -> None:
        """Take note of spikes that an engine has found."""
        if ids.size:
            self._put(Event("spike", time, population, ids.astype(np.int64)))

    def dispatch(self, sim: Simulation, until: float) -> int:
        """Handle all events up to and including a time, those that handlers emit as well; how many there were."""
        handled = 0
        while self._queue and self._queue[0][0] <= until:
            time, _, event = heapq.heappop(self._queue)
            self.now = time
            handled += 1
            for kind, population, handler in self.handlers:
                if kind == event.kind and population in ("", event.population):
                    self._call(handler, sim, event)
        self.now = max(self.now, until)
        return handled

    def _call(self, handler: Handler, sim: Simulation, event: Event) -> None:
        try:
            handler(sim, event)
        except (HandlerError, KeyboardInterrupt):
            raise
        except Exception as error:
            name = getattr(handler, "__qualname__", repr(handler))
            raise HandlerError(name, event, error) from error
