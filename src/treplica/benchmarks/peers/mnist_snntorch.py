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
        self.hidden = torch.nn.ModuleList(
            snntorch.Leaky(reset_mechanism="zero", **how) for _ in self.linears[:-1]
        )
        self.readout = snntorch.Leaky(reset_mechanism="none", surrogate_disable=True, **how)
        self.loss = s["loss"]

    def forward(self, x):
        """Scores [B, 10] of spikes [T, B, 784]."""
        for linear, leaky in zip(self.linears, self.hidden, strict=False):
            currents = linear(x)
            v, spikes = torch.zeros_like(currents[0]), []
            for current in currents:
                spike, v = leaky(current, v)
                spikes.append(spike)
            x = torch.stack(spikes)
        currents = self.linears[-1](x)
        v, trace = torch.zeros_like(currents[0]), []
        for current in currents:
            _, v = self.readout(current, v)
            trace.append(v)
        trace = torch.stack(trace)
        return trace.amax(0) if self.loss == "max" else trace.sum(0)


with_mnist.train(Network, snntorch.__version__)
