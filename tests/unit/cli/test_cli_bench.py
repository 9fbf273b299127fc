"""`treplica bench`: one object, or a table; and what is refused before anything is measured."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from commands import Terminal

from treplica.benchmarks import measure, peers, starting
from treplica.benchmarks.report import Report
from treplica.cli import bench

AUTO = ("bench", "mesh", "--neurons", "2000", "--seconds", "0.05", "--repeats", "1")
SMALL = (*AUTO, "--drive", "noise")
STARTING = {"import_s": 0.1, "first_start_s": 12.0, "later_start_s": 0.5}
THEIRS = {"build_s": 10.0, "wall_s_per_model_s": 6.0, "neurons": 2000, "synapses": 12_000, "graph_s": 0.5}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the half minute of starting from nothing: it has a test of its own."""
    monkeypatch.setattr(measure, "starting", lambda *_: STARTING)
    monkeypatch.setattr(measure, "busy_cores", lambda: 0.25)


@pytest.fixture
def no_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*_: object) -> None:
        raise AssertionError("measured before everything was checked")

    monkeypatch.setattr(measure, "measure", build)


def pretend(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A peer that is always the same; the settings that it was given."""
    settings: list[Any] = []

    def run_peer(benchmark: str, peer: str, given: dict[str, Any]) -> dict[str, Any]:
        settings.append((benchmark, peer, given))
        return {"figures": THEIRS, "version": "3.10"}

    monkeypatch.setattr(measure, "run_peer", run_peer)
    monkeypatch.setattr(measure, "check_peer", lambda *_: None)
    return settings


def test_one_object(treplica: Terminal, quick: None) -> None:
    done = treplica(*SMALL, "--json")
    assert (done.status, done.err) == (0, "")
    assert list(done.json) == ["name", "settings", "machine", "versions", "figures", "peers", "ratios"]
    figures = done.json["figures"]
    assert done.json["name"] == "mesh"
    assert (done.json["peers"], done.json["ratios"]) == ({}, {})
    assert (figures["neurons"], figures["synapses"]) == (2000, 12_000)
    assert 1.0 <= figures["bytes_per_synapse"] <= 4.0
    assert {*STARTING, "build_s", "wall_s_per_model_s", "synaptic_events_per_s", "peak_memory_bytes"} <= {
        *figures
    }
    assert figures.pop("skipped_updates") == 0.0
    assert all(isinstance(value, (int, float)) and value > 0 for value in figures.values())
    assert 0.5 < figures["mean_rate_hz"] < 50.0
    assert {"python", "treplica", "numpy", "numba"} <= set(done.json["versions"])
    assert {"processor", "cores", "memory_bytes"} <= set(done.json["machine"])


def test_a_drive_that_was_left_open_is_said(treplica: Terminal, quick: None) -> None:
    done = treplica(*AUTO, "--json")
    said = "treplica: mesh driven by noise, the drive of up to 1,000,000 neurons; --drive spikes is the silent mesh\n"
    assert (done.status, done.err) == (0, said)
    assert (done.json["settings"]["drive"], done.json["settings"]["precision"]) == ("noise", "float64")


@pytest.mark.parametrize("peers", [["nest", "brian2"], ["nest, brian2"], ["nest,", "brian2"]])
def test_peers_stand_beside(
    treplica: Terminal, quick: None, monkeypatch: pytest.MonkeyPatch, peers: list[str]
) -> None:
    given = pretend(monkeypatch)
    done = treplica(*SMALL, "--json", "--threads", "1", "--against", *peers)
    assert [(b, p) for b, p, _ in given] == [("mesh", "nest"), ("mesh", "brian2")]
    assert given[0][2] == given[1][2]
    assert (given[0][2]["neurons"], given[0][2]["threads"], given[0][2]["seconds"]) == (2000, 1, 0.05)
    assert done.json["peers"] == {"nest": THEIRS, "brian2": THEIRS}
    assert done.json["versions"]["brian2"] == "3.10"
    ratios, ours = done.json["ratios"], done.json["figures"]
    assert set(ratios) == {f"{p}.{k}" for p in ("nest", "brian2") for k in ("build_s", "wall_s_per_model_s")}
    assert ratios["nest.wall_s_per_model_s"] == pytest.approx(6.0 / ours["wall_s_per_model_s"])


def test_the_table_fits_80_columns_with_two_peers(capsys: pytest.CaptureFixture[str]) -> None:
    ours = {
        "build_s": 0.11,
        "synaptic_events_per_s": 5.234e7,
        "neurons": 100_000,
        "peak_memory_bytes": 2.34e8,
    }
    theirs = {
        "build_s": 13.8,
        "synaptic_events_per_s": 9.87e5,
        "neurons": 100_000,
        "peak_memory_bytes": 1.5e9,
    }
    bench._show(Report("mesh", {**ours, "wall_s_per_model_s": 0.07}, {"nest": theirs, "brian2": theirs}))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert lines[-1].startswith("load before: ")
    assert max(map(len, lines)) <= 80
    rows = {line.split()[0]: line.split()[1:] for line in lines[1:-1]}
    assert rows["build_s"] == ["0.11", "13.8", "125.5", "13.8", "125.5"]
    assert rows["neurons"] == ["100,000"] * 3
    assert rows["peak_memory_bytes"] == ["234", "M", "1.5", "G", "6.4", "1.5", "G", "6.4"]
    assert rows["synaptic_events_per_s"][:2] == ["52.34", "M"]
    assert rows["wall_s_per_model_s"] == ["0.07"]


def test_later_starts_are_measured_in_fresh_processes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", starting.FIRST_RUN, "mesh", "float32"],
        capture_output=True,
        text=True,
        check=True,
    )
    figures = json.loads(done.stdout)
    assert set(figures) == {"import_s", "start_s"}
    assert 0.0 < figures["import_s"] < figures["start_s"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bench", "mash"), "benchmark 'mash' is not known. Did you mean 'mesh'? Known: mesh, cuba, "),
        (
            (*SMALL, "--against", "nset"),
            "peer of the benchmark mesh 'nset' is not known. Did you mean 'nest'?",
        ),
        ((*AUTO, "--drive", "dc"), "drive of the mesh must be 'auto', 'noise' or 'spikes', got 'dc'."),
        (
            (*SMALL, "--rate", "0.5"),
            "--rate must be left out of the mesh with noise, got 0.5. It is the rate of spikes from outside: ",
        ),
        ((*AUTO, "--repeats", "0"), "repeats must be a whole number from 1 to 10000, got 0."),
        ((*SMALL, "--repeats", "0"), "repeats must be a whole number from 1 to 10000, got 0."),
        ((*SMALL, "--seconds", "0"), "seconds, in ms: must be at least 1 ms"),
        ((*SMALL, "--seconds", "nan"), "seconds must be a finite number, got nan."),
        ((*SMALL, "--seconds", "0.0005"), "seconds, in ms: must be a multiple of dt = 1 ms, got 0.5."),
    ],
)
def test_refused_before_anything_is_measured(
    treplica: Terminal, no_measuring: None, arguments: tuple[str, ...], message: str
) -> None:
    done = treplica(*arguments, "--json")
    assert done.status == 2
    assert done.err.startswith(f"treplica: {message}")
    assert done.err.count("\n") == 1
    assert done.json["message"] in done.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--neurons", "4"),
            "WattsStrogatz.k must be an even integer from 2 to 2 (below the 4 neurons), got 6.",
        ),
        (("--neurons", "0"), "mesh.size must be a whole number from 1 to 2147483647, got 0."),
        (("--threads", "0"), "threads must be a whole number from 1 to 1024, got 0."),
    ],
)
def test_settings_that_make_no_mesh(
    treplica: Terminal, quick: None, options: tuple[str, ...], message: str
) -> None:
    done = treplica(*SMALL, *options)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"treplica: {message}")


def test_peers_that_are_not_there(
    treplica: Terminal, no_measuring: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda _: None)
    done = treplica(*SMALL, "--against", "nest", "--json")
    assert (done.status, done.json["error"]) == (2, "MissingExtra")
    assert "nest-simulator, which is not installed. Install it with: pip install 'treplica[dev]'" in done.err
    monkeypatch.setenv("TREPLICA_BRIAN2_PYTHON", "/no/such/python")
    done = treplica(*SMALL, "--against", "brian2")
    assert done.status == 2
    assert (
        "/no/such/python does not exist. Make it with `make peers`, or set TREPLICA_BRIAN2_PYTHON" in done.err
    )


def failing(code: str) -> Callable[..., Any]:
    """A peer's interpreter that runs this instead."""

    def check_peer(benchmark: str, peer: str) -> tuple[str, str]:
        return sys.executable, f"-c{code}"

    return check_peer


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise SystemExit('no such model')", "nest failed in the benchmark mesh: no such model"),
        ("print('hello')", "nest failed in the benchmark mesh: it printed no figures but 'hello'"),
        ("", "nest failed in the benchmark mesh: it printed no figures but ''"),
    ],
)
def test_peers_that_fail(
    treplica: Terminal, quick: None, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    monkeypatch.setattr(measure, "check_peer", lambda *_: None)
    monkeypatch.setattr(peers, "check_peer", failing(code))
    done = treplica(*SMALL, "--against", "nest")
    assert done.status == 2
    assert done.err == f"treplica: {message}\n"
