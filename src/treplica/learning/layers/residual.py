"""Connections that skip layers."""

from __future__ import annotations

from torch import Tensor, nn

from treplica.errors import InvalidValue
from treplica.learning.layers.over_time import check_layout, check_steps, delayed


class Residual(nn.Module):
    """What reaches a body is added to what the body gives: x -> body(x) + shortcut(x), [T, B, ...].

    Without `neurons`, the sum is the output. Where body and shortcut end with neurons, spikes are added, and entries
    are 0, 1 or 2 (SEW of Fang et al. 2021, arXiv:2102.04159); where they end with connections, currents are. With
    `neurons`, the sum reaches these, and their spikes are the output.

    Parameters
    ----------
    body: a module over time.
    shortcut: a module over time that gives the shape of the body's output; default: the input as it is.
    neurons: the neurons that the sum reaches, or another module over time.
    delay: steps by which the shortcut arrives later; zeros come first.
    """

    def __init__(
        self,
        body: nn.Module,
        shortcut: nn.Module | None = None,
        neurons: nn.Module | None = None,
        *,
        delay: int = 0,
    ) -> None:
        super().__init__()
        self.delay = check_steps("Residual: delay", delay, 0)
        self.body, self.shortcut, self.neurons = body, shortcut, neurons

    def forward(self, x: Tensor) -> Tensor:
        """The sum, or what the neurons make of it."""
        check_layout("input of Residual", x, "...")
        through = self.body(x)
        beside = x if self.shortcut is None else self.shortcut(x)
        if through.shape != beside.shape:
            advice = "Give a shortcut that changes the shape as the body does, such as Conv2d(1, 16, 1)."
            shapes = f"{list(beside.shape)} beside {list(through.shape)}"
            raise InvalidValue("Residual: shortcut", shapes, "of the shape of the body's output", advice)
        total = through + delayed(beside, self.delay)
        return total if self.neurons is None else self.neurons(total)

    def extra_repr(self) -> str:
        """The delay."""
        return f"delay={self.delay}"
