"""The layer benchmark in SpikingJelly: LIFNode over many steps, input not decayed, hard reset, detached."""

from importlib import metadata

import with_torch
from spikingjelly.activation_based import functional, neuron, surrogate


class Layer(with_torch.Layer):
    """LIFNode over many steps; it keeps its state itself; tau = 1 / (1 - decay)."""

    def __init__(self, s, weights):
        super().__init__(s, weights)
        self.lif = neuron.LIFNode(
            tau=1.0 / (1.0 - s["decay"]),
            decay_input=False,
            v_threshold=with_torch.THRESHOLD,
            v_reset=0.0,
            surrogate_function=surrogate.ATan(alpha=s["alpha"]),
            detach_reset=True,
            step_mode="m",
        )

    def rest(self, current):
        """Reset the state that the neurons keep."""
        functional.reset_net(self.lif)

    def advance(self, currents, state):
        """Spikes."""
        return self.lif(currents), None


with_torch.measure(Layer, metadata.version("spikingjelly"))
