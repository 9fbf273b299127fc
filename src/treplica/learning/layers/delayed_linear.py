"""Every input to every neuron, each with a delay of its own."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from treplica.errors import InvalidValue
from treplica.learning.layers.delay import within
from treplica.learning.layers.over_time import check_layout, check_steps


class DelayedLinear(nn.Module):
    """Synapses with weights and delays, both learned: [T, B, inputs] -> [T, B, outputs].

    Output o at step t is the sum over inputs i of weight[o, i] x[t - delay[o, i], i]. To learn a delay, the weight is
    spread over the steps from 0 to `longest` as a Gaussian around the delay, normalised; its width `sigma` is yours to
    reduce while training goes on (by a factor for each epoch, down to about 0.5), so that far steps are seen first and
    single steps in the end. In `eval` mode, and for sigma = 0, each weight is at the nearest whole step (halves go to
    the even one): exactly a network with delays of whole steps.

    Hammouamri, Khalfaoui-Hassani & Masquelier 2024, arXiv:2306.17670, on dilated convolutions with learnable spacings
    of Khalfaoui-Hassani et al. 2023, arXiv:2112.03740.

    Parameters
    ----------
    inputs, outputs: how many.
    longest: the longest delay in steps. Delays begin evenly distributed between 0 and it.
    learn: whether delays are learned; without, the weights alone are, and delays are whole steps from the start.
    bias: whether each output has a constant too.
    sigma: width of the Gaussian in steps; default: half of `longest`, as in the publication.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        longest: int,
        learn: bool = True,
        *,
        bias: bool = False,
        sigma: float | None = None,
    ) -> None:
        super().__init__()
        self.inputs = check_steps("DelayedLinear: inputs", inputs, 1)
        self.outputs = check_steps("DelayedLinear: outputs", outputs, 1)
        self.longest, self.learn = check_steps("DelayedLinear: longest", longest, 0), learn
        self.sigma = (0.5 * longest if learn else 0.0) if sigma is None else sigma
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.delay = nn.Parameter(torch.empty(outputs, inputs), requires_grad=learn)
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None
        self.reset_parameters()

    @property
    def sigma(self) -> float:
        """Width of the Gaussian around each delay while training, in steps."""
        return self._sigma

    @sigma.setter
    def sigma(self, value: float) -> None:
        if not (isinstance(value, (int, float)) and math.isfinite(value) and value >= 0):
            raise InvalidValue("DelayedLinear.sigma", value, "a finite number >= 0 steps")
        self._sigma = float(value)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Weights and bias as `nn.Linear` draws them; delays anywhere."""
        bound = 1.0 / math.sqrt(self.inputs)
        self.weight.uniform_(-bound, bound)
        self.delay.uniform_(0.0, self.longest)
        if not self.learn:
            self.round_()
        if self.bias is not None:
            self.bias.uniform_(-bound, bound)

    def kernel(self) -> Tensor:
        """The weights at every delay, [outputs, inputs, longest + 1]."""
        delay = within(self.delay, self.longest)
        if self.training and self.sigma > 0.0:
            steps = torch.arange(self.longest + 1, device=delay.device, dtype=delay.dtype)
            # The logarithm of the Gaussian: what is normalised does not vanish for small widths.
            distance = (steps - delay[..., None]) / self.sigma
            return self.weight[..., None] * torch.softmax(-0.5 * distance * distance, -1)
        whole = delay.detach().round().long()
        return self.weight[..., None] * F.one_hot(whole, self.longest + 1).to(self.weight.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """The delayed and weighted sums."""
        check_layout(f"input of DelayedLinear({self.inputs}, {self.outputs})", x, self.inputs)
        early = F.pad(x.permute(1, 2, 0), (self.longest, 0))
        # A convolution goes through its kernel backwards in time.
        sums = F.conv1d(early, self.kernel().flip(-1), self.bias)
        return sums.permute(2, 0, 1).contiguous()

    @torch.no_grad()
    def round_(self) -> DelayedLinear:
        """Round the delays to whole steps, for good."""
        self.delay.copy_(within(self.delay, self.longest).round())
        return self

    def extra_repr(self) -> str:
        """The sizes, the longest delay and the width."""
        fixed = "" if self.learn else ", learn=False"
        return f"{self.inputs}, {self.outputs}, longest={self.longest}{fixed}, sigma={self.sigma:g}"
