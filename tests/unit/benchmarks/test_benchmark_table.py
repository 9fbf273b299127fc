"""Every entry of the table of benchmarks: its settings, its peers, and that it can be measured."""

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest

import treplica.benchmarks
from treplica.benchmarks import BENCHMARKS, Benchmark, measure, run
from treplica.benchmarks.report import busy_cores
from treplica.errors import InvalidValue

SCRIPTS = Path(treplica.benchmarks.__file__).parent / "peers"
WITH_BRIAN2 = {"mesh", "cuba", "coba", "brunel", "izhikevich2003"}
WITHOUT_PEERS = {"procedural"}
#: Every entry, by benchmark and drive; "" where there is none to choose.
ENTRIES = {(name, drive): of for name, e in BENCHMARKS.items() for drive, of in (e.drives or {"": e}).items()}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "starting", lambda *_: {})
    monkeypatch.setattr(measure, "busy_cores", lambda: 0.0)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=map("-".join, ENTRIES))
def test_settings_are_keywords_of_the_system(entry: Benchmark) -> None:
    known = set(inspect.signature(entry.make).parameters)
    assert set(entry.settings) | {"seed"} <= known
    assert set(entry.small) <= set(entry.settings)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_peers_know_nothing_of_treplica(name: str) -> None:
    """They run in other environments, and a bug of ours cannot be theirs as well."""
    found = {path.stem.removeprefix(f"{name}_"): path for path in SCRIPTS.glob(f"{name}_*.py")}
    expected = set() if name in WITHOUT_PEERS else {"nest"} | ({"brian2"} if name in WITH_BRIAN2 else set())
    assert set(found) == expected
    for path in SCRIPTS.glob("*.py"):
        text = path.read_text("utf-8")
        ast.parse(text)
        assert "import treplica" not in text
        assert "from treplica" not in text


@pytest.mark.parametrize(("name", "drive"), ENTRIES)
def test_every_network_can_be_measured(name: str, drive: str) -> None:
    entry = ENTRIES[name, drive]
    choices = {**entry.small, "drive": drive} if drive else entry.small
    report = run(name, choices=choices, seconds=0.05, repeats=2, threads=1)
    figures = report.figures
    assert figures["neurons"] == sum(p.size for p in entry.small_network().populations)
    assert figures["synapses"] > 0
    assert figures["mean_rate_hz"] == figures["spikes"] / 0.1 / figures["neurons"]
    assert report.settings == {
        **entry.settings, **entry.small, "seed": entry.seed, "dt": entry.dt, "warm_up_ms": entry.warm_up_ms,
        "seconds": 0.05, "repeats": 2, "threads": 1, "precision": entry.precision,
    }  # fmt: skip


def test_synaptic_events_are_counted_one_by_one() -> None:
    """Of Izhikevich's network every spike has 1,000; those of the last step are under way."""
    figures = run("izhikevich2003", seconds=0.5, repeats=3).figures
    assert isinstance(figures["synaptic_events"], int)
    assert isinstance(figures["spikes"], int)
    assert figures["spikes"] > 2000
    assert figures["synaptic_events"] % 1000 == 0
    assert abs(figures["synaptic_events"] - 1000 * figures["spikes"]) < 1000 * 500


TIMING = "--seconds, --repeats, --threads, --precision."


@pytest.mark.parametrize(
    ("name", "choices", "message"),
    [
        ("hpc", {"neurons": 5}, "--neurons must be left out of the benchmark hpc, got 5. It has --scale, "),
        (
            "cuba",
            {"scale": 0.5},
            "--scale must be left out of the benchmark cuba, got 0.5. It has --neurons, ",
        ),
        (
            "izhikevich2003",
            {"drive": "dc"},
            "--drive must be left out of the benchmark izhikevich2003, got 'dc'. It has ",
        ),
    ],
)
def test_choices_that_a_network_does_not_have(name: str, choices: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        run(name, choices=choices)
    assert str(raised.value) == message + TIMING


def test_busy_cores_is_a_number_of_cores() -> None:
    found = busy_cores(0.05)
    assert found is None or 0.0 <= found <= 4096.0
