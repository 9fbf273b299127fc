"""What is not a whole checkpoint of this release is refused by name; what cannot be saved is refused as well."""

import json
import os
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from checkpoints import recorded, simulation
from hypothesis import given, settings
from hypothesis import strategies as st
from tallies import relays, tallies, trains

import treplica as tr
from treplica.coding.seal import BLOCK, seal
from treplica.errors import DescriptionError, InvalidValue, NumericalError, OutputError, SimulationError
from treplica.testing import sample_networks


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with a bit of everything."""
    path = tmp_path_factory.mktemp("saved") / "c"
    sim = simulation(recorded(sample_networks()[5], 0.5), engine="plain")
    sim.feed(sim.network.populations[-1][:1], trains([9.0, 11.0], dt=0.5))
    sim.run(10.0)
    sim.save(path)
    return path


def refused(path: Path, message: str) -> None:
    with pytest.raises(DescriptionError, match=re.escape(f"{path}: {message}")):
        tr.Simulation.load(path, quiet=True)


def test_any_byte_that_changes_is_noticed(saved: Path, tmp_path: Path) -> None:
    """In the seal, in the description, in states: every place is refused with the same error."""
    whole = saved.read_bytes()
    path = tmp_path / "c"
    seen = set()

    @given(at=st.one_of(st.integers(0, BLOCK), st.integers(0, len(whole) - 1)), bit=st.integers(0, 7))
    @settings(max_examples=400)
    def check(at: int, bit: int) -> None:
        changed = bytearray(whole)
        changed[at] ^= 1 << bit
        path.write_bytes(changed)
        with pytest.raises(DescriptionError, match=re.escape(f"{path}: is ")) as caught:
            tr.Simulation.load(path, quiet=True)
        seen.add(re.sub("[0-9a-f]{8}…", "", caught.value.problem))

    check()
    assert "is damaged: its checksum is , its seal says " in seen
    assert len(seen) >= 3
    path.write_bytes(whole)
    assert tr.Simulation.load(path, quiet=True).time == 10.0


def test_any_length_is_noticed(saved: Path, tmp_path: Path) -> None:
    whole = saved.read_bytes()
    path = tmp_path / "c"

    @given(length=st.one_of(st.integers(0, BLOCK + 8), st.integers(0, len(whole) - 1)))
    @settings(max_examples=200)
    def check(length: int) -> None:
        path.write_bytes(whole[:length])
        with pytest.raises(DescriptionError, match=re.escape(f"{path}: is ")):
            tr.Simulation.load(path, quiet=True)

    check()
    path.write_bytes(whole[:1000])
    refused(
        path, f"is cut off or damaged: it has 1000 bytes, its seal says {len(whole)} bytes. Write it again."
    )
    path.write_bytes(whole + b"\0")
    refused(path, f"is cut off or damaged: it has {len(whole) + 1} bytes, its seal says {len(whole)} bytes.")


def test_other_files_are_refused(saved: Path, tmp_path: Path) -> None:
    tr.SpikeTrains.from_lists([[1.0]], 1.0, 2.0).save(tmp_path / "spikes.h5")
    h5py.File(tmp_path / "foreign.h5", "w").close()
    relays()[0].save(tmp_path / "net.json")
    (tmp_path / "empty").touch()
    refused(
        tmp_path / "spikes.h5",
        "is not a treplica-checkpoint file (its format attribute is 'treplica-spikes')",
    )
    for name in ("foreign.h5", "net.json", "empty"):
        refused(tmp_path / name, "is not an HDF5 file of Treplica, or is damaged at its beginning")
    refused(tmp_path / "absent", "there is no such file")
    refused(tmp_path, "cannot be read (")
    with pytest.raises(DescriptionError, match=r"is not a treplica-spikes file .*'treplica-checkpoint'"):
        tr.SpikeTrains.load(saved)
    with pytest.raises(DescriptionError, match="is not a network description"):
        tr.Network.load(saved)


def altered(saved: Path, folder: Path, change: Any) -> Path:
    """A checkpoint that somebody changed and sealed again."""
    path = folder / "c"
    path.write_bytes(saved.read_bytes())
    with h5py.File(path, "r+") as file:
        change(file)
    seal(path)
    return path


def test_a_later_version_is_refused(saved: Path, tmp_path: Path) -> None:
    path = altered(saved, tmp_path, lambda file: file.attrs.modify("version", 2))
    advice = "Read it with the release of Treplica that wrote it."
    refused(path, f"is a treplica-checkpoint file of version 2, not 1. {advice}")


def replaced(name: str, change: Any) -> Any:
    """Replace an array of a file by what becomes of it."""

    def act(file: Any) -> None:
        array = file[name][()]
        del file[name]
        file[name] = change(array)

    return act


def retold(old: str, new: str, name: str = "network") -> Any:
    """Replace a text within a text, which has it, in the first place."""

    def change(array: np.ndarray) -> np.ndarray:
        text = array.tobytes().decode()
        assert old in text
        return np.frombuffer(text.replace(old, new, 1).encode(), np.uint8)

    return replaced(name, change)


def resigned(array: np.ndarray) -> np.ndarray:
    """A description that names a rule which this release does not have."""
    from treplica.network.file import _digest

    document = json.loads(array.tobytes())
    document["network"]["projections"][0]["rule"]["class"] = "Kaleidoscope"
    document["sha256"] = _digest(document["network"])
    return np.frombuffer(json.dumps(document).encode(), np.uint8)


NONSENSE = {
    "description": (replaced("network", resigned), "holds a description that cannot be used (KeyError"),
    "checksum": (retold('"seed": 6', '"seed": 7'), "was changed or damaged after it was saved"),
    "dt": (retold('"dt": 0.5', '"dt": -0.5', "about"), "is not a valid treplica-checkpoint file: dt must be"),
    "units": (retold('.pending": ', '.pending": 3', "about"), "has weights that this release would round other"),
    "about": (replaced("about", lambda a: a[:-5]), "is not a readable treplica-checkpoint file ("),
    "probes": (retold('"graded_few"', '"other"', "about"), "is not a readable treplica-checkpoint file ("),
    "missing": (lambda file: file.__delitem__("snapshot/states/0/v"), "is not a readable treplica-"),
    "type": (replaced("snapshot/states/0/v", lambda a: a.astype("f4")), "is not a readable treplica-"),
    "size": (replaced("snapshot/states/0/v", lambda a: a[:-1]), "is not a readable treplica-"),
    "neuron": (replaced("snapshot/flying/0/ids", lambda a: a + 1000), "is not a readable treplica-"),
    "past": (replaced("snapshot/flying/0/steps", lambda a: a - 10_000), "is not a readable treplica-"),
    "order": (replaced("snapshot/flying/0/steps", lambda a: a[::-1]), "is not a readable treplica-"),
    "port": (replaced("snapshot/injections/0/onto", lambda a: a + np.array([0, 9])), "is not a readable treplica-"),
    "given": (replaced("snapshot/injections/0/steps", lambda a: a * 0), "is not a readable treplica-"),
}  # fmt: skip


@pytest.mark.parametrize("what", NONSENSE)
def test_sealed_nonsense_is_refused(saved: Path, tmp_path: Path, what: str) -> None:
    """Nothing reaches a kernel that does not fit."""
    change, message = NONSENSE[what]
    refused(altered(saved, tmp_path, change), message)


# Saving


def test_a_closed_simulation_is_not_saved(tmp_path: Path) -> None:
    with tr.Simulation(relays()[0], dt=1.0, engine="plain", quiet=True) as sim:
        sim.run(1.0)
    with pytest.raises(SimulationError, match=r"was closed and cannot be saved: save it before"):
        sim.save(tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_simulation_is_not_saved(tmp_path: Path) -> None:
    net, tally = tallies(1)
    net.stimulate(tally, tr.StepCurrent([5.0], [1e308]))
    sim = tr.Simulation(net, dt=1.0, engine="plain", quiet=True)
    with pytest.raises(NumericalError):
        sim.run(50.0, checkpoint_every=2.0, checkpoint=tmp_path / "c")
    with pytest.raises(
        SimulationError, match=r"failed and cannot be saved: tally\[0\]\.x became inf in step 7"
    ):
        sim.save(tmp_path / "c")
    loaded = tr.Simulation.load(tmp_path / "c", quiet=True)
    assert (loaded.time, loaded.remaining) == (6.0, 44.0)


class Odd(tr.AllToAll):
    """A rule that no file can name."""


def test_a_network_that_cannot_be_written_is_refused_before_anything_runs(tmp_path: Path) -> None:
    net, relay = relays()
    net.connect(relay, relay, Odd(), weight=1.0, delay=1.0)
    sim = tr.Simulation(net, dt=1.0, engine="plain", quiet=True)
    with pytest.raises(DescriptionError, match="Odd: an object of this class cannot be written"):
        sim.run(5.0, checkpoint_every=1.0, checkpoint=tmp_path / "c")
    assert sim.time == 0.0
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    sim = tr.Simulation(relays()[0], dt=1.0, engine="plain", quiet=True, record_to=tmp_path / "out")
    for place, message in (
        (tmp_path / "no" / "c", "the folder .*no does not exist"),
        (tmp_path, "is a folder"),
        (tmp_path / "out" / "spikes.h5", "is a recording of this simulation"),
    ):
        with pytest.raises(OutputError, match=message):
            sim.run(5.0, checkpoint_every=1.0, checkpoint=place)
    assert sim.time == 0.0


def test_a_failed_write_leaves_the_file_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = tr.Simulation(relays()[0], dt=1.0, engine="plain", quiet=True)
    sim.save(tmp_path / "c")
    before = (tmp_path / "c").read_bytes()
    sim.run(3.0)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"cannot be written .*No space left"):
        sim.save(tmp_path / "c")
    assert [p.name for p in tmp_path.iterdir()] == ["c"]
    assert (tmp_path / "c").read_bytes() == before


def test_what_a_run_is_asked_for_is_checked(tmp_path: Path) -> None:
    sim = tr.Simulation(relays()[0], dt=1.0, engine="plain", quiet=True)
    for asked, message in (
        ({"checkpoint_every": 0.0}, "checkpoint_every must be at least 1 ms"),
        ({"checkpoint_every": 1.5}, "checkpoint_every must be a multiple of dt = 1 ms, got 1.5"),
        ({"checkpoint_every": True}, "checkpoint_every must be"),
        ({"checkpoint_every": 5.0}, "checkpoint must be a file, where nothing is recorded to a folder"),
        ({"checkpoint": "c"}, "checkpoint must be given together with checkpoint_every"),
    ):
        with pytest.raises(InvalidValue, match=re.escape(message)):
            sim.run(5.0, **asked)
    assert sim.time == 0.0
