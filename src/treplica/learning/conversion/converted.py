"""A network of ReLUs as spiking neurons."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from treplica.errors import InvalidValue
from treplica.learning.layers.sequential import Sequential
from treplica.learning.neurons import Neurons


@dataclass(frozen=True)
class LayerBalance:
    """How a layer of ReLUs was converted, on the calibration samples.

    - `path`: of the ReLUs in the network
    - `name`: of the neurons in `Converted.network`
    - `shape`: of the layer
    - `thresholds`: for each channel, the activation for which a neuron spikes in every step
    - `clipped`: share of the activations above 0 that are larger
    - `error`: what clipping and whole spikes change, root mean square, over the root mean square of the activations
    """

    path: str
    name: str
    shape: tuple[int, ...]
    thresholds: tuple[float, ...]
    clipped: float
    error: float

    def __str__(self) -> str:
        low, high = min(self.thresholds), max(self.thresholds)
        size = " × ".join(map(str, self.shape))
        figures = f"{100 * self.clipped:.2f} % clipped, error {100 * self.error:.2f} %"
        return f"{self.path} ({size}): thresholds {low:.3g} to {high:.3g}, {figures}"


class Converted(nn.Module):
    """What `convert` gives.

    - `network`: a `Sequential` over [T, B, ...] that ends with an integrator: its v is the sum of the logits so far
    - `steps`: for how many it was made
    - `inputs`: shape of a sample
    - `report`: a `LayerBalance` for each layer of neurons
    """

    def __init__(
        self, network: Sequential, steps: int, inputs: tuple[int, ...], report: tuple[LayerBalance, ...]
    ) -> None:
        super().__init__()
        self.network, self.steps, self.inputs, self.report = network, steps, inputs, report

    def forward(self, x: Tensor) -> Tensor:
        """Logits [B, ...] in the unit of the network that was converted: their mean over the steps.

        x: samples [B, *inputs], each of them a current that is the same in all steps, or a current or spikes of every
        step, [T, B, *inputs]. Raises InvalidValue for other shapes.
        """
        if x.ndim == len(self.inputs) + 2:
            potentials = self.network(self._checked(x))
            return potentials[-1] / potentials.shape[0]
        return over_time(self.network, self._checked(x), self.steps)

    def _checked(self, x: Tensor) -> Tensor:
        after = x.ndim - len(self.inputs)
        if after not in (1, 2) or tuple(x.shape[after:]) != self.inputs or not x.shape[0]:
            sample = ", ".join(map(str, self.inputs))
            raise InvalidValue(
                "input of Converted: shape", list(x.shape), f"[B, {sample}] or [T, B, {sample}]"
            )
        return x

    def extra_repr(self) -> str:
        """The steps and the balance of every layer."""
        return "\n".join([f"steps={self.steps}", *map(str, self.report)])


def over_time(network: Sequential, x: Tensor, steps: int) -> Tensor:
    """The mean over steps of what modules give for samples x [B, ...] that are there in every step: [B, ...].

    What comes before the first neurons is the same in every step and computed once. An integrator at the end has the
    sum.
    """
    parts = list(network)
    first = next((i for i, part in enumerate(parts) if isinstance(part, Neurons)), len(parts))
    reached = network[:first](x.unsqueeze(0))
    output = network[first:](reached.expand(steps, *reached.shape[1:]))
    last = parts[-1]
    if isinstance(last, Neurons) and last.output != "spike":
        return output[-1] / steps
    return output.mean(0)
