"""MNIST in snnTorch: Leaky with reset to zero, and one without reset as readout; layer by layer over all steps."""

import snntorch
import torch
import with_mnist
from snntorch import surrogate


class Network(with_mnist.Network):
    """Linear layers go over all steps at once; Leaky has no form for many steps."""

    def __init__(self, s):
        super().__init__(s)
        how = dict(beta=s["decay"], spike_grad=surrogate.atan(alpha=s["alpha"]))
        self.hidden = snntorch.Leaky(reset_mechanism="zero", **how)
        self.readout = snntorch.Leaky(reset_mechanism="none", surrogate_disable=True, **how)

    def forward(self, x):
        """Scores [B, 10] of spikes [T, B, 784]."""
        spikes, _ = over_time(self.hidden, self.first(x))
        _, trace = over_time(self.readout, self.second(self.dropped(spikes)))
        return trace.mean(0)


def over_time(leaky, currents):
    """Spikes and potentials [T, B, n]."""
    v, steps = torch.zeros_like(currents[0]), []
    for current in currents:
        spikes, v = leaky(current, v)
        steps.append((spikes, v))
    return tuple(torch.stack(each) for each in zip(*steps, strict=True))


with_mnist.train(Network, snntorch.__version__)
