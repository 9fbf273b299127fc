"""`from_nir`: a graph of the Neuromorphic Intermediate Representation as a module."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import torch
from torch import nn

from treplica.errors import InvalidValue, UnknownName
from treplica.io import nir
from treplica.io.nir.cycles import flatten
from treplica.io.nir.fields import within
from treplica.io.nir.steps import delay_steps
from treplica.learning.constants import Learned, Sharing
from treplica.learning.exchange.nir_module import NIRModule
from treplica.learning.exchange.nir_neurons import MODELS, Options, layer_of, milliseconds
from treplica.learning.exchange.nir_own import restored
from treplica.learning.exchange.nir_parts import part_of
from treplica.learning.exchange.nir_plan import Loop, loops
from treplica.learning.layers.linear import Linear
from treplica.learning.layers.recurrent import Recurrent
from treplica.learning.neurons import Neurons, ResetGradient
from treplica.learning.surrogate import Surrogate


def from_nir(
    graph: nir.NIRGraph | str | os.PathLike[str],
    semantics: nir.Semantics | None = None,
    *,
    surrogate: Surrogate | None = None,
    reset_gradient: ResetGradient = "detached",
    learn: Mapping[str, Iterable[str] | Learned] | None = None,
    dtype: torch.dtype = torch.float64,
) -> NIRModule:
    """The module of a graph or a file: in float64 it does what `treplica.io.nir.run` does.

    semantics: what the graph's metadata do not tell or what shall hold instead. surrogate, reset_gradient: as for
    `Neurons`. learn: parameters of neurons to train by name of the node (`"lif"`, `"graph/lif"`), such as
    {"lif": ("tau",)}; weights and scales are always parameters. dtype: of parameters; float32 rounds them to 24 bits.

    A layer with a matrix from it to itself becomes a `Recurrent`. Layers that `to_nir` wrote become again what they
    were. Raises `InvalidValue` for semantics that are needed and not told, infinite parameters, time constants that are
    not > 0, and delays that are not whole steps; `UnknownName` for what to learn.
    """
    if not isinstance(graph, nir.NIRGraph):
        if not isinstance(graph, (str, os.PathLike)):
            raise InvalidValue(
                "from_nir(graph)", type(graph).__name__, "a nir.NIRGraph or the path of a file"
            )
        graph = nir.read(graph)
    flat = flatten(graph)
    chosen = (semantics or nir.Semantics()).completed_by(graph)
    chosen.check_for(flat)
    trained: dict[str, Learned] = {
        path: dict(names) if isinstance(names, Mapping) else dict[str, Sharing].fromkeys(names, "neuron")
        for path, names in (learn or {}).items()
    }
    for path in trained:
        known = [name for name, node in _all(graph, "").items() if type(node) in (*MODELS, nir.NIRGraph)]
        if path not in known:
            raise UnknownName("learn: node", path, known)
    options = Options(milliseconds(chosen.dt or 1e-3), surrogate, reset_gradient, trained, dtype)
    return _module(graph, chosen, options, "")


def _all(graph: nir.NIRGraph, path: str) -> dict[str, nir.Node]:
    found: dict[str, nir.Node] = {}
    for name, node in graph.nodes.items():
        found[path + name] = node
        if isinstance(node, nir.NIRGraph):
            found |= _all(node, f"{path}{name}/")
    return found


def _module(graph: nir.NIRGraph, semantics: nir.Semantics, options: Options, path: str) -> NIRModule:
    parts: dict[str, nn.Module] = {}
    for name, node in graph.nodes.items():
        if not isinstance(node, (nir.Input, nir.Output)):
            with within(f"node {name!r}"):
                parts[name] = _part(node, semantics, options, path + name)
    back = loops(graph, semantics, [name for name, part in parts.items() if _fires(part)])
    for loop in back:
        layer, matrix = parts[loop.layer], parts[loop.matrix]
        assert isinstance(layer, Neurons)
        assert isinstance(matrix, Linear)
        parts[loop.layer] = _recurrent(layer, matrix, graph, loop, semantics)
        for name in loop.inner:
            del parts[name]
    return NIRModule(graph, semantics, parts, back)


def _part(node: nir.Node, semantics: nir.Semantics, options: Options, path: str) -> nn.Module:
    known = restored(node, semantics, options.dt)
    if known is not None:
        instance, port, output = known
        size = node.shapes["input"].input if isinstance(node, nir.NIRGraph) else node.gives(_size(node))
        return options.layer(instance, size, path, port=port, output=output)
    if isinstance(node, nir.NIRGraph):
        return _module(node, semantics, options, f"{path}/")
    if type(node) in MODELS:
        return layer_of(node, semantics, options, path)
    return part_of(node, semantics.dt or 0.0, options.dtype)


def _size(node: nir.Node) -> tuple[int, ...]:
    return tuple(each for each in node.takes or () if each is not None)


def _fires(part: nn.Module) -> bool:
    """Whether a module is a row of neurons that spike."""
    if not isinstance(part, Neurons) or part.output != "spike" or not part.cell.states:
        return False
    return part.size is not None and len(part.size) == 1


def _recurrent(
    layer: Neurons, matrix: Linear, graph: nir.NIRGraph, loop: Loop, semantics: nir.Semantics
) -> Recurrent:
    held = graph.nodes[loop.delay] if loop.delay else None
    steps = int(delay_steps(held, semantics.dt or 0.0).flat[0]) if isinstance(held, nir.Delay) else 1
    module = Recurrent(layer, matrix.in_features, steps, bias=matrix.bias is not None)
    module.recurrent = matrix
    return module
