"""Training of an autoencoder: samples without labels, in batches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from treplica.coding.frames import unit_frames_in_parts
from treplica.errors import InvalidValue, TrainingError
from treplica.learning.blueprint.autoencoder import SparseAutoencoder
from treplica.learning.training.draws import order
from treplica.learning.training.optimizers import optimizer_of, schedule_of
from treplica.learning.training.randomness import seed_all
from treplica.learning.training.settings import TrainingSettings
from treplica.learning.training.threads import threads


@dataclass(frozen=True)
class Epoch:
    """See `fit_autoencoder`."""

    epoch: int
    reconstruction: float
    sparsity: float


def fit_autoencoder(
    autoencoder: SparseAutoencoder, values: ArrayLike, settings: TrainingSettings | None = None
) -> list[Epoch]:
    """Train in place on samples [m, ...] of n_inputs numbers in 0 … 1 each.

    Returns a record for each epoch, with `epoch` (from 1 on) and the means of both terms of the loss over its batches,
    while the weights change: `reconstruction` and `sparsity`, the latter without its weight.

    settings: as for a `Trainer`: optimiser, learning rate and schedule, batches, epochs, seed, clipping, threads.
    Nothing is validated, so `hold_out` must be 0 and `choose` "last". The same weights to begin with (those of a
    `torch.manual_seed` before the autoencoder is made), settings and samples give the same weights, bit for bit.

    Raises InvalidValue, and TrainingError where the loss or the gradient is not finite.
    """
    settings = TrainingSettings() if settings is None else settings
    if settings.hold_out or settings.choose != "last":
        given = f"hold_out={settings.hold_out:g}, choose={settings.choose!r}"
        raise InvalidValue("settings of fit_autoencoder", given, "hold_out=0 and choose='last'")
    device, kind = autoencoder.encoder_weight.device, autoencoder.encoder_weight.dtype
    parts = [torch.from_numpy(part).to(kind) for part in unit_frames_in_parts(np.asarray(values))]
    data = torch.cat(parts).to(device)
    batches = -(-len(data) // settings.batch)
    optimizer = optimizer_of(settings, autoencoder.parameters())
    schedule = schedule_of(settings, optimizer, batches * settings.epochs)
    seed_all(settings.seed)
    records, left = [], batches * settings.epochs
    with threads(settings.threads):
        for epoch in range(settings.epochs):
            sums = np.zeros(2)
            shuffled = torch.from_numpy(order(settings.seed, epoch, len(data))).to(device)
            for batch, chosen in enumerate(shuffled.split(settings.batch)):
                optimizer.zero_grad(set_to_none=True)
                terms = autoencoder.terms(data[chosen])
                loss = terms.reconstruction + autoencoder.weight * terms.sparsity
                loss.backward()
                _check(autoencoder, loss.item(), settings.clip, (epoch + 1, batch + 1))
                optimizer.step()
                left -= 1
                if schedule is not None and left:
                    schedule.step()
                sums += len(chosen) * np.array([float(term.detach()) for term in terms])
            records.append(Epoch(epoch + 1, *map(float, sums / len(data))))
    return records


def _check(autoencoder: SparseAutoencoder, loss: float, clip: float, at: tuple[int, int]) -> None:
    """Refuse what is not finite, and clip the gradient."""
    norm = nn.utils.get_total_norm([p.grad for p in autoencoder.parameters()])
    for what, number in (("the loss", loss), ("the norm of the gradient", norm.item())):
        if not math.isfinite(number):
            raise TrainingError(f"{what} became {number}", "SparseAutoencoder", *at)
    if clip:
        nn.utils.clip_grads_with_norm_(autoencoder.parameters(), clip, norm)
