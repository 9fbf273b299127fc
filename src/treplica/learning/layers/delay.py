"""Delays of what neurons send: fixed or learned, for all, for each channel or for each neuron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from treplica.errors import InvalidValue
from treplica.learning.layers.over_time import check_layout, check_steps, delayed


class Delay(nn.Module):
    """What comes in, some steps later: [T, B, ...] -> [T, B, ...], zeros first; what would come after T is lost.

    Parameters
    ----------
    steps: the delay, one for all or one for each channel (the axis after B); where delays are not learned, also a
        tensor with as many axes of the layer as differ.
    learn: train the delays, one for each channel: `steps` becomes a parameter of numbers from 0 to `longest`. While
        training, what a delay between two steps gives is interpolated between them, which is its gradient too; in
        `eval` mode delays are rounded to whole steps (halves to the even one), as hardware and simulations have them.
    longest: the longest delay that training reaches; default: twice the longest of `steps`, at least 1.
    """

    steps: Tensor

    def __init__(
        self, steps: int | Sequence[int] | Tensor, *, learn: bool = False, longest: int | None = None
    ) -> None:
        super().__init__()
        self.learn = learn
        given = steps.tolist() if isinstance(steps, Tensor) else steps
        values = torch.tensor(given, dtype=torch.float64)
        self.sizes = tuple(values.shape)
        if (learn and values.ndim > 1) or not values.numel():
            raise InvalidValue("Delay: steps", list(values.shape), "one number, or one for each channel")
        whole = learn or bool((values == values.round()).all())
        if not (whole and bool((values >= 0.0).all()) and bool(values.isfinite().all())):
            raise InvalidValue(
                "Delay: steps", given, "numbers of steps >= 0, whole where they are not learned"
            )
        if learn and not self.sizes:
            advice = "Give a list with one delay for each channel, such as [2] * 128."
            raise InvalidValue("Delay: steps", steps, "one for each channel where they are learned", advice)
        most = int(values.max().ceil())
        self.longest = check_steps("Delay: longest", max(2 * most, 1) if longest is None else longest, most)
        if learn:
            self.steps = nn.Parameter(values.to(torch.get_default_dtype()))
        else:
            self.register_buffer("steps", values.long())

    def forward(self, x: Tensor) -> Tensor:
        """The same later."""
        check_layout("input of Delay", x, *self.sizes, "...")
        if not self.learn:
            return _shift(x, self.steps) if self.sizes else delayed(x, int(self.steps))
        steps = within(self.steps, self.longest)
        if not self.training:
            return _shift(x, steps.detach().round().long())
        whole = steps.detach().floor()
        share = (steps - whole).to(x.dtype).reshape(-1, *(1 for _ in x.shape[3:]))
        early = _shift(x, whole.long())
        return early + share * (_shift(x, whole.long() + 1) - early)

    @torch.no_grad()
    def round_(self) -> Delay:
        """Round learned delays to whole steps, for good."""
        if self.learn:
            self.steps.copy_(within(self.steps, self.longest).round())
        return self

    def extra_repr(self) -> str:
        """The delays."""
        if not self.sizes:
            return f"steps={int(self.steps)}"
        return f"channels={self.sizes[0] if len(self.sizes) == 1 else self.sizes}" + (
            f", learn=True, longest={self.longest}" if self.learn else ""
        )


def within(steps: Tensor, longest: int) -> Tensor:
    """Delays as they act, from 0 to `longest`; the gradient passes as if nothing was cut."""
    return steps + (steps.clamp(0, longest) - steps).detach()


@torch.library.custom_op("treplica::shift", mutates_args=())
def _shift(x: Tensor, steps: Tensor) -> Tensor:
    """out[t, :, c] = x[t - steps[c], :, c], and 0 where there is no such step; c: one axis or several."""
    source = torch.arange(x.shape[0], device=x.device).reshape(-1, *(1 for _ in steps.shape)) - steps
    there = (source >= 0) & (source < x.shape[0])
    shape = (x.shape[0], 1, *steps.shape, *(1 for _ in x.shape[2 + steps.ndim :]))
    index = source.clamp(0, x.shape[0] - 1).reshape(shape).expand(x.shape)
    return torch.gather(x, 0, index).mul_(there.reshape(shape))


@_shift.register_fake
def _(x: Tensor, steps: Tensor) -> Tensor:
    return x.new_empty(x.shape)


def _setup(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
    ctx.save_for_backward(inputs[1])


def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
    # Each entry went to one place, or to none.
    return _shift(gradient, -ctx.saved_tensors[0]), None


_shift.register_autograd(_backward, setup_context=_setup)
