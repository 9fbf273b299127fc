"""PyTorch runs the models: the same functions, differentiable. Needs the extra `learn`."""

from treplica.learning.rebound import torch_derive, torch_step

__all__ = ["torch_derive", "torch_step"]
