"""The network of the recipe `mnist` for the training that the peers' scripts share: what a user of Treplica writes."""

import numpy as np
import torch
import with_mnist
from with_torch import THRESHOLD

import treplica as tr
import treplica.learning as tl
from treplica.coding import SpikeSamples
from treplica.learning.training.recipes.layers import time_constant
from treplica.learning.training.shifting import shifted_rows


class Rows:
    """Spikes of images by their places."""

    def __init__(self, steps: torch.Tensor, s: dict) -> None:
        # from_first counts steps from 1 on; 0 is silent.
        first = np.where(steps < s["steps"], steps + 1, 0)
        self.samples = SpikeSamples.from_first(first, s["steps"])

    def batch(self, chosen: torch.Tensor, by: torch.Tensor | None = None) -> tl.SpikeTensor:
        """Spikes [T, B, 784] of the images `chosen`; by: as for the peers."""
        rows = self.samples.rows(chosen.numpy())
        if by is not None:
            rows = shifted_rows(rows, (with_mnist.SIDE, with_mnist.SIDE), by.numpy())
        shape = (self.samples.n_steps, len(chosen), self.samples.n_channels)
        return tl.SpikeTensor.of_rows(shape, rows.indptr, rows.channel)


class Network(with_mnist.Network):
    """`Linear` takes spikes by their places, and is computed in one loop with the neurons after it."""

    linear, images = tl.Linear, Rows

    def __init__(self, s: dict) -> None:
        super().__init__(s)
        tau = time_constant(s["decay"])
        neuron = tr.LIF(v=0.0, v_rest=0.0, v_th=THRESHOLD, v_reset=0.0, refractory=0.0, tau=tau)
        hidden = tl.Neurons(neuron, surrogate=tl.surrogates.Arctan(alpha=s["alpha"]))
        readout = tl.Neurons(tr.LeakyIntegrator(tau=tau, v=0.0, v_rest=0.0), output="v")
        dropped = tl.Dropout(s["dropout"])
        self.net = tl.Sequential(self.first, hidden, dropped, self.second, readout)

    def forward(self, x: tl.SpikeTensor) -> torch.Tensor:
        """Scores [B, 10]."""
        return self.net(x).mean(0)
