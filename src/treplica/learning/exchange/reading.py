"""A module read as populations and what reaches them: modules of this package, `nn.Sequential`, and what holds them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from torch import nn

from treplica.errors import InvalidValue
from treplica.learning.exchange.maps import (
    delayed,
    delayed_sum,
    dense_map,
    norm_map,
    scale_map,
    shape_after,
    spatial_map,
)
from treplica.learning.exchange.nir_module import NIRModule
from treplica.learning.exchange.nir_parts import Stacked
from treplica.learning.exchange.reading_nir import read_graph
from treplica.learning.exchange.signal import BIAS, ONLY_SPIKES, Signal
from treplica.learning.exchange.walk import Readers, Walk
from treplica.learning.layers.convolution import Conv1d, Conv2d
from treplica.learning.layers.delay import Delay
from treplica.learning.layers.delayed_linear import DelayedLinear
from treplica.learning.layers.normalisation import BatchNorm1d, BatchNorm2d, Dropout
from treplica.learning.layers.over_time import OverTime
from treplica.learning.layers.pooling import AvgPool2d, MaxPool2d, SumPool2d
from treplica.learning.layers.recurrent import Recurrent
from treplica.learning.layers.scale import Scale
from treplica.learning.neurons import Neurons
from treplica.neurons import SpikeSource

INPUT, OUTPUT = "input", "output"


@dataclass
class Reached:
    """A layer of neurons and the signal that reaches its port."""

    name: str
    layer: Neurons
    signal: Signal


@dataclass
class Reading(Walk[Signal]):
    """What was read: layers by the name of their population, in order. dt: ms."""

    dt: float
    layers: dict[str, Reached] = field(default_factory=dict)

    @property
    def readers(self) -> Readers:
        """What is read how."""
        return _READERS

    def read(self, module: nn.Module, line: Signal, path: str) -> Signal:
        """What a module gives for a signal."""
        if line.state and not isinstance(module, (*_STILL, nn.Flatten, nn.Sequential)):
            raise InvalidValue(f"module {path!r}: takes", line.state, "spikes", ONLY_SPIKES)
        return super().read(module, line, path)

    def neurons(self, layer: Neurons, signal: Signal, path: str) -> Signal:
        """A population; what comes out are its spikes, or the state that is its output."""
        out = self.declared(layer, signal.shape, path)
        self.feed(layer, signal)
        return out

    def recurrent(self, module: Recurrent, signal: Signal, path: str) -> Signal:
        """A population that reaches itself."""
        out = self.declared(module, signal.shape, path)
        self.feed(module, signal)
        return out

    def declared(self, part: Neurons | Recurrent, shape: tuple[int, ...], path: str) -> Signal:
        """What a population gives, before it is known what reaches it."""
        layer = part if isinstance(part, Neurons) else part.neurons
        size = layer.size if part is layer else (part.size,)
        if any(reached.layer is layer for reached in self.layers.values()):
            allowed = "used once: a layer of neurons has one state"
            advice = "Give each use a layer of its own."
            raise InvalidValue(f"module {path!r}", "is used twice", allowed, advice)
        if size not in (None, shape):
            raise InvalidValue(f"module {path!r}: size", size, f"that of what reaches it, {shape}")
        name = _free(path, {INPUT, OUTPUT, BIAS, *self.layers})
        spikes = Signal.of(name, shape, layer.neuron.model.graded)
        self.layers[name] = Reached(name, layer, spikes)
        return spikes if layer.output == "spike" else replace(spikes, state=f"{layer.output} of {name}")

    def feed(self, part: Neurons | Recurrent, signal: Signal) -> None:
        """Say what reaches a population that was declared."""
        layer = part if isinstance(part, Neurons) else part.neurons
        (reached,) = (r for r in self.layers.values() if r.layer is layer)
        if isinstance(part, Recurrent):
            own = Signal.of(reached.name, signal.shape, layer.neuron.model.graded).later(part.delay)
            signal = signal.plus(own.through(*dense_map(part.recurrent, signal.shape)))
        reached.signal = signal

    def maximum(self, module: nn.Module, signal: Signal, path: str) -> Signal:
        """A population that spikes where any of its window did."""
        if not signal.spikes:
            advice = "Pool the spikes of neurons, or take SumPool2d or AvgPool2d, which are linear."
            raise InvalidValue(f"module {path!r}: the greatest of", "sums", "spikes of neurons", advice)
        windows = signal.through(*spatial_map(module, signal.shape))
        return self.neurons(Neurons(SpikeSource(), dt=self.dt), windows, path)

    def over_time(self, module: OverTime, signal: Signal, path: str) -> Signal:
        """A module of PyTorch at every step."""
        inner = module.module
        path = f"{path}.module".lstrip(".")
        if isinstance(inner, nn.Sequential):
            for name, part in inner.named_children():
                signal = self.read(OverTime(part), signal, f"{path}.{name}")
            return signal
        for kinds, reader in _EVERY_STEP:
            if isinstance(inner, kinds):
                found: Signal = reader(self, module if reader in _AS_WHOLE else inner, signal, path)
                return found
        advice = "Linear are Linear, convolutions, means and sums; end with Neurons what is not."
        raise InvalidValue(f"module {path!r}", type(inner).__name__, "one that is linear", advice)


def _free(path: str, taken: set[str]) -> str:
    """A name for the population of a layer."""
    base = re.sub(r"[^A-Za-z0-9_]", "_", path) or "neurons"
    base = f"layer_{base}" if not base[0].isalpha() or base in (INPUT, OUTPUT, BIAS) else base
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name


def _mapped(make: Callable[..., Any]) -> Callable[[Reading, Any, Signal, str], Signal]:
    return lambda reading, module, signal, path: signal.through(*make(module, signal.shape))


def _same(reading: Reading, module: nn.Module, signal: Signal, path: str) -> Signal:
    return signal


def _reshaped(reading: Reading, module: nn.Module, signal: Signal, path: str) -> Signal:
    return replace(signal, shape=shape_after(module, signal.shape))


_spatial, _norm, _dense = _mapped(spatial_map), _mapped(norm_map), _mapped(dense_map)
_STILL: tuple[type[nn.Module], ...] = (Dropout, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Identity)
_READERS: Readers = (
    (Neurons, Reading.neurons),
    (Recurrent, Reading.recurrent),
    (NIRModule, read_graph),
    (OverTime, Reading.over_time),
    (DelayedLinear, lambda reading, module, signal, path: delayed_sum(module, signal)),
    (Delay, lambda reading, module, signal, path: delayed(module, signal)),
    (MaxPool2d, Reading.maximum),
    (nn.Linear, _dense),
    (Scale, _mapped(scale_map)),
    ((Conv1d, Conv2d, AvgPool2d, SumPool2d, Stacked), _spatial),
    (nn.Flatten, _reshaped),
    ((BatchNorm1d, BatchNorm2d), _norm),
    (_STILL, _same),
)
_EVERY_STEP: Readers = (
    (_STILL, _same),
    (nn.Linear, _dense),
    ((nn.BatchNorm1d, nn.BatchNorm2d), _norm),
    ((nn.Flatten, nn.Unflatten), _reshaped),
    ((nn.MaxPool1d, nn.MaxPool2d), Reading.maximum),
    ((nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.AvgPool1d, nn.AvgPool2d), _spatial),
)
_AS_WHOLE = (_reshaped, Reading.maximum, _spatial)
