"""A network resolved for one dt, seed and number format: arrays and whole steps, the same for every engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.composition import Composition
from treplica.numerics.formats import Format


@dataclass
class PopulationPlan:
    """One population. external: for each current input from outside, the array [size] in the working type."""

    name: str
    size: int
    composition: Composition
    external: dict[str, NDArray[Any]]

    @property
    def graded(self) -> int:
        """The largest magnitude of a spike."""
        return self.composition.neuron.model.graded


@dataclass
class Synapses:
    """A materialised projection, rows by source.

    Row r belongs to the neuron `first + r` of the source; its synapses are items indptr[r] to indptr[r + 1] of
    `targets` (ids in the target population, ascending). weights: whole multiples of the port's unit, one for all or
    one each. delays: whole steps >= 1, one for all or one each.
    """

    name: str
    source: int
    target: int
    port: int
    first: int
    indptr: NDArray[np.int64]
    targets: NDArray[np.int32]
    weights: int | NDArray[Any]
    delays: int | NDArray[Any]

    @property
    def max_delay(self) -> int:
        """The longest delay in steps."""
        if isinstance(self.delays, int):
            return self.delays
        return int(self.delays.max()) if self.delays.size else 1

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        arrays = (self.indptr, self.targets, self.weights, self.delays)
        return sum(a.nbytes for a in arrays if isinstance(a, np.ndarray))


@dataclass
class PoissonPlan:
    """Poisson spikes onto a port: count = how many of `tables[classes[id]]` are below the neuron's word.

    tables: uint32[c, k] cumulative probabilities times 2^32, less 1; row 0 never counts. classes: uint8[size].
    """

    name: str
    population: int
    port: int
    stream: int
    classes: NDArray[np.uint8]
    tables: NDArray[np.uint32]
    weight: int


@dataclass
class Injection:
    """Given arrivals: `amounts` units at `steps` (ascending) on neurons `ids`."""

    population: int
    port: int
    steps: NDArray[np.int64]
    ids: NDArray[np.int32]
    amounts: NDArray[np.int64]


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


@dataclass
class Plan:
    """Everything an engine needs; it owns the arrays from then on.

    quantisation: port -> largest error of a weight relative to the largest weight of that port.
    """

    dt: float
    seed: int
    format: Format
    populations: list[PopulationPlan]
    synapses: list[Synapses]
    poisson: list[PoissonPlan]
    injections: list[Injection]
    currents: list[CurrentPlan]
    quantisation: dict[str, float] = field(default_factory=dict)

    def index(self, population: str) -> int:
        """The index of a population."""
        return [p.name for p in self.populations].index(population)

    @property
    def neurons(self) -> int:
        """How many neurons there are."""
        return sum(p.size for p in self.populations)

    @property
    def synapse_count(self) -> int:
        """How many synapses there are."""
        return sum(int(s.indptr[-1]) for s in self.synapses)

    def depth(self, population: int, port: int) -> int:
        """How many steps of arrivals a port keeps: the longest delay and the present one."""
        delays = [s.max_delay for s in self.synapses if (s.target, s.port) == (population, port)]
        return max(delays, default=0) + 1
