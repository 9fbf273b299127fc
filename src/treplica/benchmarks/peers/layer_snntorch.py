"""The layer benchmark in snnTorch: Leaky, reset to zero.

It resets one step later, before the decay: v <- decay * (v * (1 - spike)) + x, which gives the same spikes. The reset
is detached in the library; a spike is where v > threshold.
"""

import snntorch
import torch
import with_torch
from snntorch import surrogate


class Layer(with_torch.Layer):
    """Step by step: Leaky has no form for many steps."""

    def __init__(self, s, weights):
        super().__init__(s, weights)
        self.leaky = snntorch.Leaky(
            beta=s["decay"],
            threshold=with_torch.THRESHOLD,
            spike_grad=surrogate.atan(alpha=s["alpha"]),
            reset_mechanism="zero",
        )

    def advance(self, currents, state):
        """Spikes and v."""
        spikes = []
        for current in currents:
            spike, state = self.leaky(current, state)
            spikes.append(spike)
        return torch.stack(spikes), state


with_torch.measure(Layer, snntorch.__version__)
