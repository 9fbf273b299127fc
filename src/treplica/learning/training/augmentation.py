"""Samples of spikes changed while training: other ones in each epoch, the same for the same moment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from treplica.coding.grid import check_count
from treplica.coding.samples import SpikeRows
from treplica.errors import InvalidValue
from treplica.learning.training.draws import Moment, below, uniform


class Spikes(NamedTuple):
    """The spikes of a batch [T, B, n] by their places, in any order.

    step, sample, channel: int64[k], counted from 0; value: float32[k], or None where every spike counts 1.
    size: (T, B, n).
    """

    step: NDArray[np.int64]
    sample: NDArray[np.int64]
    channel: NDArray[np.int64]
    value: NDArray[np.float32] | None
    size: tuple[int, int, int]

    def where(self, chosen: NDArray[np.bool_]) -> Spikes:
        """Some of them."""
        value = None if self.value is None else self.value[chosen]
        return Spikes(self.step[chosen], self.sample[chosen], self.channel[chosen], value, self.size)


class Change(Protocol):
    """What is done to a batch of spikes."""

    def __call__(self, spikes: Spikes, moment: Moment) -> Spikes:
        """The changed batch, which depends on spikes and moment alone."""


@dataclass(frozen=True)
class Drop:
    """Each spike is lost with the probability `share`."""

    share: float

    def __post_init__(self) -> None:
        _check("Drop.share", self.share, 0.0 <= self.share < 1.0, "with 0 <= share < 1")

    def __call__(self, spikes: Spikes, moment: Moment) -> Spikes:
        """Those that are left."""
        return spikes.where(uniform(moment, "drop", len(spikes.step)) >= np.float32(self.share))


@dataclass(frozen=True)
class Warp:
    """Each sample is moved, stretched and turned as a whole, by amounts of its own; what leaves it is lost.

    - `pixels`: (height, width); channels are those of pictures one after another. Bands of frequency are pictures of
      height 1
    - `shift`: at most so many (steps, pixels down, pixels to the right), each way
    - `stretch`: at most by so great a share in (time, height, width), longer or shorter. Time is stretched from the
      first step on, a picture from its middle
    - `turn`: at most so many degrees, each way

    Spikes that meet become one; where they have values, these are added.
    """

    pixels: tuple[int, int]
    shift: tuple[int, int, int] = (0, 0, 0)
    stretch: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn: float = 0.0

    def __post_init__(self) -> None:
        for name in ("pixels", "shift"):
            for at, value in enumerate(getattr(self, name)):
                check_count(f"Warp.{name}[{at}]", value, int(name == "pixels"))
        for at, share in enumerate(self.stretch):
            _check(f"Warp.stretch[{at}]", share, 0.0 <= share < 1.0, "with 0 <= stretch < 1")
        _check("Warp.turn", self.turn, 0.0 <= self.turn <= 180.0, "of degrees with 0 <= turn <= 180")

    def __call__(self, spikes: Spikes, moment: Moment) -> Spikes:
        """The spikes at their new places."""
        n_steps, size, channels = spikes.size
        height, width = self.pixels
        if channels % (height * width):
            raise InvalidValue(
                "Warp.pixels", self.pixels, f"(height, width) of pictures in {channels} channels"
            )
        late, down, right = (
            below(moment, f"shift {at}", 2 * most + 1, size) - most for at, most in enumerate(self.shift)
        )
        longer, taller, wider = (
            1.0 + share * _evenly(moment, f"stretch {at}", size) for at, share in enumerate(self.stretch)
        )
        angle = math.radians(self.turn) * _evenly(moment, "turn", size)
        line, x = np.divmod(spikes.channel, width)
        plane, y = np.divmod(line, height)
        own = spikes.sample
        x, y = x - 0.5 * (width - 1), y - 0.5 * (height - 1)
        cosine, sine = np.cos(angle)[own], np.sin(angle)[own]
        turned_y, turned_x = cosine * y - sine * x, sine * y + cosine * x
        y = _whole(taller[own] * turned_y + 0.5 * (height - 1)) + down[own]
        x = _whole(wider[own] * turned_x + 0.5 * (width - 1)) + right[own]
        step = _whole(longer[own] * spikes.step) + late[own]
        channel = (plane * height + y) * width + x
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width) & (step >= 0) & (step < n_steps)
        return spikes._replace(step=step, channel=channel).where(inside)


def changed_rows(
    rows: SpikeRows, size: tuple[int, int, int], changes: Sequence[Change], moment: Moment
) -> SpikeRows:
    """The rows of a batch [T, B, n] after all changes, one after the other."""
    row = np.repeat(np.arange(len(rows.indptr) - 1), np.diff(rows.indptr))
    step, sample = np.divmod(row, size[1])
    spikes = Spikes(step, sample, rows.channel.astype(np.int64), rows.value, size)
    for change in changes:
        spikes = change(spikes, moment)
    return _rows(spikes)


def _rows(spikes: Spikes) -> SpikeRows:
    """Ascending, with one entry for what meets in a place."""
    n_steps, size, channels = spikes.size
    place = (spikes.step * size + spikes.sample) * channels + spikes.channel
    value = None
    if spikes.value is None:
        place = np.sort(place)
        place = place[np.diff(place, prepend=-1) != 0]
    else:
        place, which = np.unique(place, return_inverse=True)
        value = np.bincount(which, weights=spikes.value, minlength=len(place)).astype(np.float32)
    row, channel = np.divmod(place, channels)
    counts = np.bincount(row, minlength=n_steps * size)
    return SpikeRows(np.concatenate([[0], counts.cumsum()]), channel.astype(np.int32), value)


def _evenly(moment: Moment, purpose: str, count: int) -> NDArray[np.float64]:
    """Numbers in [-1, 1)."""
    return 2.0 * uniform(moment, purpose, count).astype(np.float64) - 1.0


def _whole(x: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(x + 0.5).astype(np.int64)


def _check(what: str, value: float, good: bool, allowed: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not good:
        raise InvalidValue(what, value, f"a number {allowed}")
