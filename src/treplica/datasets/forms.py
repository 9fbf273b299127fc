"""What data sets are in memory: labelled images, recordings of events, sounds."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.coding.arrays import whole_array
from treplica.errors import InvalidValue

Split = Literal["train", "test"]
DIGITS = tuple("0123456789")


@dataclass(frozen=True, eq=False, repr=False)
class Images:
    """Labelled images.

    - `name`: of the data set and the split
    - `inputs`: float32[m, h, w], grey levels in 0 … 1
    - `labels`: int64[m], 0 … len(classes) - 1
    - `classes`: what the labels mean
    """

    name: str
    inputs: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check that the fields fit together."""
        _check(self.inputs, self.labels, self.classes)

    def take(self, indices: ArrayLike) -> Images:
        """The images `indices` (int[k] in 0 … m - 1, repeats allowed), in that order."""
        chosen = _chosen(indices, len(self))
        return Images(self.name, self.inputs[chosen], self.labels[chosen], self.classes)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.labels)

    def __repr__(self) -> str:
        """Return what there is, not the pixels."""
        height, width = self.inputs.shape[1:]
        return (
            f"<Images: {self.name}, {len(self):,} of {height} × {width} pixels, {len(self.classes)} classes>"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Recordings:
    """Labelled recordings of an event camera.

    The events indptr[i] … indptr[i + 1] - 1 are those of recording i, in the order of time.

    - `name`: of the data set and the split
    - `indptr`: int64[m + 1]
    - `x`, `y`: int16[k], pixel of each event: 0 <= x < width from the left, 0 <= y < height from the top
    - `polarity`: uint8[k], 1 where the pixel became brighter, 0 where darker
    - `t`: float32[k], time in ms from the beginning of the recording
    - `labels`: int64[m], 0 … len(classes) - 1
    - `classes`: what the labels mean
    - `width`, `height`: pixels of the camera
    """

    name: str
    indptr: NDArray[np.int64]
    x: NDArray[np.int16]
    y: NDArray[np.int16]
    polarity: NDArray[np.uint8]
    t: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    width: int
    height: int

    def __post_init__(self) -> None:
        """Check that the fields fit together."""
        _check(self.indptr[1:], self.labels, self.classes)
        lengths = {len(column) for column in (self.x, self.y, self.polarity, self.t)}
        if self.indptr[0] != 0 or lengths != {int(self.indptr[-1])} or (np.diff(self.indptr) < 0).any():
            ends = f"ascending from 0 to the number of events, {max(lengths)} everywhere"
            raise InvalidValue("indptr", self.indptr.tolist(), ends)

    def take(self, indices: ArrayLike) -> Recordings:
        """The recordings `indices` (int[k] in 0 … m - 1, repeats allowed), in that order."""
        chosen = _chosen(indices, len(self))
        counts = np.diff(self.indptr)[chosen]
        indptr = np.concatenate([[0], np.cumsum(counts)])
        events = np.repeat(self.indptr[chosen] - indptr[:-1], counts) + np.arange(indptr[-1])
        x, y, polarity, t = self.x[events], self.y[events], self.polarity[events], self.t[events]
        labels = self.labels[chosen]
        return Recordings(self.name, indptr, x, y, polarity, t, labels, self.classes, self.width, self.height)

    def __len__(self) -> int:
        """Number of recordings."""
        return len(self.labels)

    def __repr__(self) -> str:
        """Return what there is, not the events."""
        size = f"{self.width} × {self.height} pixels, {len(self.classes)} classes"
        return f"<Recordings: {self.name}, {len(self):,} with {len(self.t):,} events, {size}>"


@dataclass(frozen=True, eq=False, repr=False)
class Sounds:
    """Labelled sounds of different lengths.

    - `name`: of the data set and the split
    - `waveforms`: one float32[n] in -1 … 1 for each of m sounds
    - `labels`: int64[m], 0 … len(classes) - 1
    - `classes`: what the labels mean
    - `rate`: samples per second
    - `speakers`: m names, who is heard
    """

    name: str
    waveforms: tuple[NDArray[np.float32], ...]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    rate: int
    speakers: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check that the fields fit together."""
        _check(self.waveforms, self.labels, self.classes)
        if len(self.speakers) != len(self.labels):
            raise InvalidValue("len(speakers)", len(self.speakers), f"{len(self.labels)}, one for each sound")

    def take(self, indices: ArrayLike) -> Sounds:
        """The sounds `indices` (int[k] in 0 … m - 1, repeats allowed), in that order."""
        chosen = _chosen(indices, len(self))
        waveforms = tuple(self.waveforms[i] for i in chosen)
        speakers = tuple(self.speakers[i] for i in chosen)
        return Sounds(self.name, waveforms, self.labels[chosen], self.classes, self.rate, speakers)

    def __len__(self) -> int:
        """Number of sounds."""
        return len(self.labels)

    def __repr__(self) -> str:
        """Return what there is, not the samples."""
        seconds = sum(map(len, self.waveforms)) / self.rate
        who = f"{len(set(self.speakers))} speakers, {len(self.classes)} classes"
        return f"<Sounds: {self.name}, {len(self):,} of {seconds:.0f} s at {self.rate} Hz, {who}>"


def _check(inputs: Sized, labels: NDArray[Any], classes: tuple[str, ...]) -> None:
    if len(inputs) != len(labels):
        raise InvalidValue("len(labels)", len(labels), f"{len(inputs)}, one for each sample")
    bad = (labels < 0) | (labels >= len(classes))
    if bad.any():
        at = int(np.argmax(bad))
        raise InvalidValue(f"labels[{at}]", int(labels[at]), f"in 0 … {len(classes) - 1}")


def _chosen(indices: ArrayLike, count: int) -> NDArray[np.int64]:
    chosen: NDArray[np.int64] = whole_array("indices", indices, np.int64)
    if len(chosen) and (chosen.min() < 0 or chosen.max() >= count):
        raise InvalidValue("indices", chosen.tolist(), f"in 0 … {count - 1}")
    return chosen
