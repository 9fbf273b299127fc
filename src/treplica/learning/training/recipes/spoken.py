"""Spoken digits as changes in bands of frequency: a network with a delay in every synapse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from treplica.datasets import spoken_digits
from treplica.datasets.spoken import Division
from treplica.learning.layers.delayed_linear import DelayedLinear
from treplica.learning.layers.linear import Linear
from treplica.learning.layers.normalisation import BatchNorm1d, Dropout
from treplica.learning.neurons import Neurons
from treplica.learning.surrogates import Arctan
from treplica.learning.training.augmentation import Drop, Warp
from treplica.learning.training.encoders import encode
from treplica.learning.training.inputs import Inputs
from treplica.learning.training.recipes.layers import mean_potentials, readout, sequence
from treplica.learning.training.recipes.recipe import Recipe
from treplica.learning.training.settings import TrainingSettings
from treplica.neurons import SoftResetLIF


@dataclass(frozen=True)
class SoundSettings(TrainingSettings):
    """Of a network with two hidden layers on sounds.

    - `division`: "official", where the speakers of the test are heard in training, or "speakers", where they are not
    - `steps`, `hop`: T frames, one every so many ms; each sees twice as long
    - `channels`: bands of frequency; each has two channels of spikes, for what rises and what falls
    - `threshold`: change of a band, in standard deviations of its sound, that is a spike
    - `late`, `higher`, `slower`, `wider`, `lost`: while training, sounds are moved by up to so many steps and so many
      bands, are stretched by such a share in time and such a share in frequency, and lose such a share of their spikes
    - `hidden`: neurons of each hidden layer, whose time constants are learned, from `fastest` to `slowest` steps first
    - `longest`: delays from the first to the second layer are drawn from 0 to so many steps
    - `alpha`: of the arctangent surrogate
    - `dropout`: share of the neurons of each layer that are silenced while training
    - `readout_decay`: factor by which potentials of the readout fall in a step
    """

    division: Division = "official"
    steps: int = 50
    hop: float = 15.0
    channels: int = 40
    threshold: float = 0.5
    late: int = 5
    higher: int = 1
    slower: float = 0.15
    wider: float = 0.0
    lost: float = 0.1
    hidden: int = 128
    fastest: float = 2.0
    slowest: float = 20.0
    longest: int = 12
    alpha: float = 5.0
    dropout: float = 0.2
    readout_decay: float = 0.98


def build(settings: SoundSettings) -> nn.Module:
    """Two layers with normalised inputs, delays between them, and leaky integrators."""
    hidden = settings.hidden
    return sequence(
        first=Linear(2 * settings.channels, hidden, bias=False),
        first_norm=BatchNorm1d(hidden),
        first_spikes=neurons(settings),
        first_dropped=Dropout(settings.dropout),
        second=DelayedLinear(hidden, hidden, settings.longest, learn=False),
        second_norm=BatchNorm1d(hidden),
        second_spikes=neurons(settings),
        second_dropped=Dropout(settings.dropout),
        last=Linear(hidden, 10),
        readout=readout(settings.readout_decay),
    )


def neurons(settings: SoundSettings) -> Neurons:
    """Leaky integrate-and-fire neurons with a threshold of 1 and many time constants."""
    tau = np.geomspace(settings.fastest, settings.slowest, settings.hidden)
    neuron = SoftResetLIF(tau=tau, v=0.0, v_rest=0.0, v_th=1.0)
    return Neurons(neuron, settings.hidden, surrogate=Arctan(alpha=settings.alpha), learn=("tau",))


def data(settings: SoundSettings) -> tuple[Inputs, Inputs]:
    """The sounds as spikes, changed while training."""
    options: dict[str, Any] = {
        "steps": settings.steps, "hop": settings.hop, "window": 2.0 * settings.hop,
        "channels": settings.channels, "threshold": settings.threshold, "counts": True,
    }  # fmt: skip
    shift, stretch = (settings.late, 0, settings.higher), (settings.slower, 0.0, settings.wider)
    changes = (Warp((1, settings.channels), shift, stretch), Drop(settings.lost))
    train = encode(spoken_digits("train", settings.division), "delta", changes=changes, **options)
    return train, encode(spoken_digits("test", settings.division), "delta", **options)


RECIPE = Recipe(
    name="spoken-digits",
    claim="spoken digits as changes in bands of frequency, two layers, delays in between; 99.5 % of the official test",
    settings=SoundSettings(epochs=25, batch=64, lr=5e-3, clip=1.0, threads=2),
    build=build,
    data=data,
    loss=mean_potentials,
)
