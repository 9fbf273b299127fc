"""Spoken digits: sounds written here, those of the shared data, and damaged ones."""

import io
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest
from support import shared_data

from treplica.datasets import Sounds, spoken_digits
from treplica.errors import DescriptionError, InvalidValue, UnknownName


def wav(samples: list[int], channels: int = 1, width: int = 2, rate: int = 8000) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        sound.writeframes(np.array(samples, f"<i{width}").tobytes())
    return stream.getvalue()


SPEAKERS = ("george", "theo")
NAMES = [f"{digit}_{speaker}_{take}.wav" for digit in range(10) for speaker in SPEAKERS for take in range(12)]


def packed(folder: Path, prefix: str = "recordings/", **changed: bytes | None) -> Path:
    """Write a small fsdd.zip, in which the length of a sound is its digit + 1 and its first sample the take."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "fsdd.zip", "w") as archive:
        for name in reversed(NAMES):
            digit, _, take = name.removesuffix(".wav").split("_")
            content = changed.get(name, wav([int(take), *[0] * int(digit)]))
            if content is not None:
                archive.writestr(prefix + name, content)
    return folder


@pytest.mark.parametrize("prefix", ["", "recordings/", "free-spoken-digit-dataset-1/recordings/"])
def test_the_official_division(tmp_path: Path, prefix: str) -> None:
    train, test = (spoken_digits(split, folder=packed(tmp_path, prefix)) for split in ("train", "test"))  # type: ignore[arg-type]
    assert (len(train), len(test)) == (10 * 2 * 7, 10 * 2 * 5)
    assert [round(float(sound[0] * 2**15)) for sound in test.waveforms] == [0, 1, 2, 3, 4] * 20
    assert [round(float(sound[0] * 2**15)) for sound in train.waveforms] == [5, 6, 7, 8, 9, 10, 11] * 20
    assert [len(sound) - 1 for sound in test.waveforms] == test.labels.tolist()
    assert test.speakers == (*["george"] * 5, *["theo"] * 5) * 10
    assert (test.rate, test.waveforms[0].dtype) == (8000, np.float32)
    assert repr(test) == "<Sounds: spoken digits, test, 100 of 0 s at 8000 Hz, 2 speakers, 10 classes>"
    taken = test.take([99, 0])
    assert (taken.labels.tolist(), taken.speakers) == ([9, 0], ("theo", "george"))
    assert taken.waveforms[0] is test.waveforms[99]


def test_the_division_by_speakers(tmp_path: Path) -> None:
    train = spoken_digits("train", "speakers", folder=packed(tmp_path))
    test = spoken_digits("test", "speakers", folder=tmp_path)
    assert (set(train.speakers), set(test.speakers)) == ({"george"}, {"theo"})
    assert len(train) == len(test) == 120


def test_unpacked_recordings(tmp_path: Path) -> None:
    with zipfile.ZipFile(packed(tmp_path) / "fsdd.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    zipped, unpacked = (spoken_digits("test", folder=tmp_path / at) for at in (".", "unpacked"))
    assert np.array_equal(np.concatenate(zipped.waveforms), np.concatenate(unpacked.waveforms))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"fsdd\.zip: is incomplete: 3_theo_2\.wav is not in it"),
        (b"", r"3_theo_2\.wav: is not a readable wav file"),
        (b"RIFF....", r"is not a readable wav file"),
        (wav([1, 2])[:-2], r"3_theo_2\.wav: is cut off: 1 of 2 samples are there|is not a readable wav"),
        (wav([1, 2], channels=2), "has 2 channels of 16 bits at 8000 Hz, not 1 of 16 bits at 8000 Hz"),
        (wav([1, 2], width=4), "has 1 channels of 32 bits"),
        (wav([1, 2], rate=16000), "at 16000 Hz, not"),
    ],
    ids=["absent", "empty", "head", "cut off", "stereo", "wide", "fast"],
)
def test_damaged_sounds(tmp_path: Path, content: bytes | None, message: str) -> None:
    with pytest.raises(DescriptionError, match=message):
        spoken_digits("test", folder=packed(tmp_path, **{"3_theo_2.wav": content}))


def test_damaged_archives(tmp_path: Path) -> None:
    (tmp_path / "fsdd.zip").write_bytes(b"no zip")
    with pytest.raises(DescriptionError, match=r"fsdd\.zip: is not a readable zip file"):
        spoken_digits("test", folder=tmp_path)
    with zipfile.ZipFile(tmp_path / "fsdd.zip", "w") as archive:
        archive.writestr("README.md", "")
    with pytest.raises(DescriptionError, match="holds no recordings such as"):
        spoken_digits("test", folder=tmp_path)
    content = bytearray((packed(tmp_path) / "fsdd.zip").read_bytes())
    place = content.index(b"RIFF")
    content[place + 40] ^= 1
    (tmp_path / "fsdd.zip").write_bytes(content)
    with pytest.raises(DescriptionError, match=r"9_theo_11\.wav: is not a readable file in a zip \(Bad CRC"):
        spoken_digits("train", folder=tmp_path)


def test_wrong_names() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'test'"):
        spoken_digits("tests")  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="Did you mean 'speakers'"):
        spoken_digits("test", "speaker")  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match=r"len\(speakers\) must be 1, one for each sound"):
        Sounds("x", (np.zeros(1, np.float32),), np.array([0]), ("a",), 8000, ())


def test_shared_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREPLICA_DATA", str(shared_data("fsdd", "fsdd.zip").parents[1]))
    train, test = spoken_digits("train"), spoken_digits("test")
    assert np.bincount(train.labels).tolist() == [270] * 10
    assert np.bincount(test.labels).tolist() == [30] * 10
    lengths = [len(sound) / test.rate for sound in (*train.waveforms, *test.waveforms)]
    assert 0.1 < min(lengths) < max(lengths) < 2.4
    assert all(np.abs(sound).max() <= 1.0 for sound in train.waveforms)
    apart = spoken_digits("test", "speakers")
    assert set(apart.speakers) == {"theo", "yweweler"}
    assert np.bincount(apart.labels).tolist() == [100] * 10
    assert set(spoken_digits("train", "speakers").speakers) == {"george", "jackson", "lucas", "nicolas"}
