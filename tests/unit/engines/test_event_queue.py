"""The calendar of spikes on their way and the heap of clocks, beside Python's heapq."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from treplica.engines.event.kernels_clocks import make_clocks, next_due, set_clock
from treplica.engines.event.kernels_flights import (
    COUNT,
    drop,
    grown,
    make_flights,
    next_arrival,
    push,
    put_back,
    take,
)
from treplica.engines.event.kernels_pointers import pointers

PUSH, AGAIN, DROP = range(3)


@njit
def through_the_calendar(flights, kinds, waits, found, first):
    """Do operations from `first` on; the first that found no room. found: times of the entries taken."""
    queue = pointers(flights)
    for n in range(first, kinds.shape[0]):
        now = found[n - 1] if n else 0.0
        found[n] = now
        if kinds[n] == PUSH:
            if queue.numbers[COUNT] == flights.keys.shape[0]:
                return n
            push(queue, now + waits[n], now, n, 0, 1, 1)
        elif queue.numbers[COUNT]:
            found[n] = next_arrival(queue)
            entry = take(queue)
            if kinds[n] == DROP:
                drop(queue, entry)
            else:
                put_back(queue, entry, found[n] + waits[n])
    return kinds.shape[0]


def calendar(kinds: np.ndarray, waits: np.ndarray, room: int = 8) -> tuple[list[float], int]:
    """Times after each operation, and how much room was needed."""
    flights, found, done = make_flights(room), np.zeros(kinds.size), 0
    while done < kinds.size:
        done = through_the_calendar(flights, kinds, waits, found, done)
        if done < kinds.size:
            flights = grown(flights)
    return found.tolist(), flights.keys.size


def heap(kinds: np.ndarray, waits: np.ndarray) -> list[float]:
    """The same with heapq."""
    queue: list[float] = []
    found, now = [], 0.0
    for kind, wait in zip(kinds.tolist(), waits.tolist(), strict=True):
        if kind == PUSH:
            heapq.heappush(queue, now + wait)
        elif queue:
            now = heapq.heappop(queue)
            if kind == AGAIN:
                heapq.heappush(queue, now + wait)
        found.append(now)
    return found


WAITS = st.sampled_from([1e-9, 0.001, 0.001, 0.5, 1.5, 1.5, 100.0, 1e5]) | st.floats(1e-6, 50.0)


@given(st.lists(st.tuples(st.sampled_from([PUSH, PUSH, AGAIN, AGAIN, DROP]), WAITS), max_size=300))
@settings(max_examples=200)
def test_the_calendar_is_a_queue(operations: list[tuple[int, float]]) -> None:
    kinds = np.array([k for k, _ in operations], np.int64)
    waits = np.array([w for _, w in operations], np.float64)
    assert calendar(kinds, waits)[0] == heap(kinds, waits)


@pytest.mark.parametrize("name", ["volleys", "quiet", "mixed", "one delay"])
def test_days_of_any_length_keep_the_order(name: str) -> None:
    """Long enough that days become shorter and longer many times."""
    random, n = np.random.default_rng(3), 60_000
    kinds = random.choice([PUSH, AGAIN, AGAIN, DROP], n, p=[0.15, 0.4, 0.32, 0.13])
    waits = {
        "volleys": np.where(np.arange(n) // 500 % 2, 1e-6, 5.0) * random.uniform(0.5, 1.0, n),
        "quiet": random.exponential(300.0, n),
        "mixed": random.choice([1e-6, 1e-3, 1.0, 1000.0], n) * random.random(n),
        "one delay": np.full(n, 1.5),
    }[name]
    found, room = calendar(kinds, waits)
    assert room > 64
    assert found == heap(kinds, waits)


@njit
def through_the_clocks(clocks, which, times, shown):
    on = pointers(clocks)
    for n in range(which.shape[0]):
        set_clock(on, which[n], times[n])
        shown[n] = next_due(on)


@given(st.lists(st.tuples(st.integers(0, 30), st.just(math.inf) | st.floats(0.0, 1e6)), max_size=200))
@settings(max_examples=200)
def test_clocks_show_the_first(operations: list[tuple[int, float]]) -> None:
    which = np.array([c for c, _ in operations], np.int64)
    times = np.array([t for _, t in operations], np.float64)
    shown = np.zeros(which.size)
    clocks = make_clocks(31)
    through_the_clocks(clocks, which, times, shown)
    due, expected = [math.inf] * 31, []
    for clock, time in operations:
        due[clock] = time
        expected.append(min(due))
    assert shown.tolist() == expected
    assert clocks.due.tolist() == due
