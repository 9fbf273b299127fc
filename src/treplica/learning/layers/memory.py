"""The order of gradients in memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def in_order(x: Tensor) -> Tensor:
    """x, whose gradient comes with its axes in memory as they are in x.

    What goes back into a network that computes channels last would otherwise be put in order by each operation that
    meets it, the backward pass of pooling with copies of whole images.
    """
    found: Tensor = x if x.is_contiguous() or not x.requires_grad else _InOrder.apply(x)
    return found


class _InOrder(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        like = torch.empty_like(x, device="meta")
        ctx.shape, ctx.strides = like.shape, like.stride()
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        return gradient.new_empty_strided(ctx.shape, ctx.strides).copy_(gradient)
