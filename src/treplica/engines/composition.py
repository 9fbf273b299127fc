"""What a population computes in a step: its receptors and stimuli, then its neuron, as one composition.

    for every neuron of the population
        every arrival = what spikes brought, in whole units, times the unit, plus for every Poisson drive of its port,
        in order, the number of its spikes times its weight
        each receptor or stimulus, in order of declaration:
            reads its own states, what arrived, and the neuron's states before the step -> new states, a current
        every current input of the neuron = external current + what feeds it, summed in that order
        the neuron: reads its states, its currents, what arrived -> new states, spike
        new states are kept as they are, or rounded to whole units where they are in fixed point
        where nothing arrived, nothing fired and no state changed by more than `rest`, all states stay as they were

This order, and that every sum starts from the left, is the definition that both engines implement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.model import Model
from treplica.numerics.fixed import Fixed

#: constants and states of a part: one number for all neurons, or one each
Number = float | NDArray[Any]


@dataclass
class Part:
    """A receptor, a stimulus or the neuron itself, resolved for one population.

    label: empty for the neuron, else the name of the receptor or stimulus. constants: what `step` reads of
    parameters and derived constants. parameters: all of them, as given or drawn. ports: arrival field -> index of the
    population's port. streams: noise field -> stream of the random generator. feeds: the neuron's current it
    supplies. mask: neurons it acts on (None: all). fixed: state -> how it is kept, where that is in fixed point.
    """

    label: str
    model: Model
    constants: dict[str, Number]
    states: dict[str, NDArray[Any]]
    ports: dict[str, int] = field(default_factory=dict)
    streams: dict[str, int] = field(default_factory=dict)
    feeds: str = ""
    mask: NDArray[np.bool_] | None = None
    fixed: dict[str, Fixed] = field(default_factory=dict)
    parameters: dict[str, Number] = field(default_factory=dict)

    def key(self, name: str) -> str:
        """The name of a quantity of this part within the population: `v`, or `ampa.g`."""
        return f"{self.label}.{name}" if self.label else name

    def result(self) -> tuple[str, ...]:
        """What the lowered step returns, in order: states, then spike or current."""
        last = "spike" if self.model.kind == "neuron" else "current"
        return (*self.model.of_kind("state"), last)


@dataclass(frozen=True)
class Port:
    """Where projections deliver: `unit` is the power of two that one count of the accumulator is worth."""

    name: str
    unit: float


@dataclass(frozen=True)
class PoissonDrive:
    """Poisson spikes onto a port: count = how many of `tables[classes[id]]` are below the neuron's word.

    tables: uint32[c, k] cumulative probabilities times 2^32, less 1; row 0 never counts. classes: uint8[size]. ids:
    neurons, ascending. rates: Hz, one for all or float64[ids].
    """

    name: str
    port: int
    stream: int
    weight: float
    classes: NDArray[np.uint8]
    tables: NDArray[np.uint32]
    ids: NDArray[np.int64]
    rates: Number

    def uniform(self) -> NDArray[np.uint32] | None:
        """The one table of all neurons, if there is one."""
        first = int(self.classes[0])
        return self.tables[first] if (self.classes == first).all() else None

    def head(self, block: int) -> int:
        """How many thresholds suffice for all but one in fifty blocks of words; 0 where tables differ."""
        table = self.uniform()
        if table is None:
            return 0
        beyond = (2.0**32 - 1.0 - table) / 2.0**32 * block
        return int(np.argmax(beyond <= 0.02)) + 1


@dataclass(frozen=True)
class ScatteredDrive:
    """Poisson spikes onto a port, so few that most neurons get none: see `engines.poisson.scattered`.

    ids: neurons, ascending. rates: Hz, of each. block: how many of them are counted together, a power of two. tables:
    cumulative probabilities of the number of spikes in a block, times 2^32, less 1: uint32 of a whole block and of what
    is left.
    """

    name: str
    port: int
    stream: int
    weight: float
    ids: NDArray[np.int64]
    rates: Number
    block: int
    tables: tuple[NDArray[np.uint32], NDArray[np.uint32]]


@dataclass
class Composition:
    """The parts of a population in the order in which they are computed; the neuron is the last.

    external: current fields of the neuron that get an array from outside. drives: Poisson spikes onto its ports.
    rest: changes of states, each in its own unit, that do not count where nothing arrives (None: all do).
    """

    parts: list[Part]
    ports: list[Port]
    external: tuple[str, ...]
    drives: list[PoissonDrive | ScatteredDrive] = field(default_factory=list)
    rest: float | None = None

    @property
    def may_sleep(self) -> bool:
        """Whether a neuron at which nothing arrives can come to rest, and its update be left out from then on."""
        noisy = any(p.streams for p in self.parts) or any(isinstance(d, PoissonDrive) for d in self.drives)
        exact = all(len(p.fixed) == len(p.states) for p in self.parts)
        return not noisy and (exact or self.rest is not None)

    @property
    def neuron(self) -> Part:
        """The neuron itself."""
        return self.parts[-1]

    def states(self) -> Mapping[str, NDArray[Any]]:
        """Every state of every part by its name within the population."""
        return {part.key(n): values for part in self.parts for n, values in part.states.items()}

    def fixed(self) -> Mapping[str, Fixed]:
        """How states are kept that are in fixed point."""
        return {part.key(n): kept for part in self.parts for n, kept in part.fixed.items()}

    def feeders(self, current: str) -> list[Part]:
        """The parts that supply a current, in order."""
        return [p for p in self.parts[:-1] if p.feeds == current]
