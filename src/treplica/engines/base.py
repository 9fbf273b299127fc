"""What an engine does, and what it hands back."""

from __future__ import annotations

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


@dataclass
class Advance:
    """What happened in some steps.

    steps: how many were done (fewer than asked for where a buffer was full). counts: int64[steps, populations]
    spikes per step. spikes: by index of the population, of those that are watched. samples: for each sampler,
    values [samples, ids]. failure: the state that was not finite after the last step, if any; the engine cannot go
    on from there.
    """

    steps: int
    counts: NDArray[np.int64]
    spikes: dict[int, Spikes] = field(default_factory=dict)
    samples: list[NDArray[Any]] = field(default_factory=list)
    failure: NumericalError | None = None


class Engine(Protocol):
    """Runs a plan step by step. Every engine gives the same spikes and states for the same plan."""

    name: str
    threads: int
    #: Seconds that it took to build synapses.
    build_s: float

    def advance(self, n_steps: int) -> Advance:
        """Do at most n_steps steps, at least one; see `Advance.failure`."""

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
