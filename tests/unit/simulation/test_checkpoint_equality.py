"""A simulation that was saved and loaded goes on as if it had never stopped."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoints import difference, recorded, simulation
from tallies import Tally, listed, relays, tallies, trains

import treplica as tr
from treplica.errors import InvalidValue
from treplica.testing import sample_networks

KINDS = [net.populations[-1].name for net in sample_networks()]
PLAIN, TWO = {"engine": "plain"}, {"engine": "cpu", "threads": 2}
#: Where a simulation is saved, and where it goes on.
MOVES = [(PLAIN, TWO), (TWO, PLAIN), ({"engine": "cpu", "threads": 1}, {"engine": "cpu", "threads": 3})]


def sample(kind: str) -> tr.Network:
    return recorded(sample_networks()[KINDS.index(kind)], 0.5)


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_on_on_any_engine_and_number_of_threads(tmp_path: Path, kind: str, precision: Any) -> None:
    """Spikes, traces, states and counts; saved early, within delays, and in the middle of currents."""
    whole = simulation(sample(kind), precision=precision, engine="cpu", threads=1)
    whole.run(30.0)
    assert sum(len(whole[p]) for p in whole.network.probes if p.variable == "spikes") > 10
    for (before, after), time in zip(MOVES, (0.0, 6.5, 13.0), strict=True):
        sim = simulation(sample(kind), precision=precision, **before)
        sim.run(time)
        sim.save(tmp_path / "c")
        loaded = tr.Simulation.load(tmp_path / "c", quiet=True, **after)
        assert difference(loaded, sim) is None
        loaded.run(30.0 - time)
        assert difference(loaded, whole) is None


@pytest.mark.parametrize("settings", [PLAIN, TWO])
def test_saving_changes_nothing_and_can_be_done_again(tmp_path: Path, settings: Any) -> None:
    """Also through a chain of checkpoints, one for every millisecond."""
    whole, sim = simulation(sample("mesh"), **settings), simulation(sample("mesh"), **settings)
    whole.run(12.0)
    for _ in range(12):
        sim.run(1.0)
        sim.save(tmp_path / "c")
        sim.save(tmp_path / "d")
        assert [len((tmp_path / n).read_bytes()) for n in "cd"] == [(tmp_path / "c").stat().st_size] * 2
        loaded = tr.Simulation.load(tmp_path / "c", quiet=True)
        assert difference(loaded, sim) is None
        sim = loaded
    assert difference(sim, whole) is None
    assert len(whole["mesh_all"]) > 10


@pytest.mark.parametrize("storage", ["rows", "procedural"])
def test_storage_may_change(tmp_path: Path, storage: Any) -> None:
    whole, sim = simulation(sample("two_ports")), simulation(sample("two_ports"), storage="packed")
    whole.run(20.0)
    sim.run(9.0)
    sim.save(tmp_path / "c")
    loaded = tr.Simulation.load(tmp_path / "c", storage=storage, quiet=True)
    loaded.run(11.0)
    assert difference(loaded, whole) is None
    assert loaded.settings.storage == storage


def test_everything_that_was_asked_for_is_kept(tmp_path: Path) -> None:
    asked = {"dt": 0.25, "precision": "float32", "weights": "int8", "seed": 99, "memory_budget": 12345}
    sim = tr.Simulation(
        sample("two_ports"), **asked, engine="cpu", threads=np.int64(2), storage="rows", quiet=True
    )
    sim.run(3.0)
    sim.save(tmp_path / "c")
    loaded = tr.Simulation.load(tmp_path / "c", quiet=True)
    assert loaded.settings == sim.settings
    assert (loaded.seed, loaded.dt, loaded.choice, loaded.network) == (99, 0.25, sim.choice, sim.network)
    assert loaded.plan.rounding == sim.plan.rounding
    assert loaded.wall_s == sim.wall_s > 0.0
    assert tr.Simulation.load(tmp_path / "c", engine="plain", quiet=True).choice.threads == 1
    for wrong, message in (
        ({"threads": 0}, "threads must be a whole number"),
        ({"engine": "plain", "threads": 2}, "1 for the plain engine"),
    ):
        with pytest.raises(InvalidValue, match=message):
            tr.Simulation.load(tmp_path / "c", quiet=True, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["plain", "cpu"])
@pytest.mark.parametrize("time", [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0])
def test_currents_go_on(tmp_path: Path, engine: str, time: float) -> None:
    """Saved before, at, between and after the changes of currents that add up."""
    net, tally = tallies(2)
    net.stimulate(tally, tr.StepCurrent([2.0, 5.0], [[1.0, 10.0], [0.0, 0.0]]))
    net.stimulate(tally[1:], tr.StepCurrent([3.0, 4.0], [100.0, 0.0]))
    sim = tr.Simulation(net, dt=1.0, engine=engine, quiet=True)
    sim.run(time)
    sim.save(tmp_path / "c")
    loaded = tr.Simulation.load(tmp_path / "c", quiet=True)
    loaded.run(8.0 - time)
    assert np.diff(loaded["x"].values, axis=0, prepend=0.0).T.tolist() == [
        [0, 0, 1, 1, 1, 0, 0, 0],
        [0, 0, 10, 110, 10, 0, 0, 0],
    ]


@pytest.mark.parametrize("engine", ["plain", "cpu"])
def test_what_was_fed_arrives_after_loading(tmp_path: Path, engine: str) -> None:
    """Spikes on their way, the rest of the room for others, and feeding through the loaded network."""
    net, relay = relays(2)
    net.connect(relay[:1], relay[1:], tr.AllToAll(), weight=1.0, delay=4.0)
    sim = tr.Simulation(net, dt=1.0, engine=engine, quiet=True)
    sim.feed(relay, trains([2.0, 9.0], [12.0]))
    sim.feed(relay, trains([], [3.0]), weight=1e4, start=14.0)
    sim.run(4.0)
    sim.save(tmp_path / "c")
    loaded = tr.Simulation.load(tmp_path / "c", quiet=True)
    assert loaded.feeder.fed == sim.feeder.fed
    assert len(next(iter(loaded.feeder.fed.values()))) == 2
    loaded.feed(loaded.network.population("relay"), trains([1.0], []))
    loaded.run(16.0)
    assert listed(loaded["spikes"]) == [[2.0, 5.0, 9.0], [6.0, 9.0, 12.0, 13.0, 17.0]]


def test_later_additions_to_the_network_are_not_saved(tmp_path: Path) -> None:
    net, tally = tallies(1)
    sim = tr.Simulation(net, dt=1.0, engine="plain", quiet=True)
    net.record(tally, name="late")
    net.seed = 77
    sim.network.add(tr.Population("other", 1, Tally()))
    sim.save(tmp_path / "c")
    loaded = tr.Simulation.load(tmp_path / "c", quiet=True)
    assert loaded.network == sim.network
    assert ([p.name for p in loaded.network.probes], loaded.seed) == (["x"], 1)
    assert len(loaded.network.populations) == 1
