from pathlib import Path

import h5py
import numpy as np
import pytest

from treplica.coding import SpikeTrains, Traces
from treplica.coding.files import optional, replacing
from treplica.coding.seal import seal
from treplica.errors import DescriptionError, MissingExtra, OutputError

SPIKES = SpikeTrains.from_times([0.1, 0.3, 0.3], [2, 1, 0], 3, 0.1, 1.0)
TRACES = Traces(np.zeros((5, 2), np.float32), np.array([0, 3]), np.arange(5) * 0.1, "v", "mV")


def test_written_over_and_nothing_left_beside(tmp_path: Path) -> None:
    path = tmp_path / "spikes.h5"
    path.write_text("old")
    SPIKES.save(path)
    assert SpikeTrains.load(path) == SPIKES
    assert [entry.name for entry in tmp_path.iterdir()] == ["spikes.h5"]


def test_an_empty_recording_and_graded_spikes_survive(tmp_path: Path) -> None:
    graded = SpikeTrains([3, 4], [1, 0], 2, 0.5, 9, 2, np.array([-7, 2**31 - 1]))  # type: ignore[arg-type]
    for trains in (SPIKES.between(0.5, 0.7), graded):
        trains.save(tmp_path / "x.h5")
        assert SpikeTrains.load(tmp_path / "x.h5") == trains


def write_half(path: Path, problem: Exception) -> None:
    with replacing(path) as beside:
        beside.write_text("half")
        raise problem


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_text("old")
    with pytest.raises(OutputError, match="cannot be written"):
        write_half(path, OSError("disk full"))
    with pytest.raises(ZeroDivisionError):
        write_half(path, ZeroDivisionError())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    for place in (tmp_path / "absent" / "x.h5", tmp_path, Path("/")):
        with pytest.raises(OutputError):
            SPIKES.save(place)


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    spikes, traces = tmp_path / "s.h5", tmp_path / "t.h5"
    SPIKES.save(spikes)
    TRACES.save(traces)
    assert Traces.load(traces) == TRACES
    with pytest.raises(DescriptionError, match=r"is not a treplica-traces file .*'treplica-spikes'"):
        Traces.load(spikes)
    with pytest.raises(DescriptionError, match="is not a treplica-spikes file"):
        SpikeTrains.load(traces)
    with pytest.raises(DescriptionError, match="no such file"):
        SpikeTrains.load(tmp_path / "absent.h5")
    (tmp_path / "text").write_text("no HDF5")
    with pytest.raises(DescriptionError, match="is not an HDF5 file"):
        SpikeTrains.load(tmp_path / "text")
    with pytest.raises(DescriptionError, match="cannot be read"):
        SpikeTrains.load(tmp_path)
    h5py.File(tmp_path / "other.h5", "w").close()
    with pytest.raises(DescriptionError, match=r"is not a treplica-spikes file .*None"):
        SpikeTrains.load(tmp_path / "other.h5")


def test_a_file_without_a_seal_is_read(tmp_path: Path) -> None:
    """Files that grew during a simulation have none."""
    SPIKES.save(tmp_path / "sealed.h5")
    with h5py.File(tmp_path / "sealed.h5") as sealed, h5py.File(tmp_path / "bare.h5", "w") as bare:
        bare.attrs.update(sealed.attrs)
        for key in sealed:
            sealed.copy(key, bare)
    assert SpikeTrains.load(tmp_path / "bare.h5") == SPIKES


def test_a_later_version_is_refused(tmp_path: Path) -> None:
    SPIKES.save(tmp_path / "x.h5")
    with h5py.File(tmp_path / "x.h5", "r+") as file:
        file.attrs["version"] = 3
    with pytest.raises(
        DescriptionError, match=r"is damaged: its checksum is [0-9a-f]{8}…, its seal says [0-9a-f]{8}…"
    ):
        SpikeTrains.load(tmp_path / "x.h5")
    seal(tmp_path / "x.h5")
    with pytest.raises(DescriptionError, match="version 3, not 1 or 2"):
        SpikeTrains.load(tmp_path / "x.h5")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("order", "not a valid treplica-spikes file: spike 1"),
        ("missing", "not a readable treplica-spikes file .*ids"),
        ("shape", r"not a valid treplica-spikes file: len\(ids\) must be 3"),
        ("huge", r"not a readable treplica-spikes file \(ids claims the shape"),
        ("attribute", "not a readable treplica-spikes file .*many"),
        ("kind", "not a valid treplica-spikes file: ids must be"),
    ],
)
def test_sealed_nonsense_is_refused(tmp_path: Path, damage: str, message: str) -> None:
    path = tmp_path / "x.h5"
    SPIKES.save(path)
    with h5py.File(path, "r+") as file:
        if damage == "order":
            file["steps"][...] = [3, 1, 1]
        elif damage == "missing":
            del file["ids"]
        elif damage == "shape":
            file["ids"].resize((4,))
        elif damage == "huge":
            file["ids"].resize((10**9,))
        elif damage == "attribute":
            file.attrs["n_steps"] = "many"
        else:
            del file["ids"]
            file["ids"] = np.array([b"a", b"b", b"c"])
    seal(path)
    with pytest.raises(DescriptionError, match=message):
        SpikeTrains.load(path)


def test_an_absent_package_names_the_extra() -> None:
    with pytest.raises(MissingExtra, match=r"pip install 'treplica\[dev\]'"):
        optional("no_such_package.part", "dev", "A test")
