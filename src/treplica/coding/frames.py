"""Frames: values shown one after another, each for a window, with a gap behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.coding.grid import check_dt, whole_steps
from treplica.coding.trains import SpikeTrains
from treplica.errors import InvalidValue

_PART = 1 << 20
"""Values that are looked at together where all of them would take much memory."""


@dataclass(frozen=True)
class Schedule:
    """Steps of a window in which a frame is shown and of the silent gap behind it."""

    window: int
    gap: int
    dt: float

    @classmethod
    def of(cls, window: float, gap: float, dt: float, shortest: int = 1) -> Schedule:
        """Schedule of a window and a gap in ms, both whole steps, the window at least `shortest` steps."""
        dt = check_dt(dt)
        steps = whole_steps("window", window, dt)
        if steps < shortest:
            raise InvalidValue("window", window, f">= {shortest * dt:g} ms, that is {shortest} steps of dt")
        return cls(steps, whole_steps("gap", gap, dt), dt)

    @property
    def period(self) -> int:
        """Steps from one frame to the next."""
        return self.window + self.gap

    def frames_in(self, trains: SpikeTrains) -> int:
        """Number of frames that `trains` cover; raises `InvalidValue` where it is not a whole number."""
        frames, rest = divmod(trains.n_steps, self.period)
        if rest:
            allowed = f"a whole number of windows and gaps, {self.period * self.dt:g} ms each"
            raise InvalidValue("duration of the trains", trains.duration, allowed, "Cut them with `between`.")
        return frames


def as_frames(values: ArrayLike, first: int = 0) -> NDArray[np.float64]:
    """Frames float64[m, n]: one axis is one frame; else the first axis counts frames, the rest is flattened.

    So images [m, h, w] are m frames of h·w values, row by row. Raises `InvalidValue` for what is not finite;
    its message counts frames from `first`.
    """
    try:
        given = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidValue("values", values, "an array of numbers") from None
    if given.ndim == 0 or not given.size:
        raise InvalidValue("values", given.shape, "an array with one axis or more and no empty one")
    frames = given.reshape(1, -1) if given.ndim == 1 else given.reshape(len(given), -1)
    _refuse(frames, ~np.isfinite(frames), "finite", "", first)
    return frames


def as_unit_frames(values: ArrayLike, first: int = 0) -> NDArray[np.float64]:
    """Like `as_frames`, for values that must lie in 0 … 1."""
    frames = as_frames(values, first)
    advice = "Scale them; grey levels are divided by 255."
    _refuse(frames, (frames < 0.0) | (frames > 1.0), "in 0 … 1", advice, first)
    return frames


def unit_frames_in_parts(values: ArrayLike) -> Iterator[NDArray[np.float64]]:
    """`as_unit_frames` a few thousand frames at a time: float64 of all of a large data set is much memory."""
    if not isinstance(values, np.ndarray) or values.ndim < 2 or not values.size:
        yield as_unit_frames(values)
        return
    rows = max(1, _PART * len(values) // values.size)
    for start in range(0, len(values), rows):
        yield as_unit_frames(values[start : start + rows], start)


def _refuse(
    frames: NDArray[np.float64], bad: NDArray[np.bool_], allowed: str, advice: str, first: int
) -> None:
    if bad.any():
        frame, place = np.unravel_index(int(np.argmax(bad)), bad.shape)
        what = f"value {place} of frame {first + frame}"
        raise InvalidValue(what, float(frames[frame, place]), allowed, advice)
