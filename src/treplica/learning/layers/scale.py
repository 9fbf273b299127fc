"""A factor for every neuron."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from treplica.learning.layers.over_time import check_layout


class Scale(nn.Module):
    """Each neuron's value times a factor: [T, B, ...] -> [T, B, ...].

    scale: the factors, in the shape of the layer; a parameter.
    """

    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.as_tensor(scale))

    def forward(self, x: Tensor) -> Tensor:
        """The products."""
        check_layout("input of Scale", x, *self.scale.shape)
        return x * self.scale

    def extra_repr(self) -> str:
        """The shape."""
        return f"size={tuple(self.scale.shape)}"
