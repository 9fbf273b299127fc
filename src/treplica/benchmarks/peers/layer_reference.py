"""The layer benchmark's specification: the equations of `with_torch`, step by step."""

import math

import torch
import with_torch


class Spike(torch.autograd.Function):
    """1 where x >= 0; the derivative of the arctan surrogate."""

    @staticmethod
    def forward(ctx, x, alpha):
        """Spikes."""
        ctx.save_for_backward(x)
        ctx.alpha = alpha
        return (x >= 0.0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        """The gradient of x."""
        (x,) = ctx.saved_tensors
        return gradient * ctx.alpha / 2 / (1 + (math.pi / 2 * ctx.alpha * x) ** 2), None


class Layer(with_torch.Layer):
    """Plain PyTorch."""

    def __init__(self, s, weights):
        super().__init__(s, weights)
        self.decay, self.alpha = s["decay"], s["alpha"]

    def advance(self, currents, state):
        """Spikes and v."""
        spikes = []
        for current in currents:
            v = self.decay * state + current
            spike = Spike.apply(v - with_torch.THRESHOLD, self.alpha)
            state = v * (1 - spike.detach())
            spikes.append(spike)
        return torch.stack(spikes), state


if __name__ == "__main__":
    with_torch.measure(Layer, torch.__version__)
