"""One hidden layer on latency-coded pictures: digits, MNIST, Fashion-MNIST."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from treplica.datasets import Images
from treplica.learning.layers.linear import Linear
from treplica.learning.layers.normalisation import Dropout
from treplica.learning.training.encoders import encode
from treplica.learning.training.inputs import Inputs
from treplica.learning.training.recipes.layers import readout, scaled, sequence, spiking
from treplica.learning.training.settings import TrainingSettings


@dataclass(frozen=True)
class LatencySettings(TrainingSettings):
    """Of a network with one hidden layer on pictures of which each pixel spikes once at most.

    - `steps`: T, within which all pixels spike
    - `cut`: darker pixels are silent
    - `shift`: pixels by which pictures are moved while training
    - `hidden`: neurons of the hidden layer
    - `decay`: factor by which potentials fall in a step; `readout_decay`: those of the readout
    - `gain`: factor on PyTorch's first weights of the hidden layer
    - `alpha`: of the arctangent surrogate
    - `dropout`: share of the hidden neurons that are silenced while training, with one mask for all steps of a sample
    """

    steps: int = 10
    cut: float = 0.0
    shift: int = 0
    hidden: int = 512
    decay: float = 0.9
    readout_decay: float = 0.9
    gain: float = 3.0
    alpha: float = 2.0
    dropout: float = 0.0


def network(settings: LatencySettings, pixels: int, classes: int) -> nn.Module:
    """pixels - hidden - classes; the last are leaky integrators."""
    return sequence(
        first=scaled(Linear(pixels, settings.hidden), settings.gain),
        hidden=spiking(settings.decay, settings.alpha),
        dropped=Dropout(settings.dropout),
        second=Linear(settings.hidden, classes),
        readout=readout(settings.readout_decay),
    )


def coded(settings: LatencySettings, train: Images, test: Images) -> tuple[Inputs, Inputs]:
    """Both as one spike at most for each pixel."""
    options = {"steps": settings.steps, "cut": settings.cut}
    return encode(train, "latency", shift=settings.shift, **options), encode(test, "latency", **options)
