"""Loops as operations of PyTorch, with gradients.

In eager mode a loop is a function of autograd. For `torch.compile` it is an operation of the library `treplica`, with
fake tensors and a backward pass of its own; operations take tensors and plain values only, so a loop is passed by its
name.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from treplica.learning.fused.loop import Loop, Tensors

_LOOPS: dict[str, Loop] = {}
_NAMES: dict[Hashable, str] = {}


def registered(key: Hashable, make: Callable[[], Loop]) -> str:
    """The name of the loop of a key, made when it is first asked for."""
    if key not in _NAMES:
        loop = make()
        name = f"{loop.title} {len(_NAMES)}"
        _LOOPS[name] = loop
        _NAMES[key] = name
    return _NAMES[key]


def unroll(name: str, steps: int, given: Tensors) -> dict[str, Tensor]:
    """What the loop of a name gives (`out <key>` [T, ...], `last <key>` [...]) for what it takes."""
    loop = _LOOPS[name]
    tensors = [given[k].contiguous() for k in loop.takes]
    keep = torch.is_grad_enabled() and any(t.requires_grad for t in tensors)
    if torch.compiler.is_compiling():
        results = _unroll(name, steps, tensors, keep)
    else:
        results = _Unrolled.apply(loop, steps, keep, *tensors)
    return dict(zip(loop.gives, results, strict=False))


class _Unrolled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, loop: Loop, steps: int, keep: bool, *tensors: Tensor) -> tuple[Tensor, ...]:
        given = dict(zip(loop.takes, tensors, strict=True))
        made = loop.forward(steps, given, keep)
        if keep:
            ctx.loop, ctx.steps = loop, steps
            ctx.save_for_backward(*loop.saved(given, made))
            ctx.set_materialize_grads(False)
        return tuple(made[k] for k in loop.gives)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Any, ...]:
        loop: Loop = ctx.loop
        kept = dict(zip(loop.needs, ctx.saved_tensors, strict=True))
        ends = {k: compact(k, g) for k, g in zip(loop.gives, gradients, strict=True) if g is not None}
        wanted = frozenset(k for k, f in zip(loop.takes, ctx.needs_input_grad[3:], strict=True) if f)
        found = loop.backward(ctx.steps, kept, ends, wanted) if wanted else {}
        return None, None, None, *(found.get(k) for k in loop.takes)


def compact(name: str, gradient: Tensor) -> Tensor:
    """A cotangent in order; where it is the same at every step, as sums over time give it, that one [...]."""
    if name.startswith("out ") and gradient.stride(0) == 0:
        return gradient[0].contiguous()
    return gradient.contiguous()


@torch.library.custom_op("treplica::unroll", mutates_args=())
def _unroll(name: str, steps: int, tensors: Sequence[Tensor], keep: bool) -> list[Tensor]:
    loop = _LOOPS[name]
    made = loop.forward(steps, dict(zip(loop.takes, tensors, strict=True)), keep)
    return [made[k] for k in loop.makes]


@_unroll.register_fake
def _(name: str, steps: int, tensors: Sequence[Tensor], keep: bool) -> list[Tensor]:
    loop = _LOOPS[name]
    return list(loop.empty(steps, dict(zip(loop.takes, tensors, strict=True)), keep).values())


def _setup(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    name, steps, tensors, _ = inputs
    loop = _LOOPS[name]
    given, made = dict(zip(loop.takes, tensors, strict=True)), dict(zip(loop.makes, output, strict=True))
    ctx.name, ctx.steps = name, steps
    ctx.wanted = [i for i, t in enumerate(tensors) if t.requires_grad]
    ctx.save_for_backward(*loop.saved(given, made))
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, gradients: list[Tensor | None]) -> tuple[Any, ...]:
    loop = _LOOPS[ctx.name]
    ends = [(i, g) for i, g in enumerate(gradients[: len(loop.gives)]) if g is not None]
    cotangents = [compact(loop.gives[i], g) for i, g in ends]
    found = _unroll_back(
        ctx.name, ctx.steps, list(ctx.saved_tensors), cotangents, [i for i, _ in ends], ctx.wanted
    )
    given: list[Tensor | None] = [None] * len(loop.takes)
    for i, gradient in zip(ctx.wanted, found, strict=True):
        given[i] = gradient
    return None, None, given, None


@torch.library.custom_op("treplica::unroll_back", mutates_args=())
def _unroll_back(
    name: str,
    steps: int,
    kept: Sequence[Tensor],
    cotangents: Sequence[Tensor],
    given: Sequence[int],
    wanted: Sequence[int],
) -> list[Tensor]:
    loop = _LOOPS[name]
    ends = {loop.gives[i]: t for i, t in zip(given, cotangents, strict=True)}
    names = [loop.takes[i] for i in wanted]
    found = loop.backward(steps, dict(zip(loop.needs, kept, strict=True)), ends, frozenset(names))
    return [found[k] for k in names]


@_unroll_back.register_fake
def _(
    name: str,
    steps: int,
    kept: Sequence[Tensor],
    cotangents: Sequence[Tensor],
    given: Sequence[int],
    wanted: Sequence[int],
) -> list[Tensor]:
    loop = _LOOPS[name]
    known = dict(zip(loop.needs, kept, strict=True))
    return [torch.empty_like(known[loop.takes[i]]) for i in wanted]


_unroll.register_autograd(_backward, setup_context=_setup)
