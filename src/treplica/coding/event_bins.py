"""Recordings of event cameras as spikes in steps, with fewer pixels where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from treplica.coding.frames import Schedule
from treplica.coding.grid import TOLERANCE, check_count
from treplica.coding.samples import SpikeSamples
from treplica.errors import InvalidValue

_EVENTS = 1 << 21


class Events(Protocol):
    """Events of m recordings, as `treplica.datasets.Recordings` has them.

    The events indptr[i] … indptr[i + 1] - 1 are those of recording i: pixel x (from the left), y (from the top),
    polarity 0 or 1, and time t in ms from its beginning.
    """

    @property
    def indptr(self) -> NDArray[np.int64]:
        """Where the events of each recording begin, int64[m + 1]."""

    @property
    def x(self) -> NDArray[Any]:
        """Column of each event, from the left."""

    @property
    def y(self) -> NDArray[Any]:
        """Row of each event, from the top."""

    @property
    def polarity(self) -> NDArray[Any]:
        """1 where it became brighter, 0 where darker."""

    @property
    def t(self) -> NDArray[Any]:
        """Time of each event in ms."""

    @property
    def width(self) -> int:
        """Columns of the camera."""

    @property
    def height(self) -> int:
        """Rows of the camera."""


def bin_events(
    events: Events,
    window: float,
    dt: float,
    shape: tuple[int, int] | None = None,
    polarity: bool = True,
    counts: bool = False,
) -> SpikeSamples:
    """Spikes of recordings in window / dt steps: step s holds the times in ((s - 1) dt, s dt], and 0 the first one.

    - `window`, `dt`: ms, the window in whole steps; what comes after it is left out
    - `shape`: (height, width) to which neighbouring pixels are put together; None keeps those of the camera
    - `polarity`: whether brighter and darker have channels of their own
    - `counts`: whether the value of a spike is the number of its events; otherwise several count as one

    With n = height · width, the channel of the pixel (y, x) is polarity · n + y · width + x; there are 2 n channels, or
    n without polarity. Raises `InvalidValue`.
    """
    schedule = Schedule.of(window, 0.0, dt)
    height, width = _shape(events, shape)
    channels = (1 + polarity) * height * width
    parts = []
    for first, last in _parts(events.indptr):
        span = slice(int(events.indptr[first]), int(events.indptr[last]))
        sample = np.repeat(np.arange(last - first), np.diff(events.indptr[first : last + 1]))
        _check_pixels(events, span)
        step = _steps(events.t[span], schedule.dt, span.start)
        row = events.y[span].astype(np.int64) * height // events.height
        column = events.x[span].astype(np.int64) * width // events.width
        channel = row * width + column
        if polarity:
            channel += events.polarity[span].astype(np.int64) * (height * width)
        seen = step <= schedule.window
        value = np.ones(int(seen.sum())) if counts else None
        sparse = SpikeSamples.from_spikes(
            sample[seen],
            step[seen].astype(np.int64),
            channel[seen],
            last - first,
            schedule.window,
            channels,
            value,
        )
        parts.append(sparse)
    return SpikeSamples.concatenate(parts)


def _shape(events: Events, shape: tuple[int, int] | None) -> tuple[int, int]:
    if shape is None:
        return events.height, events.width
    height, width = check_count("shape[0]", shape[0], 1), check_count("shape[1]", shape[1], 1)
    if height > events.height or width > events.width:
        raise InvalidValue("shape", shape, f"at most ({events.height}, {events.width}), the camera's pixels")
    return height, width


def _parts(indptr: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Spans of recordings with about two million events, so that sorting them stays in a little memory."""
    first = 0
    while True:
        last = int(np.searchsorted(indptr, indptr[first] + _EVENTS, side="right")) - 1
        last = min(max(last, first + 1), len(indptr) - 1)
        yield first, last
        if last == len(indptr) - 1:
            return
        first = last


def _check_pixels(events: Events, span: slice) -> None:
    limits = (("x", events.x, events.width), ("y", events.y, events.height), ("polarity", events.polarity, 2))
    for name, column, limit in limits:
        bad = (column[span] < 0) | (column[span] >= limit)
        if bad.any():
            at = span.start + int(np.argmax(bad))
            raise InvalidValue(f"{name}[{at}]", int(column[at]), f"in 0 … {limit - 1}")


def _steps(t: NDArray[Any], dt: float, start: int) -> NDArray[np.float64]:
    """Step of each time; multiples of dt count as such within the rounding of the type that they are kept in."""
    scaled = t.astype(np.float64) / dt
    bad = ~(np.isfinite(scaled) & (scaled >= 0.0))
    if bad.any():
        at = int(np.argmax(bad))
        raise InvalidValue(f"t[{start + at}]", float(t[at]), "a finite time >= 0 ms")
    room = TOLERANCE + (np.finfo(t.dtype).eps if t.dtype.kind == "f" else 0.0) * scaled
    return np.maximum(np.ceil(scaled - room), 1.0)
