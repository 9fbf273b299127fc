"""A neuron with its receptors as one step function: what a layer of a module computes for every neuron.

The order is that of `engines.composition`: receptors first, each from its own states, what arrives and the neuron's
states before the step; then the neuron, with the sum of the currents that feed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from treplica.model import Formula, Instance
from treplica.model.adjoint import adjoint, relaxed
from treplica.model.check import Checked
from treplica.model.fields import Field
from treplica.model.tape import Ref, Tape, written

Role = Literal["state", "constant", "input", "noise", "dt"]


@dataclass(frozen=True)
class Quantity:
    """Something a cell reads. key: `v`, or `ampa.g` of a receptor. identifier: its name in the tape."""

    key: str
    part: str
    name: str
    role: Role

    @property
    def identifier(self) -> str:
        """No word of the vocabulary begins like this."""
        return f"x_{self.part}__{self.name}" if self.part else f"x_{self.name}"


class Cell:
    """One step of a neuron and its receptors. Cells with the same step are equal, whatever values their parts have.

    neuron, receptors: instances; a receptor feeds the neuron's current it names, the first by default. Currents of the
    neuron can be given from outside as well.
    """

    def __init__(self, neuron: Instance, receptors: Mapping[str, Instance] | None = None) -> None:
        self.parts = {**(receptors or {}), "": neuron}
        self.quantities: dict[str, Quantity] = {}
        for part, instance in self.parts.items():
            self._declare(part, instance)
        self._step = tuple((part, i.model.fingerprint, i.feeds) for part, i in self.parts.items())
        self.tape = Tape(q.identifier for q in self.quantities.values())
        self.outputs = self._trace()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cell) and self._step == other._step

    def __hash__(self) -> int:
        return hash(self._step)

    def __deepcopy__(self, memo: dict[int, Any]) -> Cell:
        return self  # it never changes

    def __reduce__(self) -> tuple[Any, ...]:
        receptors = {name: i for name, i in self.parts.items() if name}
        return Cell, (self.neuron, receptors)

    @property
    def neuron(self) -> Instance:
        """The neuron itself."""
        return self.parts[""]

    def of_role(self, *roles: Role) -> list[Quantity]:
        """What the step reads of these roles, in order."""
        return [q for q in self.quantities.values() if q.role in roles]

    @property
    def states(self) -> list[Quantity]:
        """All states, in order of the parts."""
        return self.of_role("state")

    def field(self, quantity: Quantity) -> Field | None:
        """Its declaration; None for derived constants and dt."""
        return self.parts[quantity.part].model.fields.get(quantity.name)

    @property
    def fires(self) -> bool:
        """Whether the definition has a spike at all."""
        return self.outputs["spike"] != 0.0

    def _declare(self, part: str, instance: Instance) -> None:
        roles: dict[str, Role] = {"state": "state", "param": "constant", "arrival": "input", "noise": "noise"}
        for name in instance.model.arguments:
            field = instance.model.fields.get(name)
            kind = "constant" if field is None else field.kind
            if kind == "sees":
                continue
            key = f"{part}.{name}" if part else name
            role: Role = "input" if kind == "current" else roles.get(kind, "constant")
            quantity = Quantity(key, part, name, role)
            if name == "dt" and field is None:
                quantity = Quantity("dt", "", "dt", "dt")
            self.quantities[quantity.key] = quantity

    def _trace(self) -> dict[str, Ref]:
        neuron = self.neuron.model
        supplied: dict[str, Ref] = {c: self.quantities[c].identifier for c in neuron.of_kind("current")}
        outputs: dict[str, Ref] = {}
        for part, instance in self.parts.items():
            known: dict[str, Ref] = {
                q.name: q.identifier for q in self.quantities.values() if q.part == part or q.key == "dt"
            }
            if part:
                known |= {n: self.quantities[n].identifier for n in instance.model.of_kind("sees")}
            else:
                known |= supplied
            arguments = {a: known[a] for a in instance.model.arguments}
            result = self.tape.inline(instance.model.step_checked, arguments)
            assert isinstance(result, dict)
            for name in instance.model.of_kind("state"):
                outputs[f"{part}.{name}" if part else name] = result[name]
            if part:
                feeds = instance.feeds or next(iter(neuron.of_kind("current")))
                supplied[feeds] = self.tape.add("+", supplied[feeds], result["current"])
            else:
                outputs["spike"] = result["spike"]
        return outputs


class Stand(NamedTuple):
    """What stands for a word that spikes: its formulas, and the names of the inputs that hold their values."""

    word: str
    smooth: Formula
    derivative: Formula
    values: tuple[str, ...]


@dataclass(frozen=True)
class Relaxation:
    """How a cell is differentiated: what stands for spikes, whether resets pass gradients, whether all is smooth."""

    stands: tuple[Stand, ...]
    attached: bool = False
    smooth: bool = False

    @property
    def by_word(self) -> dict[str, tuple[Stand, tuple[str, ...]]]:
        """What stands for each word."""
        return {s.word: (s, s.values) for s in self.stands}

    def values(self) -> tuple[str, ...]:
        """Names of the inputs that hold the values of what stands for spikes."""
        return tuple(v for s in self.stands for v in s.values)


def identifiers(outputs: Mapping[str, Ref]) -> dict[str, Ref]:
    """Outputs by names that a dict(...) of the language can have."""
    return {key.replace(".", "__"): ref for key, ref in outputs.items()}


def step_of(cell: Cell, relaxation: Relaxation) -> Checked:
    """The step as a function of the model language: quantities by identifier, then values of what stands for spikes."""
    tape, outputs = relaxed(
        cell.tape, cell.outputs, relaxation.by_word, relaxation.attached, relaxation.smooth
    )
    return written("step", tape, identifiers(outputs))


def vjp_of(cell: Cell, relaxation: Relaxation, outputs: Iterable[str]) -> tuple[Checked, dict[str, Ref]]:
    """The cotangents of all inputs, `d_<identifier>`, given those of some `outputs`, `d_<output>`.

    Also what they are: a literal 0.0 where nothing reaches an input.
    """
    tape, all_outputs = relaxed(
        cell.tape, cell.outputs, relaxation.by_word, relaxation.attached, relaxation.smooth
    )
    wanted = identifiers({n: all_outputs[n] for n in outputs})
    back, cotangents = adjoint(tape, wanted, relaxation.by_word)
    return written("vjp", back, cotangents), cotangents
