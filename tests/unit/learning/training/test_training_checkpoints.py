"""A training that is stopped at any moment goes on to the same weights and log; what does not fit is refused."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_trainings import SETTINGS, inputs, network, trainer, unmeasured, weights
from torch import nn

from treplica.errors import DescriptionError
from treplica.learning import Trainer, losses
from treplica.learning.training import checkpoints
from treplica.learning.training.checkpoints import NAME, load_checkpoint, save_checkpoint
from treplica.learning.training.logs import read_log
from treplica.learning.training.randomness import random_states, seed_all, set_random_states

HERE = Path(__file__).parent
TRAIN = inputs()


def kills(*arguments: object) -> dict[str, Any]:
    """What `training_kills.py` says, which has compared weights and logs."""
    done = subprocess.run(
        [sys.executable, HERE / "training_kills.py", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[2])},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_killed_at_random_times(tmp_path: Path) -> None:
    found = kills("times", tmp_path, 1)
    assert len(found["kills"]) >= 25
    places = {tuple(k["place"]) for k in found["kills"] if k["place"]}
    assert len({batch for _, batch in places}) > 2
    assert len({epoch for epoch, _ in places}) > 1
    assert found["epochs"] == 6


def test_killed_at_every_write(tmp_path: Path) -> None:
    """There are some for each checkpoint (the first, one after each of 5 batches, the last) and for the log."""
    found = kills("calls", tmp_path)
    assert len(found["kills"]) >= 6 * 4
    assert any(k["unfinished"] for k in found["kills"])
    assert {str(k["place"]) for k in found["kills"]} >= {"None", "[0, 0]", "[0, 1]", "[0, 4]", "[1, 0]"}


class Stopped(Exception):
    pass


def stop_after(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Have the n-th checkpoint be followed by an error."""
    left, save = [number], save_checkpoint

    def saving(path: Path, state: dict[str, Any]) -> None:
        save(path, state)
        left[0] -= 1
        if not left[0]:
            raise Stopped

    monkeypatch.setattr(checkpoints, "save_checkpoint", saving)


@pytest.mark.parametrize("number", [1, 2, 6, 7, 13])
def test_an_interrupted_training_ends_like_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """In another process state: with other random states, and what a killed writer left lying about."""
    whole = trainer(folder=tmp_path / "whole")
    fit = whole.fit(TRAIN)
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        stop_after(patch, number)
        stopped = trainer(folder=out, checkpoint_every=0.0)
        with pytest.raises(Stopped):
            stopped.fit(TRAIN)
    (out / ".training.unfinished.checkpoint").write_bytes(b"Treplica training chec")
    if (out / "log.jsonl").exists():
        with open(out / "log.jsonl", "a") as file:
            file.write('{"event": "epo')
    seed_all(99)
    again = trainer(folder=out, checkpoint_every=1e9)
    its = again.fit(TRAIN, resume=True)
    assert weights(again.module) == weights(whole.module)
    assert [unmeasured(r) for r in its.records] == [unmeasured(r) for r in fit.records]
    logs = [[unmeasured(r) for r in read_log(folder / "log.jsonl")] for folder in (out, tmp_path / "whole")]
    assert logs[0] == logs[1]
    assert len(logs[0]) == 5
    assert {p.name for p in out.iterdir()} == {NAME, "log.jsonl"}


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "one-cycle"])
def test_every_optimizer_and_schedule_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimizer: Any, schedule: Any
) -> None:
    settings = SETTINGS.but(optimizer=optimizer, schedule=schedule, choose="best", hold_out=0.2)
    whole = trainer(settings)
    whole.fit(TRAIN)
    with monkeypatch.context() as patch:
        stop_after(patch, 8)
        stopped = trainer(settings, folder=tmp_path, checkpoint_every=0.0)
        with pytest.raises(Stopped):
            stopped.fit(TRAIN)
    again = trainer(settings, folder=tmp_path)
    again.fit(TRAIN, resume=True)
    assert weights(again.module) == weights(whole.module)


def test_a_training_that_is_over_can_be_resumed(tmp_path: Path) -> None:
    first = trainer(folder=tmp_path)
    fit = first.fit(TRAIN)
    again = trainer(folder=tmp_path)
    assert again.fit(TRAIN, resume=True) == fit
    assert weights(again.module) == weights(first.module)


def test_what_was_killed_in_its_first_write_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / ".training.unfinished.checkpoint").write_bytes(b"Trepl")
    with pytest.raises(DescriptionError, match=r"in this folder\. One that was killed before its first"):
        trainer(folder=tmp_path).fit(TRAIN, resume=True)
    assert trainer(folder=tmp_path).fit(TRAIN).epoch == 3


def test_random_states_come_back() -> None:
    seed_all(5)
    states = random_states()
    first = [torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()]  # noqa: NPY002
    set_random_states(states)
    assert [torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()] == first  # noqa: NPY002


def others() -> dict[str, Any]:
    """Trainings that differ from the one of the checkpoint, and how the refusal says it."""
    net = network(hidden=21)
    again = SETTINGS.but
    return {
        "title was training, here it is other": lambda f: trainer(folder=f, title="other").fit(
            TRAIN, resume=True
        ),
        "lr was 0.005, here it is 0.004": lambda f: trainer(again(lr=4e-3), folder=f).fit(TRAIN, resume=True),
        "epochs was 3, here it is 5": lambda f: trainer(again(epochs=5), folder=f).fit(TRAIN, resume=True),
        "seed was 4, here it is 5": lambda f: trainer(again(seed=5), folder=f).fit(TRAIN, resume=True),
        "network was Sequential": lambda f: trainer(module=net, folder=f).fit(TRAIN, resume=True),
        "samples to train on was 72 of": lambda f: trainer(folder=f).fit(inputs(71), resume=True),
        "samples to train on was": lambda f: trainer(folder=f).fit(inputs(72, seed=8), resume=True),
        "samples to validate on was none": lambda f: trainer(folder=f).fit(TRAIN, TRAIN, resume=True),
        "loss was MembraneCrossEntropy(over='mean', scale=1.0), here it is TET": lambda f: Trainer(
            network(), losses.TET(), SETTINGS, folder=f
        ).fit(TRAIN, resume=True),
        "penalties was (SparsityTarget(rate=0.2": lambda f: Trainer(
            network(), losses.MembraneCrossEntropy(), SETTINGS, folder=f
        ).fit(TRAIN, resume=True),
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("finished") / "out"
    trainer(folder=folder).fit(TRAIN)
    return folder


@pytest.mark.parametrize("problem", others())
def test_a_checkpoint_of_another_training_is_refused(finished: Path, problem: str) -> None:
    before = (finished / NAME).read_bytes()
    with pytest.raises(DescriptionError) as raised:
        others()[problem](finished)
    message = str(raised.value)
    assert message.startswith(f"{finished / NAME}: belongs to another training: {problem}")
    assert "\n" not in message
    assert (finished / NAME).read_bytes() == before


def damaged(content: bytes) -> dict[str, bytes]:
    middle = bytearray(content)
    middle[len(content) // 2] ^= 1
    return {
        "is not a training checkpoint of Treplica": b"PK" + content[2:],
        "has the format 7, this version reads 1": content.replace(b"checkpoint 1\n", b"checkpoint 7\n", 1),
        "is cut off or damaged: it has": content[:-5],
        "is damaged: its checksum is not that of its seal": bytes(middle),
        "is damaged": content[:40],
    }


@pytest.mark.parametrize("problem", damaged(b"-" * 100))
def test_a_damaged_checkpoint_is_refused(finished: Path, tmp_path: Path, problem: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    (folder / NAME).write_bytes(damaged((finished / NAME).read_bytes())[problem])
    with pytest.raises(DescriptionError) as raised:
        trainer(folder=folder).fit(TRAIN, resume=True)
    assert str(raised.value).startswith(f"{folder / NAME}: {problem}")
    assert "\n" not in str(raised.value)


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "c"
    save_checkpoint(path, {"a": torch.arange(5), "b": [1, "two", None, 2.5]})
    content = path.read_bytes()
    loaded = load_checkpoint(path)
    assert loaded["a"].tolist() == [0, 1, 2, 3, 4]
    assert loaded["b"] == [1, "two", None, 2.5]
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 32]) + content[place + 1 :])
        with pytest.raises(DescriptionError):
            load_checkpoint(path)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    """Even sealed: only tensors and plain values are read."""
    save_checkpoint(tmp_path / "c", {"module": nn.Linear(2, 2)})
    with pytest.raises(DescriptionError, match="is not a readable training checkpoint"):
        load_checkpoint(tmp_path / "c")
