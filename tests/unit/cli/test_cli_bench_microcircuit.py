"""`treplica bench microcircuit`: figures of every population, beside NEST; progress; what is refused."""

from typing import Any

import pytest
from commands import Terminal

from treplica.benchmarks import measure, progress
from treplica.systems.microcircuit_parameters import POPULATIONS, circuit

SMALL = ("bench", "microcircuit", "--scale", "0.02", "--seconds", "0.1")
RATES = {f"rate_{name}_hz" for name in POPULATIONS}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out starting from nothing: the mesh has a test of it."""
    monkeypatch.setattr(measure, "starting", lambda *_: {})
    monkeypatch.setattr(measure, "busy_cores", lambda: 0.0)


@pytest.fixture
def no_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*_: object) -> None:
        raise AssertionError("measured before everything was checked")

    monkeypatch.setattr(measure, "measure", build)


def test_one_object(treplica: Terminal) -> None:
    done = treplica(*SMALL, "--json", "--threads", "1", "--repeats", "2")
    assert done.status == 0
    figures = done.json["figures"]
    assert (figures["neurons"], figures["synapses"], figures["threads"]) == (1544, 119_548, 1)
    assert set(figures) > RATES
    assert {"build_s", "wall_s_per_model_s", "synaptic_events_per_s", "peak_memory_bytes"} < set(figures)
    assert 0.1 < figures["mean_rate_hz"] < 10.0
    assert figures["rate_L5I_hz"] > figures["rate_L23E_hz"]
    said = done.err.splitlines()
    assert said[:2] == ["microcircuit: loading kernels", "microcircuit: building at scale 0.02"]


def test_long_runs_say_how_far_they_are(treplica: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "QUIET_S", 0.0)
    done = treplica(*SMALL, "--drive", "dc", "--json")
    assert "microcircuit: warming up, 500 of 500 ms of model time" in done.err
    assert "microcircuit: running, 100 of 100 ms of model time" in done.err


@pytest.mark.nest
def test_nest_runs_the_same_network(treplica: Terminal) -> None:
    pytest.importorskip("nest")
    done = treplica(*SMALL, "--seconds", "1", "--against", "nest", "--json")
    ours, theirs = done.json["figures"], done.json["peers"]["nest"]
    assert (theirs["neurons"], theirs["synapses"]) == (1544, 119_548)
    assert set(theirs) > RATES
    for name in ("L4E", "L4I", "L5E", "L5I", "L6I"):
        assert theirs[f"rate_{name}_hz"] == pytest.approx(ours[f"rate_{name}_hz"], rel=0.5)
    assert {"nest.build_s", "nest.wall_s_per_model_s", "nest.peak_memory_bytes"} < set(done.json["ratios"])


def test_the_peer_gets_every_number(treplica: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def run_peer(benchmark: str, peer: str, settings: dict[str, Any]) -> dict[str, Any]:
        asked.append((benchmark, peer, settings))
        return {"figures": {"build_s": 1.0}, "version": "3.10"}

    monkeypatch.setattr(measure, "run_peer", run_peer)
    monkeypatch.setattr(measure, "check_peer", lambda *_: None)
    assert treplica(*SMALL, "--against", "nest", "--drive", "dc", "--threads", "2").status == 0
    ((benchmark, peer, settings),) = asked
    assert (benchmark, peer) == ("microcircuit", "nest")
    assert (settings["threads"], settings["seconds"], settings["warm_up_ms"]) == (2, 0.1, 500.0)
    assert sum(settings["neurons"]) == 1544
    assert sum(map(sum, settings["synapses"])) == 119_548
    assert settings["delays"] == [1.5, 0.75] * 4
    assert settings["external_rates"] == [0.0] * 8
    assert settings["currents"] == circuit(0.02, "dc").currents.tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scale", "2"), "scale of the microcircuit must be a number from 0.001 to 1, got 2.0."),
        (("--drive", "ac"), "drive of the microcircuit must be 'poisson' or 'dc', got 'ac'."),
        (("--seconds", "0"), "seconds, in ms: must be at least 0.1 ms"),
        (("--repeats", "0"), "repeats must be a whole number from 1 to 10000, got 0."),
        (("--against", "brian"), "peer of the benchmark microcircuit 'brian' is not known. Known: nest."),
        (
            ("--neurons", "10"),
            "--neurons must be left out of the benchmark microcircuit, got 10. It has --scale, --drive, --seconds, "
            "--repeats, --threads, --precision.",
        ),
    ],
)
def test_refused_before_anything_is_measured(
    treplica: Terminal, no_measuring: None, options: tuple[str, ...], message: str
) -> None:
    done = treplica(*SMALL, *options, "--json")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"treplica: {message}")


def test_settings_of_another_benchmark(treplica: Terminal) -> None:
    done = treplica("bench", "mesh", "--scale", "0.5")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(
        "treplica: --scale must be left out of the benchmark mesh, got 0.5. It has --neurons,"
    )
