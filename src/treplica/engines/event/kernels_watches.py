"""Levels that somebody watches: when v of a neuron rises to one, by itself or by what arrives; a current, by that."""

from __future__ import annotations

from typing import Any

from numba import njit

from treplica.engines.event.kernels_cells import FIRST_CURRENT, V, cell_of, constants_of, reach_level
from treplica.engines.event.kernels_clocks import COMPILED, moment_after, set_clock
from treplica.engines.event.world import B_CROSSED, B_PAUSE, P_COLUMNS, P_FIRST, P_KIND, S_WATCHES

#: A potential that is below a level by less than this, mV, when it has just crossed it is below it by rounding.
_NEAR = 1e-9


@njit(**COMPILED)
def watcher(world: Any, clock: int) -> Any:
    """The neuron whose level a clock watches."""
    w = 0
    while w + 1 < world.sizes[S_WATCHES] and world.watches[3 * w + 4] <= clock:
        w += 1
    return clock - world.watches[3 * w + 1] + world.populations[world.watches[3 * w] * P_COLUMNS + P_FIRST]


@njit(**COMPILED)
def compare(world: Any, p: int, neuron: int, before: Any, cell: Any, crosses: bool) -> None:
    """Take note of the levels that a neuron has risen to at this instant; before: v and currents without arrivals."""
    for w in range(world.sizes[S_WATCHES]):
        if world.watches[3 * w] != p:
            continue
        level, column = world.levels[w], world.watches[3 * w + 2]
        old = before[0] if column == V else before[1] if column == FIRST_CURRENT else before[2]
        jumps = old < level and cell[column] >= level
        if jumps or (crosses and column == V and abs(old - level) <= _NEAR):
            at = world.board[B_CROSSED]
            world.crossed[2 * at], world.crossed[2 * at + 1] = w, neuron
            world.board[B_CROSSED] += 1
            world.board[B_PAUSE] = 1


@njit(**COMPILED)
def watch(world: Any, clocks: Any, p: int, neuron: int, time: float, crosses: bool) -> None:
    """Set the clocks of the levels of a neuron."""
    cell, k = cell_of(world, neuron), constants_of(world, neuron)
    for w in range(world.sizes[S_WATCHES]):
        if world.watches[3 * w] == p and world.watches[3 * w + 2] == V:
            v, level = cell[V], world.levels[w]
            if crosses and v < level and level - v <= _NEAR:
                cell[V] = level  # it must fall before it can rise to it again
            rises = reach_level(world.populations[p * P_COLUMNS + P_KIND], cell, k, level)
            cell[V] = v
            clock = world.watches[3 * w + 1] + neuron - world.populations[p * P_COLUMNS + P_FIRST]
            set_clock(clocks, clock, max(rises, moment_after(time)))
