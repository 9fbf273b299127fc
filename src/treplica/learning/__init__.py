"""PyTorch runs the models: the same functions, differentiable. Needs the extra `learn`."""

from treplica.learning import surrogates
from treplica.learning.rebound import torch_derive, torch_step
from treplica.learning.stochastic import StochasticSpike, stochastic_spike
from treplica.learning.surrogate import Surrogate, SurrogateFamily

__all__ = [
    "StochasticSpike",
    "Surrogate",
    "SurrogateFamily",
    "stochastic_spike",
    "surrogates",
    "torch_derive",
    "torch_step",
]
