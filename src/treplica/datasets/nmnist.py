"""N-MNIST: the images of MNIST, seen by an event camera that moves in front of them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from treplica.datasets.archive import Files
from treplica.datasets.events import decode
from treplica.datasets.find import Folder, Search
from treplica.datasets.forms import DIGITS, Recordings, Split
from treplica.datasets.progress import Report
from treplica.datasets.sources import SMALL_NMNIST
from treplica.errors import DescriptionError, UnknownName

Subset = Literal["all", "small"]

SIDE = 34
"""Pixels of the camera, each way."""
FULL = r"(?:^|/)(?P<label>\d)/(?P<number>\d+)\.bin$"
SMALL_FILES = ("nmnist_small.zip", "NMNISTsmall")
SMALL_LABELS = {"train": "train1K", "test": "test100"}


def nmnist(
    split: Split,
    subset: Subset = "all",
    *,
    folder: Folder = None,
    download: bool = True,
    report: Report | None = None,
) -> Recordings:
    """Recordings of about 300 ms of 34 × 34 pixels, in the order of the images of MNIST.

    - `subset`: "all", 60,000 of "train" and 10,000 of "test", or "small", the first 1,000 and the first 100 of these
    - all others as in `mnist`

    "all" is looked for in the folder nmnist, as Train.zip and Test.zip or as the folders Train and Test with
    Train/5/00001.bin and so on (1.2 GB); "small" in nmnist_small, as nmnist_small.zip or the folder NMNISTsmall
    with 1.bs2 and so on, train1K.txt and test100.txt (20 MB). Raises `DescriptionError` where they are absent,
    damaged or incomplete, `DownloadError` where they cannot be had.
    Source: Orchard, Jayawant, Cohen & Thakor 2015, doi:10.3389/fnins.2015.00437.
    """
    if split not in SMALL_LABELS:
        raise UnknownName("split of N-MNIST", split, tuple(SMALL_LABELS))
    if subset not in ("all", "small"):
        raise UnknownName("subset of N-MNIST", subset, ("all", "small"))
    if subset == "small":
        with Files(Search("nmnist_small", folder, download, report).find(*SMALL_FILES)) as files:
            return _recordings(f"N-MNIST small {split}", files, *_small(files, split))
    title = split.capitalize()
    with Files(Search("nmnist", folder, download, report).find(f"{title}.zip", title)) as files:
        return _recordings(f"N-MNIST {split}", files, *_full(files))


def _full(files: Files) -> tuple[list[str], NDArray[np.int64]]:
    """Names and labels of all recordings: Train/5/00001.bin is the first, and its label is 5."""
    found = sorted(files.matching(FULL), key=lambda match: int(match["number"]))
    for number, match in enumerate(found, 1):
        if int(match["number"]) != number:
            raise DescriptionError(files.place, f"is incomplete: recording {number} is not in it")
    if not found:
        raise DescriptionError(files.place, "holds no recordings such as Train/5/00001.bin")
    return [match.string for match in found], np.array([int(match["label"]) for match in found])


def _small(files: Files, split: Split) -> tuple[list[str], NDArray[np.int64]]:
    """Names and labels of the recordings that train1K.txt or test100.txt lists."""
    found = files.matching(SMALL_NMNIST)
    recordings = {int(match["number"]): match.string for match in found if match["number"]}
    listing = next((match.string for match in found if match["labels"] == SMALL_LABELS[split]), None)
    if listing is None:
        raise DescriptionError(files.place, f"holds no {SMALL_LABELS[split]}.txt")
    names, labels = [], []
    for number, label in _listed(files, listing):
        if number not in recordings:
            raise DescriptionError(files.place, f"is incomplete: recording {number} is not in it")
        names.append(recordings[number])
        labels.append(label)
    return names, np.array(labels, dtype=np.int64)


def _listed(files: Files, listing: str) -> list[tuple[int, int]]:
    """(recording, label) of each line of a table whose first line begins with #."""
    pairs = []
    for at, line in enumerate(files.read(listing).decode("utf-8", "replace").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            words = line.split()
            if len(words) != 2 or not all(word.isascii() and word.isdigit() for word in words):
                problem = f"line {at} is {line[:40]!r}, not a recording and its label"
                raise DescriptionError(files.place / listing, problem)
            number, label = (int(word[:18]) for word in words)
            if label >= len(DIGITS):
                raise DescriptionError(files.place / listing, f"line {at} has the label {label}, not 0 … 9")
            pairs.append((number, label))
    if not pairs:
        raise DescriptionError(files.place / listing, "lists no recordings")
    return pairs


def _recordings(name: str, files: Files, names: list[str], labels: NDArray[np.int64]) -> Recordings:
    indptr, x, y, polarity, t = decode(files, names, SIDE, SIDE)
    return Recordings(name, indptr, x, y, polarity, t, labels, DIGITS, SIDE, SIDE)
