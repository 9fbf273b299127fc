"""Layers that recipes have in common, with times in steps and potentials in units of the threshold."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from treplica.learning.layers.linear import Linear
from treplica.learning.layers.sequential import Sequential
from treplica.learning.neurons import Neurons
from treplica.learning.surrogates import Arctan
from treplica.learning.training.losses import Loss, MembraneCrossEntropy
from treplica.learning.training.settings import TrainingSettings
from treplica.neurons import LIF, LeakyIntegrator


def spiking(decay: float, alpha: float, **more: Any) -> Neurons:
    """Leaky integrate-and-fire neurons: v falls by `decay` in a step, the threshold is 1, a spike sets v to 0.

    alpha: of the arctangent surrogate. more: for `Neurons`.
    """
    neuron = LIF(tau=time_constant(decay), v=0.0, v_rest=0.0, v_reset=0.0, v_th=1.0, refractory=0.0)
    return Neurons(neuron, surrogate=Arctan(alpha=alpha), **more)


def readout(decay: float) -> Neurons:
    """Leaky integrators without a threshold, whose v is read."""
    return Neurons(LeakyIntegrator(tau=time_constant(decay), v=0.0, v_rest=0.0), output="v")


def scaled(layer: Linear, factor: float) -> Linear:
    """A layer with its first weights multiplied."""
    with torch.no_grad():
        layer.weight *= factor
    return layer


def time_constant(decay: float) -> float:
    """tau in ms of what falls by a factor in a step of 1 ms."""
    return -1.0 / math.log(decay)


def sequence(**layers: nn.Module) -> Sequential:
    """Layers one after another, by name."""
    result = Sequential()
    for name, layer in layers.items():
        result.add_module(name, layer)
    return result


def mean_potentials(settings: TrainingSettings) -> Loss:
    """Cross entropy of the mean potentials of a readout."""
    return MembraneCrossEntropy("mean")
