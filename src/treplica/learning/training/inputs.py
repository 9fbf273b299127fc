"""Batches of labelled samples to train on: spikes as `SpikeTensor` or dense, and frames shown over time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeVar, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from treplica.coding import SpikeSamples
from treplica.coding.grid import check_count
from treplica.errors import InvalidValue, UnknownName
from treplica.learning.spikes import SpikeTensor
from treplica.learning.training.augmentation import Change, changed_rows
from treplica.learning.training.draws import Moment, order, uniform
from treplica.learning.training.shifting import mirrored, shifted_pictures, shifted_rows, shifts

Own = TypeVar("Own", bound="Inputs")
Code = Literal["direct", "poisson", "sequence"]


class Inputs(Protocol):
    """Labelled samples that give batches.

    labels: int64[m], classes: what they mean, n_steps: T, shape: that of a step of a sample.
    """

    @property
    def labels(self) -> NDArray[np.int64]:
        """The right answers."""

    @property
    def classes(self) -> tuple[str, ...]:
        """What the labels mean."""

    @property
    def n_steps(self) -> int:
        """Steps of every sample."""

    @property
    def shape(self) -> tuple[int, ...]:
        """A step of a sample."""

    @property
    def spiking(self) -> bool:
        """Whether what is not 0 is a spike."""

    def take(self: Own, indices: ArrayLike) -> Own:
        """The samples `indices`, in that order."""

    def batch(self, indices: NDArray[np.int64], moment: Moment) -> Tensor | SpikeTensor:
        """The samples `indices` as [T, B, *shape], float32 or spikes, drawn and changed as belongs to the moment."""

    def __len__(self) -> int:
        """Number of samples."""


@dataclass(frozen=True, eq=False)
class SpikeInputs:
    """Spikes of samples, a `SpikeTensor` [T, B, n] at a time, or dense [T, B, *shape].

    - `samples`: the spikes of m samples
    - `labels`: int64[m], 0 … len(classes) - 1
    - `shape`: of the n channels; None is (n,)
    - `sparse`: whether batches are `SpikeTensor`; None where the shape is (n,)
    - `shift`: pixels by which a sample is moved at most while training, each way; needs `pixels`
    - `pixels`: (height, width), where channels are those of pictures one after another
    - `changes`: what else is done to a batch while training, in that order: `Warp`, `Drop`
    """

    samples: SpikeSamples
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    shape: tuple[int, ...] = ()
    sparse: bool | None = None
    shift: int = 0
    pixels: tuple[int, int] | None = None
    changes: tuple[Change, ...] = ()
    spiking: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "labels", _labels(self.labels, len(self.samples), self.classes))
        put(self, "shape", tuple(self.shape) or (self.samples.n_channels,))
        if math.prod(self.shape) != self.samples.n_channels:
            raise InvalidValue("shape", self.shape, f"one of the {self.samples.n_channels} channels")
        flat = len(self.shape) == 1
        if self.sparse and not flat:
            raise InvalidValue(
                "sparse", True, f"False for the shape {self.shape}", "SpikeTensor is [T, B, n]."
            )
        put(self, "sparse", flat if self.sparse is None else self.sparse)
        check_count("shift", self.shift, 0)
        if self.shift and (self.pixels is None or self.samples.n_channels % math.prod(self.pixels)):
            raise InvalidValue("pixels", self.pixels, "(height, width) of pictures, where they are shifted")

    @property
    def n_steps(self) -> int:
        """Steps of every sample."""
        return self.samples.n_steps

    def take(self, indices: ArrayLike) -> SpikeInputs:
        """The samples `indices`, in that order."""
        samples = self.samples.take(indices)
        return replace(self, samples=samples, labels=self.labels[np.asarray(indices)])

    def batch(self, indices: NDArray[np.int64], moment: Moment) -> Tensor | SpikeTensor:
        """See `Inputs`."""
        rows = self.samples.rows(indices)
        if self.shift and moment.training:
            assert self.pixels is not None
            rows = shifted_rows(rows, self.pixels, shifts(moment, self.shift, len(indices)))
        size = (self.n_steps, len(indices), self.samples.n_channels)
        if self.changes and moment.training:
            rows = changed_rows(rows, size, self.changes, moment)
        starts, channels = torch.from_numpy(rows.indptr), torch.from_numpy(rows.channel)
        values = torch.ones(len(channels)) if rows.value is None else torch.from_numpy(rows.value)
        spikes = SpikeTensor(size, starts, channels, values)
        return spikes if self.sparse else spikes.dense().reshape(*size[:2], *self.shape)

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.labels)

    def __repr__(self) -> str:
        """Return what there is, not the spikes."""
        return f"<SpikeInputs: {self.samples!r}, {len(self.classes)} classes, {_moved(self.shift)}>"


@dataclass(frozen=True, eq=False)
class FrameInputs:
    """Frames shown for T steps: as currents that do not change, as the probabilities of spikes, or part after part.

    - `frames`: float32[m, *shape], or float32[m, T, *shape] of a sequence
    - `labels`: int64[m], 0 … len(classes) - 1
    - `n_steps`: T
    - `code`: "direct", every step is the frame; "poisson", a spike in each step with probability peak · value, drawn
      anew for each epoch, and the same for each evaluation; "sequence", step t is the part t of the frame
    - `peak`: probability of the value 1
    - `shift`: pixels by which a frame is moved at most while training, each way; needs `pixels`
    - `mirror`: whether half of the frames, others in each epoch, are mirrored left to right while training; needs
      `pixels`
    - `pixels`: (height, width), where a frame is a picture or pictures one after another
    """

    frames: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    n_steps: int
    code: Code = "direct"
    peak: float = 1.0
    shift: int = 0
    pixels: tuple[int, int] | None = None
    mirror: bool = False

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "frames", np.asarray(self.frames, dtype=np.float32))
        put(self, "labels", _labels(self.labels, len(self.frames), self.classes))
        check_count("n_steps", self.n_steps, 1)
        if self.code not in get_args(Code):
            raise UnknownName("code of frames", str(self.code), get_args(Code))
        if self.code == "sequence" and (self.frames.ndim < 3 or self.frames.shape[1] != self.n_steps):
            allowed = f"[m, {self.n_steps}, ...], so many parts as steps"
            raise InvalidValue("frames of a sequence: shape", list(self.frames.shape), allowed)
        if self.code == "poisson" and not 0.0 < self.peak <= 1.0:
            raise InvalidValue("peak", self.peak, "0 < peak <= 1, a probability")
        check_count("shift", self.shift, 0)
        changed = self.shift or self.mirror
        if changed and (self.pixels is None or math.prod(self.frames.shape[1:]) % math.prod(self.pixels)):
            allowed = "(height, width) of pictures, where they are shifted or mirrored"
            raise InvalidValue("pixels", self.pixels, allowed)

    @property
    def shape(self) -> tuple[int, ...]:
        """A step of a sample."""
        return self.frames.shape[2 if self.code == "sequence" else 1 :]

    @property
    def spiking(self) -> bool:
        """Whether what is not 0 is a spike."""
        return self.code == "poisson"

    def take(self, indices: ArrayLike) -> FrameInputs:
        """The samples `indices`, in that order."""
        chosen = np.asarray(indices)
        return replace(self, frames=self.frames[chosen], labels=self.labels[chosen])

    def batch(self, indices: NDArray[np.int64], moment: Moment) -> Tensor:
        """See `Inputs`."""
        frames = self._changed(self.frames[indices], moment)
        if self.code == "sequence":
            return torch.from_numpy(np.ascontiguousarray(frames.swapaxes(0, 1)))
        size = (self.n_steps, *frames.shape)
        if self.code == "direct":
            return torch.from_numpy(frames).expand(size)
        drawn = uniform(moment, "poisson", math.prod(size)).reshape(size)
        return torch.from_numpy((drawn < frames * np.float32(self.peak)).astype(np.float32))

    def _changed(self, frames: NDArray[np.float32], moment: Moment) -> NDArray[np.float32]:
        if not moment.training or not (self.shift or self.mirror):
            return frames
        assert self.pixels is not None
        pictures = frames.reshape(len(frames), -1, *self.pixels)
        if self.mirror:
            pictures = mirrored(moment, pictures)
        if self.shift:
            pictures = shifted_pictures(pictures, shifts(moment, self.shift, len(frames)))
        return pictures.reshape(frames.shape)

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.labels)

    def __repr__(self) -> str:
        """Return what there is, not the frames."""
        shown = f"{len(self):,} frames {self.shape}, {self.code} for {self.n_steps} steps"
        return f"<FrameInputs: {shown}, {len(self.classes)} classes, {_moved(self.shift)}{', mirrored' * self.mirror}>"


def hold_out(inputs: Own, share: float, seed: int) -> tuple[Own, Own]:
    """What is trained on and what is held out of it: a share of the samples, drawn by the seed."""
    kept = round(share * len(inputs))
    if not 0.0 < share < 1.0 or not 0 < kept < len(inputs):
        raise InvalidValue("hold_out", share, f"a share between 0 and 1 of the {len(inputs)} samples")
    drawn = order(seed, 0, len(inputs), "hold out")
    return inputs.take(np.sort(drawn[kept:])), inputs.take(np.sort(drawn[:kept]))


def _labels(labels: ArrayLike, size: int, classes: tuple[str, ...]) -> NDArray[np.int64]:
    found = np.asarray(labels)
    if found.shape != (size,) or found.dtype.kind not in "iu":
        shown = f"{found.dtype}{list(found.shape)}"
        raise InvalidValue("labels", shown, f"whole numbers, one for each of {size} samples")
    if size and not 0 <= found.min() <= found.max() < len(classes):
        raise InvalidValue("labels", (int(found.min()), int(found.max())), f"in 0 … {len(classes) - 1}")
    return found.astype(np.int64)


def _moved(shift: int) -> str:
    return f"shifted by up to {shift} pixels" if shift else "not shifted"
