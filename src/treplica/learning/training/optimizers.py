"""Optimizers and schedules of PyTorch by the names of the settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from treplica.learning.training.settings import TrainingSettings

Optimizer = Any
Schedule = Any


def optimizer_of(settings: TrainingSettings, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """The optimizer for these parameters; one loop over all of them (`fused`) where PyTorch has it."""
    trained = [p for p in parameters if p.requires_grad]
    fused = all(p.is_floating_point() and p.device.type in ("cpu", "cuda") for p in trained)
    common: dict[str, Any] = dict(lr=settings.lr, weight_decay=settings.weight_decay, fused=fused)
    if settings.optimizer == "sgd":
        return torch.optim.SGD(trained, momentum=settings.momentum, **common)
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(trained, **common)


def schedule_of(settings: TrainingSettings, optimizer: Optimizer, batches: int) -> Schedule | None:
    """What changes the learning rate after each of so many batches; None where nothing does."""
    schedules = torch.optim.lr_scheduler
    if settings.schedule == "constant":
        return None
    if settings.schedule == "cosine":
        return schedules.CosineAnnealingLR(optimizer, T_max=batches)
    momentum = settings.optimizer != "sgd" or settings.momentum > 0.0
    return schedules.OneCycleLR(
        optimizer,
        max_lr=settings.lr,
        total_steps=max(batches, 2),
        pct_start=settings.warm_up,
        cycle_momentum=momentum,
    )
