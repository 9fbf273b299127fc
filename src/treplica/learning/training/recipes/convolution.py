"""Two convolutions and a hidden layer on pictures shown as currents: MNIST, Fashion-MNIST."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from treplica.datasets import Images, Split
from treplica.learning.layers.convolution import Conv2d
from treplica.learning.layers.linear import Linear
from treplica.learning.layers.normalisation import BatchNorm1d, BatchNorm2d, Dropout
from treplica.learning.layers.pooling import Flatten
from treplica.learning.training.encoders import encode
from treplica.learning.training.inputs import Inputs
from treplica.learning.training.recipes.layers import mean_potentials, readout, sequence, spiking
from treplica.learning.training.recipes.recipe import Recipe
from treplica.learning.training.settings import TrainingSettings


@dataclass(frozen=True)
class ConvolutionSettings(TrainingSettings):
    """Of a network with two convolutions, each of which halves height and width, and a hidden layer.

    - `steps`: T, for which a picture is shown
    - `shift`: pixels by which pictures are moved while training; `mirror`: whether half of them are mirrored then
    - `first`, `second`: channels of the convolutions; `kernel`: height and width of their windows
    - `hidden`: neurons of the hidden layer
    - `decay`: factor by which potentials fall in a step; `readout_decay`: those of the readout
    - `alpha`: of the arctangent surrogate
    - `dropout`: share of the neurons before the hidden layer and in it that are silenced while training, with one mask
      for all steps of a sample
    """

    steps: int = 4
    shift: int = 0
    mirror: bool = False
    first: int = 32
    second: int = 64
    kernel: int = 5
    hidden: int = 128
    decay: float = 0.5
    readout_decay: float = 0.9
    alpha: float = 2.0
    dropout: float = 0.2


def network(settings: ConvolutionSettings, side: int, classes: int) -> nn.Module:
    """Pictures of side · side pixels - two convolutions - hidden - classes; the last are leaky integrators."""
    around = settings.kernel // 2
    half = _halved(side, settings.kernel)
    quarter = _halved(half, settings.kernel)
    return sequence(
        first=Conv2d(1, settings.first, settings.kernel, stride=2, padding=around, bias=False),
        first_norm=BatchNorm2d(settings.first),
        first_spikes=spiking(settings.decay, settings.alpha),
        second=Conv2d(settings.first, settings.second, settings.kernel, stride=2, padding=around, bias=False),
        second_norm=BatchNorm2d(settings.second),
        second_spikes=spiking(settings.decay, settings.alpha),
        flat=Flatten(),
        second_dropped=Dropout(settings.dropout),
        third=Linear(settings.second * quarter * quarter, settings.hidden, bias=False),
        third_norm=BatchNorm1d(settings.hidden),
        hidden=spiking(settings.decay, settings.alpha),
        hidden_dropped=Dropout(settings.dropout),
        fourth=Linear(settings.hidden, classes),
        readout=readout(settings.readout_decay),
    )


def recipe(
    name: str, claim: str, settings: ConvolutionSettings, images: Callable[[Split], Images]
) -> Recipe[ConvolutionSettings]:
    """The recipe for a data set with pictures of 28 · 28 pixels and 10 classes."""
    return Recipe(
        name=name,
        claim=claim,
        settings=settings,
        build=lambda settings: network(settings, side=28, classes=10),
        data=lambda settings: shown(settings, images("train"), images("test")),
        loss=mean_potentials,
    )


def shown(settings: ConvolutionSettings, train: Images, test: Images) -> tuple[Inputs, Inputs]:
    """Both as currents that stay the same for all steps, in whole multiples of 2**-8."""
    kind = {"steps": settings.steps, "bits": 8}
    changed = {"shift": settings.shift, "mirror": settings.mirror}
    return encode(train, "direct", **kind, **changed), encode(test, "direct", **kind)


def _halved(side: int, kernel: int) -> int:
    return (side + 2 * (kernel // 2) - kernel) // 2 + 1
