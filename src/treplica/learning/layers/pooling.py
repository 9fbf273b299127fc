"""Pooling at every step, and the end of an image."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from treplica.errors import InvalidValue
from treplica.learning.layers.memory import in_order
from treplica.learning.layers.over_time import check_layout, each_step

_LAYOUT = ("C", "H", "W")


class AvgPool2d(nn.AvgPool2d):
    """`nn.AvgPool2d` over time: the mean of each window, [T, B, C, H, W] -> [T, B, C, H', W']."""

    def forward(self, x: Tensor) -> Tensor:
        """The means of every step."""
        check_layout("input of AvgPool2d", x, *_LAYOUT)
        return each_step(super().forward, x)


class SumPool2d(nn.Module):
    """The sum of each window, [T, B, C, H, W] -> [T, B, C, H', W']: synapses of weight 1.

    Parameters
    ----------
    kernel_size: of the window, one number or (height, width).
    stride: from window to window; default: the windows lie side by side.
    padding: zeros around the image.
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def forward(self, x: Tensor) -> Tensor:
        """The sums of every step."""
        check_layout("input of SumPool2d", x, *_LAYOUT)
        return each_step(self._pool, x)

    def _pool(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding, divisor_override=1)

    def extra_repr(self) -> str:
        """The window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxPool2d(nn.MaxPool2d):
    """`nn.MaxPool2d` over time: the greatest of each window (any spike), [T, B, C, H, W] -> [T, B, C, H', W']."""

    def forward(self, x: Tensor) -> Tensor:
        """The greatest of every step."""
        check_layout("input of MaxPool2d", x, *_LAYOUT)
        if self.return_indices:
            raise InvalidValue("MaxPool2d: return_indices", True, "False: a layer gives one tensor")
        return each_step(super().forward, x)


class CountMaxPool1d(nn.MaxPool1d):
    """`CountMaxPool2d` of one axis: [T, B, C, L] -> [T, B, C, L']."""

    def forward(self, x: Tensor) -> Tensor:
        """What the greatest sum of every window grew by in each step."""
        check_layout("input of CountMaxPool1d", x, "C", "L")
        return _growth(each_step(super().forward, x.cumsum(0)))


class CountMaxPool2d(nn.MaxPool2d):
    """Max pooling of spike counts: as many spikes as the neuron of each window that sent most so far.

    [T, B, C, H, W] -> [T, B, C, H', W'] of 0 and 1. At every step the output has sent the greatest number of spikes of
    the window, so that its rate is the greatest rate, exactly; `MaxPool2d`, any spike of a step, has a larger one.
    Currents are summed likewise.
    """

    def forward(self, x: Tensor) -> Tensor:
        """What the greatest sum of every window grew by in each step."""
        check_layout("input of CountMaxPool2d", x, *_LAYOUT)
        return _growth(each_step(super().forward, x.cumsum(0)))


def _growth(sums: Tensor) -> Tensor:
    return sums.diff(dim=0, prepend=torch.zeros_like(sums[:1]))


class Flatten(nn.Flatten):
    """The axes of neurons as one: [T, B, C, H, W] -> [T, B, C H W].

    start_dim, end_dim: as in `nn.Flatten`, counted with T (0) and B (1), which stay.
    """

    def __init__(self, start_dim: int = 2, end_dim: int = -1) -> None:
        if start_dim in (0, 1):
            raise InvalidValue("Flatten: start_dim", start_dim, ">= 2 or negative: T and B stay")
        super().__init__(start_dim, end_dim)

    def forward(self, x: Tensor) -> Tensor:
        """The same in another shape."""
        check_layout("input of Flatten", x, "...")
        if x.ndim + self.start_dim < 2:
            raise InvalidValue(
                "Flatten: start_dim", self.start_dim, "an axis after T and B", f"{x.ndim} axes."
            )
        return super().forward(in_order(x)) if x.ndim > 2 else x.unsqueeze(2)
