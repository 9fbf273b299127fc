"""A heap of clocks: each shows the time of the next thing that happens by itself, and can be set again at any time.

`due[c]` is the time of clock c (infinite: it stands still and is not in the heap). `heap` holds the clocks that go,
in order of a 4-ary heap: a neuron's clock is set at every arrival, and most of these moves are short. `place[c]` is
the position of clock c in the heap plus 1, or 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from treplica.numerics.compiled_elementary import bits_double, double_bits

COMPILED = {"error_model": "numpy", "nogil": True, "fastmath": False}
#: For functions that take many arrays: a call would hand over every one of them.
INLINED = {**COMPILED, "forceinline": True}
_INFINITY = np.inf


@njit(**COMPILED)
def moment_after(time: float) -> Any:
    """The smallest number above a time, which is not negative."""
    return bits_double(double_bits(time + 0.0) + 1)  # 0 is added for the sake of -0


class Clocks(NamedTuple):
    """due: float64[clocks], ms. heap, place: int32[clocks]. going: int64[1], how many go."""

    due: NDArray[np.float64]
    heap: NDArray[np.int32]
    place: NDArray[np.int32]
    going: NDArray[np.int64]


def make_clocks(count: int) -> Clocks:
    """Clocks that all stand still."""
    due = np.full(count, np.inf)
    return Clocks(due, np.zeros(count, np.int32), np.zeros(count, np.int32), np.zeros(1, np.int64))


@njit(**COMPILED)
def _rise(clocks: Any, at: int, clock: int) -> None:
    """Move a clock towards the top from position `at`, which is free."""
    time = clocks.due[clock]
    while at > 0:
        above = (at - 1) >> 2
        other = clocks.heap[above]
        if clocks.due[other] <= time:
            break
        clocks.heap[at] = other
        clocks.place[other] = at + 1
        at = above
    clocks.heap[at] = clock
    clocks.place[clock] = at + 1


@njit(**COMPILED)
def _sink(clocks: Any, at: int, clock: int) -> None:
    """Move a clock away from the top from position `at`, which is free."""
    time, count = clocks.due[clock], clocks.going[0]
    while True:
        first = 4 * at + 1
        if first >= count:
            break
        best, least = first, clocks.due[clocks.heap[first]]
        for below in range(first + 1, min(first + 4, count)):
            other = clocks.due[clocks.heap[below]]
            if other < least:
                best, least = below, other
        if time <= least:
            break
        clocks.heap[at] = clocks.heap[best]
        clocks.place[clocks.heap[at]] = at + 1
        at = best
    clocks.heap[at] = clock
    clocks.place[clock] = at + 1


@njit(**COMPILED)
def set_clock(clocks: Any, clock: int, time: float) -> None:
    """Set a clock; infinite: it stands still."""
    before = clocks.due[clock]
    if time == before:
        return
    clocks.due[clock] = time
    if before == _INFINITY:
        at = clocks.going[0]
        clocks.going[0] = at + 1
        _rise(clocks, at, clock)
        return
    at = np.int64(clocks.place[clock]) - 1
    if time < before:
        _rise(clocks, at, clock)
    elif time < _INFINITY:
        _sink(clocks, at, clock)
    else:
        clocks.place[clock] = 0
        clocks.going[0] -= 1
        last = np.int64(clocks.heap[clocks.going[0]])
        if last != clock:
            _sink(clocks, at, last)
            _rise(clocks, np.int64(clocks.place[last]) - 1, last)


@njit(**INLINED)
def next_due(clocks: Any) -> Any:
    """The time of the clock that is due first; infinite where all stand still."""
    return clocks.due[clocks.heap[0]] if clocks.going[0] > 0 else _INFINITY
