"""What the layers of a network do while it runs: their spikes, and the first that computes something not finite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from treplica.learning.layers.recurrent import Recurrent
from treplica.learning.neurons import Neurons
from treplica.learning.spikes import SpikeTensor


class Spikes:
    """The spikes of every layer of a module in its last run, [T, B, ...] by name, while `on`."""

    def __init__(self, module: nn.Module) -> None:
        self.on = True
        self.by_layer: dict[str, Tensor] = {}
        self.layers = _spiking(module)
        self._hooks = [
            module.get_submodule(name).register_forward_hook(self._hook(name)) for name in self.layers
        ]

    def _hook(self, name: str) -> Any:
        def hook(layer: nn.Module, given: Any, output: Tensor) -> None:
            if self.on:
                self.by_layer[name] = output

        return hook

    def counts(self) -> dict[str, float]:
        """How many each layer sent, all samples together."""
        return {name: float(spikes.detach().sum()) for name, spikes in self.by_layer.items()}

    def close(self) -> None:
        """Look no more."""
        for hook in self._hooks:
            hook.remove()
        self.by_layer.clear()


@contextmanager
def spikes_of(module: nn.Module) -> Iterator[Spikes]:
    """The spikes of a module's layers, while the block runs."""
    seen = Spikes(module)
    try:
        yield seen
    finally:
        seen.close()


def _spiking(module: nn.Module) -> list[str]:
    """Names of the layers whose output are spikes. The neurons of a `Recurrent` are run by it, not called."""
    found = dict(module.named_modules())
    within = {layer.neurons for layer in found.values() if isinstance(layer, Recurrent)}
    return [name for name, layer in found.items() if layer not in within and _sends(layer)]


def _sends(layer: nn.Module) -> bool:
    neurons = layer.neurons if isinstance(layer, Recurrent) else layer
    return isinstance(neurons, Neurons) and neurons.output == "spike"


def input_spikes(x: Tensor | SpikeTensor) -> int:
    """How many entries of a batch are not 0."""
    return len(x) if isinstance(x, SpikeTensor) else int(torch.count_nonzero(x))


def first_not_finite(module: nn.Module, x: Tensor | SpikeTensor) -> str:
    """Which layer is the first whose output for x is not finite, and from which time step on; "" where all are."""
    given = x.values if isinstance(x, SpikeTensor) else x
    if not bool(torch.isfinite(given).all()):
        return "the batch itself is not finite"
    found: list[str] = []

    def hook_of(name: str, layer: nn.Module) -> Any:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            if found or not isinstance(output, Tensor) or bool(torch.isfinite(output).all()):
                return
            step = _first_step(output)
            found.append(
                f"the output of {name} ({type(layer).__name__}) is not finite from time step {step} on"
            )

        return hook

    layers = [(name or "the module", layer) for name, layer in module.named_modules()]
    hooks = [layer.register_forward_hook(hook_of(name, layer)) for name, layer in layers]
    try:
        with torch.no_grad():
            module(x)
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else ""


def first_gradient_not_finite(module: nn.Module) -> str:
    """Which parameter is the last one, so the first in the backward pass, whose gradient is not finite."""
    bad = [
        name
        for name, p in module.named_parameters()
        if p.grad is not None and not bool(torch.isfinite(p.grad).all())
    ]
    return f"the gradient of {bad[-1]} is not finite" if bad else ""


def _first_step(output: Tensor) -> int:
    """The first step (1, 2, ...) in which an output [T, ...] is not finite."""
    good = torch.isfinite(output).reshape(output.shape[0] if output.ndim else 1, -1).all(1)
    return int(good.logical_not().int().argmax()) + 1
