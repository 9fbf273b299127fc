"""The trainer: for those who want no loop of their own."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from treplica.errors import DescriptionError, InvalidValue
from treplica.learning.training import checkpoints
from treplica.learning.training.course import Course
from treplica.learning.training.evaluation import Evaluation, evaluate
from treplica.learning.training.inputs import Inputs, hold_out
from treplica.learning.training.layers_seen import spikes_of
from treplica.learning.training.logs import Log, Record
from treplica.learning.training.losses import Loss, SparsityTarget
from treplica.learning.training.progress import showing
from treplica.learning.training.randomness import seed_all
from treplica.learning.training.settings import TrainingSettings
from treplica.learning.training.threads import threads
from treplica.simulation.interrupt import deferred_interrupt

_LOOK_S = 0.1
"""How often the bar and Ctrl-C are looked at."""


@dataclass(frozen=True)
class Fit:
    """How a training went.

    - `records`: a dict for each epoch: `epoch` (from 1 on), `loss` and `accuracy` (means over its batches, while the
      weights change), `spikes_per_sample` (of all layers, counted in a sixteenth of the batches), `lr`, `train_s` (from
      the beginning), and with a validation set `validation_accuracy`, `validation_loss` and
      `validation_spikes_per_sample`
    - `epoch`: whose weights the module has now
    - `train_s`: s of wall time in training, without evaluations and checkpoints
    """

    records: list[Record]
    epoch: int
    train_s: float


class Trainer:
    """Trains a module on batches of labelled samples.

    The module takes [T, B, ...] or a `SpikeTensor` and gives [T, B, classes]. Everything random follows from
    `settings.seed`: PyTorch's, NumPy's and Python's generators are seeded when a training begins, and the order of
    samples in an epoch depends on the seed and the epoch alone. The same module, settings and data give the same
    weights again, bit for bit, on the same machine with the same number of threads.

    Parameters
    ----------
    module: what is trained, in place, where it is (CPU or another device).
    loss: one of `treplica.learning.losses`, or what has their form.
    settings: see `TrainingSettings`.
    penalties: what is added to the loss for the spikes of layers, such as `losses.SparsityTarget(0.05)`.
    folder: an empty or new folder for checkpoints and the log; None keeps neither.
    checkpoint_every: s between checkpoints within an epoch; there is one at the end of each, too. 0: after each batch.
    tensorboard: whether TensorBoard's files are written into the folder; needs the extra `tensorboard`.
    progress: whether a bar is drawn on standard error; None, where standard output is a terminal.
    title: what is trained, for the bar; a checkpoint of another title is refused.
    """

    def __init__(
        self,
        module: nn.Module,
        loss: Loss,
        settings: TrainingSettings | None = None,
        *,
        penalties: Sequence[SparsityTarget] = (),
        folder: str | os.PathLike[str] | None = None,
        checkpoint_every: float = 60.0,
        tensorboard: bool = False,
        progress: bool | None = None,
        title: str = "training",
    ) -> None:
        if not isinstance(module, nn.Module):
            raise InvalidValue("Trainer(module)", module, "a torch.nn.Module")
        if not callable(loss) or not hasattr(loss, "scores"):
            advice = "Such as treplica.learning.losses.MembraneCrossEntropy()."
            raise InvalidValue("Trainer(loss)", loss, "a loss with `scores`", advice)
        if math.isnan(checkpoint_every) or checkpoint_every < 0.0:
            raise InvalidValue("checkpoint_every", checkpoint_every, ">= 0 s")
        if tensorboard and folder is None:
            raise InvalidValue("tensorboard", True, "False without a folder to write into")
        self.module, self.loss = module, loss
        self.settings = TrainingSettings() if settings is None else settings
        self.penalties = tuple(penalties)
        self.folder = None if folder is None else Path(folder)
        self.checkpoint_every, self.tensorboard = checkpoint_every, tensorboard
        self.progress, self.title = progress, title

    def fit(self, train: Inputs, validation: Inputs | None = None, *, resume: bool = False) -> Fit:
        """Train for `settings.epochs` epochs.

        No epoch is ever chosen on a test set: the last one counts, or with `choose="best"` the best on `validation`,
        or on the share `hold_out` of `train` where there is none. resume: go on from the checkpoint of the folder, to
        the same weights and log as if nothing had happened.

        Raises `TrainingError` where a loss or gradient is not finite, `DescriptionError` for a checkpoint that is
        damaged or of another training, `OutputError` for a folder that cannot be used, and KeyboardInterrupt after
        Ctrl-C, between two batches and with a checkpoint written.
        """
        train, validation = self._split(train, validation)
        course = Course(self.module, self.loss, self.settings, self.penalties, train, validation)
        log = self._begin(course, resume)
        try:
            with threads(self.settings.threads), deferred_interrupt() as interrupted:
                self._run(course, log, interrupted)
        except KeyboardInterrupt:
            kept = "" if self.folder is None else f"; what was done is kept in {self.folder}"
            raise KeyboardInterrupt(
                f"interrupted in epoch {min(course.epoch + 1, self.settings.epochs)} of {self.settings.epochs}{kept}"
            ) from None
        chosen = self.settings.epochs
        if course.best is not None:
            chosen = course.best["epoch"]
            self.module.load_state_dict(course.best["weights"])
        if log is not None:
            log.end({"epoch": chosen, "train_s": course.train_s})
        return Fit(course.records, chosen, course.train_s)

    def evaluate(self, inputs: Inputs) -> Evaluation:
        """Loss, accuracy, confusion and spikes on samples; the module is as it is after it."""
        settings = self.settings
        with threads(settings.threads):
            return evaluate(self.module, self.loss, inputs, settings.evaluation_batch, settings.seed)

    def _split(self, train: Inputs, validation: Inputs | None) -> tuple[Inputs, Inputs | None]:
        share = self.settings.hold_out
        if validation is not None and share:
            raise InvalidValue("hold_out", share, "0 where a validation set is given")
        if share:
            return hold_out(train, share, self.settings.seed)
        if self.settings.choose == "best" and validation is None:
            advice = "Give a validation set (not the test set), or hold out a share with hold_out=0.1."
            raise InvalidValue("choose", "best", "'last' where there is nothing to choose on", advice)
        return train, validation

    @property
    def _checkpoint(self) -> Path:
        assert self.folder is not None
        return self.folder / checkpoints.NAME

    def _identity(self, course: Course) -> dict[str, Any]:
        return {"title": self.title, **course.identity()}

    def _begin(self, course: Course, resume: bool) -> Log | None:
        """Restore a checkpoint or write the first one, and write the log up to it."""
        if self.folder is None:
            if resume:
                raise InvalidValue("resume", True, "False without a folder with a checkpoint")
            seed_all(self.settings.seed)
            return None
        if resume:
            if not self._checkpoint.is_file():
                problem = f"there is no {checkpoints.NAME} in this folder"
                advice = "One that was killed before its first checkpoint is begun again, without resume."
                raise DescriptionError(self.folder, problem, advice)
            state = checkpoints.load_checkpoint(self._checkpoint)
            checkpoints.check_same(self._checkpoint, state["identity"], self._identity(course))
            log = Log(self.folder, self.tensorboard)
            course.restore(state)
        else:
            log = Log(self.folder, self.tensorboard)
            checkpoints.fresh_folder(self._checkpoint)
            seed_all(self.settings.seed)
            self._save(course)
        log.begin(self._header(course), course.records)
        return log

    def _header(self, course: Course) -> Record:
        return {
            "title": self.title,
            **self._identity(course),
            "parameters": sum(p.numel() for p in course.trained),
        }

    def _save(self, course: Course) -> None:
        if self.folder is not None:
            state = {"identity": self._identity(course), **course.state()}
            checkpoints.save_checkpoint(self._checkpoint, state)

    def _run(self, course: Course, log: Log | None, interrupted: Any) -> None:
        total, saved = course.batches * self.settings.epochs, time.perf_counter()
        with showing(self.title, total, course.done, self.progress) as bar, spikes_of(self.module) as seen:
            while not course.over:
                until = time.perf_counter() + min(_LOOK_S, self.checkpoint_every)
                if course.run_batches(seen, until):
                    seen.on = False
                    record = course.end_epoch()
                    if log is not None:
                        log.add(record)
                    bar.epoch(record)
                    self._save(course)
                    saved = time.perf_counter()
                elif interrupted() or time.perf_counter() - saved >= self.checkpoint_every:
                    self._save(course)
                    saved = time.perf_counter()
                if interrupted():
                    return
                bar.batch(course.done, course.figures)
