"""`treplica run`: files in, spikes and figures out."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import NETWORK, Terminal, written

import treplica as tr
from treplica.cli.run import load_network

FAST = ("--dt", "1.0", "--engine", "plain")

NEURON = """
from treplica.model import arrival, current, neuron, spike, state, where


@neuron(v=state("mV"), i=current("mV"), kick=arrival("mV"))
def Mine(v, i, kick):
    moved = v + i + kick
    fired = spike(moved - 10.0)
    return dict(v=where(fired > 0.5, 0.0, moved), spike=fired)
"""
USER = """
import treplica as tr
from my_neuron import Mine

network = tr.Network()
cells = network.add(tr.Population("cells", 3, Mine(v=[0.0, 1.0, 2.0])))
network.stimulate(cells, tr.StepCurrent(0.0, 3.0))
network.record(cells)
"""


def test_a_python_file(treplica: Terminal, tmp_path: Path) -> None:
    done = treplica("run", written(tmp_path), "--duration", "200", *FAST, "--json")
    assert (done.status, done.err) == (0, "")
    assert list(done.json) == ["summary", "recorded", "folder"]
    assert done.json["folder"] is None
    summary = done.json["summary"]
    assert (summary["neurons"], summary["synapses"], summary["model_s"]) == (30, 120, 0.2)
    assert summary["spikes"] > 10
    assert done.json["recorded"] == {"heard": f"{summary['spikes']} spikes of 30 neurons"}
    assert list(tmp_path.iterdir()) == [tmp_path / "net.py"]


def test_a_saved_description_gives_the_same(treplica: Terminal, tmp_path: Path) -> None:
    network = load_network(written(tmp_path))
    network.save(tmp_path / "net.json")
    results = [
        treplica("run", tmp_path / name, "--duration", "100", *FAST, "--json", "--out", tmp_path / name[4:])
        for name in ("net.py", "net.json")
    ]
    assert [done.status for done in results] == [0, 0]
    files = [tmp_path / kind / "heard.h5" for kind in ("py", "json")]
    assert tr.SpikeTrains.load(files[0]) == tr.SpikeTrains.load(files[1])
    assert len(tr.SpikeTrains.load(files[0])) > 5


def test_what_is_written_to_the_folder(treplica: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "a" / "run"
    record = ("--record", "mesh", "--record", "mesh.v", "--record", "mesh.u")
    done = treplica("run", written(tmp_path), "--duration", "50", *FAST, *record, "--out", out, "--json")
    assert done.status == 0
    assert done.json["folder"] == str(out)
    names = sorted(p.name for p in out.iterdir())
    assert names == ["heard.h5", "mesh_spikes.h5", "mesh_u.h5", "mesh_v.h5", "network.json", "summary.json"]
    assert json.loads((out / "summary.json").read_text()) == done.json["summary"]
    expected = load_network(tmp_path / "net.py")
    mesh = expected.population("mesh")
    for variable in ("spikes", "v", "u"):
        expected.record(mesh, variable)
    assert tr.Network.load(out / "network.json") == expected
    heard = tr.SpikeTrains.load(out / "heard.h5")
    assert heard == tr.SpikeTrains.load(out / "mesh_spikes.h5")
    assert (heard.duration, heard.dt, len(heard)) == (50.0, 1.0, done.json["summary"]["spikes"])
    traces = tr.Traces.load(out / "mesh_v.h5")
    assert (len(traces), len(traces.ids), traces.unit) == (50, 30, "mV")


def test_the_seed_is_kept_with_the_run(treplica: Terminal, tmp_path: Path) -> None:
    """What lies in the folder gives the same run again."""
    path = written(tmp_path)
    for name, file, options in (
        ("own", path, ()),
        ("other", path, ("--seed", "99")),
        ("again", tmp_path / "other" / "network.json", ()),
    ):
        assert (
            treplica("run", file, "--duration", "60", *FAST, *options, "--out", tmp_path / name).status == 0
        )
    own, other, again = (tr.SpikeTrains.load(tmp_path / n / "heard.h5") for n in ("own", "other", "again"))
    assert own != other == again
    assert tr.Network.load(tmp_path / "other" / "network.json").seed == 99


def test_engines_threads_and_precision(treplica: Terminal, tmp_path: Path) -> None:
    path = written(tmp_path)
    engines = []
    for name, options in (
        ("plain", ("--engine", "plain")),
        ("cpu", ("--engine", "cpu", "--threads", "2")),
        ("auto", ()),
        ("single", ("--precision", "float32")),
    ):
        done = treplica(
            "run", path, "--duration", "40", "--dt", "0.5", *options, "--out", tmp_path / name, "--json"
        )
        engines.append((done.json["summary"]["engine"].split(":")[0], done.json["summary"]["precision"]))
    expected = [("plain, 1 thread", "float64"), ("cpu, 2 threads", "float64"), ("cpu, 1 thread", "float64")]
    assert engines == [*expected, ("cpu, 1 thread", "float32")]
    spikes = [tr.SpikeTrains.load(tmp_path / name / "heard.h5") for name in ("plain", "cpu", "auto")]
    assert spikes[0] == spikes[1] == spikes[2]


def test_what_people_see(treplica: Terminal, tmp_path: Path) -> None:
    done = treplica("run", written(tmp_path), "--duration", "50", *FAST, "--out", tmp_path / "[red]out")
    assert done.status == 0
    assert done.err.startswith("treplica: plain, 1 thread: as asked for")
    assert "50 of 50 ms" in done.err
    assert "neurons                30  (" in done.out
    assert "spikes of 30 neurons" in done.out
    assert done.out.endswith(f"results in {tmp_path / '[red]out'}\n")
    table = done.out[: done.out.index("results in")].splitlines()
    assert max(len(line.rstrip()) for line in table) <= 80


def test_a_run_without_probes_still_fills_its_folder(treplica: Terminal, tmp_path: Path) -> None:
    silent = NETWORK.replace('network.record(mesh, name="heard")', "")
    done = treplica(
        "run", written(tmp_path, silent), "--duration", "5", *FAST, "--out", tmp_path / "out", "--json"
    )
    assert done.json["recorded"] == {}
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["network.json", "summary.json"]


@pytest.mark.parametrize("engine", ["plain", "cpu"])
def test_a_file_may_import_what_lies_beside_it(treplica: Terminal, tmp_path: Path, engine: str) -> None:
    """A neuron in one small file, a network in another: 3 mV a step, a spike at 10 mV or more."""
    written(tmp_path, NEURON, "my_neuron.py")
    path = list(sys.path)
    try:
        done = treplica(
            "run",
            written(tmp_path, USER),
            "--duration",
            "8",
            "--dt",
            "1",
            "--engine",
            engine,
            "--out",
            tmp_path / "o",
        )
    finally:
        sys.modules.pop("my_neuron", None)
    assert done.status == 0
    assert sys.path == path
    spikes = tr.SpikeTrains.load(tmp_path / "o" / "cells_spikes.h5")
    assert [spikes.of(j).tolist() for j in range(3)] == [[4.0, 8.0], [3.0, 7.0], [3.0, 7.0]]
    again = treplica("run", tmp_path / "o" / "network.json", "--duration", "8", "--dt", "1", "--json")
    assert again.json["summary"]["spikes"] == 6


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
    ("net.py", "--engine", "cppu"): "engine 'cppu' is not known. Did you mean 'cpu'? Known: auto, cpu, plain.",
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
