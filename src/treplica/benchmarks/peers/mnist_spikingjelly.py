"""MNIST in SpikingJelly: LIFNode over many steps, and NonSpikingLIFNode as readout, which decodes over time itself."""

from importlib import metadata

import with_mnist
from spikingjelly.activation_based import functional, neuron, surrogate


class Network(with_mnist.Network):
    """NonSpikingLIFNode divides its input by tau: the scores are given back that factor."""

    def __init__(self, s):
        super().__init__(s)
        self.tau = 1.0 / (1.0 - s["decay"])
        self.hidden = neuron.LIFNode(
            tau=self.tau,
            decay_input=False,
            v_reset=0.0,
            surrogate_function=surrogate.ATan(alpha=s["alpha"]),
            detach_reset=True,
            step_mode="m",
        )
        self.readout = neuron.NonSpikingLIFNode(tau=self.tau, decode="mean-mem")

    def forward(self, x):
        """Scores [B, 10] of spikes [T, B, 784]."""
        functional.reset_net(self.hidden)
        spikes = self.hidden(self.first(x))
        return self.tau * self.readout(self.second(self.dropped(spikes)))


with_mnist.train(Network, metadata.version("spikingjelly"))
