"""A graph of NIR read as populations: every node in the order of the graph, cycles included."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING

import torch
from torch import nn

from treplica.errors import InvalidValue
from treplica.learning.exchange.nir_module import NIRModule
from treplica.learning.exchange.nir_stepping import at_rest
from treplica.learning.exchange.signal import Numbers, Signal
from treplica.learning.layers.recurrent import Recurrent
from treplica.learning.neurons import Neurons

if TYPE_CHECKING:
    from treplica.learning.exchange.reading import Reading


def read_graph(reading: Reading, module: NIRModule, signal: Signal, path: str) -> Signal:
    """What the output of a graph gives for what reaches its input."""
    start, end = module.graph.port("Input"), module.graph.port("Output")
    taken = module.plan.shapes[start].output
    if signal.shape != taken:
        raise InvalidValue(f"{path}: what reaches node {start!r}".lstrip(": "), signal.shape, f"{taken}")
    nodes = _Nodes(reading, module, path, module.leaves, _rest(module), {start: signal})
    for names, _ in module.plan.groups:
        nodes.declare(names)
        for name in names:
            nodes.value(name)
        nodes.feed(names)
    return nodes.found[end]


def _rest(module: NIRModule) -> dict[str, Numbers]:
    """What closing edges carry in the first step."""
    if not module.plan.order.closing:
        return {}
    twin = copy.deepcopy(module).double().eval()
    with torch.no_grad():
        values = at_rest(twin.plan, twin.leaves, torch.zeros(1, 1, dtype=torch.float64), 1)
    return {name: value.flatten().numpy() for name, value in values.items()}


@dataclass
class _Nodes:
    """Nodes of a graph as signals, each once."""

    reading: Reading
    module: NIRModule
    path: str
    parts: Mapping[str, nn.Module]
    rest: Mapping[str, Numbers]
    found: dict[str, Signal]
    begun: list[str] = field(default_factory=list)

    def declare(self, names: tuple[str, ...]) -> None:
        """Populations: what they give is known before what reaches them."""
        for name in names:
            part = self.parts.get(name)
            if isinstance(part, (Neurons, Recurrent)):
                shape = self.module.plan.shapes[name].output
                self.found[name] = self.reading.declared(part, shape, self._place(name))

    def feed(self, names: tuple[str, ...]) -> None:
        """What reaches them."""
        for name in names:
            part = self.parts.get(name)
            if isinstance(part, (Neurons, Recurrent)):
                self.reading.feed(part, self._total(name))

    def value(self, name: str) -> Signal:
        """What a node gives."""
        if name in self.found:
            return self.found[name]
        if name in self.begun:
            way = " -> ".join([*self.begun[self.begun.index(name) :], name])
            allowed = "one with neurons in it: delays alone feed back for ever"
            raise InvalidValue(f"node {name!r}: a cycle", way, allowed, "Add a layer of neurons.")
        self.begun.append(name)
        total = self._total(name)
        part = self.parts.get(name)
        self.found[name] = total if part is None else self.reading.read(part, total, self._place(name))
        self.begun.pop()
        return self.found[name]

    def _total(self, name: str) -> Signal:
        """The sum that reaches a node."""
        plan = self.module.plan
        given = []
        for source in plan.sources[name]:
            signal = self.value(source)
            if (source, name) in plan.order.closing:
                signal = signal.before(self.rest[source])
            given.append(signal)
        if not given:
            raise InvalidValue(f"node {name!r}", "nothing reaches it", "an edge to it")
        return reduce(Signal.plus, given)

    def _place(self, name: str) -> str:
        return f"{self.path}.{name}".lstrip(".")
