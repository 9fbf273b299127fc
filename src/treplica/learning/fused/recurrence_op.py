"""The loop of neurons that reach one another as an operation of PyTorch, like `op`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch._dynamo
from torch import Tensor

from treplica.learning.fused.op import _LOOPS, Layer, loop_for
from treplica.learning.fused.recurrence import CONNECTIONS, Recurrence

_RECURRENCES: dict[str, Recurrence] = {}


@torch._dynamo.assume_constant_result
def recurrence_for(
    layer: Layer,
    series: tuple[str, ...],
    columns: tuple[str, ...],
    recorded: tuple[str, ...],
    dtype: str,
    port: str,
) -> str:
    """The name of the loop, as `loop_for`; port: the series that spikes reach."""
    loop = loop_for(layer, series, columns, recorded, dtype)
    name = f"{loop} to {port}"
    if name not in _RECURRENCES:
        _RECURRENCES[name] = Recurrence(_LOOPS[loop], port)
    return name


def unroll_recurrent(
    name: str,
    delay: int,
    series: Mapping[str, Tensor],
    constants: Mapping[str, Tensor],
    first: Mapping[str, Tensor],
    weights: Tensor,
    bias: Tensor | None,
    before: Tensor,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What is recorded at every step [T, B, N], and the states after the last, by key; with gradients.

    As `unroll`, with the weights [sources, targets] of spikes from neuron to neuron, `delay` steps later; before: the
    spikes of the steps before the first [delay, B, N].
    """
    loop = _RECURRENCES[name].loop
    of_scalars, of_columns = loop.constants
    ordered = [
        [series[k].contiguous() for k in loop.shape.series],
        [constants[k] for k in of_scalars],
        [constants[k].contiguous() for k in of_columns],
        [first[k].contiguous() for k in loop.states],
    ]
    recurrent = [weights.contiguous(), before.contiguous()] + ([] if bias is None else [bias])
    all_of_them = [t for group in (*ordered, recurrent) for t in group]
    keep = torch.is_grad_enabled() and any(t.requires_grad for t in all_of_them)
    results = _recur(name, delay, *ordered, recurrent, keep)
    count = len(loop.shape.recorded)
    recorded = dict(zip(loop.shape.recorded, results[:count], strict=True))
    return recorded, dict(zip(loop.states, results[count : count + len(loop.states)], strict=True))


@torch.library.custom_op("treplica::recur", mutates_args=())
def _recur(
    name: str,
    delay: int,
    series: Sequence[Tensor],
    scalars: Sequence[Tensor],
    columns: Sequence[Tensor],
    first: Sequence[Tensor],
    recurrent: Sequence[Tensor],
    keep: bool,
) -> list[Tensor]:
    weights, before, *bias = recurrent
    connections = weights, bias[0] if bias else None, before
    steps = series[0].shape[0]
    return _RECURRENCES[name].forward(steps, delay, series, scalars, columns, first, connections, keep)


@_recur.register_fake
def _(
    name: str,
    delay: int,
    series: Sequence[Tensor],
    scalars: Sequence[Tensor],
    columns: Sequence[Tensor],
    first: Sequence[Tensor],
    recurrent: Sequence[Tensor],
    keep: bool,
) -> list[Tensor]:
    loop, like = _RECURRENCES[name].loop, series[0]
    recorded = [torch.empty_like(like) for _ in loop.shape.recorded]
    kept = [s.new_empty((loop.kept_rows(like.shape[0]) if keep else 0, *s.shape)) for s in first]
    total = torch.empty_like(like) if keep else like.new_empty(0)
    return [*recorded, *(torch.empty_like(s) for s in first), *kept, total]


def _setup(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    name, delay, series, scalars, columns, first, recurrent, _ = inputs
    recurrence = _RECURRENCES[name]
    count = len(recurrence.loop.shape.recorded)
    kept, total, spikes = output[count + len(first) : -1], output[-1], output[recurrence.spikes]
    reached = [total if i == recurrence.at else s for i, s in enumerate(series)]
    groups = (reached, scalars, columns, first, kept, [*recurrent[:2], spikes])
    ctx.name, ctx.delay, ctx.counts = name, delay, [len(group) for group in groups]
    ctx.wanted = [[t.requires_grad for t in g] for g in (series, scalars, columns, first, recurrent)]
    ctx.save_for_backward(*(t for group in groups for t in group))
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, gradients: list[Tensor | None]) -> tuple[Any, ...]:
    groups, at = [], 0
    for count in ctx.counts:
        groups.append(list(ctx.saved_tensors[at : at + count]))
        at += count
    count, states = len(_RECURRENCES[ctx.name].loop.shape.recorded), len(groups[3])
    ends = [gradients[:count], gradients[count : count + states]]
    results = _recur_back(
        ctx.name,
        ctx.delay,
        *groups,
        *([g.contiguous() for g in group if g is not None] for group in ends),
        [g is not None for group in ends for g in group],
        [f for group in ctx.wanted for f in group],
    )
    found = iter(results)
    given = [[next(found) if f else None for f in group] for group in ctx.wanted]
    return None, None, *given, None


@torch.library.custom_op("treplica::recur_back", mutates_args=())
def _recur_back(
    name: str,
    delay: int,
    series: Sequence[Tensor],
    scalars: Sequence[Tensor],
    columns: Sequence[Tensor],
    first: Sequence[Tensor],
    kept: Sequence[Tensor],
    recurrent: Sequence[Tensor],
    outputs: Sequence[Tensor],
    last: Sequence[Tensor],
    has: Sequence[bool],
    wanted: Sequence[bool],
) -> list[Tensor]:
    loop = _RECURRENCES[name].loop
    keys = [*loop.shape.series, *(k for group in loop.constants for k in group), *loop.states]
    keys += CONNECTIONS[: len(wanted) - len(keys)]
    asked = [k for k, flag in zip(keys, wanted, strict=True) if flag]
    weights, before, spikes = recurrent
    count = len(loop.shape.recorded)
    recorded = [k for k, flag in zip(loop.shape.recorded, has, strict=False) if flag]
    ends = iter(last)
    after = [next(ends) if flag else None for flag in has[count:]]
    gradients = _RECURRENCES[name].backward(
        series[0].shape[0], delay, series, scalars, columns, first, kept, (weights, spikes, before),
        dict(zip(recorded, outputs, strict=True)), after, frozenset(asked),
    )  # fmt: skip
    return [gradients[k] for k in asked]


@_recur_back.register_fake
def _(
    name: str,
    delay: int,
    series: Sequence[Tensor],
    scalars: Sequence[Tensor],
    columns: Sequence[Tensor],
    first: Sequence[Tensor],
    kept: Sequence[Tensor],
    recurrent: Sequence[Tensor],
    outputs: Sequence[Tensor],
    last: Sequence[Tensor],
    has: Sequence[bool],
    wanted: Sequence[bool],
) -> list[Tensor]:
    weights, before, _ = recurrent
    given = [*series, *scalars, *columns, *first, weights, before, weights[0]]
    return [torch.empty_like(t) for t, flag in zip(given, wanted, strict=False) if flag]


_recur.register_autograd(_backward, setup_context=_setup)
