"""Whatever the bytes, a reader returns what its docstring says or raises DescriptionError."""

import gzip
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treplica.coding import read_images, read_spikes
from treplica.datasets import read_idx
from treplica.errors import DescriptionError

LEVELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * 10
IDX = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x03\0\0\0\x04" + LEVELS.tobytes()


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def png(stream: io.BytesIO) -> None:
    from matplotlib.image import imsave

    imsave(stream, LEVELS[0], format="png", cmap="gray")


TIMES = {"times": np.array([0.1, 0.3]), "ids": np.array([1, 0]), "dt": 0.1}


def spikes(path: Path) -> Any:
    return read_spikes(path, dt=0.1)


READERS: dict[str, tuple[Callable[[Path], Any], bytes]] = {
    "x.idx": (read_idx, IDX),
    "x.idx.gz": (read_idx, gzip.compress(IDX, mtime=0)),
    "x.npy": (read_images, written(lambda stream: np.save(stream, LEVELS))),
    "x.npz": (read_images, written(lambda stream: np.savez_compressed(stream, LEVELS))),
    "x.csv": (read_images, b"0,0.5,1,0.25\n1,1,0,0\n"),
    "x.png": (read_images, written(png)),
    "spikes.npz": (spikes, written(lambda stream: np.savez(stream, **TIMES))),  # type: ignore[arg-type]
    "x.dat": (spikes, b"sender\ttime_ms\n1\t0.1\n0\t0.3\n"),
}


def attempt(name: str, content: bytes) -> bool:
    """Whether the reader accepts these bytes; anything but DescriptionError fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            READERS[name][0](path)
        except DescriptionError:
            return False
        return True


@pytest.mark.parametrize("name", READERS)
def test_the_whole_file_is_accepted(name: str) -> None:
    assert attempt(name, READERS[name][1])


@given(st.sampled_from(list(READERS)), st.integers(0, 10**6))
def test_truncated_files(name: str, length: int) -> None:
    content = READERS[name][1]
    accepted = attempt(name, content[: length % len(content)])
    assert not accepted or name in (
        "x.csv",
        "x.dat",
        "x.png",
    )  # text may end anywhere, pixels before the last chunk


@given(
    st.sampled_from(list(READERS)),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), max_size=4),
)
def test_changed_bytes(name: str, changes: list[tuple[int, int]]) -> None:
    content = bytearray(READERS[name][1])
    for place, mask in changes:
        content[place % len(content)] ^= mask
    attempt(name, bytes(content))


@given(st.sampled_from(list(READERS)), st.binary(max_size=200), st.integers(0, 16))
def test_random_bytes(name: str, content: bytes, kept: int) -> None:
    attempt(name, READERS[name][1][:kept] + content)


@given(st.text(st.sampled_from("0123456789.,-+e \n\t#nai"), max_size=60))
def test_random_tables(text: str) -> None:
    attempt("x.csv", text.encode())
    attempt("x.dat", text.encode())
