"""The loop as an operation of PyTorch: autograd, `torch.compile` and fake tensors know it.

Operations take tensors and plain values only, so a loop is passed by its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
import torch._dynamo
from torch import Tensor

from treplica.learning.cell import Cell, Relaxation
from treplica.learning.fused.loop import Loop
from treplica.learning.fused.rows import Shape

_LOOPS: dict[str, Loop] = {}
_NAMES: dict[tuple[Any, ...], str] = {}


class Layer(Protocol):
    """What a loop is made from."""

    cell: Cell

    @property
    def relaxation(self) -> Relaxation:
        """How the step is differentiated."""


@torch._dynamo.assume_constant_result
def loop_for(
    layer: Layer, series: tuple[str, ...], columns: tuple[str, ...], recorded: tuple[str, ...], dtype: str
) -> str:
    """The name of the loop of a layer for these inputs, constants by column, records and precision."""
    relaxation = layer.relaxation
    surrogates = tuple(repr(s) for s, _ in relaxation.stands.values())
    key = (layer.cell, series, columns, recorded, dtype, surrogates, relaxation.attached, relaxation.smooth)
    if key not in _NAMES:
        shape = Shape(series, frozenset(columns), recorded)
        loop = Loop(layer.cell, relaxation, shape, getattr(torch, dtype))
        _NAMES[key] = f"{loop.title} {loop.key}"
        _LOOPS.setdefault(_NAMES[key], loop)
    return _NAMES[key]


def unroll(
    name: str,
    steps: int,
    series: Mapping[str, Tensor],
    constants: Mapping[str, Tensor],
    first: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What is recorded at every step [T, ...], and the states after the last, by key; with gradients.

    series: [T, ...], constants: [] or [...], first: states before the first step [...].
    """
    loop = _LOOPS[name]
    of_scalars, of_columns = loop.constants
    ordered = [
        [series[k].contiguous() for k in loop.shape.series],
        [constants[k] for k in of_scalars],
        [constants[k].contiguous() for k in of_columns],
        [first[k].contiguous() for k in loop.states],
    ]
    keep = torch.is_grad_enabled() and any(t.requires_grad for group in ordered for t in group)
    results = _unroll(name, steps, *ordered, keep)
    count = len(loop.shape.recorded)
    recorded = dict(zip(loop.shape.recorded, results[:count], strict=True))
    return recorded, dict(zip(loop.states, results[count : count + len(loop.states)], strict=True))


@torch.library.custom_op("treplica::unroll", mutates_args=())
def _unroll(
    name: str,
    steps: int,
    series: Sequence[Tensor],
    scalars: Sequence[Tensor],
    columns: Sequence[Tensor],
    first: Sequence[Tensor],
    keep: bool,
) -> list[Tensor]:
    return _LOOPS[name].forward(steps, series, scalars, columns, first, keep)


@_unroll.register_fake
def _(
    name: str,
    steps: int,
    series: Sequence[Tensor],
    scalars: Sequence[Tensor],
    columns: Sequence[Tensor],
    first: Sequence[Tensor],
    keep: bool,
) -> list[Tensor]:
    loop = _LOOPS[name]
    where = first[0] if first else series[0][0]
    recorded = [where.new_empty((steps, *where.shape)) for _ in loop.shape.recorded]
    kept = [where.new_empty((loop.kept_rows(steps) if keep else 0, *where.shape)) for _ in first]
    return [*recorded, *(torch.empty_like(s) for s in first), *kept]


def _setup(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    name, steps, series, scalars, columns, first, _ = inputs
    loop = _LOOPS[name]
    kept = output[len(loop.shape.recorded) + len(first) :]
    ctx.name, ctx.steps = name, steps
    ctx.counts = [len(group) for group in (series, scalars, columns, first, kept)]
    ctx.wanted = [[t.requires_grad for t in group] for group in (series, scalars, columns, first)]
    ctx.save_for_backward(*series, *scalars, *columns, *first, *kept)
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, gradients: list[Tensor | None]) -> tuple[Any, ...]:
    groups, at = [], 0
    for count in ctx.counts:
        groups.append(list(ctx.saved_tensors[at : at + count]))
        at += count
    loop = _LOOPS[ctx.name]
    count, states = len(loop.shape.recorded), len(groups[3])
    outputs = gradients[:count]
    last = gradients[count : count + states]
    flags = [f for group in ctx.wanted for f in group]
    results = _unroll_back(
        ctx.name,
        ctx.steps,
        *groups,
        [compact(g) for g in outputs if g is not None],
        [g is not None for g in outputs],
        [g.contiguous() for g in last if g is not None],
        [g is not None for g in last],
        flags,
    )
    found = iter(results)
    given = [[next(found) if f else None for f in group] for group in ctx.wanted]
    return None, None, *given, None


def compact(gradient: Tensor) -> Tensor:
    """A cotangent [T, ...] in order; where it is the same at every step, as sums over time give it, that one [...]."""
    return gradient[0].contiguous() if gradient.stride(0) == 0 else gradient.contiguous()


@torch.library.custom_op("treplica::unroll_back", mutates_args=())
def _unroll_back(
    name: str,
    steps: int,
    series: Sequence[Tensor],
    scalars: Sequence[Tensor],
    columns: Sequence[Tensor],
    first: Sequence[Tensor],
    kept: Sequence[Tensor],
    outputs: Sequence[Tensor],
    has_output: Sequence[bool],
    last: Sequence[Tensor],
    has_last: Sequence[bool],
    wanted: Sequence[bool],
) -> list[Tensor]:
    loop = _LOOPS[name]
    of_scalars, of_columns = loop.constants
    keys = [*loop.shape.series, *of_scalars, *of_columns, *loop.states]
    asked = {k for k, flag in zip(keys, wanted, strict=True) if flag}
    recorded = [k for k, given in zip(loop.shape.recorded, has_output, strict=True) if given]
    ends = iter(last)
    after = [next(ends) if given else None for given in has_last]
    states = asked & set(loop.states)
    gradients = loop.backward(
        steps, series, scalars, columns, first, kept, dict(zip(recorded, outputs, strict=True)), after,
        frozenset(asked - states), bool(states),
    )  # fmt: skip
    return [gradients[k] for k, flag in zip(keys, wanted, strict=True) if flag]


@_unroll_back.register_fake
def _(
    name: str,
    steps: int,
    series: Sequence[Tensor],
    scalars: Sequence[Tensor],
    columns: Sequence[Tensor],
    first: Sequence[Tensor],
    kept: Sequence[Tensor],
    outputs: Sequence[Tensor],
    has_output: Sequence[bool],
    last: Sequence[Tensor],
    has_last: Sequence[bool],
    wanted: Sequence[bool],
) -> list[Tensor]:
    given = [*series, *scalars, *columns, *first]
    return [torch.empty_like(t) for t, flag in zip(given, wanted, strict=True) if flag]


_unroll.register_autograd(_backward, setup_context=_setup)
