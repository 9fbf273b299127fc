"""The activation of a ReLU for which its neuron spikes in every step: thresholds, one for each channel or layer."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

Method = Literal["error", "percentile", "max"]
Sharing = Literal["channel", "layer"]
#: Shares of the largest activation that "error" tries.
CANDIDATES = 60
#: Activations of a threshold that are looked at, at most, besides the largest.
SEEN = 1 << 14


def by_channel(values: Tensor) -> Tensor:
    """Values [N, C, ...] as [C, N ...], float64."""
    return values.double().transpose(0, 1).flatten(1)


def choose(values: Tensor, steps: int, method: Method, sharing: Sharing, percentile: float) -> Tensor:
    """The threshold of every channel for activations [N, C, ...], not negative: [C], float64, > 0.

    A channel that was silent gets the largest threshold of its layer.
    """
    rows = by_channel(values)
    if sharing == "layer":
        rows = rows.reshape(1, -1)
    largest = rows.amax(1)
    some = torch.randperm(rows.shape[1], generator=torch.Generator().manual_seed(0))[:SEEN]
    rows = rows[:, some.to(rows.device)]
    if method == "max":
        found = largest
    elif method == "percentile":
        rank = math.ceil(percentile / 100.0 * rows.shape[1])
        found = rows.kthvalue(max(rank, 1), 1).values
    else:
        found = _least_error(rows, largest, steps)
    found = torch.where(found > 0.0, found, largest)
    found = torch.where(found > 0.0, found, found.max())
    return torch.where(found > 0.0, found, 1.0).expand(values.shape[1]).clone()


def _least_error(rows: Tensor, largest: Tensor, steps: int) -> Tensor:
    """The threshold with the least mean squared difference between activations and what is left of them."""
    least, found = torch.full_like(largest, torch.inf), largest
    for number in range(CANDIDATES, 0, -1):
        threshold = largest * (number / CANDIDATES)
        error = (quantised(rows, threshold.unsqueeze(1), steps) - rows).square().mean(1)
        found = torch.where(error < least, threshold, found)
        least = torch.minimum(error, least)
    return found


def quantised(values: Tensor, threshold: Tensor, steps: int) -> Tensor:
    """What neurons tell of constant inputs `values`, which begin at half their threshold and reset by subtraction.

    Whole spikes, rounded, halves down, 0 to `steps` of them, of threshold / steps each; 0 for a threshold of 0.
    """
    spike = threshold / steps
    spikes = torch.ceil(values / spike - 0.5).clamp(0.0, float(steps))
    return torch.where(threshold > 0.0, spikes * spike, 0.0)
