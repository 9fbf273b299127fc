"""The constants of a cell on tensors: given numbers, learned parameters, and what is derived from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from treplica.errors import InvalidValue, UnknownName
from treplica.learning.cell import Cell
from treplica.learning.derived import derive, register
from treplica.model import Draw, Field, Instance

#: How many values a learned parameter has: one for the layer, one for each channel (the first axis), or neuron.
Sharing = Literal["layer", "channel", "neuron"]
Learned = Mapping[str, Sharing]


def attribute(key: str) -> str:
    """The name under which a module keeps a parameter: `ampa.tau` is `ampa__tau`."""
    return key.replace(".", "__")


class Constants(nn.Module):
    """What the step of a cell reads besides states and inputs, for a layer of neurons.

    learned: parameters that training changes, by key (`tau`, `ampa.tau`); each is an `nn.Parameter` in the unit of its
    declaration, and acts as the nearest allowed value where an optimiser has taken it out of its declared range.
    """

    def __init__(self, cell: Cell, dt: float, size: tuple[int, ...] | None, learned: Learned) -> None:
        super().__init__()
        self.cell, self.dt, self.size = cell, dt, size
        self.fields = {
            (f"{part}.{n}" if part else n): (instance, n, field)
            for part, instance in cell.parts.items()
            for n, field in instance.model.of_kind("param").items()
        }
        self._names = {part: tuple(i.model.of_kind("param")) for part, i in cell.parts.items()}
        # Looked up once: the compiler of PyTorch does not follow instances.
        self._given = {
            key: shaped(f"{instance.model.name}.{n}", instance, n, size)
            for key, (instance, n, _) in self.fields.items()
        }
        self.learned = dict(learned)
        for key, sharing in self.learned.items():
            self.register_parameter(attribute(key), nn.Parameter(self._start(key, sharing)))
        self._derivations = {
            part: (register(i.model), i.model.derive_checked.source.arguments, i.model.derived)
            for part, i in cell.parts.items()
            if i.model.derive_checked
        }
        self._kept: dict[tuple[torch.dtype, torch.device], dict[str, Tensor]] = {}

    def _start(self, key: str, sharing: Sharing) -> Tensor:
        if key not in self.fields:
            raise UnknownName("learned parameter", key, self.fields)
        if sharing not in get_args(Sharing):
            raise UnknownName(f"learn[{key!r}]", sharing, get_args(Sharing))
        if sharing != "layer" and self.size is None:
            advice = "Give size=, such as size=128 or size=(16, 14, 14), or learn one for the layer."
            raise InvalidValue(f"learn[{key!r}]", sharing, "'layer' where the size is not known", advice)
        value = torch.tensor(self._given[key], dtype=torch.get_default_dtype())
        size = self.size or ()
        shape = {"layer": (), "channel": (size[:1] + (1,) * (len(size) - 1)), "neuron": size}[sharing]
        if value.ndim and sharing != "neuron":
            allowed = f"{key}: one number, because it is learned for each {sharing}"
            raise InvalidValue(f"{self.cell.neuron.model.name}.{key}", list(value.shape), allowed)
        return value.expand(shape).clone() if not value.ndim else value.reshape(shape).clone()

    def parameter(self, key: str) -> Tensor:
        """A parameter as it acts, float64; with gradient where it is learned."""
        if key not in self.learned:
            return torch.tensor(self._given[key], dtype=torch.float64)
        raw = getattr(self, attribute(key))
        low, high = _range(self.fields[key][2])
        # The gradient passes as if nothing was cut, so that a value can come back from the edge.
        acting = raw + (raw.clamp(low, high) - raw).detach()
        return acting.double()

    def values(self, dtype: torch.dtype, device: torch.device) -> dict[str, Tensor]:
        """Every constant of the step by key, [] or in the shape of the layer; derived ones computed in float64."""
        kind = (dtype, device)
        if self.learned:
            return self._values(*kind)
        if kind in self._kept:
            return self._kept[kind]
        with torch.no_grad():
            values = self._values(*kind)
        if not torch.is_inference_mode_enabled():  # what is made there cannot be used in training
            self._kept[kind] = values
        return values

    def _values(self, dtype: torch.dtype, device: torch.device) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for part in self.cell.parts:
            known = {n: self.parameter(f"{part}.{n}" if part else n) for n in self._names[part]}
            if part in self._derivations:
                name, arguments, results = self._derivations[part]
                given = {**known, "dt": torch.tensor(self.dt, dtype=torch.float64)}
                known |= zip(results, derive(name, [given[a] for a in arguments]), strict=True)
            found |= {f"{part}.{n}" if part else n: v for n, v in known.items()}
        found["dt"] = torch.tensor(self.dt, dtype=torch.float64)
        wanted = {q.key for q in self.cell.of_role("constant", "dt")}
        return {k: v.to(device=device, dtype=dtype) for k, v in found.items() if k in wanted}

    def extra_repr(self) -> str:
        """What is learned."""
        return ", ".join(f"{k}: one for each {s}" for k, s in self.learned.items())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for part in self._derivations:  # another process does not know them yet
            register(self.cell.parts[part].model)

    def _apply(self, *given: Any, **more: Any) -> Any:
        self._kept.clear()
        return super()._apply(*given, **more)


def shaped(what: str, instance: Instance, name: str, size: tuple[int, ...] | None) -> Any:
    """A value of an instance: a number, or an array reshaped to the layer."""
    value = instance.value(name)
    if isinstance(value, Draw):
        advice = "Draw it yourself: an array with one number for each neuron."
        raise InvalidValue(what, value, "a number or an array", advice)
    if not isinstance(value, np.ndarray):
        return value
    if size is None or math.prod(size) != value.size:
        allowed = (
            f"an array for a layer of size {size}"
            if size
            else "a number where the size of the layer is not given"
        )
        raise InvalidValue(what, list(value.shape), allowed, "Give size= to the layer.")
    return value.reshape(size)


def _range(field: Field) -> tuple[float, float]:
    """The closed range a learned value is kept in: open ends are moved in by a millionth of the default."""
    inside = 1e-6 * max(abs(field.default), 1e-6)
    low = field.low + inside if field.low_open else field.low
    return low, field.high - inside if field.high_open else field.high
