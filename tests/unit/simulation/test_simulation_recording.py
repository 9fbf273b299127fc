"""What probes keep: of which neurons, in which steps, in memory or on disk."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
from tallies import ENGINES, listed, relays, simulate, tallies, trains

import treplica as tr
from treplica.errors import DescriptionError, InvalidValue, OutputError, UnknownName


def busy(size: int = 100) -> tr.Network:
    """Random spikes and random states, and five probes of them."""
    net = tr.Network(seed=3)
    noise = net.add(tr.Population("noise", size, tr.PoissonSource(rate=50.0)))
    tally = net.add(tr.Population("tally", 3, tallies()[1].neuron))
    net.connect(noise[:3], tally, tr.connectivity.OneToOne(), weight=1.0, delay=1.0)
    net.stimulate(tally, tr.GaussianCurrent(std=1.0))
    net.record(noise, name="all")
    net.record(noise[[3, 5, 50, 99]], name="some")
    net.record(noise[20:40], name="middle")
    net.record(tally, "x", name="x")
    net.record(tally[1:], "x", interval=3.0, name="third")
    return net


@pytest.mark.parametrize("engine", ENGINES)
def test_views_record_their_neurons_and_nothing_else(engine: str) -> None:
    sim = simulate(busy(), 60.0, engine=engine)
    whole = sim["all"]
    assert len(sim["some"]) > 3
    assert sim["some"] == whole.select([3, 5, 50, 99])
    assert sim["middle"] == whole.select(range(20, 40))
    traces, third = sim["x"], sim["third"]
    assert third.values.tolist() == traces.values[2::3, 1:].tolist()
    assert third.times.tolist() == traces.times[2::3].tolist() == list(np.arange(3.0, 61.0, 3.0))
    assert (third.ids.tolist(), third.variable, third.unit) == ([1, 2], "x", "1")


def test_engines_record_the_same() -> None:
    plain, cpu = (simulate(busy(), 40.0, engine=engine) for engine in ENGINES)
    assert len(plain["all"]) > 100
    for name in ("all", "some", "middle", "x", "third"):
        assert plain[name] == cpu[name]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("budget", [1, 2000, 2**28])
def test_disk_and_memory_hold_the_same(tmp_path: Path, engine: str, budget: int) -> None:
    """Also in several runs, with looks in between; and the files can be read by themselves."""
    sim = tr.Simulation(
        busy(), dt=1.0, engine=engine, quiet=True, record_to=tmp_path / "out", memory_budget=budget
    )
    for duration in (1.0, 10.0, 0.0, 49.0):
        sim.run(duration)
        assert sim["all"].n_steps == round(sim.time)
        assert sim["x"].times[-1] == sim.time
    memory = simulate(busy(), 60.0, engine=engine)
    files = sorted((tmp_path / "out").iterdir())
    assert [f.name for f in files] == ["all.h5", "middle.h5", "some.h5", "third.h5", "x.h5"]
    for file in files:
        load: Any = tr.Traces.load if file.stem in ("x", "third") else tr.SpikeTrains.load
        assert load(file) == sim[file.stem] == memory[file.stem]


def test_recorders_hold_no_more_than_their_budget(tmp_path: Path) -> None:
    """Of 3000 bytes for five probes each has 600: 25 samples of 3 tallies (8 bytes), which bounds a piece as well."""
    sim = tr.Simulation(
        busy(), dt=1.0, engine="cpu", quiet=True, record_to=tmp_path / "out", memory_budget=3000
    )
    held: list[int] = []
    pieces: list[int] = []
    advance = sim.engine.advance
    sim.engine.advance = lambda n, until: pieces.append(n) or advance(n, until)  # type: ignore[method-assign,func-returns-value]
    sim.run(2000.0, lambda *_: held.append(max(r.held for r in sim.recorders.recorders.values())))
    assert sum(pieces) == 2000
    assert max(pieces) == 25
    assert 0 < max(held) <= 600


def test_short_runs_do_not_bloat_files(tmp_path: Path) -> None:
    for name, pieces in (("one", 1), ("many", 200)):
        sim = tr.Simulation(busy(), dt=1.0, engine="cpu", quiet=True, record_to=tmp_path / name)
        for _ in range(pieces):
            sim.run(200.0 / pieces)
        sim.close()
    one, many = (tmp_path / name / "all.h5" for name in ("one", "many"))
    assert tr.SpikeTrains.load(one) == tr.SpikeTrains.load(many)
    assert many.stat().st_size < 2 * one.stat().st_size + 20_000


def test_graded_spikes_survive_the_disk(tmp_path: Path) -> None:
    from treplica.model import neuron, state, where

    @neuron(x=state("1"), graded=5)
    def Counter(x):
        """Spikes of -1, 0, 1, 2, 3, -1, ..."""
        return dict(x=where(x > 2.5, -1.0, x + 1.0), spike=x)

    net = tr.Network()
    net.record(net.add(tr.Population("counter", 2, Counter(x=[0.0, 2.0]))), name="spikes")
    there = simulate(net, 8.0, record_to=tmp_path / "out", memory_budget=1)["spikes"]
    assert there == simulate(net, 8.0)["spikes"]
    assert there.to_dense()[:, 0].tolist() == [0, 1, 2, 3, -1, 0, 1, 2]
    assert there.to_dense()[:, 1].tolist() == [2, 3, -1, 0, 1, 2, 3, -1]


@pytest.mark.parametrize("engine", ENGINES)
def test_times_of_samples_are_steps_times_dt(engine: str) -> None:
    """The same bits as the times of spikes: 21 * 0.1, not 7 * 0.3."""
    net, _ = tallies()
    net.record(net.population("tally")[0], "x", interval=0.3, name="third")
    sim = simulate(net, 4.0, dt=0.1, engine=engine)
    assert sim["x"].times.tolist() == [s * 0.1 for s in range(1, 41)]
    assert sim["third"].times.tolist() == [s * 0.1 for s in range(3, 41, 3)]


def test_intervals_are_on_the_grid(tmp_path: Path) -> None:
    for interval, message in ((0.25, "a multiple of dt = 0.1 ms, got 0.25"), (1e-9, "at least 0.1 ms")):
        net, tally = tallies()
        net.record(tally, "x", interval=interval, name="odd")
        with pytest.raises(InvalidValue, match=f"record interval of odd must be {message}"):
            tr.Simulation(net, dt=0.1, quiet=True, record_to=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_probes_are_asked_for_by_name_or_by_themselves() -> None:
    net, relay = relays()
    probe = net.probes[0]
    sim = simulate(net, 1.0)
    assert sim[probe] == sim["spikes"]
    with pytest.raises(
        UnknownName, match=r"probe 'spike' is not known. Did you mean 'spikes'\? Known: spikes."
    ):
        sim["spike"]
    later = net.record(relay[0], name="later")
    with pytest.raises(UnknownName, match="probe 'later' is not known"):
        sim[later]
    with pytest.raises(InvalidValue, match="probe must be a name: spikes, got 0"):
        sim[0]  # type: ignore[call-overload]


def test_a_recording_in_memory_is_a_copy() -> None:
    net, tally = tallies(1)
    net.stimulate(tally, tr.StepCurrent(0.0, 1.0))
    sim = simulate(net, 3.0, engine="cpu")
    before = sim["x"]
    sim.run(3.0)
    assert before.values[:, 0].tolist() == [1.0, 2.0, 3.0]
    assert sim["x"].values[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


@pytest.mark.parametrize("budget", [0, -1, 1.5, "1", True, None])
def test_budgets_are_whole_bytes(budget: Any) -> None:
    with pytest.raises(InvalidValue, match="memory_budget must be a whole number from 1"):
        tr.Simulation(relays()[0], dt=1.0, quiet=True, memory_budget=budget)


# Places


def test_a_relative_folder_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    net, relay = relays(1)
    sim = tr.Simulation(net, dt=1.0, engine="plain", quiet=True, record_to="out")
    monkeypatch.chdir("/")
    sim.feed(relay, trains([2.0]))
    sim.run(5.0)
    assert listed(sim["spikes"]) == listed(tr.SpikeTrains.load(tmp_path / "out" / "spikes.h5")) == [[2.0]]


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("")
    with pytest.raises(
        OutputError, match=re.escape(f"{tmp_path}: the output folder is not empty. Choose a new")
    ):
        tr.Simulation(relays()[0], dt=1.0, quiet=True, record_to=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["precious"]


def places(tmp_path: Path) -> Iterator[str]:
    """Places that even root cannot write to."""
    (tmp_path / "file").write_text("")
    yield str(tmp_path / "file")
    yield str(tmp_path / "file" / "below")
    if Path("/proc").is_dir():
        yield "/proc/treplica"


def test_places_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    for place in places(tmp_path):
        with pytest.raises(
            OutputError, match=f"{place}: the output folder cannot be used .*Choose a folder that you"
        ):
            tr.Simulation(relays()[0], dt=1.0, quiet=True, record_to=place)


def test_a_folder_is_made_and_stays_empty_until_all_is_checked(tmp_path: Path) -> None:
    for wrong in (
        {"engine": "gpu"},
        {"threads": 0},
        {"memory_budget": 0},
        {"dt": -1.0},
        {"precision": "float16"},
    ):
        with pytest.raises((InvalidValue, UnknownName)):
            tr.Simulation(
                relays()[0], **{"dt": 1.0, "quiet": True, "record_to": tmp_path / "a" / "b", **wrong}
            )
    assert list(tmp_path.iterdir()) == []
    simulate(relays()[0], 1.0, record_to=tmp_path / "a" / "b")
    assert tr.SpikeTrains.load(tmp_path / "a" / "b" / "spikes.h5").n_steps == 1


def test_the_folder_is_checked_where_nothing_is_recorded(tmp_path: Path) -> None:
    net = tr.Network()
    net.add(tr.Population("relay", 1, tr.SpikeSource()))
    tr.Simulation(net, dt=1.0, quiet=True, engine="plain", record_to=tmp_path / "new")
    assert (tmp_path / "new").is_dir()
    (tmp_path / "new" / "precious").write_text("")
    with pytest.raises(OutputError, match="is not empty"):
        tr.Simulation(net, dt=1.0, quiet=True, engine="plain", record_to=tmp_path / "new")


def test_a_full_disk_ends_the_run_and_keeps_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net, relay = relays(1)
    sim = tr.Simulation(net, dt=1.0, engine="plain", quiet=True, record_to=tmp_path / "out")
    sim.feed(relay, trains([2.0, 7.0]))
    sim.run(5.0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(
        OutputError, match=r"spikes.h5: the recording ends here: the disk is full. What was recorded"
    ):
        sim.run(5.0)
    assert listed(tr.SpikeTrains.load(tmp_path / "out" / "spikes.h5")) == [[2.0]]


def test_a_file_that_vanishes_is_named(tmp_path: Path) -> None:
    sim = tr.Simulation(relays()[0], dt=1.0, engine="plain", quiet=True, record_to=tmp_path / "out")
    (tmp_path / "out" / "spikes.h5").unlink()
    with pytest.raises(OutputError, match=r"spikes.h5: a recording cannot be written there"):
        sim.run(5.0)
    with pytest.raises(DescriptionError, match=r"spikes.h5: there is no such file"):
        sim["spikes"]


def test_closed_recordings_are_sealed_and_can_still_be_read(tmp_path: Path) -> None:
    with tr.Simulation(relays()[0], dt=1.0, engine="plain", quiet=True, record_to=tmp_path / "out") as sim:
        sim.run(5.0)
    file = tmp_path / "out" / "spikes.h5"
    sealed = file.read_bytes()
    assert sim["spikes"] == tr.SpikeTrains.load(file)
    assert file.read_bytes() == sealed
    with h5py.File(file, "r+") as inside:
        inside.attrs["n_steps"] = 6
    with pytest.raises(DescriptionError, match="checksum"):
        tr.SpikeTrains.load(file)
