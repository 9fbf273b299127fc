"""What the trainer does with a network: a loop written by hand, what it counts, chooses, seeds and refuses."""

import json
import math
import os
import random
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_trainings import CLASSES, SETTINGS, inputs, network, trainer, unmeasured, weights
from torch import nn

import treplica as tr
from treplica.errors import InvalidValue, MissingExtra, OutputError, TrainingError, UnknownName
from treplica.learning import FrameInputs, Linear, Neurons, Recurrent, Trainer, TrainingSettings, losses
from treplica.learning.training.checkpoints import load_checkpoint
from treplica.learning.training.draws import Moment, order
from treplica.learning.training.layers_seen import input_spikes, spikes_of
from treplica.learning.training.logs import read_log
from treplica.learning.training.trainer import Fit

TRAIN = inputs()


def test_it_is_the_loop_that_one_would_write() -> None:
    """AdamW, one cycle, clipped gradients, the penalty, the order of the seed: the same weights, bit for bit."""
    settings = SETTINGS.but(clip=0.5)
    torch.manual_seed(settings.seed)
    module = network(dropout=0.0)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    optimizer = torch.optim.AdamW(module.parameters(), lr=5e-3, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=15, pct_start=0.3)
    total, losses_of_last = 0, []
    for epoch in range(3):
        indices = order(settings.seed, epoch, len(TRAIN))
        for number in range(5):
            chosen = indices[16 * number : 16 * number + 16]
            x = TRAIN.batch(chosen, Moment(settings.seed, epoch, number))
            hidden = module[1](module[0](x))
            output = module[4](module[3](hidden))
            loss = nn.functional.cross_entropy(output.mean(0), torch.from_numpy(TRAIN.labels[chosen]))
            loss = loss + 0.1 * (hidden.mean() / 0.2 - 1.0) ** 2
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(module.parameters(), 0.5)
            optimizer.step()
            total += 1
            if total < 15:
                schedule.step()
            if epoch == 2:
                losses_of_last += [loss.item()] * len(chosen)
    torch.set_num_threads(before)
    torch.manual_seed(settings.seed)
    its = network(dropout=0.0)
    fit = trainer(settings, its).fit(TRAIN)
    assert weights(its) == weights(module)
    assert fit.records[-1]["loss"] == pytest.approx(np.mean(losses_of_last))
    assert len(losses_of_last) == len(TRAIN) == 72
    assert torch.get_num_threads() == before


def test_it_learns() -> None:
    found = trainer(SETTINGS.but(epochs=15, lr=0.02))
    test = inputs(200, seed=2)
    assert found.evaluate(test).accuracy < 0.7
    fit = found.fit(TRAIN)
    assert isinstance(fit, Fit)
    assert [r["epoch"] for r in fit.records] == list(range(1, 16))
    assert fit.records[-1]["loss"] < 0.5 * fit.records[0]["loss"]
    assert found.evaluate(test).accuracy > 0.85
    assert fit.train_s == fit.records[-1]["train_s"] > fit.records[0]["train_s"] > 0.0


def test_an_evaluation_counts_answers_and_spikes() -> None:
    found = trainer(SETTINGS.but(evaluation_batch=7))
    found.module.train()
    result = found.evaluate(TRAIN)
    assert found.module.training
    found.module.eval()
    x = TRAIN.batch(np.arange(72), Moment(4, None, 0))
    with torch.no_grad(), spikes_of(found.module) as seen:
        output = found.module(x)
        sent = seen.counts()["hidden"]
    answers = output.mean(0).argmax(1).numpy()
    confusion = np.zeros((3, 3), int)
    for label, answer in zip(TRAIN.labels, answers, strict=True):
        confusion[label, answer] += 1
    assert result.confusion.tolist() == confusion.tolist()
    assert (result.samples, result.accuracy) == (72, np.mean(answers == TRAIN.labels))
    entropy = nn.functional.cross_entropy(output.mean(0), torch.from_numpy(TRAIN.labels))
    assert result.loss == pytest.approx(entropy.item(), rel=1e-5)
    assert result.layer_spikes == {"hidden": sent / 72}
    assert result.spikes_per_sample == sent / 72 > 1.0
    assert result.input_spikes == len(TRAIN.samples.step) / 72 == input_spikes(x) / 72


def test_currents_are_no_spikes() -> None:
    frames = FrameInputs(np.ones((6, 16), np.float32), np.arange(6) % 3, CLASSES, 5)
    assert trainer().evaluate(frames).input_spikes == 0.0


def test_the_same_seed_gives_the_same_weights_and_another_others() -> None:
    found = []
    for seed in (1, 1, 2):
        random.seed(seed + 100)
        np.random.seed(seed + 100)  # noqa: NPY002
        one = trainer(SETTINGS.but(seed=seed, epochs=1), network())
        one.module.load_state_dict(network_weights())
        one.fit(TRAIN)
        found.append((weights(one.module), random.random(), np.random.rand()))  # noqa: NPY002
    assert found[0] == found[1]
    assert found[0][0] != found[2][0]
    assert found[0][1:] != found[2][1:]


def network_weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return network().state_dict()


def test_the_best_epoch_is_chosen_on_what_is_held_out() -> None:
    """And it is the earliest of the best; the module has its weights."""
    settings = SETTINGS.but(epochs=8, lr=0.1, choose="best", hold_out=0.3, schedule="constant")
    found = trainer(settings)
    fit = found.fit(TRAIN)
    accuracies = [r["validation_accuracy"] for r in fit.records]
    assert fit.epoch == 1 + int(np.argmax(accuracies))
    assert len(set(accuracies)) > 1
    other = trainer(settings.but(epochs=fit.epoch))
    other.fit(TRAIN)
    assert weights(found.module) == weights(other.module)
    assert fit.epoch < 8
    last = trainer(settings.but(choose="last")).fit(TRAIN)
    assert last.epoch == 8
    assert [unmeasured(r) for r in last.records] == [unmeasured(r) for r in fit.records]


def test_a_validation_set_changes_nothing_but_the_records() -> None:
    plain, watched = trainer(), trainer()
    plain.fit(TRAIN)
    fit = watched.fit(TRAIN, inputs(40, seed=2))
    assert weights(plain.module) == weights(watched.module)
    assert {"validation_accuracy", "validation_loss", "validation_spikes_per_sample"} <= set(fit.records[0])


def test_spikes_are_kept_near_their_target() -> None:
    settings = SETTINGS.but(epochs=12, lr=0.02)
    rates = []
    for rate in (0.1, 0.4):
        found = trainer(settings)
        found.penalties = (losses.SparsityTarget(rate, weight=1.0),)
        found.fit(TRAIN)
        rates.append(found.evaluate(TRAIN).spikes_per_sample / (5 * 20))
    assert rates == pytest.approx([0.1, 0.4], rel=0.25)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "one-cycle"])
def test_learning_rates_follow_the_schedule(optimizer: str, schedule: str) -> None:
    records = trainer(SETTINGS.but(optimizer=optimizer, schedule=schedule, lr=0.1)).fit(TRAIN).records
    found = [r["lr"] for r in records]
    if schedule == "constant":
        assert found == [0.1] * 3
    elif schedule == "cosine":  # of the batches 5, 10 and 14 of 15
        expected = [0.05 * (1 + math.cos(math.pi * n / 15)) for n in (5, 10, 14)]
        assert found == pytest.approx(expected, rel=1e-6)
    else:
        assert found[0] > found[1] > found[2] > 0.0
        assert found[2] < 1e-4


class Broken(nn.Module):
    """Gives NaN from a step on, or a gradient that is not finite."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what, self.calls = what, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.calls < 3:
            return x
        if self.what == "output":
            return torch.cat([x[:2], x[2:] * math.nan])
        return x + (0.0 * x).abs().sqrt() * 1.0  # the derivative at 0 is not a number


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("output", "the loss became nan: the output of broken (Broken) is not finite from time step 3 on"),
        ("gradient", "the norm of the gradient became nan: the gradient of first.bias is not finite"),
    ],
)
def test_what_is_not_finite_stops_with_its_layer(what: str, expected: str) -> None:
    module = nn.Sequential()
    for name, layer in [("first", Linear(16, 3)), ("broken", Broken(what)), ("last", nn.Linear(3, 3))]:
        module.add_module(name, layer)
    found = Trainer(module, losses.MembraneCrossEntropy(), SETTINGS, progress=False)
    with pytest.raises(TrainingError) as raised:
        found.fit(TRAIN)
    assert str(raised.value).startswith(f"In batch 3 of epoch 1 {expected}. The weights are those before")
    assert (raised.value.epoch, raised.value.batch) == (1, 3)
    assert all(bool(torch.isfinite(p).all()) for p in module.parameters())


def test_a_batch_that_is_not_finite_is_told_from_a_layer() -> None:
    frames = np.ones((32, 16), np.float32)
    frames[9, 2] = math.inf
    given = FrameInputs(frames, np.arange(32) % 3, CLASSES, 5)
    with pytest.raises(TrainingError, match="the batch itself is not finite"):
        trainer().fit(given)


def test_the_log_has_a_line_for_each_epoch(tmp_path: Path) -> None:
    found = trainer(folder=tmp_path / "new" / "folder")
    fit = found.fit(TRAIN, inputs(20, seed=3))
    first, *epochs, last = read_log(tmp_path / "new" / "folder" / "log.jsonl")
    assert first["event"] == "begin"
    assert (first["lr"], first["seed"], first["parameters"]) == (5e-3, 4, 16 * 20 + 20 + 60 + 3)
    assert epochs == [{"event": "epoch", **record} for record in fit.records]
    assert last == {"event": "end", "epoch": 3, "train_s": fit.train_s}
    json.dumps(first)


def test_tensorboard_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtra, match=r"pip install 'treplica\[tensorboard\]'"):
        trainer(folder=tmp_path / "a", tensorboard=True).fit(TRAIN)
    assert not (tmp_path / "a").exists()


def test_ctrl_c_stops_between_batches_and_keeps_them(tmp_path: Path) -> None:
    settings = SETTINGS.but(epochs=10_000)
    found = trainer(settings, folder=tmp_path / "a")
    log = tmp_path / "a" / "log.jsonl"

    def interrupt() -> None:
        while not (log.exists() and len(log.read_text().splitlines()) > 3):
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    with pytest.raises(
        KeyboardInterrupt, match=r"interrupted in epoch \d+ of 10000; what was done is kept in"
    ):
        found.fit(TRAIN)
    waiting.join()
    kept = load_checkpoint(tmp_path / "a" / "training.checkpoint")
    assert {n: t.flatten().tolist() for n, t in kept["module"].items()} == weights(found.module)


def other_module(module: nn.Module) -> Trainer:
    return Trainer(module, losses.MembraneCrossEntropy(), SETTINGS, progress=False)


REFUSALS = {
    "module": (lambda: Trainer("net", losses.TET()), "a torch.nn.Module"),
    "loss": (lambda: Trainer(network(), nn.CrossEntropyLoss()), "a loss with `scores`"),
    "best": (
        lambda: trainer(SETTINGS.but(choose="best")).fit(TRAIN),
        "'last' where there is nothing to choose",
    ),
    "both": (
        lambda: trainer(SETTINGS.but(hold_out=0.1)).fit(TRAIN, TRAIN),
        "0 where a validation set is given",
    ),
    "empty": (
        lambda: trainer().fit(TRAIN.take(np.array([], int))),
        "samples to train on must be at least one",
    ),
    "frozen": (lambda: other_module(network().requires_grad_(False)).fit(TRAIN), "parameters to train"),
    "output": (lambda: other_module(Linear(16, 4)).fit(TRAIN), r"\[T, B, 3\], a number for each class"),
    "resume": (lambda: trainer().fit(TRAIN, resume=True), "False without a folder"),
    "board": (lambda: trainer(tensorboard=True), "False without a folder"),
    "every": (lambda: trainer(checkpoint_every=math.nan), "checkpoint_every must be >= 0 s"),
    "epochs": (lambda: TrainingSettings(epochs=0), "epochs must be a whole number >= 1"),
    "seed": (lambda: TrainingSettings(seed=2**63), "seed must be a whole number from 0 to 2"),
    "lr": (lambda: TrainingSettings(lr=math.inf), "lr must be a finite number > 0"),
    "hold out": (lambda: TrainingSettings(hold_out=1.0), "with 0 <= hold_out < 1"),
    "optimizer": (lambda: TrainingSettings(optimizer="adamww"), "Did you mean 'adamw'?"),
    "name": (lambda: SETTINGS.but(bach=3), "Did you mean 'batch'?"),
    "text": (lambda: SETTINGS.parsed({"batch": "many"}), "batch must be a whole number, got 'many'"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_trained_is_refused(case: str) -> None:
    make, message = REFUSALS[case]
    with pytest.raises((InvalidValue, UnknownName), match=message):
        make()


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(OutputError, match="the output folder is not empty"):
        trainer(folder=tmp_path).fit(TRAIN)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_settings_are_read_from_text() -> None:
    found = SETTINGS.parsed({"lr": "1e-4", "batch": "7", "schedule": "cosine", "threads": "2"})
    assert found == replace(SETTINGS, lr=1e-4, batch=7, schedule="cosine", threads=2)


def test_layers_of_neurons_that_spike_are_seen_and_no_others() -> None:
    module = nn.Sequential(Linear(16, 4), Neurons(tr.LIF()), nn.Sequential(Neurons(tr.SoftResetLIF())))
    module.add_module("again", Recurrent(Neurons(tr.LIF()), 4))
    module.add_module("out", Recurrent(Neurons(tr.LIF(), output="v", record=("spike",)), 4))
    with spikes_of(module) as seen:
        assert seen.layers == ["1", "2.0", "again"]
        module(torch.full((3, 2, 16), 100.0))
        assert sorted(seen.by_layer) == ["1", "2.0", "again"]
    assert not seen.by_layer
