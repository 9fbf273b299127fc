"""Convolutions at every step, with the parameters and state of PyTorch's."""

from __future__ import annotations

from torch import Tensor, nn

from treplica.learning.layers.over_time import check_layout, merged


class Conv1d(nn.Conv1d):
    """`nn.Conv1d` over time: [T, B, C, L] -> [T, B, channels, L']."""

    def forward(self, x: Tensor) -> Tensor:
        """The convolution of every step."""
        check_layout(f"input of Conv1d({self.in_channels}, {self.out_channels})", x, self.in_channels, "L")
        return merged(self._convolve, x)

    def _convolve(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight, self.bias)


class Conv2d(nn.Conv2d):
    """`nn.Conv2d` over time: [T, B, C, H, W] -> [T, B, channels, H', W']."""

    def forward(self, x: Tensor) -> Tensor:
        """The convolution of every step."""
        what = f"input of Conv2d({self.in_channels}, {self.out_channels})"
        check_layout(what, x, self.in_channels, "H", "W")
        return merged(self._convolve, x)

    def _convolve(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight, self.bias)
