"""Normalisation and dropout of layers over time."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from treplica.learning.layers.over_time import check_layout, merged


class BatchNorm1d(nn.BatchNorm1d):
    """`nn.BatchNorm1d` over samples and steps together: [T, B, C] -> [T, B, C].

    With `weight` begun at the threshold it is the threshold-dependent batch normalisation of Zheng et al. 2021,
    arXiv:2011.05280.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Each channel with one mean and one variance."""
        check_layout(f"input of BatchNorm1d({self.num_features})", x, self.num_features)
        return merged(super().forward, x)


class BatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d` over samples and steps together: [T, B, C, H, W] -> [T, B, C, H, W].

    With `weight` begun at the threshold it is the threshold-dependent batch normalisation of Zheng et al. 2021,
    arXiv:2011.05280.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Each channel with one mean and one variance."""
        check_layout(f"input of BatchNorm2d({self.num_features})", x, self.num_features, "H", "W")
        return merged(super().forward, x)


class Dropout(nn.Dropout):
    """`nn.Dropout` with one mask for all steps of a sample: [T, B, ...] -> [T, B, ...].

    A neuron that is dropped stays so from the first step to the last; with a mask for each step, what a neuron sends
    in a window would nearly always get through (Lee et al. 2020, doi:10.3389/fnins.2020.00119).
    """

    def forward(self, x: Tensor) -> Tensor:
        """The same with neurons silenced and the others scaled up by 1 / (1 - p), while training."""
        check_layout("input of Dropout", x, "...")
        if not self.training or self.p == 0.0:
            return x
        return x * F.dropout(torch.ones_like(x[0]), self.p)
