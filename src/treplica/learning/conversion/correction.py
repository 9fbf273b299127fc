"""Biases corrected by what a spiking network does for the calibration samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from treplica.learning.conversion.converted import over_time
from treplica.learning.conversion.thresholds import by_channel
from treplica.learning.layers.sequential import Sequential

#: Samples that run at once.
BATCH = 64


@dataclass(frozen=True)
class Goal:
    """What a layer should give. connection: the one before it. end: the modules up to the layer's neurons.

    mean: over samples and places, of every channel, [C].
    """

    connection: Any
    end: int
    mean: Tensor


def correct(network: Sequential, goals: Iterable[Goal], calibration: Tensor, steps: int) -> None:
    """Add to biases, in place and layer by layer, what the mean of each channel lacks after `steps` steps.

    Spikes that come unevenly, and activations above the threshold, change means; the layers after them learn of it here
    (bias calibration of Li et al. 2021, arXiv:2106.06984).
    """
    for goal in goals:
        front = network[: goal.end]
        total, count = torch.zeros_like(goal.mean), 0
        with torch.no_grad():
            for samples in calibration.split(BATCH):
                given = by_channel(over_time(front, samples, steps))
                total, count = total + given.sum(1), count + given.shape[1]
            lacking = goal.mean - total / count
            connection = goal.connection
            if connection.bias is None:
                connection.bias = nn.Parameter(connection.weight.new_zeros(len(lacking)))
            connection.bias += lacking.to(connection.bias.dtype)
