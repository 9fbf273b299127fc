"""How well a network does on samples, and how many spikes that takes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from treplica.errors import InvalidValue
from treplica.learning.spikes import SpikeTensor
from treplica.learning.training.draws import Moment
from treplica.learning.training.inputs import Inputs
from treplica.learning.training.layers_seen import input_spikes, spikes_of
from treplica.learning.training.losses import Loss


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a network answered.

    - `loss`: mean over the samples
    - `confusion`: int64[c, c], samples by class (rows) and answer (columns)
    - `layer_spikes`: spikes of each layer for a sample, mean
    - `input_spikes`: spikes of a sample, mean; 0 for inputs that are currents
    """

    loss: float
    confusion: NDArray[np.int64]
    layer_spikes: dict[str, float] = field(default_factory=dict)
    input_spikes: float = 0.0

    @property
    def samples(self) -> int:
        """How many there were."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float(np.trace(self.confusion)) / self.samples

    @property
    def spikes_per_sample(self) -> float:
        """Spikes of all layers for a sample, those of the input not among them."""
        return sum(self.layer_spikes.values())


def evaluate(module: nn.Module, loss: Loss, inputs: Inputs, batch: int, seed: int) -> Evaluation:
    """Run all samples in evaluation mode, without gradients, in batches."""
    if not len(inputs):
        raise InvalidValue("samples to evaluate", 0, "at least one")
    device = device_of(module)
    classes = len(inputs.classes)
    total, given, sent = 0.0, 0, dict[str, float]()
    confusion = np.zeros((classes, classes), np.int64)
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad(), spikes_of(module) as seen:
            for number, start in enumerate(range(0, len(inputs), batch)):
                chosen = np.arange(start, min(start + batch, len(inputs)))
                x = inputs.batch(chosen, Moment(seed, None, number))
                labels = torch.from_numpy(inputs.labels[chosen]).to(device)
                output = module(on(x, device))
                total += float(loss(output, labels)) * len(chosen)
                answers = loss.scores(output).argmax(1).cpu().numpy()
                np.add.at(confusion, (inputs.labels[chosen], answers), 1)
                given += input_spikes(x) if inputs.spiking else 0
                for name, count in seen.counts().items():
                    sent[name] = sent.get(name, 0.0) + count
    finally:
        module.train(was_training)
    size = len(inputs)
    return Evaluation(total / size, confusion, {k: v / size for k, v in sent.items()}, given / size)


def device_of(module: nn.Module) -> torch.device:
    """Where a module's parameters are."""
    found = next(module.parameters(), None)
    return torch.device("cpu") if found is None else found.device


def on(x: Tensor | SpikeTensor, device: torch.device) -> Tensor | SpikeTensor:
    """A batch on a device; on others than the CPU it is dense."""
    if device.type == "cpu":
        return x
    return (x.dense() if isinstance(x, SpikeTensor) else x).to(device, non_blocking=True)
