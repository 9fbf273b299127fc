"""Runs that save themselves, and recordings that go on where a checkpoint was."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from checkpoints import difference, recorded, simulation
from tallies import relays

import treplica as tr
from treplica.errors import DescriptionError, OutputError, SimulationError
from treplica.testing import sample_networks


def sample() -> tr.Network:
    return recorded(sample_networks()[0], 0.5)


@pytest.fixture(scope="module")
def whole() -> tr.Simulation:
    """An uninterrupted run of 60 ms."""
    sim = simulation(sample(), engine="cpu")
    sim.run(60.0)
    return sim


def contents(folder: Path) -> dict[str, Any]:
    """What the files of a folder hold, each read by itself."""
    return {f.stem: (tr.Traces if "state" in f.stem else tr.SpikeTrains).load(f) for f in folder.glob("*.h5")}


def test_a_run_saves_itself_at_multiples_of_an_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the beginning, at every multiple of 7 ms of model time and at the end."""
    seen: list[tuple[float, float]] = []
    save = tr.Simulation.save
    monkeypatch.setattr(
        tr.Simulation, "save", lambda sim, path: seen.append((sim.time, sim.remaining)) or save(sim, path)
    )
    sim = simulation(sample(), engine="plain", record_to=tmp_path / "out")
    sim.run(5.0)
    assert sim.checkpoint_every is None
    sim.run(18.0, checkpoint_every=7.0)
    assert seen == [(5.0, 18.0), (7.0, 16.0), (14.0, 9.0), (21.0, 2.0), (23.0, 0.0)]
    loaded = tr.Simulation.load(tmp_path / "out" / "run.checkpoint", quiet=True)
    assert (loaded.time, loaded.remaining, loaded.checkpoint_every) == (23.0, 0.0, 7.0)
    loaded.run(1.0)
    assert (loaded.checkpoint_every, loaded.remaining) == (None, 0.0)


def test_an_interrupted_run_is_saved_where_it_stopped(tmp_path: Path, whole: tr.Simulation) -> None:
    sim = simulation(sample(), engine="plain")

    def interrupt(done: float, total: float, spikes: int) -> None:
        if done > 10.0:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        sim.run(60.0, interrupt, checkpoint_every=1000.0, checkpoint=tmp_path / "c")
    assert 10.0 < sim.time < 60.0
    loaded = tr.Simulation.load(tmp_path / "c", quiet=True)
    assert loaded.time == sim.time
    assert loaded.remaining == sim.remaining == 60.0 - sim.time
    loaded.run(loaded.remaining)
    assert difference(loaded, whole) is None


@pytest.mark.parametrize("budget", [1, 2**28])
@pytest.mark.parametrize("closed", [False, True])
def test_recordings_on_disk_are_cut_and_go_on(
    tmp_path: Path, whole: tr.Simulation, budget: int, closed: bool
) -> None:
    """What the first run wrote after the checkpoint is cut off, and written again."""
    out = tmp_path / "out"
    sim = simulation(sample(), engine="cpu", record_to=out, memory_budget=budget)
    sim.run(22.0)
    sim.save(out / "c")
    sim.run(20.0)
    assert contents(out)["mesh_all"].stop == 42.0
    if closed:
        sim.close()
    loaded = tr.Simulation.load(out / "c", quiet=True)
    assert contents(out)["mesh_all"] == whole["mesh_all"].between(0.0, 22.0)
    assert len(contents(out)["mesh_state_v"]) == 14
    loaded.run(38.0)
    assert difference(loaded, whole) is None
    loaded.close()
    assert contents(out) == {p.name: whole[p] for p in whole.network.probes}
    assert sorted(f.suffix for f in out.iterdir() if f.suffix != ".h5") == [""]


def test_a_folder_may_be_moved_with_its_checkpoint(tmp_path: Path, whole: tr.Simulation) -> None:
    """One that lies elsewhere has to be told."""
    sim = simulation(sample(), engine="plain", record_to=tmp_path / "a")
    sim.run(10.0)
    sim.save(tmp_path / "a" / "inside")
    sim.save(tmp_path / "outside")
    shutil.move(tmp_path / "a", tmp_path / "b")
    with pytest.raises(DescriptionError, match=r"/a/\w+\.h5: there is no such file"):
        tr.Simulation.load(tmp_path / "outside", quiet=True)
    assert not (tmp_path / "a").exists()
    for loaded in (
        tr.Simulation.load(tmp_path / "b" / "inside", quiet=True),
        tr.Simulation.load(tmp_path / "outside", record_to=tmp_path / "b", quiet=True),
    ):
        loaded.run(50.0)
        assert difference(loaded, whole) is None
    assert contents(tmp_path / "b")["mesh_all"] == whole["mesh_all"]


def test_relative_places_stay_where_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sim = simulation(sample(), engine="plain", record_to="out")

    def leave(*_: float) -> None:
        monkeypatch.chdir("/")

    sim.run(6.0, leave, checkpoint_every=2.0, checkpoint="c")
    sim.save(tmp_path / "d")
    assert tr.Simulation.load(tmp_path / "c", quiet=True).time == 6.0
    assert tr.Simulation.load(tmp_path / "d", quiet=True)["mesh_all"].stop == 6.0


def test_recordings_in_memory_may_go_on_disk(tmp_path: Path, whole: tr.Simulation) -> None:
    sim = simulation(sample(), engine="plain")
    sim.run(13.0)
    sim.save(tmp_path / "c")
    loaded = tr.Simulation.load(tmp_path / "c", record_to=tmp_path / "out", quiet=True)
    assert contents(tmp_path / "out")["mesh_all"] == sim["mesh_all"]
    loaded.run(47.0)
    assert difference(loaded, whole) is None
    assert contents(tmp_path / "out") == {p.name: whole[p] for p in whole.network.probes}
    with pytest.raises(OutputError, match="the output folder is not empty"):
        tr.Simulation.load(tmp_path / "c", record_to=tmp_path / "out", quiet=True)


def wrong(out: Path) -> Iterator[tuple[str, str]]:
    """Damage to recordings, one after the other, and what is said about it."""
    path, other = out / "mesh_all.h5", out / "mesh_few.h5"
    whole = path.read_bytes()
    path.unlink()
    yield "mesh_all.h5: there is no such file", "absent"
    shutil.copy(other, path)
    yield r"mesh_all.h5: has \d+ rows of \w+, \d+ were there at the checkpoint", "short"
    changed = bytearray(whole)
    changed[whole.index(b"n_steps") - 200 : whole.index(b"n_steps")] = bytes(200)
    path.write_bytes(changed)
    yield r"mesh_all.h5: is not a ", "damaged"
    path.write_bytes(whole)


def test_recordings_that_are_others_are_refused_and_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    sim = simulation(sample(), engine="plain", record_to=out)
    sim.run(20.0)
    sim.save(out / "c")
    sim.run(10.0)
    for message, what in wrong(out):
        before = {f: f.read_bytes() for f in out.iterdir()}
        with pytest.raises(DescriptionError, match=message):
            tr.Simulation.load(out / "c", quiet=True)
        assert {f: f.read_bytes() for f in out.iterdir()} == before, what
    assert tr.Simulation.load(out / "c", quiet=True).time == 20.0


def test_a_later_checkpoint_of_a_run_that_went_another_way_is_refused(tmp_path: Path) -> None:
    """Going back to the first of two checkpoints and feeding something else makes other recordings."""
    out = tmp_path / "out"
    net, relay = relays(3)
    sim = tr.Simulation(net, dt=1.0, engine="plain", record_to=out, quiet=True)
    sim.run(5.0)
    sim.save(out / "first")
    sim.feed(relay[:1], tr.SpikeTrains.from_lists([[1.0, 2.0]], 1.0, 2.0))
    sim.run(5.0)
    sim.save(out / "second")
    sim = tr.Simulation.load(out / "first", quiet=True)
    sim.feed(relay[:1], tr.SpikeTrains.from_lists([[1.0, 3.0]], 1.0, 3.0))
    sim.run(10.0)
    with pytest.raises(DescriptionError, match=r"spikes.h5: does not begin with what was there"):
        tr.Simulation.load(out / "second", quiet=True)
    assert tr.Simulation.load(out / "first", quiet=True)["spikes"].n_steps == 5


def test_a_recording_that_broke_off_is_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last checkpoint stays, and the run goes on from there when there is room again."""
    out = tmp_path / "out"
    sim = simulation(sample(), engine="plain", record_to=out)
    with monkeypatch.context() as patch:
        usage = iter([2**40] * 30)
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=next(usage, 1000)))
        with pytest.raises(OutputError, match="the disk is full"):
            sim.run(60.0, checkpoint_every=2.0)
    stopped = sim.time
    with pytest.raises(SimulationError, match=r"recording .*\.h5 broke off"):
        sim.save(out / "other")
    loaded = tr.Simulation.load(out / "run.checkpoint", quiet=True)
    assert 0.0 < loaded.time <= stopped
    loaded.run(loaded.remaining)
    assert loaded.time == 60.0
    assert contents(out)["mesh_all"].stop == 60.0
