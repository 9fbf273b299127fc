"""Stochastic firing: a spike with a probability that is the smooth function of a surrogate.

spike(x + noise), where the noise is drawn anew for every neuron and step, fires with probability F(x): F is the
distribution function of the noise (of minus the noise, where it is not symmetric). Logistic noise has the sigmoid,
Gaussian noise the error function, Cauchy noise the arc tangent. The derivative of the probability is the density, so
that the surrogate of that noise is the gradient of what happens on average.

Source: Gygax & Zenke 2025, "Elucidating the Theoretical Underpinnings of Surrogate Gradient Learning in Spiking Neural
Networks", Neural Computation 37, arXiv:2404.14964.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from treplica.errors import InvalidValue
from treplica.learning.surrogate import Surrogate, load_words, rises_to_one

if TYPE_CHECKING:
    import torch
    from torch import Tensor


_problem = functools.cache(rises_to_one)


def check_noise(surrogate: Surrogate) -> None:
    """InvalidValue unless the smooth function of a surrogate is a distribution function."""
    if not isinstance(surrogate, Surrogate):
        advice = "Take one of treplica.learning.surrogates."
        raise InvalidValue("stochastic firing: surrogate", surrogate, "a Surrogate", advice)
    problem = _problem(surrogate)
    if problem:
        allowed = f"one whose smooth function rises from 0 to 1 and is a probability ({problem})"
        advice = "Sigmoid, Erf, Cauchy and SuperGaussian are, whatever their values."
        raise InvalidValue("stochastic firing: surrogate", surrogate, allowed, advice)


def stochastic_spike(
    x: Tensor, surrogate: Surrogate, uniform: Tensor | torch.Generator | None = None
) -> Tensor:
    """1 with probability `surrogate.smooth(x)`, else 0; its derivative is that of the probability.

    x: distances from the threshold, any shape, float64 or float32. uniform: the uniform numbers in [0, 1) to decide
    with, like x, or the generator to draw them from (default: PyTorch's own). A number decides by inverse transform:
    a spike is where it is below the probability.

    Raises InvalidValue for a surrogate whose smooth function is no distribution function, and for uniform numbers
    that are not like x.
    """
    check_noise(surrogate)
    words = load_words("Stochastic firing")
    drawn = _uniform(x, uniform)

    def fires(x: Tensor) -> Tensor:
        return (drawn < words.evaluated(surrogate.smooth, x, surrogate.numbers)).to(x.dtype)

    result: Tensor = words.with_derivative(fires, surrogate)(x)
    return result


def _uniform(x: Tensor, given: Any) -> Tensor:
    import torch

    if given is None or isinstance(given, torch.Generator):
        return torch.rand(x.shape, dtype=x.dtype, device=x.device, generator=given)
    wanted = (tuple(x.shape), x.dtype, x.device)
    if not isinstance(given, torch.Tensor) or (tuple(given.shape), given.dtype, given.device) != wanted:
        found = (tuple(given.shape), given.dtype, given.device) if isinstance(given, torch.Tensor) else given
        allowed = f"a torch.Generator, or a tensor {wanted[0]} of {wanted[1]} on {wanted[2]} like x"
        raise InvalidValue("stochastic_spike: uniform", found, allowed)
    return given


@dataclass(frozen=True)
class StochasticSpike:
    """The word `spike` with noise: `torch_step(model, spike=StochasticSpike(Sigmoid(alpha=10.0), generator))`.

    Called on a tensor it gives the spikes. A fixed seed of the generator gives the same spikes again. Raises
    InvalidValue for a surrogate whose smooth function is no distribution function.
    """

    surrogate: Surrogate
    generator: torch.Generator | None = None

    def __post_init__(self) -> None:
        """The surrogate has a probability."""
        check_noise(self.surrogate)

    def __call__(self, x: Tensor) -> Tensor:
        """Spikes with probability `surrogate.smooth(x)`."""
        return stochastic_spike(x, self.surrogate, self.generator)
