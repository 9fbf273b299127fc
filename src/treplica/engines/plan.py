"""A network resolved for one dt, seed and number format: what every engine starts from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from treplica.engines.composition import Composition
from treplica.engines.connections import Connections
from treplica.errors import InvalidValue
from treplica.numerics.formats import Format


@dataclass
class PopulationPlan:
    """One population. external: for each current input from outside, the array [size] in the working type."""

    name: str
    size: int
    composition: Composition
    external: dict[str, NDArray[Any]]

    def read(self, variable: str, real: DTypeLike) -> NDArray[Any]:
        """A copy of a state variable in the working type, [size]."""
        return self.to_real(variable, self.composition.states()[variable], real)

    def to_real(self, variable: str, kept: NDArray[Any], real: DTypeLike) -> NDArray[Any]:
        """Values of a state variable, as they are kept, as a new array of the working type."""
        fixed = self.composition.fixed().get(variable)
        return kept.astype(real) if fixed is None else np.asarray(fixed.to_real(kept, real))

    def write(self, variable: str, values: NDArray[Any]) -> None:
        """Replace a state variable; it is rounded to whole units where it is in fixed point."""
        fixed = self.composition.fixed().get(variable)
        self.composition.states()[variable][:] = values if fixed is None else fixed.to_whole(values)

    @property
    def graded(self) -> int:
        """The largest magnitude of a spike."""
        return self.composition.neuron.model.graded


@dataclass
class Injection:
    """Given arrivals: `amounts` units at `steps` (ascending) on neurons `ids`.

    times: in a continuous plan, when they arrive in ms, float64[n], ascending; `steps` are those that hold the times.
    """

    population: int
    port: int
    steps: NDArray[np.int64]
    ids: NDArray[np.int32]
    amounts: NDArray[np.int64]
    times: NDArray[np.float64] | None = None


@dataclass
class CurrentPlan:
    """A stimulus current: from step `steps[j]` (inclusive) on, row j of `values` on neurons `ids`."""

    population: int
    current: str
    steps: NDArray[np.int64]
    ids: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Sampler:
    """A state variable to record: neurons `ids` of a population, in every step divisible by `interval`."""

    population: int
    variable: str
    ids: NDArray[np.int64]
    interval: int


@dataclass(frozen=True)
class Rounding:
    """What whole units do to the weights of a projection, relative to the weights themselves.

    largest: the largest error of a single weight over the largest weight. mean: the error of the mean over the mean
    magnitude. variance: the error of the variance over the variance (0 where all weights are equal).
    """

    largest: float = 0.0
    mean: float = 0.0
    variance: float = 0.0


@dataclass
class Plan:
    """Everything an engine needs; it owns the arrays from then on.

    rounding: projection or stimulus -> what whole units do to its weights. continuous: times of given spikes and delays
    are as they are described, not in steps; `dt` is then what recordings, currents and the run are counted in.
    """

    dt: float
    seed: int
    format: Format
    populations: list[PopulationPlan]
    connections: list[Connections] = field(default_factory=list)
    injections: list[Injection] = field(default_factory=list)
    currents: list[CurrentPlan] = field(default_factory=list)
    rounding: dict[str, Rounding] = field(default_factory=dict)
    continuous: bool = False

    def index(self, population: str) -> int:
        """The index of a population."""
        return [p.name for p in self.populations].index(population)

    def check_steps(self, engine: str) -> None:
        """InvalidValue where the times of the plan are not those of an engine that works in steps."""
        if self.continuous:
            advice = "Resolve it with continuous=False."
            raise InvalidValue("plan", "continuous times", f"in steps for the {engine} engine", advice)

    @property
    def neurons(self) -> int:
        """How many neurons there are."""
        return sum(p.size for p in self.populations)

    @property
    def expected_synapses(self) -> float:
        """How many synapses there are on average over seeds; exact where a rule fixes the number."""
        return sum(c.rows.expected_synapses for c in self.connections)

    @property
    def longest_delay(self) -> int:
        """The longest time a spike can travel, in steps (rounded up in a continuous plan)."""
        return max((c.longest for c in self.connections), default=1)
