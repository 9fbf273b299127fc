"""The loop of neurons that spikes reach through weights as an operation of PyTorch, like `op`.

Its shapes depend on numbers that are looked at before, so `torch.compile` never meets it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from treplica.learning.fused.fed import BIAS, INPUT, WEIGHTS, Fed
from treplica.learning.fused.op import _LOOPS, compact
from treplica.learning.sparse.product import Entries

_FED: dict[str, Fed] = {}


def unroll_fed(
    name: str,
    spikes: Entries,
    steps: int,
    weights: Tensor,
    bias: Tensor | None,
    constants: Mapping[str, Tensor],
    first: Mapping[str, Tensor],
    dense: Tensor | None = None,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What is recorded at every step [T, B, N], and the states after the last, by key; with gradients.

    name: of the loop (`loop_for`). spikes: entries of rows (t, b). weights [inputs, N], bias [N]. dense: the spikes
    [T, B, inputs] where they get a gradient. The rest as `unroll`.
    """
    if name not in _FED:
        _FED[name] = Fed(_LOOPS[name])
    loop = _LOOPS[name]
    of_scalars, of_columns = loop.constants
    connections = [weights.contiguous()] + [t for t in (bias, dense) if t is not None]
    ordered = [
        connections,
        [constants[k] for k in of_scalars],
        [constants[k].contiguous() for k in of_columns],
        [first[k].contiguous() for k in loop.states],
    ]
    keep = torch.is_grad_enabled() and any(t.requires_grad for group in ordered for t in group)
    results = _fed(name, steps, list(spikes), *ordered, bias is not None, keep)
    count = len(loop.shape.recorded)
    recorded = dict(zip(loop.shape.recorded, results[:count], strict=True))
    return recorded, dict(zip(loop.states, results[count : count + len(loop.states)], strict=True))


@torch.library.custom_op("treplica::fed", mutates_args=())
def _fed(
    name: str,
    steps: int,
    spikes: Sequence[Tensor],
    connections: Sequence[Tensor],
    scalars: Sequence[Tensor],
    columns: Sequence[Tensor],
    first: Sequence[Tensor],
    biased: bool,
    keep: bool,
) -> list[Tensor]:
    bias = connections[1] if biased else None
    return _FED[name].forward(steps, Entries(*spikes), connections[0], bias, scalars, columns, first, keep)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    name, steps, spikes, connections, scalars, columns, first, biased, _ = inputs
    kept = output[len(_LOOPS[name].shape.recorded) + len(first) :]
    groups = (spikes, connections[: 1 + biased], scalars, columns, first, kept)
    ctx.name, ctx.steps, ctx.biased = name, steps, biased
    ctx.counts = [len(group) for group in groups]
    ctx.wanted = [[t.requires_grad for t in group] for group in (connections, scalars, columns, first)]
    ctx.save_for_backward(*(t for group in groups for t in group))
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, gradients: list[Tensor | None]) -> tuple[Any, ...]:
    groups, at = [], 0
    for count in ctx.counts:
        groups.append(list(ctx.saved_tensors[at : at + count]))
        at += count
    count, states = len(_LOOPS[ctx.name].shape.recorded), len(groups[4])
    ends = [gradients[:count], gradients[count : count + states]]
    results = _fed_back(
        ctx.name,
        ctx.steps,
        *groups,
        [compact(g) for g in ends[0] if g is not None],
        [g.contiguous() for g in ends[1] if g is not None],
        [g is not None for group in ends for g in group],
        [f for group in ctx.wanted for f in group],
    )
    found = iter(results)
    given = [[next(found) if f else None for f in group] for group in ctx.wanted]
    return None, None, [None] * 3, *given, None, None


@torch.library.custom_op("treplica::fed_back", mutates_args=())
def _fed_back(
    name: str,
    steps: int,
    spikes: Sequence[Tensor],
    connections: Sequence[Tensor],
    scalars: Sequence[Tensor],
    columns: Sequence[Tensor],
    first: Sequence[Tensor],
    kept: Sequence[Tensor],
    outputs: Sequence[Tensor],
    last: Sequence[Tensor],
    has: Sequence[bool],
    wanted: Sequence[bool],
) -> list[Tensor]:
    loop = _LOOPS[name]
    rest = [*(k for group in loop.constants for k in group), *loop.states]
    bias = connections[1] if len(connections) > 1 else None
    own = [WEIGHTS] + ([] if bias is None else [BIAS])
    own += [INPUT] * (len(wanted) - len(rest) - len(own))
    asked = [k for k, flag in zip([*own, *rest], wanted, strict=True) if flag]
    count = len(loop.shape.recorded)
    recorded = [k for k, flag in zip(loop.shape.recorded, has, strict=False) if flag]
    ends = iter(last)
    after = [next(ends) if flag else None for flag in has[count:]]
    gradients = _FED[name].backward(
        steps, Entries(*spikes), connections[0], bias, scalars, columns, first, kept,
        dict(zip(recorded, outputs, strict=True)), after, frozenset(asked),
    )  # fmt: skip
    if INPUT in gradients:
        batch = first[0].shape[0]
        gradients[INPUT] = gradients[INPUT].view(steps, batch, -1)
    return [gradients[k] for k in asked]


_fed.register_autograd(_backward, setup_context=_setup)
