"""Tensors with their axes as they lie in memory: loops over neurons need no copy of what is channels last."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class MemoryOrder:
    """The order of the neurons' axes of x [T, B, ...] in memory, those with the longer strides first.

    In `torch.compile` it is the usual one: strides may be unknown there.
    """

    def __init__(self, x: Tensor) -> None:
        self.axes = list(range(x.ndim - 2))
        if not torch.compiler.is_compiling():
            self.axes.sort(key=lambda axis: -x.stride(axis + 2))
        self.back = [self.axes.index(axis) for axis in range(len(self.axes))]

    def inwards(self, tensors: Mapping[str, Tensor], before: int) -> dict[str, Tensor]:
        """Tensors in this order; the neurons' axes come after `before` others. Single numbers stay."""
        return {k: _permuted(t, self.axes, before) for k, t in tensors.items()}

    def outwards(self, tensors: Mapping[str, Tensor], before: int) -> dict[str, Tensor]:
        """Tensors in this order with their axes in the usual one."""
        return {k: _permuted(t, self.back, before) for k, t in tensors.items()}


def _permuted(x: Tensor, axes: list[int], before: int) -> Tensor:
    return x.permute(*range(before), *(axis + before for axis in axes)) if x.ndim else x
