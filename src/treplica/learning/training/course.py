"""A training on its way: batch after batch, and all that must be kept to go on from between two of them."""

from __future__ import annotations

import copy
import dataclasses
import math
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from treplica.errors import InvalidValue, TrainingError
from treplica.learning.spikes import SpikeTensor
from treplica.learning.training.draws import Moment, order
from treplica.learning.training.evaluation import device_of, evaluate, on
from treplica.learning.training.inputs import Inputs
from treplica.learning.training.layers_seen import Spikes, first_gradient_not_finite, first_not_finite
from treplica.learning.training.logs import Record
from treplica.learning.training.losses import Loss, SparsityTarget
from treplica.learning.training.optimizers import optimizer_of, schedule_of
from treplica.learning.training.randomness import random_states, set_random_states
from treplica.learning.training.settings import TrainingSettings

MEASURED = 16
"""Spikes are counted in one batch of so many: counting in all of them would take a share of the time of training."""


@dataclass
class Sums:
    """What an epoch has added up until now."""

    loss: float = 0.0
    right: int = 0
    samples: int = 0
    spikes: float = 0.0
    counted: int = 0

    @property
    def figures(self) -> Record:
        """Means over the samples."""
        seen, counted = max(self.samples, 1), max(self.counted, 1)
        return {
            "loss": self.loss / seen, "accuracy": self.right / seen, "spikes_per_sample": self.spikes / counted,
        }  # fmt: skip


class Course:
    """One training of a module, which stands before batch `batch` of epoch `epoch` (from 0 on)."""

    def __init__(
        self,
        module: nn.Module,
        loss: Loss,
        settings: TrainingSettings,
        penalties: Sequence[SparsityTarget],
        train: Inputs,
        validation: Inputs | None,
    ) -> None:
        if not len(train):
            raise InvalidValue("samples to train on", 0, "at least one")
        self.module, self.loss, self.settings, self.penalties = module, loss, settings, tuple(penalties)
        self.train, self.validation = train, validation
        self.device = device_of(module)
        self.labels = torch.from_numpy(train.labels).to(self.device)
        self.batches = -(-len(train) // settings.batch)
        self.trained = [p for p in module.parameters() if p.requires_grad]
        if not self.trained:
            raise InvalidValue("parameters to train", 0, "at least one that requires a gradient")
        self.optimizer = optimizer_of(settings, self.trained)
        self.schedule = schedule_of(settings, self.optimizer, self.batches * settings.epochs)
        self.epoch, self.batch, self.sums = 0, 0, Sums()
        self.records: list[Record] = []
        self.best: dict[str, Any] | None = None
        self.train_s = 0.0

    @property
    def over(self) -> bool:
        """Whether all epochs are done."""
        return self.epoch >= self.settings.epochs

    @property
    def done(self) -> int:
        """Batches until now."""
        return self.epoch * self.batches + self.batch

    @property
    def figures(self) -> Record:
        """How it goes: means over the epoch until now, or over the one before where it has just begun."""
        return self.sums.figures if self.sums.samples or not self.records else self.records[-1]

    def run_batches(self, seen: Spikes, until: float) -> bool:
        """Train up to the end of the epoch (True), or stop at the time `until` (False), after a batch at least."""
        size, began = self.settings.batch, time.perf_counter()
        chosen = order(self.settings.seed, self.epoch, len(self.train))
        self.module.train()
        now = began
        while self.batch < self.batches:
            self._step(chosen[self.batch * size : (self.batch + 1) * size], seen)
            self.batch += 1
            now = time.perf_counter()
            if now >= until:
                break
        self.train_s += now - began
        return self.batch == self.batches

    def _step(self, chosen: Any, seen: Spikes) -> None:
        moment = Moment(self.settings.seed, self.epoch, self.batch)
        x = on(self.train.batch(chosen, moment), self.device)
        labels = self.labels[torch.from_numpy(chosen).to(self.device)]
        counting = self.batch % MEASURED == 0
        seen.on = counting or bool(self.penalties)
        self.optimizer.zero_grad(set_to_none=True)
        output = self.module(x)
        self._check(output)
        loss = self.loss(output, labels)
        for penalty in self.penalties:
            loss = loss + penalty(seen.by_layer)
        value = loss.item()
        if not math.isfinite(value):
            self._stop(f"the loss became {value}", first_not_finite(self.module, x))
        loss.backward()
        self._move(x)
        sums = self.sums
        sums.loss += value * len(chosen)
        sums.right += int((self.loss.scores(output.detach()).argmax(1) == labels).sum())
        sums.samples += len(chosen)
        if counting:
            sums.spikes += sum(seen.counts().values())
            sums.counted += len(chosen)
        seen.by_layer.clear()

    def _move(self, x: Tensor | SpikeTensor) -> None:
        """Check and clip the gradient, and take the step."""
        gradients = [p.grad for p in self.trained if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        if not math.isfinite(norm.item()):
            where = first_not_finite(self.module, x) or first_gradient_not_finite(self.module)
            self._stop(f"the norm of the gradient became {norm.item()}", where)
        if self.settings.clip:
            nn.utils.clip_grads_with_norm_(self.trained, self.settings.clip, norm)
        self.optimizer.step()
        if self.schedule is not None and self.done + 1 < self.batches * self.settings.epochs:
            self.schedule.step()

    def _check(self, output: Any) -> None:
        classes = len(self.train.classes)
        if not isinstance(output, Tensor) or output.ndim != 3 or output.shape[2] != classes:
            shown = list(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise InvalidValue("output of the network", shown, f"[T, B, {classes}], a number for each class")

    def _stop(self, what: str, where: str) -> NoReturn:
        raise TrainingError(what, where, self.epoch + 1, self.batch + 1)

    def end_epoch(self) -> Record:
        """Validate, keep what is best, and go to the next epoch; the record of the one that is over."""
        record: Record = {
            "epoch": self.epoch + 1, **self.sums.figures,
            "lr": self.optimizer.param_groups[0]["lr"], "train_s": self.train_s,
        }  # fmt: skip
        if self.validation is not None:
            settings = self.settings
            found = evaluate(
                self.module, self.loss, self.validation, settings.evaluation_batch, settings.seed
            )
            record |= {"validation_accuracy": found.accuracy, "validation_loss": found.loss}
            record["validation_spikes_per_sample"] = found.spikes_per_sample
            if settings.choose == "best" and (self.best is None or found.accuracy > self.best["accuracy"]):
                weights = copy.deepcopy(self.module.state_dict())
                self.best = {"epoch": self.epoch + 1, "accuracy": found.accuracy, "weights": weights}
        self.records.append(record)
        self.epoch, self.batch, self.sums = self.epoch + 1, 0, Sums()
        return record

    def state(self) -> dict[str, Any]:
        """All that is needed to go on: tensors and plain values."""
        return {
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "random": random_states(),
            "position": [self.epoch, self.batch],
            "sums": dataclasses.asdict(self.sums),
            "records": self.records,
            "best": self.best,
            "train_s": self.train_s,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        set_random_states(state["random"])
        self.epoch, self.batch = state["position"]
        self.sums = Sums(**state["sums"])
        self.records, self.best, self.train_s = state["records"], state["best"], state["train_s"]

    def identity(self) -> dict[str, Any]:
        """What makes a training this one, by name; a checkpoint with another one is refused."""
        values = [f"{n} {list(t.shape)} {t.dtype}" for n, t in self.module.state_dict().items()]
        return {
            **dataclasses.asdict(self.settings),
            "loss": repr(self.loss),
            "penalties": repr(self.penalties),
            "network": repr(self.module),
            "weights": ", ".join(values),
            "samples to train on": self._fingerprint(self.train),
            "samples to validate on": self._fingerprint(self.validation),
        }

    def _fingerprint(self, inputs: Inputs | None) -> str:
        """How many samples, and a checksum of their labels and of the first batch."""
        if inputs is None:
            return "none"
        first = torch.arange(min(len(inputs), 64)).numpy()
        batch = inputs.batch(first, Moment(self.settings.seed, None, 0))
        parts = [batch.starts, batch.channels, batch.values] if isinstance(batch, SpikeTensor) else [batch]
        total = zlib.crc32(inputs.labels.tobytes())
        for part in parts:
            total = zlib.crc32(part.contiguous().numpy().tobytes(), total)
        return f"{len(inputs)} of shape {inputs.shape} in {inputs.n_steps} steps, checksum {total:08x}"
