"""An event, and what a handler is registered for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.base import NOTICED
from treplica.errors import InvalidValue
from treplica.network import Network
from treplica.network.checks import check_known, check_number

#: What every dispatcher knows: what the network does, and what users emit.
KINDS = (*NOTICED, "reward", "timer")


@dataclass(frozen=True, eq=False)
class Event:
    """Something that happens.

    kind: "arrival", "threshold", "spike", "reward", "timer" or a kind of your own. time: ms. population: where, if
    anywhere. ids: int64[n], which neurons, ascending where the network did it.

    - of a spike: all that fired at that time
    - of an arrival: all at which spikes arrived at that time at the port `port`; value: float64[n], the sums of their
      weights, in the unit of the port, as they are kept (whole multiples of a power of two, exact)
    - of a threshold: all whose state `variable` rose to the level `value` or above, from below
    - of others: what was given; value: anything
    """

    kind: str
    time: float
    population: str = ""
    ids: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    value: Any = None
    port: str = ""
    variable: str = ""

    def __repr__(self) -> str:
        where = ".".join(name for name in (self.population, self.port, self.variable) if name)
        which = f", {self.ids.size} neurons" if self.ids.size else ""
        what = f", {self.value!r}"
        if self.value is None:
            what = ""
        elif isinstance(self.value, np.ndarray):
            what = f", {self.value.dtype}{list(self.value.shape)}"
        return f"<{self.kind} at {self.time:g} ms{f' in {where}' if where else ''}{which}{what}>"


@dataclass(frozen=True)
class Topic:
    """Events of a kind; of a population, or of any (""). variable, level: of a threshold, and of nothing else.

    Raises InvalidValue for a network's own kind without a population, and for a threshold without what it needs.
    """

    kind: str
    population: str = ""
    variable: str = ""
    level: float | None = None

    def __post_init__(self) -> None:
        if self.kind in NOTICED and not self.population:
            advice = "Register the handler once for each population that it is to see."
            raise InvalidValue(f"population of a handler of {self.kind}", "", "the name of one", advice)
        if self.kind != "threshold":
            if self.variable or self.level is not None:
                given = self.variable if self.level is None else self.level
                allowed = "left out: only a threshold has them"
                raise InvalidValue(f"variable and level of a handler of {self.kind}", given, allowed)
            return
        if not (isinstance(self.variable, str) and self.variable):
            raise InvalidValue("variable of a threshold", self.variable, "the name of a state, such as 'v'")
        level = check_number("level of a threshold", self.level, "a finite number, in the variable's unit")
        object.__setattr__(self, "level", level)

    def check(self, network: Network) -> None:
        """UnknownName or InvalidValue for a population or variable that is not there, or that no spike can reach."""
        if not self.population:
            return
        populations = {p.name: p for p in network.populations}
        name = check_known("population of a handler", self.population, populations)
        population = populations[name]
        if self.kind == "threshold":
            check_known(f"variable of {name}", self.variable, population.variables)
        if self.kind == "arrival" and not population.ports:
            allowed = "a population that spikes can reach"
            raise InvalidValue("population of a handler of arrival", name, allowed, "Give it a receptor.")

    def covers(self, event: Event) -> bool:
        """Whether it is about an event."""
        same = self.kind == event.kind and self.population in ("", event.population)
        return same and (
            self.kind != "threshold" or (self.variable, self.level) == (event.variable, event.value)
        )
