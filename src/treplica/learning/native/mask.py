"""Masks that keep each number with the same probability."""

from __future__ import annotations

import torch
from torch import Tensor

from treplica.learning.native.launch import launch
from treplica.learning.native.threads import threads_for


def drawn_mask(like: Tensor, p: float) -> Tensor:
    """0 with the probability p < 1 (to 2**-32), else 1 / (1 - p), as a tensor like another, float32 or float64.

    On the CPU one number of PyTorch's generator seeds a compiled draw, which does not depend on the number of threads;
    elsewhere, and in what is compiled by `torch.compile`, PyTorch draws.
    """
    here = like.device.type == "cpu" and like.dtype in (torch.float32, torch.float64)
    if torch.compiler.is_compiling() or not here:
        return (torch.rand_like(like) >= p).to(like.dtype) / (1.0 - p)
    from treplica.learning.native import kernels_mask

    seed = int(torch.randint(2**63 - 1, ()))
    result, count = torch.empty_like(like, memory_format=torch.contiguous_format), like.numel()
    values = dict(
        SEED_LO=seed & 0xFFFFFFFF, SEED_HI=seed >> 32, LEAST=round(p * 2**32), COUNT=count, RESULT=result
    )
    values |= dict(WORDS=torch.empty(count, dtype=torch.int32), KEPT=like.new_tensor(1.0 / (1.0 - p)))
    launch(kernels_mask, "draw", like.element_size(), values, threads_for(-(-count // kernels_mask.DRAWN)))
    return result
