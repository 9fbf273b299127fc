"""Whatever the bytes, a data set is read or refused with DescriptionError."""

import io
import tempfile
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treplica.datasets import nmnist, spoken_digits
from treplica.errors import DescriptionError


def sound() -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.arange(20, dtype="<i2").tobytes())
    return stream.getvalue()


def archive(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


WAV = sound()
EVENTS = bytes([3, 4, 128, 0, 9, 33, 33, 0, 1, 0])
LABELS = b"#sample #class\n1\t5\n"
SPOKEN = {f"recordings/{digit}_theo_0.wav": WAV for digit in range(10)}
SMALL = {"1.bs2": EVENTS, "train1K.txt": LABELS}


def spoken(folder: Path) -> Any:
    return spoken_digits("test", folder=folder)


def small(folder: Path) -> Any:
    return nmnist("train", "small", folder=folder)


def full(folder: Path) -> Any:
    return nmnist("train", folder=folder)


#: The file that is damaged, what is beside it, and how all is read.
CASES: dict[str, tuple[str, bytes, dict[str, bytes], Callable[[Path], Any]]] = {
    "wav": ("recordings/4_theo_0.wav", WAV, SPOKEN, spoken),
    "zip of wav": ("fsdd.zip", archive(SPOKEN), {}, spoken),
    "events": ("Train/5/00001.bin", EVENTS, {}, full),
    "zip of events": ("nmnist_small.zip", archive(SMALL), {}, small),
    "labels": ("NMNISTsmall/train1K.txt", LABELS, {"NMNISTsmall/1.bs2": EVENTS}, small),
}


def attempt(case: str, content: bytes) -> bool:
    """Whether the reader accepts these bytes; anything but DescriptionError fails the test."""
    name, _, beside, read = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        for file, bytes_of_it in {**beside, name: content}.items():
            path = Path(folder, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes_of_it)
        try:
            assert len(read(Path(folder))) > 0
        except DescriptionError:
            return False
        return True


@pytest.mark.parametrize("case", CASES)
def test_the_whole_file_is_accepted(case: str) -> None:
    assert attempt(case, CASES[case][1])


@given(st.sampled_from(list(CASES)), st.integers(0, 10**6))
def test_truncated_files(case: str, length: int) -> None:
    content = CASES[case][1]
    length %= len(content)
    accepted = attempt(case, content[:length])
    # what is left of events may be whole events, of labels all but the end of the line
    assert not accepted or (case == "events" and length % 5 == 0) or (case == "labels" and length >= 18)


@given(
    st.sampled_from(list(CASES)),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), max_size=4),
)
def test_changed_bytes(case: str, changes: list[tuple[int, int]]) -> None:
    content = bytearray(CASES[case][1])
    for place, mask in changes:
        content[place % len(content)] ^= mask
    attempt(case, bytes(content))


@given(st.sampled_from(list(CASES)), st.binary(max_size=200), st.integers(0, 60))
def test_random_bytes(case: str, content: bytes, kept: int) -> None:
    attempt(case, CASES[case][1][:kept] + content)
