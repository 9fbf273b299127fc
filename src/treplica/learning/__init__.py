"""PyTorch runs the models: the same functions, differentiable. Needs the extra `learn`."""

from treplica.learning import surrogates
from treplica.learning.rebound import torch_derive, torch_step
from treplica.learning.surrogate import Surrogate, SurrogateFamily

__all__ = [
    "Surrogate",
    "SurrogateFamily",
    "surrogates",
    "torch_derive",
    "torch_step",
]
