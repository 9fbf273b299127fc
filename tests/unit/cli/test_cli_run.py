"""`treplica run`: files in, spikes and figures out."""

import json
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
