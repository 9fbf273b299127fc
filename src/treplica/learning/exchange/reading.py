"""A module read as populations and what reaches them: modules of this package, `nn.Sequential`, and what holds them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from treplica.errors import InvalidValue
from treplica.learning.exchange.signal import Signal, Source, dense_map, norm_map, spatial_map
from treplica.learning.exchange.walk import Readers, Walk
from treplica.learning.layers.convolution import Conv1d, Conv2d
from treplica.learning.layers.normalisation import BatchNorm1d, BatchNorm2d, Dropout
from treplica.learning.layers.pooling import AvgPool2d, Flatten, SumPool2d
from treplica.learning.layers.recurrent import Recurrent
from treplica.learning.neurons import Neurons


@dataclass
class Reached:
    """A layer of neurons and the signal that reaches its port."""

    name: str
    layer: Neurons
    signal: Signal


@dataclass
class Reading(Walk[Signal]):
    """What was read: layers in order, and the name and the shape of the input."""

    input: str
    shape: tuple[int, ...]
    layers: dict[str, Reached] = field(default_factory=dict)

    @property
    def readers(self) -> Readers:
        """What is read how."""
        return _READERS

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


def _mapped(make: Callable[..., Any]) -> Callable[[Reading, Any, Signal, str], Signal]:
    return lambda reading, module, signal, path: signal.through(*make(module, signal.shape))


def _same(reading: Reading, module: nn.Module, signal: Signal, path: str) -> Signal:
    return signal


_READERS: Readers = (
    (Neurons, Reading.neurons),
    (Recurrent, Reading.recurrent),
    (nn.Linear, _mapped(dense_map)),
    ((Conv1d, Conv2d, AvgPool2d, SumPool2d, Flatten), _mapped(spatial_map)),
    ((BatchNorm1d, BatchNorm2d), _mapped(norm_map)),
    ((Dropout, nn.Dropout, nn.Identity), _same),
)
