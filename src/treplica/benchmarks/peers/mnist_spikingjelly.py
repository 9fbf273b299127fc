"""MNIST in SpikingJelly: LIFNode over many steps, and NonSpikingLIFNode as readout, which decodes over time itself."""

from importlib import metadata

import torch
import with_mnist
from spikingjelly.activation_based import functional, neuron, surrogate


class Network(with_mnist.Network):
    """NonSpikingLIFNode divides its input by tau: the scores are given back that factor."""

    def __init__(self, s):
        super().__init__(s)
        tau = 1.0 / (1.0 - s["decay"])
        self.hidden = torch.nn.ModuleList(
            neuron.LIFNode(
                tau=tau,
                decay_input=False,
                v_reset=0.0,
                surrogate_function=surrogate.ATan(alpha=s["alpha"]),
                detach_reset=True,
                step_mode="m",
            )
            for _ in self.linears[:-1]
        )
        decode, self.factor = ("max-mem", tau) if s["loss"] == "max" else ("mean-mem", tau * s["steps"])
        self.readout = neuron.NonSpikingLIFNode(tau=tau, decode=decode)

    def forward(self, x):
        """Scores [B, 10] of spikes [T, B, 784]."""
        for linear, lif in zip(self.linears, self.hidden, strict=False):
            functional.reset_net(lif)
            x = lif(linear(x))
        return self.factor * self.readout(self.linears[-1](x))


with_mnist.train(Network, metadata.version("spikingjelly"))
