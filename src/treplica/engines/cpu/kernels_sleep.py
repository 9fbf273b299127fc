"""Waking neurons, updating those that are awake, and putting to rest those that did not change.

A sleeping neuron has its states at its own place in the arrays of the population (at home). To wake it, they are
copied to the end of columns that hold the awake neurons side by side; the update reads the columns alone. When it
rests, its states go home and the last of the awake neurons takes its position.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cfunc, njit

from treplica.engines.cpu.frame import Frame
from treplica.engines.cpu.intrinsics import (
    INLINE,
    call6,
    load,
    prefetch,
    view_i8,
    view_i16,
    view_i32,
    view_i64,
    view_u8,
)
from treplica.engines.cpu.runtime import BLOCK, NOT_FINITE
from treplica.engines.cpu.signature import SIGNATURE

#: Items of the frame of a thread's awake neurons. board: address of int64[2], how many there are and how many updates
#: they had. place: int32 for each neuron of the thread, its position + 1, or 0 where it sleeps. moved: table below.
AWAKE_FRAME = (
    "board", "first", "place", "ids", "moved", "columns", "kernel", "frame", "still", "graded", "resting",
)  # fmt: skip
#: Columns that go with a neuron. back: whether they go home with it.
MOVED = ("home", "column", "width", "back")
#: Neurons that are looked up at once.
BATCH = 512
_GAP = Frame().item("gap")


@njit(**INLINE)
def _copy(source: int, i: int, target: int, j: int, width: int) -> None:
    """Item i of an array to item j of another; width: bytes."""
    if width == 2:
        view_i16(target + 2 * j, 1)[0] = view_i16(source + 2 * i, 1)[0]
    elif width == 4:
        view_i32(target + 4 * j, 1)[0] = view_i32(source + 4 * i, 1)[0]
    elif width == 8:
        view_i64(target + 8 * j, 1)[0] = view_i64(source + 8 * i, 1)[0]
    else:
        view_i8(target + j, 1)[0] = view_i8(source + i, 1)[0]


@njit(**INLINE)
def wake(frame: int, neuron: int) -> Any:
    """The position of a neuron among those that are awake; it wakes up if it sleeps."""
    f = view_i64(frame, 11)
    place = view_i32(f[2] + 4 * (neuron - f[1]), 1)
    if place[0] != 0:
        return np.int64(place[0]) - 1
    board = view_i64(f[0], 2)
    position = board[0]
    board[0] = position + 1
    place[0] = np.int32(position + 1)
    view_i32(f[3] + 4 * position, 1)[0] = np.int32(neuron)
    for c in range(f[5]):
        column = view_i64(f[4] + 32 * c, 4)
        _copy(column[0], neuron, column[1], position, column[2])
    return position


@njit(**INLINE)
def wake_all(frame: int, ids: int, count: int) -> None:
    """Put the positions of neurons (int32[count]) in their place; those that sleep wake up.

    What a neuron has lies anywhere in memory, so all of it is asked for before it is used.
    """
    f = view_i64(frame, 11)
    first, place, rows, columns = f[1], f[2], f[4], f[5]
    neurons = view_i32(ids, count)
    for k in range(count):
        prefetch(place + 4 * (np.int64(neurons[k]) - first))
    for k in range(count):
        neuron = np.int64(neurons[k])
        if load(place, neuron - first, 4) == 0:
            for c in range(columns):
                row = view_i64(rows + 32 * c, 4)
                prefetch(row[0] + row[2] * neuron)
    for k in range(count):
        neurons[k] = np.int32(wake(frame, np.int64(neurons[k])))


@njit(**INLINE)
def _find_still(frame: int, count: int) -> int:
    """List the positions of the neurons that are still, and ask for their places at home; how many."""
    f = view_i64(frame, 11)
    first, place, rows, columns = f[1], f[2], f[4], f[5]
    ids, resting = view_i32(f[3], count), view_i32(f[10], count)
    words, still = view_i64(f[8], (count + 7) // 8), view_u8(f[8], count)
    found = 0
    for w in range(words.shape[0]):
        if words[w] == 0:
            continue
        for i in range(8 * w, min(8 * w + 8, count)):
            if still[i] != 0:
                resting[found] = i
                found += 1
                neuron = np.int64(ids[i])
                prefetch(place + 4 * (neuron - first))
                for c in range(columns):
                    row = view_i64(rows + 32 * c, 4)
                    if row[3] != 0:
                        prefetch(row[0] + row[2] * neuron)
    return found


@njit(**INLINE)
def _rest(frame: int, count: int) -> None:
    """Put to sleep the neurons that are still; the last position first, so that the last awake one can take it."""
    f = view_i64(frame, 11)
    found = _find_still(frame, count)
    ids, resting = view_i32(f[3], count), view_i32(f[10], found)
    left = count
    for k in range(found):
        i = np.int64(resting[found - 1 - k])
        left -= 1
        neuron, last = np.int64(ids[i]), np.int64(ids[left])
        view_i32(f[2] + 4 * (neuron - f[1]), 1)[0] = np.int32(0)
        for c in range(f[5]):
            column = view_i64(f[4] + 32 * c, 4)
            if column[3] != 0:
                _copy(column[1], i, column[0], neuron, column[2])
            if i != left:
                _copy(column[1], left, column[1], i, column[2])
        if i != left:
            ids[i] = np.int32(last)
            view_i32(f[2] + 4 * (last - f[1]), 1)[0] = np.int32(i + 1)
    view_i64(f[0], 2)[0] = left


@njit(**INLINE)
def _sort_spikes(frame: int, ids: int, found: int) -> None:
    """Positions to ids, ascending, with their values where spikes are graded."""
    f = view_i64(frame, 11)
    out = view_i32(ids, found)
    for s in range(found):
        out[s] = view_i32(f[3] + 4 * np.int64(out[s]), 1)[0]
    if f[9] == 0:
        out.sort()
        return
    values = view_i32(ids + view_i64(f[7], _GAP + 1)[_GAP], found)
    order = np.argsort(out)
    sorted_ids, sorted_values = out[order], values[order]
    out[:] = sorted_ids
    values[:] = sorted_values


def _update_awake(frame: int, _: int, __: int, step: int, scratch: int, ids: int) -> int:
    """update(frame, _, __, step, scratch, ids), for the awake neurons of a thread."""
    f = view_i64(frame, 11)
    board = view_i64(f[0], 2)
    count, found, bad = board[0], 0, 0
    board[1] += count
    lo = 0
    while lo < count:
        hi = min(lo + BLOCK, count)
        new = call6(f[6], (f[7], lo, hi, step, scratch, ids + 4 * found))
        if new >= NOT_FINITE:
            bad = NOT_FINITE
            new -= NOT_FINITE
        found += new
        lo = hi
    if found > 0:
        _sort_spikes(frame, ids, found)
    _rest(frame, count)
    return found + bad


update_awake: Any = cfunc(SIGNATURE, cache=True, **INLINE)(_update_awake)
