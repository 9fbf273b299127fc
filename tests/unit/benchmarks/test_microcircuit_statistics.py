"""benchmarks/microcircuit_statistics.py: distances worked by hand, groups that differ and groups that do not."""

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.stats import ks_2samp

from treplica.systems.microcircuit_parameters import POPULATIONS

FOLDER = Path(__file__).parents[3] / "benchmarks"
MARKS = "Before.\n\n<!-- microcircuit-statistics -->\nold\n<!-- end -->\n\nAfter.\n"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("microcircuit_statistics")


def call(script: ModuleType, *arguments: object) -> None:
    chosen = script.parser().parse_args([str(a) for a in arguments])
    {"run": script.run, "compare": script.compare}[chosen.command](chosen)


def test_distances_worked_by_hand(script: ModuleType) -> None:
    """The largest gap between distribution functions: none, a half, all."""
    samples = [
        np.array([1.0, 2.0]),
        np.array([2.0, 1.0]),
        np.array([2.0, 3.0]),
        np.array([9.0]),
        np.array([]),
    ]
    expected = [[0.0, 0.0, 0.5, 1.0], [0.0, 0.0, 0.5, 1.0], [0.5, 0.5, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0]]
    found = script.distances(samples)
    np.testing.assert_allclose(found[:4, :4], expected)
    assert found[4].tolist() == [1.0, 1.0, 1.0, 1.0, 0.0]


def test_distances_are_those_of_scipy(script: ModuleType) -> None:
    random = np.random.default_rng(3)
    for first, second in ((30, 80), (200, 200)):
        samples = random.poisson(3.0, first) / 9.0, random.poisson(3.5, second) / 9.0
        assert script.distance(*samples) == pytest.approx(ks_2samp(*samples).statistic, rel=1e-12)


def test_excess_worked_by_hand(script: ModuleType) -> None:
    matrix = np.array([[0, 1, 5, 6], [1, 0, 7, 8], [5, 7, 0, 2], [6, 8, 2, 0]], dtype=float)
    found = script.excess(matrix, np.array([[0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0]]))
    np.testing.assert_allclose(found, [(5 + 6 + 7 + 8) / 4 - (1 + 2) / 2, (1 + 5 + 8 + 2) / 4 - (6 + 7) / 2])


def test_groups_that_differ_are_told_apart(script: ModuleType) -> None:
    random = np.random.default_rng(5)
    nest = [random.normal(0.0, 1.0, 400) for _ in range(5)]
    found = script.compared(nest, [random.normal(0.3, 1.0, 400) for _ in range(4)])
    assert not found["within"]
    assert found["p"] == pytest.approx(1.0 / 126.0)  # of the 9 over 4 divisions, this one
    assert [len(found[key]) for key in ("nest_nest", "treplica_nest", "treplica_treplica")] == [10, 20, 6]
    assert found["mean"]["treplica"] - found["mean"]["nest"] == pytest.approx(0.3, abs=0.15)


def test_groups_that_do_not_differ(script: ModuleType) -> None:
    """p is uniform then: over many repetitions its mean is a half, and few means are beyond the null."""
    random = np.random.default_rng(6)
    found = [
        script.compared(*([random.normal(size=100) for _ in range(n)] for n in (4, 4))) for _ in range(60)
    ]
    assert np.mean([f["p"] for f in found]) == pytest.approx(0.5, abs=5 * np.sqrt(1 / 12 / 60))
    assert np.mean([f["within"] for f in found]) > 0.8


def test_one_run_is_no_group(script: ModuleType) -> None:
    samples = [np.arange(k, k + 9.0) for k in range(4)]
    found = script.compared(samples[:1], samples[1:])
    assert (found["within"], found["nest_nest"]) == (None, [])
    assert found["p"] == 0.5  # four runs in a row, a step apart: the last one is as far from the others
    assert script.compared(samples[:1], samples[1:2])["p"] is None
    assert script.compared([], samples)["p"] is None
    assert len(found["treplica_nest"]) == len(found["treplica_treplica"]) == 3


def write_runs(folder: Path, simulator: str, scale: float, seeds: range, sizes: np.ndarray) -> None:
    """One second of Poisson spikes after the first, 20 Hz."""
    for seed in seeds:
        random, arrays = np.random.default_rng([seed, len(simulator)]), {}
        for k, size in enumerate(sizes):
            steps, ids = np.nonzero(random.random((10_000, size)) < 0.002)
            arrays |= {f"steps_{k}": steps + 10_001, f"ids_{k}": ids}
        np.savez_compressed(folder / f"{simulator}-{scale:g}-{seed}.npz", **arrays)


def test_tables_and_figures(script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At one scale four runs each; at the other one of NEST, which then has no spread of its own."""
    pytest.importorskip("matplotlib")
    small, large = (script.circuit(scale).neurons for scale in (0.002, 0.004))
    for simulator, seeds in (("nest", range(4)), ("treplica", range(3))):
        write_runs(tmp_path, simulator, 0.002, seeds, small)
    write_runs(tmp_path, "nest", 0.004, range(1), large)
    write_runs(tmp_path, "treplica", 0.004, range(2), large)
    page = tmp_path / "page.md"
    page.write_text(MARKS)
    out = ("--out", tmp_path, "--readme", page, "--picture", tmp_path / "picture.png")
    call(script, "compare", tmp_path, "--seconds", 2, *out)
    text = page.read_text()
    assert text.startswith(
        "Before.\n\n<!-- microcircuit-statistics -->\n\nScale 0.002, seeds: 4 of NEST, 3 of"
    )
    assert text.endswith("<!-- end -->\n\nAfter.\n")
    assert "NEST–NEST is that of the 4 runs at the other scale" in text
    rows = [line for line in text.splitlines() if line.startswith("| L")]
    assert len(rows) == 2 * 8 * 3
    assert {row.count("|") for row in rows} == {10}
    assert (
        text.split("<!-- microcircuit-statistics -->\n\n")[1].split("\n\n<!-- end")[0]
        in capsys.readouterr().out
    )
    assert (tmp_path / "picture.png").stat().st_size > 10_000
    report: dict[str, Any] = json.loads((tmp_path / "microcircuit_statistics.json").read_text())
    assert report["scales"]["0.002"]["seeds"] == {"nest": [0, 1, 2, 3], "treplica": [0, 1, 2]}
    rate = report["scales"]["0.004"]["populations"]["L4E"]["rate"]
    assert rate["mean"]["nest"] == pytest.approx(20.0, rel=0.2)
    assert rate["nest_nest"] == []


@pytest.mark.nest
def test_both_simulators_run_and_what_is_there_stays(script: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("nest")
    options = ("--scale", 0.02, "--seeds", 1, "--seconds", 1.5, "--threads", 1)
    for simulator in ("nest", "treplica"):
        call(script, "run", tmp_path, "--simulator", simulator, *options)
    files = sorted(tmp_path.iterdir())
    assert [f.name for f in files] == ["nest-0.02-1.npz", "treplica-0.02-1.npz"]
    before = [f.stat().st_mtime_ns for f in files]
    call(script, "run", tmp_path, "--simulator", "treplica", *options)
    assert [f.stat().st_mtime_ns for f in files] == before
    nest, treplica = (script.read(f, 0.02, 1.5) for f in files)
    for name in POPULATIONS:
        assert nest[name]["rate"].size == treplica[name]["rate"].size
    both = [np.concatenate([run[n]["rate"] for n in POPULATIONS]).mean() for run in (nest, treplica)]
    assert both[0] == pytest.approx(both[1], rel=0.4)
