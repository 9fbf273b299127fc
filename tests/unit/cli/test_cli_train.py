"""`treplica train`: what it prints and writes, how it goes on, and what it refuses."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from commands import Terminal

from treplica.learning import RECIPES
from treplica.learning.training.logs import read_log

QUICK = ("train", "digits", "--epochs", "2", "--set", "hidden=16", "--set", "lr=0.02")
FIGURES = {"test_accuracy", "train_s", "spikes_per_sample", "input_spikes_per_sample", "parameters", "seeds"}


def test_without_a_name_recipes_are_listed(treplica: Terminal) -> None:
    done = treplica("train")
    assert done.status == 0
    for name, recipe in RECIPES.items():
        assert name in done.out
        assert recipe.claim.split(",")[0] in " ".join(done.out.split())
    listed = treplica("train", "--json").json
    assert {n: about["claim"] for n, about in listed.items()} == {n: r.claim for n, r in RECIPES.items()}
    assert listed["digits"]["settings"]["seed"] == 0


def test_json_is_one_object_and_nothing_else(treplica: Terminal) -> None:
    done = treplica(*QUICK, "--seed", "3", "--json")
    assert (done.status, done.err) == (0, "")
    assert set(done.json) >= FIGURES
    assert (done.json["recipe"], done.json["seeds"], done.json["epochs"]) == ("digits", [3], 2)
    assert done.json["parameters"] == 64 * 16 + 16 + 160 + 10
    assert 0.1 < done.json["test_accuracy"] <= 1.0
    assert done.json["train_s"] > 0.0
    assert done.json["folder"] is None


def test_the_folder_holds_what_was_made(treplica: Terminal, tmp_path: Path) -> None:
    done = treplica(*QUICK, "--out", tmp_path / "out", "--set", "hold_out=0.1")
    assert done.status == 0
    for word in ("test accuracy", "validation accuracy", "spikes a sample", "parameters", "seed", "training"):
        assert word in done.out
    assert done.out.endswith(f"results in {tmp_path / 'out'}\n")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert f"{summary['test_accuracy']:.2%}" in done.out
    names = {"training.checkpoint", "log.jsonl", "curves.png", "confusion.png", "raster.png"}
    assert {p.name for p in (tmp_path / "out" / "seed-0").iterdir()} == names
    assert len(read_log(tmp_path / "out" / "seed-0" / "log.jsonl")) == 4


def test_several_seeds_have_a_mean_and_a_spread(treplica: Terminal) -> None:
    done = treplica(*QUICK, "--epochs", "1", "--seeds", "2", "--seed", "5", "--json")
    one = treplica(*QUICK, "--epochs", "1", "--seed", "6", "--json")
    assert done.json["seeds"] == [5, 6]
    assert done.json["test_accuracy_each"][1] == one.json["test_accuracy"]
    assert done.json["test_accuracy"] == pytest.approx(sum(done.json["test_accuracy_each"]) / 2)
    assert done.json["test_accuracy_std"] > 0.0
    shown = treplica(*QUICK, "--epochs", "1", "--seeds", "2", "--seed", "5")
    assert f"{done.json['test_accuracy']:.2%} ± {done.json['test_accuracy_std']:.2%}" in shown.out
    assert "the standard deviation over the seeds" in shown.out


def test_an_interrupted_training_says_how_to_go_on_and_does(treplica: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "my run"
    long = ("train", "digits", "--epochs", "40", "--set", "hidden=8", "--no-pictures", "--out", out)
    log = out / "seed-0" / "log.jsonl"

    def interrupt() -> None:
        while not (log.exists() and len(log.read_text().splitlines()) > 2):
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    done = treplica(*long)
    waiting.join()
    assert done.status == 1
    assert done.err.startswith("treplica: interrupted in epoch ")
    assert done.err.endswith(f"of 40; go on with: treplica train digits --resume --out '{out}'\n")
    again = treplica("train", "digits", "--resume", "--no-pictures", "--out", out, "--json")
    assert again.status == 0
    whole = treplica(*long[:-1], tmp_path / "whole", "--json")
    same = {k: v for k, v in whole.json.items() if k not in ("train_s", "folder")}
    assert {k: again.json[k] for k in same} == same


def test_a_command_that_is_killed_goes_on(treplica: Terminal, tmp_path: Path) -> None:
    """With SIGKILL, in the middle of an epoch."""
    arguments = (
        "train",
        "digits",
        "--epochs",
        "30",
        "--set",
        "hidden=8",
        "--no-pictures",
        "--checkpoint-every",
        "0",
    )
    command = [sys.executable, "-m", "treplica.cli.main", *arguments, "--out", "out"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = tmp_path / "out" / "seed-0" / "log.jsonl"
    while not (log.exists() and len(log.read_text().splitlines()) > 2) and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    done = treplica("train", "digits", "--resume", "--out", tmp_path / "out", "--no-pictures", "--json")
    whole = treplica(*arguments, "--out", tmp_path / "whole", "--json")
    assert (done.status, whole.status) == (0, 0)
    same = {k: v for k, v in whole.json.items() if k not in ("train_s", "folder")}
    assert {k: done.json[k] for k in same} == same


REFUSALS = {
    ("digitz",): "recipe 'digitz' is not known. Did you mean 'digits'? Known: digits, mnist",
    ("digits", "--set", "lr"): "--set must be NAME=VALUE, such as lr=0.001, got 'lr'.",
    (
        "digits",
        "--set",
        "lrr=1",
    ): "setting 'lrr' is not known. Did you mean 'lr'? Known: epochs, batch, seed,",
    ("digits", "--set", "lr=fast"): "lr must be a number, got 'fast'.",
    ("digits", "--set", "schedule=up"): "schedule 'up' is not known.",
    (
        "digits",
        "--set",
        "choose=best",
    ): "choose must be 'last' where there is nothing to choose on, got 'best'.",
    ("digits", "--epochs", "0"): "epochs must be a whole number >= 1, got 0.",
    ("digits", "--seed", "-1"): "seed must be a whole number >= 0, got -1.",
    ("digits", "--seeds", "0"): "seeds must be a whole number >= 1, got 0.",
    ("digits", "--resume"): "--resume must be given together with --out FOLDER",
    ("digits", "--tensorboard"): "--tensorboard must be given together with --out FOLDER",
    ("digits", "--resume", "--out", "absent"): "absent: there is no training.json in this folder.",
    ("digits", "--resume", "--out", "."): ".: there is no training.json in this folder.",
    ("digits", "--out", "."): ".: the output folder is not empty.",
    ("digits", "--out", "new", "--checkpoint-every", "-1"): "checkpoint_every must be >= 0 s, got -1.0.",
}


@pytest.mark.parametrize("arguments", REFUSALS)
def test_what_does_not_fit_is_refused_in_one_line(
    treplica: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_text("kept")
    plain, asked = treplica("train", *arguments), treplica("train", *arguments, "--json")
    assert (plain.status, plain.out) == (2, "")
    assert plain.err.startswith(f"treplica: {REFUSALS[arguments]}")
    assert plain.err.count("\n") == 1
    assert (asked.status, f"treplica: {asked.json['message']}\n") == (2, asked.err)
    assert asked.err == plain.err
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_torch_is_loaded_by_the_command_only() -> None:
    code = "import sys; from treplica.cli.main import parser; parser(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
