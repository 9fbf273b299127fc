"""The frozen pieces of a network description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from treplica.connectivity import AbstractRule, FromArray
from treplica.errors import InvalidValue
from treplica.model import Draw, Instance
from treplica.network.checks import check_count, check_known, check_name, check_number, check_synaptic
from treplica.network.stimuli import Drive
from treplica.network.views import View, select, whole

LARGEST_POPULATION = 2**31 - 1


@dataclass(frozen=True, eq=True)
class Population:
    """`size` neurons of one model, with the receptors through which projections reach them.

    name: unique in the network. neuron: an instance such as `Izhikevich.regular_spiking()`. receptors: by name, each
    an instance of a receptor model; a projection chooses one as its `port`. Parameter arrays have length `size`.
    Indexing gives a `View`: `mesh[:784]`.

    sleep_within: a neuron at which nothing arrives, and whose states would all change by at most this much in a step
    (each in its own unit), rests: its states stay as they are until something arrives. None: it rests only where they
    would not change at all.
    """

    name: str
    size: int
    neuron: Instance
    receptors: Mapping[str, Instance] = field(default_factory=dict)
    sleep_within: float | None = None

    def __post_init__(self) -> None:
        check_name("Population name", self.name)
        object.__setattr__(self, "size", check_count(f"{self.name}.size", self.size, 1, LARGEST_POPULATION))
        if not isinstance(self.neuron, Instance) or self.neuron.model.kind != "neuron":
            advice = "Call the model: tr.Izhikevich()."
            raise InvalidValue(f"{self.name}.neuron", self.neuron, "an instance of a neuron model", advice)
        if not isinstance(self.receptors, Mapping):
            raise InvalidValue(f"{self.name}.receptors", self.receptors, "a dict of receptors by name")
        object.__setattr__(self, "receptors", MappingProxyType(dict(self.receptors)))
        check_values(f"{self.name}.", self.neuron, self.size)
        if self.sleep_within is not None:
            what = f"{self.name}.sleep_within"
            tolerance = check_number(what, self.sleep_within)
            if tolerance < 0.0:
                raise InvalidValue(what, tolerance, "a finite number >= 0")
            object.__setattr__(self, "sleep_within", tolerance)
        for name, instance in self.receptors.items():
            self._check_receptor(name, instance)
            check_values(f"{self.name}.{name}.", instance, self.size)

    def _check_receptor(self, name: str, instance: Instance) -> None:
        check_name(f"name of a receptor of {self.name}", name)
        what = f"{self.name} receptor {name!r}"
        if name in self.neuron.model.of_kind("arrival"):
            allowed = f"another name than the neuron's own arrival {name!r}"
            raise InvalidValue(f"name of a receptor of {self.name}", name, allowed)
        if not isinstance(instance, Instance) or instance.model.kind != "receptor":
            raise InvalidValue(
                what, instance, "an instance of a receptor model", "Call the model: Exponential()."
            )
        if not instance.model.of_kind("arrival"):
            advice = "Give it to net.stimulate: nothing can arrive at it."
            raise InvalidValue(what, instance, "a receptor with an arrival", advice)
        check_fit(what, instance, self.neuron)

    @property
    def ports(self) -> tuple[str, ...]:
        """Names that a projection can choose as its port, the default first."""
        names = list(self.neuron.model.of_kind("arrival"))
        for label, instance in self.receptors.items():
            arrivals = list(instance.model.of_kind("arrival"))
            names += [label] if len(arrivals) == 1 else [f"{label}.{a}" for a in arrivals]
        return tuple(names)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the states that can be recorded: `v`, or `ampa.g` for a receptor's."""
        names = list(self.neuron.model.of_kind("state"))
        for label, instance in self.receptors.items():
            names += [f"{label}.{s}" for s in instance.model.of_kind("state")]
        return tuple(names)

    def __getitem__(self, index: Any) -> View:
        return select(self.name, self.size, index)

    def __len__(self) -> int:
        return self.size

    def view(self) -> View:
        """All neurons."""
        return whole(self.name, self.size)

    __hash__ = None  # type: ignore[assignment]


def check_values(where: str, instance: Instance, size: int) -> None:
    """Whether arrays and draws have one value for each of `size` neurons."""
    for name, value in instance.values.items():
        array = value.array if isinstance(value, FromArray) else value
        if isinstance(array, np.ndarray) and array.shape != (size,):
            raise InvalidValue(f"{where}{name} (an array)", array.shape, f"of shape ({size},)")


def check_fit(what: str, instance: Instance, neuron: Instance) -> str:
    """Whether a receptor or stimulus fits a neuron; the name of the current it feeds."""
    feeds = check_current(what, neuron, instance.feeds)
    states = neuron.model.of_kind("state")
    for name in instance.model.of_kind("sees"):
        check_known(f"{neuron.model.name} state (for {what})", name, states)
    return feeds


def check_current(what: str, neuron: Instance, current: str | None) -> str:
    """The current of a neuron that is meant; its first by default."""
    currents = list(neuron.model.of_kind("current"))
    if not currents:
        raise InvalidValue(what, neuron.model.name, "on a neuron that has a current input")
    if current is None:
        return currents[0]
    return check_known(f"{neuron.model.name} current (for {what})", current, currents)


@dataclass(frozen=True)
class Projection:
    """Synapses from one view to another: which (rule), how strong (weight), how late (delay, ms), onto which port.

    weight and delay: a number or a draw, one for each synapse. The weight is in the unit of the port.
    """

    name: str
    source: View
    target: View
    rule: AbstractRule
    weight: float | Draw
    delay: float | Draw
    port: str

    def __post_init__(self) -> None:
        if not isinstance(self.rule, AbstractRule):
            advice = "For example tr.OneToOne() or tr.Bernoulli(p=0.1)."
            raise InvalidValue(f"{self.name}: rule", self.rule, "a connection rule", advice)
        for quantity in ("weight", "delay"):
            value = check_synaptic(f"{self.name}: {quantity}", getattr(self, quantity))
            object.__setattr__(self, quantity, value)
        if not isinstance(self.delay, Draw) and self.delay <= 0.0:
            advice = "Delays are at least one step."
            raise InvalidValue(f"{self.name}: delay", self.delay, "a finite number > 0 ms", advice)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Stimulus:
    """Something that drives neurons from outside: see `treplica.network.stimuli` and receptor models without arrivals.

    port: for drives that deliver spikes, the port they reach. current: for currents, the neuron's input they feed.
    """

    name: str
    target: View
    drive: Drive | Instance
    port: str = ""
    current: str = ""

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Probe:
    """What is recorded of which neurons: `spikes`, or a state variable every `interval` ms (None: every step)."""

    name: str
    target: View
    variable: str
    interval: float | None = None
