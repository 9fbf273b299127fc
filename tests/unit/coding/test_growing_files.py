"""Files that grow are whole at every moment: killed at any of its steps, an append has happened or has not."""

import itertools
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from crashes import killed_at

from treplica.coding import SpikeTrains
from treplica.coding.journal import PAGE, changing, journal_of, opened
from treplica.coding.streams import CHUNK, GrowingFile, Position
from treplica.errors import DescriptionError, OutputError

ABOUT = {"size": 1000, "dt": 1.0, "n_steps": 0, "first_step": 0}
GROWING = {"steps": np.empty(0, np.int64), "ids": np.empty(0, np.int32)}


def part(number: int, count: int) -> dict[str, np.ndarray]:
    """Spikes of the number-th piece, of one step."""
    ids = np.sort(np.random.default_rng(number).permutation(1000)[:count]).astype(np.int32)
    return {"steps": np.full(count, number + 1, dtype=np.int64), "ids": ids}


def grown(path: Path, counts: list[int]) -> GrowingFile:
    file = GrowingFile(path, "treplica-spikes", ABOUT, GROWING)
    for number, count in enumerate(counts):
        file.append(part(number, count), {"n_steps": number + 1})
    return file


def expected(counts: list[int]) -> SpikeTrains:
    parts = [part(number, count) for number, count in enumerate(counts)]
    steps, ids = (np.concatenate([GROWING[n], *(p[n] for p in parts)]) for n in ("steps", "ids"))
    return SpikeTrains(steps, ids, 1000, 1.0, len(counts))


def test_a_growing_file_is_plain_hdf5(tmp_path: Path) -> None:
    """Every append of 0 to 1000 spikes, over the border of a chunk, in the file that h5py reads."""
    counts = [*np.random.default_rng(1).integers(0, 1000, 100).tolist(), 0, 1000]
    assert sum(counts) > CHUNK
    grown(tmp_path / "s.h5", counts)
    assert SpikeTrains.load(tmp_path / "s.h5") == expected(counts)
    with h5py.File(tmp_path / "s.h5") as file:
        assert file["ids"][()].tolist() == expected(counts).ids.tolist()
    assert [p.name for p in tmp_path.iterdir()] == ["s.h5"]


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("sealed", [False, True])
def test_an_append_that_is_killed_happened_or_did_not(tmp_path: Path, durable: bool, sealed: bool) -> None:
    """Killed at each of its calls, with writes half done; and the next append finds a file like any other."""
    before, after = expected([700, 300, 900]), expected([700, 300, 900, 800])
    found = []
    for number in itertools.count():
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / "s.h5"
        file = grown(path, [700, 300, 900])
        file.durable = durable
        if sealed:
            file.finish()
        killed = killed_at(number, lambda: file.append(part(3, 800), {"n_steps": 4}))  # noqa: B023
        read = SpikeTrains.load(path)
        assert read in (before, after)
        found.append((killed, read == after, journal_of(path).exists()))
        if read == before:
            file.append(part(3, 800), {"n_steps": 4})
        else:
            with changing(path):
                pass
        assert not journal_of(path).exists()
        with h5py.File(path) as plain:
            assert plain["ids"][()].tolist() == after.ids.tolist()
        if not killed:
            break
    assert (True, False, False) in found
    assert (True, True, True) in found
    assert found[-1] == (False, True, False)
    assert len(found) > 8


def test_a_change_that_fails_does_not_happen(tmp_path: Path) -> None:
    grown(tmp_path / "s.h5", [500])
    before = (tmp_path / "s.h5").read_bytes()

    def fail() -> None:
        with changing(tmp_path / "s.h5") as file:
            file["ids"].resize((100,))
            file["ids"][:] = 7
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (tmp_path / "s.h5").read_bytes()[: len(before)] == before
    assert SpikeTrains.load(tmp_path / "s.h5") == expected([500])


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    file = grown(path, [700])
    calls = (n for n in itertools.count() if killed_at(n, lambda: file.append(part(1, 900), {"n_steps": 2})))
    while not journal_of(path).exists():
        next(calls)
    content = bytearray(journal_of(path).read_bytes())
    assert len(content) > PAGE
    content[1000] ^= 1
    journal_of(path).write_bytes(content)
    message = re.escape(f"{journal_of(path)}: is damaged (its checksum differs)")
    with pytest.raises(DescriptionError, match=message):
        SpikeTrains.load(path)
    with pytest.raises(DescriptionError, match=message), opened(path):
        pass


def test_who_reads_is_not_disturbed(tmp_path: Path) -> None:
    file = grown(tmp_path / "s.h5", [5])
    message = r"s.h5: a recording cannot be written there \(.*another process has the file open\)"
    with h5py.File(tmp_path / "s.h5"), pytest.raises(OutputError, match=message):
        file.append(part(1, 5), {"n_steps": 2})
    assert SpikeTrains.load(tmp_path / "s.h5") == expected([5])


# Going on


@pytest.mark.parametrize("sealed", [False, True])
def test_a_file_goes_on_from_a_position(tmp_path: Path, sealed: bool) -> None:
    """What came after the position is cut off; nothing changes before."""
    file = grown(tmp_path / "s.h5", [900, 0, 400])
    position = file.position()
    assert position.rows == 1300
    for number in (3, 4):
        file.append(part(number + 10, 1000), {"n_steps": number + 1})
    if sealed:
        file.finish()
    longer = (tmp_path / "s.h5").read_bytes()
    again = GrowingFile.reopen(tmp_path / "s.h5", "treplica-spikes", position)
    assert (tmp_path / "s.h5").read_bytes() == longer
    again.cut({"n_steps": 3})
    assert SpikeTrains.load(tmp_path / "s.h5") == expected([900, 0, 400])
    assert again.position() == position
    again.append(part(3, 600), {"n_steps": 4})
    again.finish()
    assert SpikeTrains.load(tmp_path / "s.h5") == expected([900, 0, 400, 600])
    assert again.position() == grown(tmp_path / "whole.h5", [900, 0, 400, 600]).position()


def test_other_files_are_not_gone_on_with(tmp_path: Path) -> None:
    position = grown(tmp_path / "s.h5", [900, 400]).position()
    grown(tmp_path / "short.h5", [900])
    grown(tmp_path / "other.h5", [901, 399, 500])
    for name, message in (
        ("short", r"short.h5: has 900 rows of \w+, 1300 were there at the checkpoint"),
        ("other", r"other.h5: does not begin with .* \(\w+ has checksum [0-9a-f]{8}…, then [0-9a-f]{8}…\)"),
        ("absent", r"absent.h5: there is no such file"),
    ):
        with pytest.raises(DescriptionError, match=message):
            GrowingFile.reopen(tmp_path / f"{name}.h5", "treplica-spikes", position)
    with pytest.raises(DescriptionError, match="is not a treplica-traces file"):
        GrowingFile.reopen(tmp_path / "s.h5", "treplica-traces", Position(0))
