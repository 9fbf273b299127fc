"""Inputs that stay the same at every step, as pictures shown as currents do: one step in memory, and one computed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def stays(x: Tensor) -> bool:
    """Whether all steps of x [T, B, ...] are one in memory, as `lasting` and `Tensor.expand` make them.

    Not if x is where gradients end: each of its steps has its own.
    """
    return x.shape[0] > 1 and x.stride(0) == 0 and not (x.is_leaf and x.requires_grad)


def lasting(step: Tensor, steps: int) -> Tensor:
    """A step [B, ...] for so many steps [T, B, ...], without copies."""
    found: Tensor = _Lasting.apply(step, steps)
    return found


def one_step(x: Tensor) -> Tensor:
    """The step [B, ...] of an x [T, B, ...] that stays."""
    found: Tensor = _OneStep.apply(x)
    return found


class _Lasting(torch.autograd.Function):
    """`expand`, whose gradient does not add up steps that are one in memory."""

    @staticmethod
    def forward(ctx: Any, step: Tensor, steps: int) -> Tensor:
        return step.expand(steps, *step.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        same = gradient.stride(0) == 0
        return (gradient[0] * gradient.shape[0] if same else gradient.sum(0)), None


class _OneStep(torch.autograd.Function):
    """`x[0]`, whose gradient is shared by all steps: their sum is what counts, and no zeros are written."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.steps = x.shape[0]
        return x[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        return (gradient / ctx.steps).expand(ctx.steps, *gradient.shape)
