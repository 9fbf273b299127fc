"""N-MNIST, recordings of an event camera: a small convolutional network."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from treplica.datasets import nmnist
from treplica.datasets.nmnist import SIDE, Subset
from treplica.learning.layers.convolution import Conv2d
from treplica.learning.layers.linear import Linear
from treplica.learning.layers.normalisation import BatchNorm2d, Dropout
from treplica.learning.layers.pooling import Flatten
from treplica.learning.training.augmentation import Drop, Warp
from treplica.learning.training.encoders import encode
from treplica.learning.training.inputs import Inputs
from treplica.learning.training.recipes.layers import mean_potentials, readout, sequence, spiking
from treplica.learning.training.recipes.recipe import Recipe
from treplica.learning.training.settings import TrainingSettings


@dataclass(frozen=True)
class EventSettings(TrainingSettings):
    """Of a convolutional network on recordings of an event camera.

    - `subset`: "small", 1,000 recordings to train on and 100 to test on, or "all", 60,000 and 10,000
    - `window`, `dt`: ms of a recording that are seen, in steps of dt
    - `shift`, `stretch`, `turn`, `lost`: while training, recordings are moved by up to so many pixels, made larger or
      smaller by such a share, turned by so many degrees, and lose such a share of their events
    - `first`, `second`: channels of the convolutions
    - `decay`: factor by which potentials fall in a step; `readout_decay`: those of the readout
    - `alpha`: of the arctangent surrogate
    - `dropout`: share of the neurons of the second layer that are silenced while training
    """

    subset: Subset = "small"
    window: float = 300.0
    dt: float = 30.0
    shift: int = 2
    stretch: float = 0.1
    turn: float = 10.0
    lost: float = 0.1
    first: int = 16
    second: int = 32
    decay: float = 0.7
    readout_decay: float = 0.9
    alpha: float = 2.0
    dropout: float = 0.2


def build(settings: EventSettings) -> nn.Module:
    """Two convolutions that halve a picture, with normalised inputs, and leaky integrators."""
    left = -(-SIDE // 4)
    return sequence(
        first=Conv2d(2, settings.first, 5, stride=2, padding=2, bias=False),
        first_norm=BatchNorm2d(settings.first),
        first_spikes=spiking(settings.decay, settings.alpha),
        second=Conv2d(settings.first, settings.second, 3, stride=2, padding=1, bias=False),
        second_norm=BatchNorm2d(settings.second),
        second_spikes=spiking(settings.decay, settings.alpha),
        flat=Flatten(),
        dropped=Dropout(settings.dropout),
        last=Linear(settings.second * left * left, 10),
        readout=readout(settings.readout_decay),
    )


def data(settings: EventSettings) -> tuple[Inputs, Inputs]:
    """The recordings in steps, changed while training."""
    moved, larger = settings.shift, settings.stretch
    warp = Warp((SIDE, SIDE), shift=(0, moved, moved), stretch=(0.0, larger, larger), turn=settings.turn)
    options = {"window": settings.window, "dt": settings.dt}
    train = encode(nmnist("train", settings.subset), "events", changes=(warp, Drop(settings.lost)), **options)
    return train, encode(nmnist("test", settings.subset), "events", **options)


RECIPE = Recipe(
    name="nmnist",
    claim="N-MNIST, events of 34 × 34 pixels, two convolutions; 97 % of the 100 test recordings of the small subset",
    settings=EventSettings(epochs=50, batch=32, lr=5e-3, threads=2),
    build=build,
    data=data,
    loss=mean_potentials,
)
