"""Spikes on their way: one entry for each, which travels along its row in order of delays.

So the queue holds spikes, not arrivals, and its length does not grow with the number of synapses. It is a 4-ary
heap by the time of the next arrival, with what belongs to an entry kept aside.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from treplica.engines.event.kernels_clocks import COMPILED, INLINED
from treplica.engines.event.kernels_pointers import row

_INFINITY = np.inf


class Flights(NamedTuple):
    """The queue, with room for a number of entries.

    keys: float64[room], time of the next arrival, in order of the heap. slots: int32[room], which entry that is.
    sent: float64[room], when the spike was. places: int64[room, 4], connection, position of the next synapse, end of
    the row, value of the spike. free: int32[room], unused slots. counts: int64[2], how many there are, and the room.
    """

    keys: NDArray[np.float64]
    slots: NDArray[np.int32]
    sent: NDArray[np.float64]
    places: NDArray[np.int64]
    free: NDArray[np.int32]
    counts: NDArray[np.int64]


def make_flights(room: int) -> Flights:
    """An empty queue."""
    numbers = np.arange(room, dtype=np.int32)
    return Flights(
        np.empty(room),
        numbers.copy(),
        np.empty(room),
        np.empty((room, 4), np.int64),
        numbers,
        np.array([0, room]),
    )


def grown(flights: Flights) -> Flights:
    """The same queue with twice the room."""
    room = flights.keys.size
    new = make_flights(2 * room)
    for name in ("keys", "slots", "sent", "places", "free"):
        getattr(new, name)[:room] = getattr(flights, name)
    new.counts[0] = flights.counts[0]
    return new


@njit(**INLINED)
def next_arrival(flights: Any) -> Any:
    """The time of the next arrival; infinite where no spike is on its way."""
    return flights.keys[0] if flights.counts[0] > 0 else _INFINITY


@njit(**COMPILED)
def push(flights: Any, key: float, sent: float, connection: int, position: int, end: int, value: int) -> None:
    """Add an entry; there must be room."""
    at = flights.counts[0]
    slot = flights.free[at]
    flights.counts[0] = at + 1
    flights.sent[slot] = sent
    place = row(flights.places, 4 * np.int64(slot))
    place[0], place[1], place[2], place[3] = connection, position, end, value
    while at > 0:
        above = (at - 1) >> 2
        if flights.keys[above] <= key:
            break
        flights.keys[at], flights.slots[at] = flights.keys[above], flights.slots[above]
        at = above
    flights.keys[at], flights.slots[at] = key, slot


@njit(**COMPILED)
def replace_first(flights: Any, key: float, slot: int) -> None:
    """Give the first entry's place to an entry, which may be the same one, later."""
    count, at = flights.counts[0], 0
    while True:
        first = 4 * at + 1
        if first >= count:
            break
        best, least = first, flights.keys[first]
        for below in range(first + 1, min(first + 4, count)):
            if flights.keys[below] < least:
                best, least = below, flights.keys[below]
        if key <= least:
            break
        flights.keys[at], flights.slots[at] = least, flights.slots[best]
        at = best
    flights.keys[at], flights.slots[at] = key, slot


@njit(**COMPILED)
def drop_first(flights: Any) -> None:
    """Remove the first entry."""
    count = flights.counts[0] - 1
    flights.counts[0] = count
    flights.free[count] = flights.slots[0]
    if count > 0:
        replace_first(flights, flights.keys[count], flights.slots[count])
