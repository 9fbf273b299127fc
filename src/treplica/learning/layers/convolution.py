"""Convolutions at every step, with the parameters and state of PyTorch's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from treplica.learning.layers.over_time import check_layout, each_step


class Conv1d(nn.Conv1d):
    """`nn.Conv1d` over time: [T, B, C, L] -> [T, B, channels, L']."""

    def forward(self, x: Tensor) -> Tensor:
        """The convolution of every step."""
        check_layout(f"input of Conv1d({self.in_channels}, {self.out_channels})", x, self.in_channels, "L")
        return each_step(self._convolve, x)

    def _convolve(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight, self.bias)


class Conv2d(nn.Conv2d):
    """`nn.Conv2d` over time: [T, B, C, H, W] -> [T, B, channels, H', W'].

    On CPUs the result lies in memory channels last, which convolutions, pooling and normalisation compute fastest.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The convolution of every step."""
        what = f"input of Conv2d({self.in_channels}, {self.out_channels})"
        check_layout(what, x, self.in_channels, "H", "W")
        return each_step(self._convolve, x)

    def _convolve(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu":
            return self._conv_forward(x, self.weight, self.bias)
        # Of one channel both orders are one, and PyTorch takes the other for the result: it is put in order, too.
        ordered = x.contiguous(memory_format=torch.channels_last)
        result = self._conv_forward(ordered, self.weight, self.bias)
        return result.contiguous(memory_format=torch.channels_last)
