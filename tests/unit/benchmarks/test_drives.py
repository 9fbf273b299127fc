"""By what the mesh is driven: what is chosen where it is left open, what is refused, what is run then."""

from typing import Any

import pytest

from treplica.benchmarks import BENCHMARKS, measure, run
from treplica.benchmarks.drives import MOST_WITH_NOISE, choose_drive
from treplica.engines.budget import estimate_memory
from treplica.errors import InvalidValue
from treplica.systems.mesh import mesh

FOUNDING = 42_000_000
MORE = MOST_WITH_NOISE + 1


@pytest.mark.parametrize(
    ("asked", "drive", "why"),
    [
        ({}, "noise", "the drive of up to 1,000,000 neurons; --drive spikes is the silent mesh"),
        (
            {"neurons": MOST_WITH_NOISE},
            "noise",
            "the drive of up to 1,000,000 neurons; --drive spikes is the silent mesh",
        ),
        ({"drive": "auto", "neurons": MORE}, "spikes", "as 1,000,001 neurons with noise take about 1 s for"),
        (
            {"neurons": FOUNDING},
            "spikes",
            "as 42,000,000 neurons with noise take about 59 s for a second of model",
        ),
        ({"rate": 0.5}, "spikes", "as --rate is their rate"),
        ({"drive": "noise", "neurons": FOUNDING}, "noise", ""),
        ({"drive": "spikes"}, "spikes", ""),
        ({"drive": "spikes", "rate": 0.5}, "spikes", ""),
        ({"neurons": "many"}, "noise", "the drive of up to"),  # the network refuses it
    ],
)
def test_what_is_chosen(asked: dict[str, Any], drive: str, why: str) -> None:
    found, said = choose_drive(asked, 100_000)
    assert found == drive
    assert said.startswith(why)
    assert bool(said) == bool(why)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"drive": "dc"}, "drive of the mesh must be 'auto', 'noise' or 'spikes', got 'dc'."),
        ({"drive": None}, "drive of the mesh must be 'auto', 'noise' or 'spikes', got None."),
        ({"drive": "noise", "rate": 0.2}, "--rate must be left out of the mesh with noise, got 0.2."),
    ],
)
def test_what_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        run("mesh", choices=asked)
    assert str(raised.value).startswith(message)


def test_the_founding_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`treplica bench mesh --neurons 42000000`: 16 bits, spikes to disk, driven to 0.16 Hz; it says so before."""
    asked: list[Any] = []

    def pretend(entry: Any, settings: dict[str, Any], *_: object) -> dict[str, float]:
        asked.append((entry, settings, capsys.readouterr().err))
        return {}

    monkeypatch.setattr(measure, "measure", pretend)
    monkeypatch.setattr(measure, "starting", lambda *told: asked.append(told) or {})
    monkeypatch.setattr(measure, "busy_cores", lambda: 0.0)
    report = run("mesh", choices={"neurons": FOUNDING})
    (entry, settings, said), told = asked
    assert said.startswith(
        "treplica: mesh driven by spikes, as 42,000,000 neurons with noise take about 59 s"
    )
    assert said.count("\n") == 1
    assert (settings["neurons"], settings["rate"], settings["drive"]) == (FOUNDING, 0.16, "spikes")
    assert "noise" not in settings
    assert (entry.records, entry.precision, report.settings["precision"]) == (("mesh",), "int16", "int16")
    assert told == ("mesh", "int16", "spikes")


def test_memory_is_not_the_reason() -> None:
    """With noise, in float64, 42 million neurons would fit into 6 GB; as they are run, into less."""
    noise, spikes = (BENCHMARKS["mesh"].driven_by(drive) for drive in ("noise", "spikes"))
    of = [
        estimate_memory(
            e.make(**{**e.settings, "neurons": FOUNDING}), e.dt, e.precision, "auto", "auto", 2
        ).total
        for e in (noise, spikes)
    ]
    assert 2e9 < of[1] < of[0] < 6e9


def test_peers_are_told_the_drive(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    def run_peer(benchmark: str, peer: str, settings: dict[str, Any]) -> dict[str, Any]:
        given.append((benchmark, settings))
        return {"figures": {}, "version": "3.10"}

    monkeypatch.setattr(measure, "run_peer", run_peer)
    monkeypatch.setattr(measure, "check_peer", lambda *_: None)
    monkeypatch.setattr(measure, "measure", lambda *_: {})
    monkeypatch.setattr(measure, "starting", lambda *_: {})
    monkeypatch.setattr(measure, "busy_cores", lambda: 0.0)
    for drive in ("noise", "spikes"):
        run("mesh", choices={"drive": drive}, against=("nest",))
    (first, noise), (second, spikes) = given
    assert first == second == "mesh"
    assert (noise["drive"], noise["noise"], noise["weight"]) == ("noise", 5.0, 10.0)
    assert (spikes["drive"], spikes["rate"], spikes["kick"], spikes["weight"]) == ("spikes", 0.16, 30.0, 8.0)


def test_the_silent_mesh_sleeps_and_fires_as_it_is_driven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "starting", lambda *_: {})
    monkeypatch.setattr(measure, "busy_cores", lambda: 0.0)
    figures = run("mesh", choices={"drive": "spikes", "neurons": 50_000}, repeats=3).figures
    expected = 0.16 * 3 * 50_000
    assert abs(figures["spikes"] - expected) < 5 * expected**0.5
    assert figures["skipped_updates"] > 0.9


def test_a_mesh_without_such_a_drive() -> None:
    with pytest.raises(InvalidValue, match="drive of the mesh must be 'noise' or 'spikes', got 'auto'"):
        mesh(100, drive="auto")  # type: ignore[arg-type]
