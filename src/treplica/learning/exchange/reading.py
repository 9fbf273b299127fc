"""A module read as populations and what reaches them: modules of this package, `nn.Sequential`, and what holds them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx, nn

from treplica.errors import InvalidValue
from treplica.learning.exchange.signal import Signal, Source, dense_map, norm_map, spatial_map
from treplica.learning.layers.convolution import Conv1d, Conv2d
from treplica.learning.layers.normalisation import BatchNorm1d, BatchNorm2d, Dropout
from treplica.learning.layers.pooling import AvgPool2d, Flatten, SumPool2d
from treplica.learning.layers.recurrent import Recurrent
from treplica.learning.layers.residual import Residual
from treplica.learning.neurons import Neurons


@dataclass
class Reached:
    """A layer of neurons and the signal that reaches its port."""

    name: str
    layer: Neurons
    signal: Signal


@dataclass
class Reading:
    """What was read: layers in order, and the name and the shape of the input."""

    input: str
    shape: tuple[int, ...]
    layers: dict[str, Reached] = field(default_factory=dict)

    def read(self, module: nn.Module, signal: Signal, path: str) -> Signal:
        """What a module gives for a signal; its neurons become populations named after their path."""
        for kinds, reader in _READERS:
            if isinstance(module, kinds):
                return reader(self, module, signal, path)
        return self.traced(module, signal, path)

    def neurons(self, layer: Neurons, signal: Signal, path: str) -> Signal:
        """A population; what comes out are its spikes."""
        if layer.size is not None and math.prod(layer.size) != math.prod(signal.shape):
            raise InvalidValue(f"{path}: size", layer.size, f"that of what reaches it, {signal.shape}")
        name = path.replace(".", "_") or "neurons"
        name = name if name[0].isalpha() else f"layer_{name}"
        if any(r.layer is layer for r in self.layers.values()) or name in self.layers or name == self.input:
            allowed = "used once: a layer of neurons has one state"
            raise InvalidValue(
                f"module {path!r}", "is used twice", allowed, "Give each use a layer of its own."
            )
        self.layers[name] = Reached(name, layer, signal)
        return Signal.of(name, signal.shape)

    def recurrent(self, module: Recurrent, signal: Signal, path: str) -> Signal:
        """A population that reaches itself."""
        out = self.neurons(module.neurons, signal, path)
        (name,) = (s.population for s in out.terms)
        matrix, bias, _ = dense_map(module.recurrent, signal.shape)
        own = Signal({Source(name, module.delay): matrix}, bias, signal.shape)
        self.layers[name].signal = signal.plus(own)
        return out

    def residual(self, module: Residual, signal: Signal, path: str) -> Signal:
        """Body and shortcut, added."""
        through = self.read(module.body, signal, f"{path}.body")
        beside = signal if module.shortcut is None else self.read(module.shortcut, signal, f"{path}.shortcut")
        total = through.plus(beside.later(module.delay))
        return total if module.neurons is None else self.read(module.neurons, total, f"{path}.neurons")

    def sequential(self, module: nn.Sequential, signal: Signal, path: str) -> Signal:
        """One after the other."""
        for name, part in module.named_children():
            signal = self.read(part, signal, f"{path}.{name}" if path else name)
        return signal

    def traced(self, module: nn.Module, signal: Signal, path: str) -> Signal:
        """Any other module: its `forward` as a graph of modules and sums."""
        what = f"module {path!r}" if path else type(module).__name__
        try:
            graph = _Tracer().trace(module)
        except Exception as error:  # whatever its forward does with what is no tensor
            advice = "Use modules of treplica.learning, nn.Sequential and sums in its forward."
            raise InvalidValue(what, str(error), "a module whose forward can be read", advice) from None
        known: dict[Any, Signal] = {}
        for node in graph.nodes:
            if node.op == "placeholder" and not known:
                known[node] = signal
            elif node.op == "call_module":
                part = module.get_submodule(str(node.target))
                known[node] = self.read(part, known[node.args[0]], f"{path}.{node.target}".lstrip("."))
            elif node.op == "call_function" and node.target in (operator.add, torch.add):
                known[node] = known[node.args[0]].plus(known[node.args[1]])
            elif node.op == "output":
                return known[node.args[0]]
            else:
                raise InvalidValue(
                    f"{what}: forward", f"calls {node.target}", "modules and sums of what they give"
                )
        raise AssertionError("a graph has an output")


class _Tracer(fx.Tracer):
    """Stops at every module: those are read themselves."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return True


def _mapped(make: Callable[..., Any]) -> Callable[[Reading, Any, Signal, str], Signal]:
    return lambda reading, module, signal, path: signal.through(*make(module, signal.shape))


def _same(reading: Reading, module: nn.Module, signal: Signal, path: str) -> Signal:
    return signal


_READERS: tuple[tuple[Any, Callable[[Reading, Any, Signal, str], Signal]], ...] = (
    (Neurons, Reading.neurons),
    (Recurrent, Reading.recurrent),
    (Residual, Reading.residual),
    (nn.Sequential, Reading.sequential),
    (nn.Linear, _mapped(dense_map)),
    ((Conv1d, Conv2d, AvgPool2d, SumPool2d, Flatten), _mapped(spatial_map)),
    ((BatchNorm1d, BatchNorm2d), _mapped(norm_map)),
    ((Dropout, nn.Dropout, nn.Identity), _same),
)
