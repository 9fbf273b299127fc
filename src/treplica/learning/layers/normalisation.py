"""Normalisation and dropout of layers over time."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from treplica.learning.layers.lasting import lasting, one_step, stays
from treplica.learning.layers.over_time import check_layout, each_step, merged
from treplica.learning.native.mask import drawn_mask


class BatchNorm1d(nn.BatchNorm1d):
    """`nn.BatchNorm1d` over samples and steps together: [T, B, C] -> [T, B, C].

    With `weight` begun at the threshold it is the threshold-dependent batch normalisation of Zheng et al. 2021,
    arXiv:2011.05280.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Each channel with one mean and one variance."""
        check_layout(f"input of BatchNorm1d({self.num_features})", x, self.num_features)
        return _normalised(self, super().forward, x)


class BatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d` over samples and steps together: [T, B, C, H, W] -> [T, B, C, H, W].

    With `weight` begun at the threshold it is the threshold-dependent batch normalisation of Zheng et al. 2021,
    arXiv:2011.05280.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Each channel with one mean and one variance."""
        check_layout(f"input of BatchNorm2d({self.num_features})", x, self.num_features, "H", "W")
        return _normalised(self, super().forward, x)


class Dropout(nn.Dropout):
    """`nn.Dropout` with one mask for all steps of a sample: [T, B, ...] -> [T, B, ...].

    A neuron that is dropped stays so from the first step to the last; with a mask for each step, what a neuron sends
    in a window would nearly always get through (Lee et al. 2020, doi:10.3389/fnins.2020.00119).
    """

    def forward(self, x: Tensor) -> Tensor:
        """The same with neurons silenced and the others scaled up by 1 / (1 - p), while training."""
        check_layout("input of Dropout", x, "...")
        return x * self.mask(x[0]) if self.drops else x

    @property
    def drops(self) -> bool:
        """Whether anything is silenced now."""
        return bool(self.training and self.p > 0.0)

    def mask(self, like: Tensor) -> Tensor:
        """0 for what is dropped and 1 / (1 - p) for the rest, for a step [B, ...]."""
        if self.p == 1.0:
            return torch.zeros_like(like)
        return drawn_mask(like, self.p)


def _normalised(norm: nn.BatchNorm1d | nn.BatchNorm2d, call: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """What `call`, the normalisation of [N, C, ...], gives for all steps; of an x that stays the same, from one.

    Mean and variance of T equal steps are those of one step; only the running variance, which PyTorch multiplies by
    n / (n - 1), knows that n counts all steps.
    """
    size = x[0].numel() // norm.num_features
    if not norm.training or not stays(x) or size < 2:
        return merged(call, x) if norm.training else each_step(call, x)
    mean, variance = x.new_zeros(2, norm.num_features)
    result = F.batch_norm(one_step(x), mean, variance, norm.weight, norm.bias, True, 1.0, norm.eps)
    if norm.running_mean is not None and norm.running_var is not None:
        assert norm.num_batches_tracked is not None
        norm.num_batches_tracked += 1
        share = 1.0 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
        total = x.shape[0] * size
        variance = variance * (total * (size - 1) / (size * (total - 1)))
        norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
        norm.running_var.lerp_(variance.to(norm.running_var.dtype), share)
    return lasting(result, x.shape[0])
