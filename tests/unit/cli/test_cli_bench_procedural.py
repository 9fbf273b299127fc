"""`treplica bench procedural`: kept and recomputed synapses beside each other, and what is said of them."""

import json
from pathlib import Path

import pytest
from commands import Terminal

from treplica.benchmarks import beside, measure
from treplica.benchmarks.alone import measured
from treplica.benchmarks.progress import Progress
from treplica.errors import SimulationError

SMALL = ("bench", "procedural", "--neurons", "200", "--seconds", "0.05", "--repeats", "2", "--threads", "1")
FIGURES = {
    "build_s",
    "wall_s_per_model_s",
    "synaptic_events_per_s",
    "peak_memory_bytes",
    "synapses",
    "neurons",
}
TIMING = dict(dt=1.0, warm_up_ms=200.0, seconds=0.05, repeats=1, seed=7, threads=1, precision="float64")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out starting from nothing: the mesh has a test of it."""
    monkeypatch.setattr(measure, "starting", lambda *_: {})
    monkeypatch.setattr(measure, "busy_cores", lambda: 0.0)


def test_one_object(treplica: Terminal) -> None:
    done = treplica(*SMALL, "--json")
    assert done.status == 0
    figures, both = done.json["figures"], done.json["beside"]
    assert list(both) == ["200 kept", "200 recomputed"]
    assert FIGURES | {"if_kept_bytes"} <= set(figures)
    counted = ("neurons", "synapses", "spikes", "synaptic_events", "mean_rate_hz")
    for of in both.values():
        assert set(of) >= FIGURES
        assert [of[key] for key in counted] == [figures[key] for key in counted]
    assert figures["synapses"] == pytest.approx(0.1 * 200**2, rel=0.1)
    assert figures["bytes_per_synapse"] == both["200 recomputed"]["bytes_per_synapse"] == 0.0
    assert both["200 kept"]["bytes_per_synapse"] >= 2.0
    assert figures["if_kept_bytes"] > 2 * figures["synapses"]
    said = done.err.splitlines()
    assert said[:2] == [
        "procedural: 200 neurons, synapses are kept",
        "procedural: 200 neurons, synapses are recomputed",
    ]


def test_a_table(treplica: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {
        "wall_s_per_model_s": 0.5,
        "synaptic_events_per_s": 2e9,
        "neurons": 50_000,
        "synapses": 250_000_000,
    }
    figures |= {"bytes_per_neuron": 100.0, "bytes_per_synapse": 2.0, "peak_memory_bytes": 7e8}
    monkeypatch.setattr(measure, "compare", lambda *_: {"50000 kept": figures})
    done = treplica(*SMALL)
    assert done.status == 0
    assert max(map(len, done.out.splitlines())) <= 80
    rows = [line.split() for line in done.out.splitlines()]
    assert ["kept", "50,000", "250", "M", "0.5", "0.5", "505", "M", "700", "M"] in rows
    assert [row[1] for row in rows if row[0] == "recomputed"] == ["200"]
    assert "kept, those of 200 neurons would take" in done.out


def test_states_that_differ_end_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process of the two has another seed."""
    code = (
        "import json, sys; from treplica.benchmarks.alone import measured; asked = json.loads(sys.argv[1]); "
        "asked[2]['seed'] += asked[4] == 'procedural'; print(json.dumps(measured(*asked)))"
    )
    monkeypatch.setattr(beside, "ONE", code)
    with pytest.raises(
        SimulationError, match="at 200 neurons: recomputed synapses give other states than kept"
    ):
        beside.compare("procedural", {"neurons": 200, "p": 0.1}, TIMING, 1, Progress("procedural", False))


def test_a_process_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "ONE", "raise SystemExit('no memory left')")
    with pytest.raises(SimulationError, match="failed at 200 neurons, kept: no memory left"):
        beside.compare("procedural", {"neurons": 200, "p": 0.1}, TIMING, 1, Progress("procedural", False))


def test_a_size_that_makes_no_network(treplica: Terminal) -> None:
    done = treplica("bench", "procedural", "--neurons", "7")
    assert (done.status, done.out) == (2, "")
    assert (
        done.err == "treplica: vogels_abbott_dense: neurons must be a multiple of 5, at least 100, got 7.\n"
    )


def test_what_a_process_comes_to() -> None:
    """The same for both ways; the checksum sees a seed."""
    settings = {"neurons": 200, "p": 0.1}
    ends = [
        [
            measured("procedural", settings, {**TIMING, "seed": seed}, 1, storage)[key]
            for key in ("states", "spikes_so_far")
        ]
        for seed, storage in ((7, "rows"), (7, "procedural"), (8, "procedural"))
    ]
    assert ends[0] == ends[1]
    assert ends[1][0] != ends[2][0]
    assert ends[0][1] > 100


def test_the_table_of_results(monkeypatch: pytest.MonkeyPatch, treplica: Terminal) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
    import tables

    report = {"date": "2026-01-02", **json.loads(treplica(*SMALL, "--json").out)}
    text = tables.filled("<!-- procedural -->\n\nold\n\n<!-- end -->", {"procedural": report})
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| 200 |")]
    assert [row[2] for row in rows] == ["kept", "recomputed", "recomputed"]
    assert "would take" in text
    assert "old" not in text
