"""`to_nir`: a module as a graph of the Neuromorphic Intermediate Representation."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from treplica.errors import InvalidValue
from treplica.io import nir
from treplica.io.nir.cycles import flatten
from treplica.learning.exchange.nir_module import NIRModule
from treplica.learning.exchange.nir_neurons import NODES, choices_of, node_of
from treplica.learning.exchange.nir_own import OWN, own_node
from treplica.learning.exchange.nir_parts import Stacked, like, node_of_part
from treplica.learning.exchange.walk import Readers, Walk
from treplica.learning.layers.convolution import Conv1d, Conv2d
from treplica.learning.layers.delay import Delay
from treplica.learning.layers.delayed_linear import DelayedLinear
from treplica.learning.layers.normalisation import BatchNorm1d, BatchNorm2d, Dropout
from treplica.learning.layers.over_time import OverTime
from treplica.learning.layers.pooling import (
    AvgPool2d,
    CountMaxPool1d,
    CountMaxPool2d,
    Flatten,
    MaxPool2d,
    SumPool2d,
)
from treplica.learning.layers.recurrent import Recurrent
from treplica.learning.layers.scale import Scale
from treplica.learning.neurons import Neurons


def to_nir(module: nn.Module, inputs: int | tuple[int, ...] | None = None) -> nir.NIRGraph:
    """The graph of a module whose input is [T, B, *inputs]; `treplica.io.nir.write` puts it into a file.

    It may hold what `from_nir` makes, and `Linear`, convolutions, pooling, `Flatten`, `Scale`, `Delay`, `Recurrent`,
    `Residual`, `nn.Sequential`, and modules whose forward is made of modules and sums, with neurons `LIF` without a
    refractory period, `SoftResetLIF`, `LeakyIntegrator`, `LIFExpCurrent` and those of NIR. Nodes are named after the
    paths of modules. dt, reset, integration and recurrence are metadata of the graph (see `nir.Semantics`); nodes of
    this library's neurons keep the neurons' own numbers as metadata, so that `from_nir` makes the same layers of them.

    inputs: not needed for what `from_nir` made, which becomes the graph that it was, with the parameters of now.

    Raises `InvalidValue` for what has no counterpart: other neurons and modules, layers of which one resets v and the
    other subtracts, batch normalisation (`fold_` it before) and delays that are not whole (`round_` them before).
    """
    told = _told(module)
    if isinstance(module, NIRModule):
        graph = _again(module, told)
    else:
        if inputs is None:
            raise InvalidValue("to_nir(inputs)", None, "the shape of the module's input without T and B")
        shape = (inputs,) if isinstance(inputs, int) else tuple(inputs)
        writing = Writing(told)
        writing.put("input", nir.Input(np.array(shape, np.int64)))
        end = writing.read(module, Wire(writing, ("input",), shape), "")
        writing.add("output", nir.Output(np.array(end.shape, np.int64)), end)
        graph = nir.NIRGraph(writing.nodes, tuple(writing.edges))
    if flatten(graph).cyclic:
        told.setdefault("recurrence", "least")
    return nir.Semantics(**told).added_to(graph)


def _told(module: nn.Module) -> dict[str, Any]:
    """What the parts of a module say about dt (s), reset, integration and recurrence; refuses contradictions."""
    found: dict[str, dict[str, Any]] = {}
    leaky = False

    def tell(name: str, value: Any, path: str) -> None:
        if value is not None:
            found.setdefault(name, {})[path or type(module).__name__] = value

    for path, part in module.named_modules():
        if isinstance(part, NIRModule):
            for name, value in dataclasses.asdict(part.semantics).items():
                tell(name, value, path)
        elif isinstance(part, Neurons):
            model = part.neuron.model
            timed = model.name in OWN or model.name in NODES
            if timed and model.name != "NIRThreshold" and not _has_dt(module, path):
                tell("dt", part.dt / 1000.0, path)
            choices = OWN[model.name].choices if model.name in OWN else {}
            for name, value in (choices_of(part) if model.name in NODES else choices).items():
                tell(name, value, path)
            leaky = leaky or model.name in OWN
    for name, by_path in found.items():
        if len(set(by_path.values())) > 1:
            raise InvalidValue(f"{name} of the layers", by_path, "one for all, as NIR has no field for it")
    told = {name: next(iter(by_path.values())) for name, by_path in found.items()}
    return {"integration": "exact", **told} if leaky else told


def _has_dt(module: nn.Module, path: str) -> bool:
    """Whether a graph around a layer tells dt, with all its bits."""
    around = [module]
    for name in path.split(".")[:-1] if path else []:
        around.append(around[-1].get_submodule(name))
    return any(isinstance(each, NIRModule) and each.semantics.dt is not None for each in around)


@dataclass(frozen=True)
class Wire:
    """What goes from node to node: the sum of what some nodes give, and its shape."""

    writing: Writing
    sources: tuple[str, ...]
    shape: tuple[int, ...]

    def plus(self, other: Wire) -> Wire:
        """The sum of two."""
        return Wire(self.writing, self.sources + other.sources, self.shape)

    def later(self, steps: int) -> Wire:
        """The same so many steps later."""
        return self.writing.part(Delay(steps), self, "delay") if steps else self


@dataclass
class Writing(Walk[Wire]):
    """The nodes and edges of a graph that grows. told: see `_told`."""

    told: dict[str, Any]
    nodes: dict[str, nir.Node] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    layers: list[Neurons] = field(default_factory=list)

    @property
    def readers(self) -> Readers:
        """What is written how."""
        return _READERS

    def put(self, name: str, node: nir.Node) -> str:
        """Add a node under this name, or the first that is free; the name."""
        base, number = name.replace("/", "_") or type(node).__name__.lower(), 0
        name = base
        while name in self.nodes or (name == "output" and type(node) is not nir.Output):
            number += 1
            name = f"{base}_{number}"
        self.nodes[name] = node
        return name

    def connect(self, wire: Wire, name: str) -> None:
        """Add the edges to a node; what comes twice goes through a factor, because NIR has an edge only once."""
        for source, count in Counter(wire.sources).items():
            if count > 1:
                times = self.put(f"{source}.times", nir.Scale(np.full(wire.shape, float(count))))
                self.edges.append((source, times))
                source = times
            self.edges.append((source, name))

    def add(self, name: str, node: nir.Node, wire: Wire) -> Wire:
        """Add a node that a wire leads to; what leaves it."""
        shape = node.gives(wire.shape)
        name = self.put(name, node)
        self.connect(wire, name)
        return Wire(self, (name,), shape)

    def part(self, module: nn.Module, wire: Wire, path: str) -> Wire:
        """A module without a membrane."""
        return self.add(path, node_of_part(module, wire.shape, self.told.get("dt")), wire)

    def neurons(self, layer: Neurons, wire: Wire, path: str) -> Wire:
        """A layer."""
        if any(layer is known for known in self.layers):
            allowed = "used once: a layer of neurons has one state"
            raise InvalidValue(
                f"module {path!r}", "is used twice", allowed, "Give each use a layer of its own."
            )
        self.layers.append(layer)
        return self.add(path or "neurons", node_of_layer(layer, wire.shape, self.told, path), wire)

    def recurrent(self, module: Recurrent, wire: Wire, path: str) -> Wire:
        """A layer and its way back: a matrix, behind a Delay where the way takes more than the one step of a cycle."""
        names = [f"{path}.{name}".lstrip(".") for name in ("neurons", "delay", "recurrent")]
        out = self.neurons(module.neurons, wire, names[0])
        (name,) = out.sources
        held = isinstance(self.nodes[name], nir.NIRGraph)  # it holds a Delay, which counts for the cycle
        back = self.part(Delay(module.delay), out, names[1]) if module.delay > 1 or held else out
        self.connect(self.part(module.recurrent, back, names[2]), name)
        return out

    def nested(self, module: NIRModule, wire: Wire, path: str) -> Wire:
        """What `from_nir` made: a graph in the graph."""
        self.layers += [part for part in module.modules() if isinstance(part, Neurons)]
        return self.add(path, _again(module, self.told), wire)

    def same(self, module: nn.Module, wire: Wire, path: str) -> Wire:
        """A module that does nothing once training is over."""
        return wire

    def refused(self, module: nn.Module, wire: Wire, path: str) -> Wire:
        """A module that has no counterpart."""
        advice = next(text for kinds, text in _REFUSED.items() if isinstance(module, kinds))
        raise InvalidValue(f"module {path!r}", type(module).__name__, "one that has a node of NIR", advice)


def node_of_layer(layer: Neurons, shape: tuple[int, ...], told: dict[str, Any], path: str) -> nir.Node:
    """The node of a layer that `shape` reaches."""
    model = layer.neuron.model.name
    if layer.size is not None and layer.size != shape:
        raise InvalidValue(f"{path}: size", layer.size, f"that of what reaches it, {shape}")
    if model in OWN:
        return own_node(layer, shape, told["integration"] == "exact")
    if model in NODES:
        fires = "spike" if layer.cell.fires else "v"
        if layer.output != fires:
            raise InvalidValue(f"{path}: output", layer.output, repr(fires))
        return node_of(layer, shape)
    known = ", ".join(sorted([*OWN, *NODES]))
    raise InvalidValue(f"{path}: neurons", model, f"one of {known}: others have no node of NIR")


def _again(module: NIRModule, told: dict[str, Any]) -> nir.NIRGraph:
    """The graph of a module made from one, with the parameters as they are now."""
    nodes = dict(module.graph.nodes)
    loops = {loop.layer: loop for loop in module.loops}
    for name, key in module.keys.items():
        part, before = module.parts[key], nodes[name]
        shape = module.graph.shapes[name].input
        if isinstance(part, NIRModule):
            nodes[name] = _again(part, told)
            continue
        if isinstance(part, Recurrent):
            loop = loops[name]
            nodes[loop.matrix] = like(node_of_part(part.recurrent, shape, None), nodes[loop.matrix], None)
            part = part.neurons
        if isinstance(part, Neurons):
            found = node_of_layer(part, shape, told, name)
            own = part.neuron.model.name in OWN
            metadata = {**before.metadata, **found.metadata}
            nodes[name] = dataclasses.replace(found, metadata=metadata) if own else like(found, before, None)
        elif not isinstance(part, nn.Identity):
            nodes[name] = like(node_of_part(part, shape, module.semantics.dt), before, module.semantics.dt)
    return dataclasses.replace(module.graph, nodes=nodes)


_REFUSED: dict[Any, str] = {
    (BatchNorm1d, BatchNorm2d): "Call fold_ on the module before.",
    DelayedLinear: "NIR has one delay for each neuron, not for each synapse.",
    (CountMaxPool1d, CountMaxPool2d): "NIR has no max pooling: train with average pooling.",
    (MaxPool2d, OverTime): "",
}
_READERS: Readers = (
    (NIRModule, Writing.nested),
    (Neurons, Writing.neurons),
    (Recurrent, Writing.recurrent),
    ((Dropout, nn.Dropout, nn.Identity), Writing.same),
    ((nn.Linear, Stacked, Conv1d, Conv2d, AvgPool2d, SumPool2d, Flatten, Scale, Delay), Writing.part),
    (
        tuple(kind for kinds in _REFUSED for kind in (kinds if isinstance(kinds, tuple) else (kinds,))),
        Writing.refused,
    ),
)
