"""What an engine does, and what it hands back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from treplica.engines.plan import Injection
from treplica.engines.snapshot import Snapshot, Spikes
from treplica.errors import NumericalError

#: Whether neurons at rest are left out: where most are, wherever it is possible, or not at all.
Sleep = Literal["auto", "always", "never"]
SLEEPS = ("auto", "always", "never")

#: What a network does that handlers may wait for, in the order in which one leads to the next at one time.
NOTICED = ("arrival", "threshold", "spike")


@dataclass(frozen=True)
class Crossing:
    """A state variable of a population (by index) that rises to `level`, in its unit, or above, from below."""

    population: int
    variable: str
    level: float


@dataclass(frozen=True)
class Wanted:
    """What handlers wait for.

    spikes: populations, by index, whose spikes they handle; arrivals: those at which they handle what spikes bring;
    both in the order of the plan. crossings: in the order of their populations.
    at_once: whether an asynchronous engine stops as soon as it notices something, see `Engine.advance`.
    """

    spikes: tuple[int, ...] = ()
    arrivals: tuple[int, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    at_once: bool = True


@dataclass(frozen=True)
class Noticed:
    """Something that was wanted and has happened: all of one kind, time, population and port or crossing.

    kind: one of NOTICED. time: ms. population: its index. ids: int[n], n > 0, ascending. value: of an arrival, the
    sums of the weights that arrived, float64[n], whole units times the unit of the port, also where they cancel to 0;
    of a threshold, the level of the crossing; of spikes None. port: the index of the port at which it arrived.
    variable: that of the crossing.
    """

    kind: str
    time: float
    population: int
    ids: NDArray[Any]
    value: Any = None
    port: int = 0
    variable: str = ""


@dataclass
class Advance:
    """What happened in some steps.

    steps: how many were done (fewer than asked for where a buffer was full). counts: int64[steps, populations]
    spikes per step. spikes: by index of the population, of those that are watched. samples: for each sampler,
    values [samples, ids]. failure: the state that was not finite after the last step, if any; the engine cannot go
    on from there. noticed: what was wanted of an asynchronous engine, in any order; engines with steps leave that to
    `simulation.watching`.
    """

    steps: int
    counts: NDArray[np.int64]
    spikes: dict[int, Spikes] = field(default_factory=dict)
    samples: list[NDArray[Any]] = field(default_factory=list)
    failure: NumericalError | None = None
    noticed: list[Noticed] = field(default_factory=list)


class Engine(Protocol):
    """Runs a plan step by step. Every engine gives the same spikes and states for the same plan."""

    name: str
    threads: int
    #: Seconds that it took to build synapses.
    build_s: float

    def advance(self, n_steps: int, until: float = math.inf) -> Advance:
        """Do at most n_steps steps, at least one; see `Advance.failure`.

        Engines with steps ignore `until` (ms): they are asked for whole steps. An asynchronous engine goes to the time
        (step + n_steps) * dt, to `until` or, where `Wanted.at_once` says so, to the first time at which it notices
        something, whichever comes first, and does all that happens at that time; so it may stand between steps, and
        have completed none.
        """

    def set_external(
        self, population: int, current: str, ids: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Set the external current of some neurons for the steps to come."""

    def inject(self, injection: Injection) -> None:
        """Add arrivals for steps to come."""

    def read(self, population: int, variable: str) -> NDArray[Any]:
        """A copy of a state variable, [size]."""

    def write(self, population: int, variable: str, values: NDArray[Any]) -> None:
        """Replace a state variable."""

    def snapshot(self) -> Snapshot:
        """What the steps to come depend on."""

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot of the same plan; for an engine that has not done a step."""

    @property
    def step(self) -> int:
        """How many steps were done."""

    @property
    def time(self) -> float:
        """Model time in ms: step * dt, or between that and the next step for an asynchronous engine."""

    @property
    def synaptic_events(self) -> int:
        """How many synapses the spikes had that were sent: what is delivered sooner or later."""

    @property
    def skipped_updates(self) -> float:
        """The share of updates of neurons that were left out because they would have changed nothing."""

    @property
    def synapse_count(self) -> int:
        """How many synapses there are."""

    def memory(self) -> dict[str, int]:
        """Bytes by purpose: states, arrivals, synapses (themselves), rows (what finds them), buffers."""

    def describe(self) -> str:
        """How synapses and sums are kept, in words."""

    def close(self) -> None:
        """Give threads and memory back."""
