"""Every input to every neuron."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from treplica.errors import InvalidValue
from treplica.learning.sparse.op import linear, spikes_linear
from treplica.learning.spikes import SpikeTensor

_COMPUTED = (torch.float32, torch.float64)


class Linear(nn.Linear):
    """`nn.Linear` whose cost follows the spikes: x [..., inputs] or a `SpikeTensor` -> [..., outputs].

    Where few inputs are not zero, only these are multiplied (on CPUs; the result differs from the dense product by
    the order of its sums). The weights have the shape and names of `nn.Linear`, [outputs, inputs], and lie in memory
    input by input.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(in_features, out_features, bias, device, dtype)
        by_input: Tensor = self.weight.detach().t().contiguous()
        self.weight: nn.Parameter = nn.Parameter(by_input.t())

    def forward(self, x: Tensor | SpikeTensor) -> Tensor:
        """The weighted sums."""
        width = x.shape[-1]
        if width != self.in_features:
            raise InvalidValue(
                f"Linear({self.in_features}, {self.out_features}): input",
                list(x.shape),
                f"[..., {self.in_features}]",
            )
        if isinstance(x, SpikeTensor):
            weights = self.weight.t().contiguous()
            entries = x if x.dtype == weights.dtype else x.to(weights.dtype)
            result = spikes_linear(list(entries.entries), weights, self.bias)
            return result.view(*x.shape[:-1], self.out_features)
        if x.device.type != "cpu" or x.dtype not in _COMPUTED or x.dtype != self.weight.dtype:
            return super().forward(x)
        rows = x.reshape(-1, width).contiguous()
        result = linear(rows, self.weight.t().contiguous(), self.bias)
        return result.view(*x.shape[:-1], self.out_features)
