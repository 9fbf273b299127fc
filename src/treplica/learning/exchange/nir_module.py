"""A graph of NIR as a module."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from treplica.errors import InvalidValue
from treplica.io import nir
from treplica.learning.exchange.nir_plan import Loop, Plan, plan_of
from treplica.learning.exchange.nir_stepping import step_through
from treplica.learning.layers.over_time import check_layout


class NIRModule(nn.Module):
    """What `from_nir` makes of a graph: [T, B, ...] -> [T, B, ...], a dict by name where there are several ports.

    - `graph`: what it was made from; `to_nir` writes it again, with the parameters as they are then
    - `semantics`: how it is computed
    - `parts`: a module for every node but ports, under the node's name with "_" for what Python names cannot have;
      `part(name)` finds one by its name, also `"graph/node"` in a nested graph

    Cycles other than a layer that reaches itself are computed step by step.
    """

    def __init__(
        self, graph: nir.NIRGraph, semantics: nir.Semantics, parts: Mapping[str, nn.Module], loops: list[Loop]
    ) -> None:
        super().__init__()
        self.graph, self.semantics, self.loops = graph, semantics, loops
        self.keys: dict[str, str] = {}
        self.parts = nn.ModuleDict()
        for name, part in parts.items():
            key = _key(name, self.parts)
            self.keys[name] = key
            self.parts[key] = part
        self._plan: Plan | None = None

    def part(self, name: str) -> nn.Module:
        """The module of a node by its name in the graph; raises KeyError where it has none of its own."""
        first, _, rest = name.partition("/")
        found = self.parts[self.keys[first]]
        return found.part(rest) if rest and isinstance(found, NIRModule) else found

    def forward(self, x: Tensor | Mapping[str, Tensor]) -> Any:
        """The output [T, B, ...] for an input of that shape, from the initial states on."""
        plan = self.plan
        values = self._inputs(x, plan)
        steps, batch = next(iter(values.values())).shape[:2]
        parts = self.leaves
        for names, cyclic in plan.groups:
            if cyclic:
                step_through(plan, names, parts, values, steps, batch)
                continue
            (name,) = names
            if name not in values:
                total = reduce(torch.add, [values[source] for source in plan.sources[name]])
                values[name] = parts[name](total) if name in parts else total
        outputs = {name: values[name] for name, node in self.graph.nodes.items() if type(node) is nir.Output}
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    @property
    def plan(self) -> Plan:
        """The order of computation."""
        if self._plan is None:
            self._plan = plan_of(self.graph, self._covered(""), self._cells(""), self.semantics)
        return self._plan

    @property
    def leaves(self) -> dict[str, nn.Module]:
        """The modules of all nodes that are no graphs, by the names of the flat graph: `node`, `graph/node`."""
        return self._leaves("")

    def _leaves(self, path: str) -> dict[str, nn.Module]:
        """The modules of all nodes, of nested graphs too, by path."""
        found: dict[str, nn.Module] = {}
        for name, key in self.keys.items():
            part = self.parts[key]
            found |= part._leaves(f"{path}{name}/") if isinstance(part, NIRModule) else {path + name: part}
        return found

    def _covered(self, path: str) -> set[str]:
        """Nodes whose work a `Recurrent` does."""
        found = {path + name for loop in self.loops for name in loop.inner}
        for name, part in self._nested():
            found |= part._covered(f"{path}{name}/")
        return found

    def _cells(self, path: str) -> dict[str, nir.Node]:
        """Nested graphs that are a single layer here, and the neuron in them."""
        found = {
            path + name: node.nodes["cubalif"]
            for name, node in self.graph.nodes.items()
            if isinstance(node, nir.NIRGraph) and not isinstance(self.parts[self.keys[name]], NIRModule)
        }
        for name, part in self._nested():
            found |= part._cells(f"{path}{name}/")
        return found

    def _nested(self) -> list[tuple[str, NIRModule]]:
        parts = [(name, self.parts[key]) for name, key in self.keys.items()]
        return [(name, part) for name, part in parts if isinstance(part, NIRModule)]

    def _inputs(self, x: Tensor | Mapping[str, Tensor], plan: Plan) -> dict[str, Tensor]:
        ports = [name for name, node in self.graph.nodes.items() if type(node) is nir.Input]
        given = dict(x) if isinstance(x, Mapping) else {self.graph.port("Input"): x}
        if given.keys() != set(ports):
            raise InvalidValue(
                "the names of the inputs", sorted(given), f"those of the graph, {sorted(ports)}"
            )
        some = next(self.parameters(), None)
        for name, tensor in given.items():
            check_layout(f"input {name!r}", tensor, *plan.shapes[name].output)
            if some is not None and tensor.dtype != some.dtype:
                advice = "Convert one of them, such as the module with .float()."
                raise InvalidValue(
                    f"input {name!r}: dtype", tensor.dtype, f"{some.dtype}, as the parameters", advice
                )
        shapes = {name: tuple(tensor.shape[:2]) for name, tensor in given.items()}
        if len(set(shapes.values())) > 1:
            raise InvalidValue("steps and batch of the inputs", shapes, "equal")
        return given


def _key(name: str, taken: nn.ModuleDict) -> str:
    """A name under which a module can be kept."""
    base = name.replace(".", "_")
    key, number = base, 0
    while key in taken or hasattr(taken, key):
        number += 1
        key = f"{base}_{number}"
    return key
