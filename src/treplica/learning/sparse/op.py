"""The product of rows with weights as an operation of PyTorch: dense, or by the non-zero entries where these are few.

Both are the same sum in another order of its terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from treplica.learning.sparse.product import Entries, entries_of, times, transposed_times

#: Up to this share of non-zero entries their products take less time than all products on the machines measured;
#: `benchmarks/products.py` shows both.
DENSEST = 0.125


@torch.library.custom_op("treplica::linear", mutates_args=())
def linear(x: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
    """[rows, outputs] = x [rows, inputs] times weights [inputs, outputs], plus bias [outputs]. All contiguous."""
    entries = entries_of(x, DENSEST)
    if entries is not None:
        return times(entries, weights, bias)
    return x @ weights if bias is None else torch.addmm(bias, x, weights)


@linear.register_fake
def _(x: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
    return x.new_empty((x.shape[0], weights.shape[1]))


@torch.library.custom_op("treplica::linear_back", mutates_args=())
def linear_back(x: Tensor, gradient: Tensor) -> Tensor:
    """The gradient of the weights [inputs, outputs] for that of the result [rows, outputs]."""
    entries = entries_of(x, DENSEST)
    if entries is not None:
        return transposed_times(entries, gradient, x.shape[1])
    if gradient.shape[1] < x.shape[1]:  # faster the other way round where outputs are few
        return (gradient.t() @ x).t().contiguous()
    return x.t() @ gradient


@linear_back.register_fake
def _(x: Tensor, gradient: Tensor) -> Tensor:
    return x.new_empty((x.shape[1], gradient.shape[1]))


def _setup(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor | None], output: Tensor) -> None:
    x, weights, bias = inputs
    ctx.needs = x.requires_grad, weights.requires_grad, bias is not None and bias.requires_grad
    ctx.save_for_backward(x if ctx.needs[1] else None, weights if ctx.needs[0] else None)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    x, weights = ctx.saved_tensors
    gradient = gradient.contiguous()
    of_x = gradient @ weights.t() if ctx.needs[0] else None
    of_weights = linear_back(x, gradient) if ctx.needs[1] else None
    return of_x, of_weights, gradient.sum(0) if ctx.needs[2] else None


linear.register_autograd(_backward, setup_context=_setup)


@torch.library.custom_op("treplica::spikes_linear", mutates_args=())
def spikes_linear(entries: Sequence[Tensor], weights: Tensor, bias: Tensor | None) -> Tensor:
    """The same for rows given by their entries: starts, columns, values. They get no gradient."""
    return times(Entries(*entries), weights, bias)


@spikes_linear.register_fake
def _(entries: Sequence[Tensor], weights: Tensor, bias: Tensor | None) -> Tensor:
    return weights.new_empty((entries[0].shape[0] - 1, weights.shape[1]))


@torch.library.custom_op("treplica::spikes_linear_back", mutates_args=())
def spikes_linear_back(entries: Sequence[Tensor], gradient: Tensor, inputs: int) -> Tensor:
    """The gradient of its weights."""
    return transposed_times(Entries(*entries), gradient, inputs)


@spikes_linear_back.register_fake
def _(entries: Sequence[Tensor], gradient: Tensor, inputs: int) -> Tensor:
    return gradient.new_empty((inputs, gradient.shape[1]))


def _setup_spikes(ctx: Any, inputs: tuple[list[Tensor], Tensor, Tensor | None], output: Tensor) -> None:
    entries, weights, bias = inputs
    ctx.inputs, ctx.biased = weights.shape[0], bias is not None
    ctx.save_for_backward(*entries)


def _backward_spikes(ctx: Any, gradient: Tensor) -> tuple[list[None], Tensor, Tensor | None]:
    gradient = gradient.contiguous()
    of_weights = spikes_linear_back(list(ctx.saved_tensors), gradient, ctx.inputs)
    return [None, None, None], of_weights, gradient.sum(0) if ctx.biased else None


spikes_linear.register_autograd(_backward_spikes, setup_context=_setup_spikes)
