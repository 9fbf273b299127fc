"""The layer benchmark in Norse: its neurons without a synaptic current (LIF box).

Norse's step is v <- v + k (x - v) with k = dt * tau_mem_inv = 1 - decay. In units of v / k, with the threshold k and
the surrogate's alpha over k, these are the same spikes and gradients from the same weights. Norse has no arctan
surrogate: the reference's takes the place of the function that chooses one by name. The reset is a parameter and is
given detached.
"""

import norse
import torch
import with_torch
from layer_reference import Spike
from norse.torch.functional import lif_box
from norse.torch.module.lif_box import LIFBoxCell


def detached(spike, v, reset, threshold):
    """Norse's reset to a value, which passes no gradient to the spike."""
    return lif_box.reset_value(spike.detach(), v, reset, threshold)


class Layer(with_torch.Layer):
    """Step by step. Parameters that are numbers are quicker than Norse's tensors.

    `SNN`, Norse's module for many steps, takes them by index, whose backward pass fills a tensor of all steps for each.
    """

    def __init__(self, s, weights):
        super().__init__(s, weights)
        k = 1.0 - s["decay"]
        p = lif_box.LIFBoxParameters(
            tau_mem_inv=k,
            v_leak=0.0,
            v_th=with_torch.THRESHOLD * k,
            v_reset=0.0,
            alpha=s["alpha"] / k,
            reset_method=detached,
        )
        self.cell = LIFBoxCell(p, dt=1.0)

    def rest(self, current):
        """v = 0."""
        return lif_box.LIFBoxFeedForwardState(v=torch.zeros_like(current))

    def advance(self, currents, state):
        """Spikes and Norse's state."""
        spikes = []
        for current in currents:
            spike, state = self.cell(current, state)
            spikes.append(spike)
        return torch.stack(spikes), state


lif_box.threshold = lambda x, method, alpha: Spike.apply(x, alpha)
with_torch.measure(Layer, norse.__version__)
