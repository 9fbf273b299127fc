"""MNIST in the order of reading: a recurrent spiking network, and an LSTM of equal size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from torch import Tensor, nn

from treplica.datasets import mnist
from treplica.errors import UnknownName
from treplica.learning.layers.linear import Linear
from treplica.learning.layers.normalisation import Dropout
from treplica.learning.layers.recurrent import Recurrent
from treplica.learning.neurons import Neurons
from treplica.learning.surrogates import FastSigmoid
from treplica.learning.training.encoders import encode
from treplica.learning.training.inputs import Inputs
from treplica.learning.training.losses import Loss, MembraneCrossEntropy
from treplica.learning.training.recipes.layers import readout, scaled, sequence
from treplica.learning.training.recipes.recipe import Recipe
from treplica.learning.training.settings import TrainingSettings
from treplica.neurons import ALIF

Order = Literal["rows", "pixels"]
Network = Literal["spiking", "lstm"]

WIDTHS = {"rows": 28, "pixels": 1}
"""Inputs of a step."""


@dataclass(frozen=True)
class SequenceSettings(TrainingSettings):
    """Of a recurrent network on pictures that are seen part after part.

    - `order`: "rows", 28 steps with 28 pixels each, or "pixels", 784 steps with one, for which time constants should be
      longer, such as slowest=200, forgets=200 and readout_decay=0.99
    - `network`: "spiking", or "lstm" with as many parameters, as nearly as whole cells allow
    - `hidden`: recurrent neurons of the spiking network, whose time constants are learned, from `fastest` to `slowest`
      steps first
    - `adaptation`: what a spike adds to the threshold, which is 1; it decays with the time constant `forgets` steps
    - `gain`, `recurrent_gain`: factors on PyTorch's first weights of the inputs and of the recurrent connections
    - `scale`: of the surrogate, a fast sigmoid
    - `readout_decay`: factor by which potentials of the readout fall in a step
    - `dropout`: share of the neurons that are silenced for the readout while training
    - `shift`: pixels by which pictures are moved while training
    """

    order: Order = "rows"
    network: Network = "spiking"
    hidden: int = 256
    fastest: float = 1.0
    slowest: float = 20.0
    adaptation: float = 0.2
    forgets: float = 20.0
    gain: float = 3.0
    recurrent_gain: float = 0.5
    scale: float = 5.0
    readout_decay: float = 0.9
    dropout: float = 0.1
    shift: int = 1

    def __post_init__(self) -> None:
        """Refuse orders and networks that there are not."""
        super().__post_init__()
        for name, choices in (("order", Order), ("network", Network)):
            if getattr(self, name) not in get_args(choices):
                raise UnknownName(name, str(getattr(self, name)), get_args(choices))


class LSTM(nn.Module):
    """PyTorch's LSTM and a linear readout at every step: [T, B, inputs] -> [T, B, classes]."""

    def __init__(self, inputs: int, cells: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.cells = nn.LSTM(inputs, cells)
        self.dropped = Dropout(dropout)
        self.readout = nn.Linear(cells, classes)

    def forward(self, x: Tensor) -> Tensor:
        """The readout of every step."""
        result: Tensor = self.readout(self.dropped(self.cells(x)[0]))
        return result


def build(settings: SequenceSettings) -> nn.Module:
    """One recurrent layer and a readout."""
    width = WIDTHS[settings.order]
    own = spiking_network(settings, width)
    if settings.network == "spiking":
        return own
    size = sum(p.numel() for p in own.parameters())
    return LSTM(width, cells_of_size(size, width, 10), 10, settings.dropout)


def spiking_network(settings: SequenceSettings, width: int) -> nn.Module:
    """Neurons with an adaptive threshold that reach one another, and leaky integrators."""
    hidden = settings.hidden
    neuron = ALIF(
        tau=np.geomspace(settings.fastest, settings.slowest, hidden), v=0.0, v_rest=0.0, v_th=1.0, refractory=0.0,
        beta=settings.adaptation, tau_a=settings.forgets,
    )  # fmt: skip
    neurons = Neurons(neuron, hidden, surrogate=FastSigmoid(scale=settings.scale), learn=("tau",))
    recurrent = Recurrent(neurons, hidden)
    scaled(recurrent.recurrent, settings.recurrent_gain)
    return sequence(
        inputs=scaled(Linear(width, hidden), settings.gain),
        spikes=recurrent,
        dropped=Dropout(settings.dropout),
        last=Linear(hidden, 10),
        readout=readout(settings.readout_decay),
    )


def cells_of_size(parameters: int, inputs: int, classes: int) -> int:
    """Cells of the `LSTM` whose number of parameters is nearest: 4 h (inputs + h + 2) + classes (h + 1)."""
    cells = np.arange(1, parameters)
    size = 4 * cells * (inputs + cells + 2) + classes * (cells + 1)
    return int(cells[np.abs(size - parameters).argmin()])


def data(settings: SequenceSettings) -> tuple[Inputs, Inputs]:
    """The pictures in that order."""
    train = encode(mnist("train"), settings.order, shift=settings.shift)
    return train, encode(mnist("test"), settings.order)


def loss(settings: SequenceSettings) -> Loss:
    """Cross entropy of the readout after the last step."""
    return MembraneCrossEntropy("last")


RECIPE = Recipe(
    name="sequential-mnist",
    claim="MNIST row by row, recurrent neurons that adapt; 98.4 % in 15 epochs. Or pixel by pixel, or an LSTM",
    settings=SequenceSettings(epochs=15, batch=128, lr=3e-3, clip=1.0, threads=2),
    build=build,
    data=data,
    loss=loss,
)
