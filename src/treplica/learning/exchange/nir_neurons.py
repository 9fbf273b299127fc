"""NIR's neurons as layers and back: every number of a node is a parameter of the model, as it is."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treplica import neurons
from treplica.errors import InvalidValue
from treplica.io import nir
from treplica.learning.constants import Learned, attribute
from treplica.learning.neurons import Neurons, ResetGradient
from treplica.learning.surrogate import Surrogate
from treplica.model import Model

MODELS: dict[type[nir.Node], Model] = {
    nir.I: neurons.NIRI,
    nir.IF: neurons.NIRIF,
    nir.LI: neurons.NIRLI,
    nir.LIF: neurons.NIRLIF,
    nir.CubaLI: neurons.NIRCubaLI,
    nir.CubaLIF: neurons.NIRCubaLIF,
    nir.Threshold: neurons.NIRThreshold,
}
NODES = {model.name: node for node, model in MODELS.items()}
#: Parameters that are not a node's but the graph's: what they say where they are 0 and where they are 1.
CHOICES = {"exact": ("integration", ("euler", "exact")), "subtract": ("reset", ("zero", "subtract"))}


@dataclass(frozen=True)
class Options:
    """How layers are made: length of a step in ms, and what `Neurons` takes besides. learn: by path of the node."""

    dt: float
    surrogate: Surrogate | None = None
    reset_gradient: ResetGradient = "detached"
    learn: Mapping[str, Learned] = dataclasses.field(default_factory=dict)
    dtype: torch.dtype = torch.float64

    def layer(self, neuron: Any, size: tuple[int, ...], path: str, **more: Any) -> Neurons:
        """A layer whose learned parameters begin with all bits of what is given."""
        how: dict[str, Any] = dict(surrogate=self.surrogate, reset_gradient=self.reset_gradient)
        layer = Neurons(neuron, size, dt=self.dt, learn=self.learn.get(path, {}), **how, **more)
        layer.to(self.dtype)
        constants = layer.constants
        with torch.no_grad():
            for key in constants.learned:
                given = torch.tensor(constants._given[key], dtype=self.dtype)
                getattr(constants, attribute(key)).copy_(given)
        return layer


def milliseconds(seconds: float) -> float:
    """The length of a step in ms of which `neurons.nir` makes these seconds again, as dt / 1000; the shortest one.

    For few numbers there is none; then the nearest.
    """
    near = seconds * 1e3
    found = [
        ms
        for ms in (near, math.nextafter(near, 0.0), math.nextafter(near, math.inf))
        if ms / 1000.0 == seconds
    ]
    return min(found, key=lambda ms: len(repr(ms)), default=near)


def layer_of(node: nir.Node, semantics: nir.Semantics, options: Options, path: str) -> Neurons:
    """The layer of a node with a membrane, or of a threshold."""
    model = MODELS[type(node)]
    fields = {name: np.asarray(getattr(node, name), np.float64) for name in type(node).field_names()}
    values: dict[str, Any] = {name: one_or_all(value) for name, value in fields.items()}
    for name, (choice, words) in CHOICES.items():
        if name in model.fields:
            values[name] = float(words.index(getattr(semantics, choice)))
    size = next(iter(fields.values())).shape
    fires = "v_threshold" in fields or isinstance(node, nir.Threshold)
    return options.layer(model(**values), size, path, output="spike" if fires else "v")


def node_of(layer: Neurons, shape: tuple[int, ...]) -> nir.Node:
    """The node of a layer of one of NIR's neurons, float64. Raises InvalidValue for states that do not begin at 0."""
    check_begins(layer)
    kind = NODES[layer.neuron.model.name]
    fields: dict[str, Any] = {name: spread(layer, name, shape) for name in kind.field_names()}
    return kind(**fields)


def check_begins(layer: Neurons) -> None:
    """Refuse a layer whose states do not begin where those of NIR's neurons do."""
    model = layer.neuron.model
    for name in model.of_kind("state"):
        value = layer.neuron.value(name)
        if np.any(np.asarray(value) != 0.0):
            advice = "A NIR neuron begins at 0: give potentials relative to where v begins."
            raise InvalidValue(f"{model.name}.{name}", value, "0 to be written as NIR", advice)


def choices_of(layer: Neurons) -> dict[str, str]:
    """What a layer of one of NIR's neurons says about integration and reset."""
    found = {}
    for name, (choice, words) in CHOICES.items():
        if name in layer.neuron.model.fields:
            value = np.unique(np.asarray(layer.constants.parameter(name).detach()))
            if value.size != 1 or float(value[0]) not in (0.0, 1.0):
                raise InvalidValue(
                    f"{layer.neuron.model.name}.{name}", value.tolist(), "0 or 1 for the whole layer"
                )
            found[choice] = words[int(value[0])]
    return found


def spread(layer: Neurons, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """A parameter of a layer as it acts, one number for each neuron."""
    value = layer.constants.parameter(name).detach().cpu().numpy()
    try:
        return np.broadcast_to(value, shape).copy()
    except ValueError:
        what = f"{layer.neuron.model.name}.{name}: shape"
        raise InvalidValue(
            what, list(value.shape), f"that of what reaches the layer, {list(shape)}"
        ) from None


def one_or_all(values: NDArray[np.float64]) -> Any:
    """One number where all are equal to the bit, else one for each."""
    flat = np.ascontiguousarray(values).ravel()
    bits = flat.view(np.int64)
    return float(flat[0]) if flat.size and (bits == bits[0]).all() else flat
