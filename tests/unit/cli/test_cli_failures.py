"""`treplica run` where something is wrong: one line, one object, a status, and what was recorded is kept."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import NETWORK, Terminal, written

import treplica as tr

FAST = ("--dt", "1.0", "--engine", "plain")

REFUSALS = {
    ("absent.py",): "absent.py: there is no such file.",
    ("absent.json",): "absent.json: cannot be read (No such file or directory).",
    (".",): ".: cannot be read (Is a directory).",
    ("empty.py",): "empty.py: does not define a variable `network` that is a Network. Assign it: network = ",
    ("other.py",): "other.py: does not define a variable `network` that is a Network.",
    ("text.json",): "text.json: is not a network description, or is truncated.",
    ("net.py", "--record", "mash"): "population 'mash' is not known. Did you mean 'mesh'? Known: mesh.",
    ("net.py", "--record", "mesh.w"): "variable of mesh 'w' is not known. Known: spikes, v, u, wait.",
    ("net.py", "--record", ""): "population '' is not known. Known: mesh.",
    ("net.py", "--engine", "cppu"): "engine 'cppu' is not known. Did you mean 'cpu'? Known: auto, cpu, event, plain.",
    ("net.py", "--threads", "0"): "threads must be a whole number from 1 to 1024, got 0.",
    ("net.py", "--engine", "plain", "--threads", "2"): "threads must be 1 for the plain engine, got 2.",
    ("net.py", "--seed", "-1"): "--seed must be a whole number from 0 to 18446744073709551615, got -1.",
    ("net.py", "--duration", "nan"): "--duration must be a finite number > 0 ms, got nan.",
    ("net.py", "--duration", "-1"): "--duration must be a finite number > 0 ms, got -1.0.",
    ("net.py", "--duration", "1.05"): "--duration must be a multiple of dt = 0.1 ms, got 1.05. Nearest: 1 ms.",
    ("net.py", "--dt", "0"): "--dt must be a finite number > 0 ms, got 0.0.",
    ("net.py", "--dt", "0.3", "--duration", "3"): "mesh_mesh: delay must be a multiple of dt = 0.3 ms, got 1.0.",
}  # fmt: skip


@pytest.mark.parametrize("arguments", REFUSALS)
def test_errors_are_one_line_and_one_object(
    treplica: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("net.py", NETWORK),
        ("empty.py", ""),
        ("other.py", "network = 3"),
        ("text.json", "hello"),
    ):
        written(tmp_path, text, name)
    plain = treplica("run", *arguments, "--out", "out")
    assert plain.status == 2
    assert plain.err.startswith(f"treplica: {REFUSALS[arguments]}")
    assert plain.err.count("\n") == 1
    assert plain.out == ""
    asked = treplica("run", *arguments, "--out", "out", "--json")
    assert (asked.status, asked.err) == (2, plain.err)
    assert set(asked.json) == {"error", "message"}
    assert plain.err == f"treplica: {asked.json['message']}\n"
    assert asked.json["error"] in ("DescriptionError", "UnknownName", "InvalidValue")
    assert not Path("out").exists()


def test_a_folder_that_is_not_empty_is_refused_before_anything_runs(
    treplica: Terminal, tmp_path: Path
) -> None:
    done = treplica("run", written(tmp_path), "--out", tmp_path, "--json")
    assert (done.status, done.json["error"]) == (2, "OutputError")
    assert "the output folder is not empty. Choose a new folder, or empty this one." in done.err
    assert list(tmp_path.iterdir()) == [tmp_path / "net.py"]


def test_a_message_of_several_lines_becomes_one(treplica: Terminal, tmp_path: Path) -> None:
    text = NETWORK + "network.connect(mesh, mesh, __import__('numpy').eye(3), weight=1.0, delay=1.0)"
    done = treplica("run", written(tmp_path, text))
    assert done.err.splitlines()[-1].startswith("treplica: ")
    assert "array([[1., 0., 0.],        [0., 1., 0.]" in done.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "shown", "hidden"),
    [
        (
            "def f():\n    return 1 / 0\nf()\n",
            ["line 3, in <module>", "line 2, in f", "ZeroDivisionError"],
            "runpy",
        ),
        ("x = 1\ndef f(:\n", ["line 2", "SyntaxError: "], "runpy"),
        (
            "import no_such_module",
            ["line 1", "ModuleNotFoundError: No module named 'no_such_module'"],
            "runpy",
        ),
        (
            "import treplica\ntreplica.LIF(tau=-1.0)",
            ["line 2", "LIF.tau must be a finite number > 0 ms"],
            "runpy",
        ),
    ],
)
def test_the_traceback_of_a_file_is_shown(
    treplica: Terminal, tmp_path: Path, text: str, shown: list[str], hidden: str
) -> None:
    path = written(tmp_path, text)
    done = treplica("run", path, "--json")
    assert done.status == 2
    for line in (*shown, str(path)):
        assert line in done.err
    assert hidden not in done.err
    assert done.err.splitlines()[-1].startswith(f"treplica: {path}: stopped with ")
    assert done.json["error"] == "DescriptionError"


def test_a_state_that_is_not_finite_ends_the_run_and_keeps_its_files(
    treplica: Terminal, tmp_path: Path
) -> None:
    text = NETWORK + "network.stimulate(mesh[7], tr.StepCurrent([20.0], [float('1e308')]))\n"
    text += "network.stimulate(mesh[7], tr.StepCurrent([20.0], [-float('1.7e308')]), name='more')\n"
    done = treplica(
        "run", written(tmp_path, text), *FAST, "--record", "mesh.v", "--out", tmp_path / "out", "--json"
    )
    assert (done.status, done.json["error"]) == (2, "NumericalError")
    assert "mesh[7].v became" in done.err
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    step = round(1000 * summary["model_s"])
    assert f"in step {step} " in done.err
    assert tr.SpikeTrains.load(tmp_path / "out" / "heard.h5").n_steps == step
    assert len(tr.Traces.load(tmp_path / "out" / "mesh_v.h5")) == step
    assert tr.Network.load(tmp_path / "out" / "network.json").population("mesh").size == 30


def test_ctrl_c_gives_status_1_and_the_recorded_files(tmp_path: Path) -> None:
    """Sent once the first piece has run: the file of spikes is no longer empty then."""
    command = [sys.executable, "-m", "treplica.cli.main", "run", str(written(tmp_path)), "--dt", "1"]
    process = subprocess.Popen(
        [*command, "--duration", "1e9", "--out", "out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    assert "treplica: cpu" in process.stderr.readline()  # building and compiling are done
    try:
        process.wait(0.7)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert err.splitlines()[-1] == "treplica: interrupted; what was recorded until then is kept"
    assert "Traceback" not in err
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    spikes = tr.SpikeTrains.load(tmp_path / "out" / "heard.h5")
    assert spikes.duration == pytest.approx(1000.0 * summary["model_s"])
    assert len(spikes) == summary["spikes"]
    assert tr.Network.load(tmp_path / "out" / "network.json").seed == 3


def test_an_interruption_without_a_folder_says_so(
    treplica: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("treplica.cli.run.run_with_bar", interrupt)
    done = treplica("run", written(tmp_path), *FAST, "--json")
    assert (done.status, done.err) == (1, "treplica: interrupted\n")
    assert done.json == {"error": "KeyboardInterrupt", "message": "interrupted"}
