"""The network of the recipe `mnist` for the training that the peers' scripts share: what a user of Treplica writes."""

import torch
import with_mnist
from with_torch import THRESHOLD

import treplica as tr
import treplica.learning as tl
from treplica.learning.training.recipes.layers import time_constant


class Network(with_mnist.Network):
    """`Linear` takes spikes by their places, and is computed in one loop with the neurons after it."""

    linear = tl.Linear

    def __init__(self, s: dict) -> None:
        super().__init__(s)
        tau = time_constant(s["decay"])
        neuron = tr.LIF(v=0.0, v_rest=0.0, v_th=THRESHOLD, v_reset=0.0, refractory=0.0, tau=tau)
        hidden = tl.Neurons(neuron, surrogate=tl.surrogates.Arctan(alpha=s["alpha"]))
        readout = tl.Neurons(tr.LeakyIntegrator(tau=tau, v=0.0, v_rest=0.0), output="v")
        dropped = tl.Dropout(s["dropout"])
        self.net = tl.Sequential(self.first, hidden, dropped, self.second, readout)

    @staticmethod
    def encoded(steps: torch.Tensor, s: dict) -> tl.SpikeTensor:
        """Spikes by their places, of steps [B, 784]."""
        return tl.SpikeTensor.of_dense(with_mnist.dense(steps, s))

    def forward(self, x: tl.SpikeTensor) -> torch.Tensor:
        """Scores [B, 10]."""
        return self.net(x).mean(0)
