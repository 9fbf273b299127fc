"""Modules that know nothing of time, at every step: T and B are one axis for them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from treplica.errors import InvalidValue
from treplica.learning.layers.lasting import lasting, one_step, stays


class OverTime(nn.Module):
    """Any module that takes [N, ...], over time: [T, B, ...] -> [T, B, ...].

    T B samples go through it at once, so what it computes over samples, such as a normalisation, it computes over
    samples and steps.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        if not isinstance(module, nn.Module):
            raise InvalidValue("OverTime(module)", module, "a module that takes [N, ...]")
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        """What the module gives for every step."""
        check_layout("input of OverTime", x, "...")
        return merged(self.module, x)


def merged(call: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """What `call` gives for x [T, B, ...] with T and B as one axis, with two axes again."""
    result = call(x.flatten(0, 1))
    if result.ndim < 1 or result.shape[0] != x.shape[0] * x.shape[1]:
        allowed = f"[{x.shape[0] * x.shape[1]}, ...]: one result for each sample and step"
        raise InvalidValue("OverTime(module): output", list(result.shape), allowed)
    return result.unflatten(0, (x.shape[0], x.shape[1]))


def each_step(call: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """As `merged`, for a `call` that computes every step for itself: of an x that stays the same, only one."""
    return lasting(call(one_step(x)), x.shape[0]) if stays(x) else merged(call, x)


def check_layout(what: str, x: object, *axes: int | str) -> None:
    """Refuse what is not a tensor [T, B, *axes]: an axis has a length or a name, and "..." is any number of axes."""
    expected = f"[T, B, {', '.join(map(str, axes))}]"
    if not isinstance(x, Tensor):
        advice = "Take its dense()." if hasattr(x, "dense") else ""
        raise InvalidValue(what, type(x).__name__, f"a tensor {expected}", advice)
    named = axes[:-1] if axes[-1:] == ("...",) else axes
    long_enough = x.ndim >= 2 + len(named) and (named != axes or x.ndim == 2 + len(axes))
    fits = long_enough and all(isinstance(a, str) or a == n for a, n in zip(named, x.shape[2:], strict=False))
    if not fits:
        advice = "A step without the axis T gets one with x.unsqueeze(0)." if x.ndim == 1 + len(named) else ""
        raise InvalidValue(f"{what}: shape", list(x.shape), f"{expected}, time first", advice)
    if not x.shape[0] or not x.shape[1]:
        raise InvalidValue(
            f"{what}: shape", list(x.shape), f"{expected} with at least one step and one sample"
        )


def check_steps(what: str, value: object, least: int, advice: str = "") -> int:
    """A number of whole steps, at least so many."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidValue(what, value, f"a whole number of steps >= {least}", advice)
    return value


def delayed(x: Tensor, steps: int, before: Tensor | None = None) -> Tensor:
    """x [T, ...] so many steps later, the same length: zeros, or `before` [steps, ...], come first."""
    if steps == 0:
        return x
    first = x.new_zeros((min(steps, x.shape[0]), *x.shape[1:])) if before is None else before[: x.shape[0]]
    return torch.cat([first, x[: max(x.shape[0] - steps, 0)]])
