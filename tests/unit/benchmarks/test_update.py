"""benchmarks/update.py: what is run, and what becomes of the results. Nothing is measured here."""

import importlib
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from treplica.benchmarks import BENCHMARKS
from treplica.cli.main import parser

FOLDER = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def update(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script, writing elsewhere."""
    monkeypatch.syspath_prepend(str(FOLDER))
    found = importlib.import_module("update")
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    for folder, copy in ((FOLDER, tmp_path / "benchmarks"), (FOLDER.parent, tmp_path)):
        (copy / "README.md").write_text((folder / "README.md").read_text("utf-8"), "utf-8")
    monkeypatch.setattr(found, "HERE", tmp_path / "benchmarks")
    return found


def result(wall: float, rate: float = 4.0, **more: Any) -> dict[str, Any]:
    """A report as `treplica bench --json` prints it, of a network of 4,000 neurons."""
    theirs = {
        "build_s": 2.0,
        "wall_s_per_model_s": 10.0 * wall,
        "mean_rate_hz": rate,
        "peak_memory_bytes": 3e8,
    }
    figures = {
        "build_s": 0.5, "wall_s_per_model_s": wall, "synaptic_events_per_s": 2.5e7, "synaptic_events": 6_435_853,
        "mean_rate_hz": 4.0, "neurons": 4000, "synapses": 320_000, "bytes_per_synapse": 2.0,
        "peak_memory_bytes": 1.5e8, "first_start_s": 9.0,
    }  # fmt: skip
    machine = {"processor": "AMD EPYC", "cores": 2, "load_1min": wall, "busy_cores": 0.01}
    settings = {"threads": 2}
    versions = {"treplica": "0.1.0", "nest": "3.10.0"}
    return {
        "date": "2026-01-02", "settings": settings, "machine": machine, "versions": versions, "figures": figures,
        "peers": {"nest": theirs}, "ratios": {"nest.wall_s_per_model_s": 10.0}, **more,
    }  # fmt: skip


def test_every_run_is_a_command_that_can_be_given(update: ModuleType) -> None:
    assert {arguments[0] for arguments in update.RUNS.values()} == set(BENCHMARKS)
    for arguments in update.RUNS.values():
        given = parser().parse_args(["bench", *arguments])
        assert given.repeats is None or given.repeats >= 5
        alone = given.name == "procedural" or (given.name == "microcircuit" and given.threads == 1)
        alone |= given.neurons == 42_000_000
        assert given.against or given.precision == "float32" or alone


def test_a_part_can_be_chosen(update: ModuleType) -> None:
    assert update.chosen([]) == list(update.RUNS)
    assert update.chosen(["brunel"]) == ["brunel"]
    assert update.chosen(["cuba-4"]) == ["cuba-4000", "cuba-40000", "cuba-40000-1-thread"]
    assert update.chosen(["hpc-", "mesh"]) == ["mesh", "hpc-1-thread"]
    with pytest.raises(SystemExit, match="no run is called brunell: there are mesh, "):
        update.chosen(["brunell"])


def test_tables_and_pictures(update: ModuleType) -> None:
    one = result(0.08, settings={"threads": 1})
    for name, report in {
        "cuba-4000": result(0.05), "brunel": result(0.06), "brunel-1-thread": one,
    }.items():  # fmt: skip
        (update.HERE / "results" / f"{name}.json").write_text(json.dumps(report))
    assert list(update.write()) == ["cuba-4000", "brunel", "brunel-1-thread"]
    text = (update.HERE / "README.md").read_text("utf-8")
    rows = re.search(r"<!-- yardsticks -->(.*?)<!-- end -->", text, re.DOTALL)
    assert rows is not None
    head, ruler, cuba, brunel = (line for line in rows[1].splitlines() if line.startswith("|"))
    assert head.count("|") == ruler.count("|") == cuba.count("|") == brunel.count("|")
    cells = [cell.strip() for cell in cuba.split("|")[1:-1]]
    assert cells == [
        "Vogels–Abbott CUBA, 4,000", "4,000", "320,000", "0.05", "0.5", "10", "", "", "4", "4", "",
    ]  # fmt: skip
    assert (
        "2026-01-02; AMD EPYC, 2 cores, load before 0.05 to 0.06, cores busy with other work 0.01" in rows[1]
    )
    assert "treplica 0.1.0, NEST 3.10.0." in rows[1]
    built = re.search(r"<!-- building -->(.*?)<!-- end -->", text, re.DOTALL)
    assert built is not None
    assert "| 0.5 | 2 |  | 150 | 300 |  | 2 | 6,435,853 | 25 | 9 |" in built[1]
    first = (update.HERE.parent / "README.md").read_text("utf-8")
    assert "| Vogels–Abbott CUBA, 4,000 | 4,000 | 320,000 | 0.05 s | 0.5 s (10 ×) |  |" in first
    for picture in ("wall-against-synapses.png", "wall-against-threads.png"):
        assert (update.HERE / "pictures" / picture).stat().st_size > 10_000


def test_the_page_has_a_place_for_every_table(update: ModuleType) -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    for marker in ("yardsticks", "building", "mesh", "mesh-float32", "mesh-spikes", "mesh-42000000"):
        assert len(re.findall(rf"<!-- {marker} -->.*?<!-- end -->", text, re.DOTALL)) == 1


def test_other_rates_are_noticed(update: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert update.disagreements({"cuba-4000": result(0.1)}) == []
    found = update.disagreements({"coba-4000": result(0.1, rate=0.0)})
    assert found == ["coba-4000: mean rate 4 Hz, in nest 0 Hz"]
    (update.HERE / "results" / "coba-4000.json").write_text(json.dumps(result(0.1, rate=0.0)))
    monkeypatch.setattr(sys, "argv", ["update.py", "--tables"])
    with pytest.raises(SystemExit, match="not of the same thing"):
        update.main()
