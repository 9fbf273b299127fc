"""The Free Spoken Digit Dataset."""

from __future__ import annotations

import io
import re
import wave
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from treplica.coding.files import reading
from treplica.datasets.archive import Files
from treplica.datasets.find import Folder, Search
from treplica.datasets.forms import DIGITS, Sounds, Split
from treplica.datasets.progress import Report
from treplica.datasets.sources import SPOKEN_DIGITS
from treplica.errors import DescriptionError, UnknownName

Division = Literal["official", "speakers"]

RATE = 8000
OFFICIAL_TEST = 5
"""The official test split holds the first so many recordings of each digit by each speaker."""
HELD_OUT = ("theo", "yweweler")
"""Speakers of the test split of the division by speakers: an American and a German accent. Both accents are among
the speakers left for training: george (Greek), jackson (American), lucas (German) and nicolas (Belgian)."""


def spoken_digits(
    split: Split,
    division: Division = "official",
    *,
    folder: Folder = None,
    download: bool = True,
    report: Report | None = None,
) -> Sounds:
    """The English digits spoken by six people, 50 times each: 3,000 sounds of 0.1 … 2.3 s at 8 kHz.

    - `division`: "official", where "test" holds the recordings 0 … 4 of each digit by each speaker (300) and "train"
      the others (2,700); or "speakers", where "test" holds all that theo and yweweler said (1,000), so that the
      speakers of the test were never heard in training (2,000)
    - all others as in `mnist`; looked for in the folder fsdd, as fsdd.zip or a folder recordings (16 MB)

    Ordered by digit, speaker and number. Source: Jackson et al., Free Spoken Digit Dataset, doi:10.5281/zenodo.1342401.
    """
    if split not in ("train", "test"):
        raise UnknownName("split of spoken digits", split, ("train", "test"))
    if division not in ("official", "speakers"):
        raise UnknownName("division of spoken digits", division, ("official", "speakers"))
    with Files(Search("fsdd", folder, download, report).find("fsdd.zip", "recordings")) as files:
        chosen = [match for match in _all(files) if _tests(match, division) == (split == "test")]
        waveforms = tuple(_waveform(files, match.string) for match in chosen)
    labels = np.array([int(match["digit"]) for match in chosen], dtype=np.int64)
    speakers = tuple(match["speaker"] for match in chosen)
    title = "" if division == "official" else "by speakers, "
    return Sounds(f"spoken digits, {title}{split}", waveforms, labels, DIGITS, RATE, speakers)


def _tests(match: re.Match[str], division: Division) -> bool:
    if division == "official":
        return int(match["number"]) < OFFICIAL_TEST
    return match["speaker"] in HELD_OUT


def _all(files: Files) -> list[re.Match[str]]:
    """Recordings by digit, speaker and number; all speakers must have said each digit the same number of times."""
    found = {
        (match["digit"], match["speaker"], int(match["number"])): match
        for match in files.matching(SPOKEN_DIGITS)
    }
    if not found:
        raise DescriptionError(files.place, "holds no recordings such as recordings/0_george_0.wav")
    speakers, last = sorted({speaker for _, speaker, _ in found}), max(number for _, _, number in found)
    for key in product(DIGITS, speakers, range(min(last, len(found)) + 1)):
        if key not in found:
            absent = "{}_{}_{}.wav".format(*key)
            raise DescriptionError(files.place, f"is incomplete: {absent} is not in it")
    return [found[key] for key in sorted(found)]


def _waveform(files: Files, name: str) -> NDArray[np.float32]:
    """Samples in -1 … 1 of a .wav file of 16 bits, one channel and 8 kHz."""
    where = files.place / name
    content = files.read(name)
    with reading(where, "wav file"), wave.open(io.BytesIO(content)) as sound:
        form = (sound.getnchannels(), 8 * sound.getsampwidth(), sound.getframerate())
        if form != (1, 16, RATE):
            said = "{} channels of {} bits at {} Hz".format(*form)
            raise DescriptionError(where, f"has {said}, not 1 of 16 bits at {RATE} Hz")
        samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
        if len(samples) != sound.getnframes():
            problem = f"is cut off: {len(samples)} of {sound.getnframes()} samples are there"
            raise DescriptionError(where, problem)
    return samples.astype(np.float32) / np.float32(32768.0)
