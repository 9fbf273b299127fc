"""Spikes on their way: one entry for each, which travels along its row in order of delays.

So the queue holds spikes, not arrivals, and its length does not grow with the number of synapses. It is a calendar:
time is cut into days of one length, each day has a list of its entries in order of their next arrivals, and days a
year apart share a list. A heap takes two to four times as long (`benchmarks/queues.py`). Days become shorter where
lists grow long, and longer where most are empty; that changes no order.

Brown 1988, "Calendar queues: a fast O(1) priority queue implementation", doi:10.1145/63039.63045.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from treplica.engines.event.kernels_clocks import COMPILED, INLINED
from treplica.engines.event.kernels_pointers import row

_INFINITY = np.inf
#: Numbers of the queue. today: no entry is due on an earlier day. taken, walked, skipped: entries taken, entries passed
#: to find the place of others, empty days, since the length of a day was looked at.
COUNT, ROOM, DAYS, TODAY, TAKEN, WALKED, SKIPPED, NUMBERS = range(8)
#: Days per ms at first, at least and at most.
_FIRST, _FEWEST, _MOST = 128.0, 2.0**-10, 2.0**30
#: The length of a day is looked at after so many entries, or a share of the room. Lists longer, and days emptier on
#: average than this ask for another; by this factor.
_LOOK, _SHARE, _LONG, _EMPTY, _FACTOR = 256, 4, 2, 16, 4.0


class Flights(NamedTuple):
    """The queue, with room for a number of entries.

    keys: float64[room], time of the next arrival. sent: float64[room], when the spike was. places: int64[room, 4],
    connection, position of the next synapse, end of the row, value of the spike. after: int32[room], the next entry in
    the list of a day, or -1. free: int32[room], unused entries from `COUNT` on. heads: int32[DAYS], the first entry of
    each day. numbers: int64[NUMBERS]. pace: float64[1], days per ms.
    """

    keys: NDArray[np.float64]
    sent: NDArray[np.float64]
    places: NDArray[np.int64]
    after: NDArray[np.int32]
    free: NDArray[np.int32]
    heads: NDArray[np.int32]
    numbers: NDArray[np.int64]
    pace: NDArray[np.float64]


def make_flights(room: int) -> Flights:
    """An empty queue; room: a power of two."""
    numbers = np.zeros(NUMBERS, np.int64)
    numbers[ROOM], numbers[DAYS] = room, 2 * room
    return Flights(
        np.empty(room), np.empty(room), np.empty((room, 4), np.int64), np.empty(room, np.int32),
        np.arange(room, dtype=np.int32), np.full(2 * room, -1, np.int32), numbers, np.array([_FIRST]),
    )  # fmt: skip


def grown(flights: Flights) -> Flights:
    """The same queue with twice the room."""
    room = flights.keys.size
    new = make_flights(2 * room)
    for name in ("keys", "sent", "places", "after", "free", "heads"):
        getattr(new, name)[: getattr(flights, name).shape[0]] = getattr(flights, name)
    new.numbers[COUNT], new.pace[:] = flights.numbers[COUNT], flights.pace
    relink(new)
    return new


@njit(**COMPILED)
def insert(flights: Any, entry: int) -> None:
    """Put an entry into the list of its day."""
    key = flights.keys[entry]
    day = np.int64(key * flights.pace[0])
    if day < flights.numbers[TODAY]:
        flights.numbers[TODAY] = day
    place = day & (flights.numbers[DAYS] - 1)
    before, next_ = np.int64(-1), np.int64(flights.heads[place])
    while next_ >= 0 and flights.keys[next_] < key:
        before, next_ = next_, np.int64(flights.after[next_])
        flights.numbers[WALKED] += 1
    flights.after[entry] = next_
    if before < 0:
        flights.heads[place] = entry
    else:
        flights.after[before] = entry


@njit(cache=True, **COMPILED)
def relink(flights: Any) -> None:
    """Make the lists of all days anew, from lists of whatever days."""
    chain = np.int64(-1)
    for day in range(flights.numbers[DAYS]):
        entry = np.int64(flights.heads[day])
        flights.heads[day] = -1
        while entry >= 0:
            next_ = np.int64(flights.after[entry])
            flights.after[entry] = chain
            chain, entry = entry, next_
    flights.numbers[TODAY] = np.int64(1) << 62
    while chain >= 0:
        next_ = np.int64(flights.after[chain])
        insert(flights, chain)
        chain = next_


@njit(**COMPILED)
def _look(flights: Any) -> None:
    """Make days shorter or longer where that is called for."""
    numbers, pace = flights.numbers, flights.pace[0]
    taken = numbers[TAKEN]
    if numbers[WALKED] > _LONG * taken:
        pace = min(pace * _FACTOR, _MOST)
    elif numbers[SKIPPED] > _EMPTY * taken:
        pace = max(pace / _FACTOR, _FEWEST)
    if pace != flights.pace[0]:
        flights.pace[0] = pace
        relink(flights)
    numbers[TAKEN] = numbers[WALKED] = numbers[SKIPPED] = 0


@njit(**COMPILED)
def _first_of_all(flights: Any) -> Any:
    """The day of the first entry, looked for among all; there is one."""
    first = _INFINITY
    for day in range(flights.numbers[DAYS]):
        entry = flights.heads[day]
        if entry >= 0:
            first = min(first, flights.keys[entry])
    return np.int64(first * flights.pace[0])


@njit(**INLINED)
def next_arrival(flights: Any) -> Any:
    """The time of the next arrival; infinite where no spike is on its way."""
    numbers = flights.numbers
    if numbers[COUNT] == 0:
        return _INFINITY
    mask, passed = numbers[DAYS] - 1, 0
    while True:
        entry = flights.heads[numbers[TODAY] & mask]
        if entry >= 0 and np.int64(flights.keys[entry] * flights.pace[0]) == numbers[TODAY]:
            numbers[SKIPPED] += passed
            return flights.keys[entry]
        numbers[TODAY] += 1
        passed += 1
        if passed > mask:
            numbers[TODAY] = _first_of_all(flights)


@njit(**COMPILED)
def push(flights: Any, key: float, sent: float, connection: int, position: int, end: int, value: int) -> None:
    """Add an entry; there must be room."""
    at = flights.numbers[COUNT]
    entry = np.int64(flights.free[at])
    flights.numbers[COUNT] = at + 1
    flights.keys[entry], flights.sent[entry] = key, sent
    place = row(flights.places, 4 * entry)
    place[0], place[1], place[2], place[3] = connection, position, end, value
    insert(flights, entry)


@njit(**INLINED)
def take(flights: Any) -> Any:
    """Take the first entry out of its list; `next_arrival` has just told that there is one."""
    place = flights.numbers[TODAY] & (flights.numbers[DAYS] - 1)
    entry = np.int64(flights.heads[place])
    flights.heads[place] = flights.after[entry]
    return entry


@njit(**INLINED)
def put_back(flights: Any, entry: int, key: float) -> None:
    """Put an entry that was taken back for a later arrival."""
    flights.keys[entry] = key
    insert(flights, entry)
    _count(flights)


@njit(**INLINED)
def drop(flights: Any, entry: int) -> None:
    """Forget an entry that was taken."""
    count = flights.numbers[COUNT] - 1
    flights.numbers[COUNT] = count
    flights.free[count] = entry
    _count(flights)


@njit(**COMPILED)
def _count(flights: Any) -> None:
    """Another entry was taken."""
    numbers = flights.numbers
    numbers[TAKEN] += 1
    if numbers[TAKEN] >= max(_LOOK, numbers[ROOM] // _SHARE):
        _look(flights)
