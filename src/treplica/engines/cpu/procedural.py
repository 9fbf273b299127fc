"""Connections whose synapses are not kept: what their kernels need, and the sums that every thread has of its own."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.connectivity.calls import RowCall
from treplica.connectivity.draw_calls import DrawCall, draw_call
from treplica.engines.connections import Connections
from treplica.engines.cpu.deliver_procedural import ITEMS, PROCEDURAL_FRAME
from treplica.engines.cpu.frames import Filled
from treplica.engines.cpu.sums import Sums
from treplica.engines.cpu.tally import LEVELS
from treplica.engines.loads import Loads
from treplica.engines.plan import Plan
from treplica.engines.units import MOST_UNITS
from treplica.errors import InvalidValue
from treplica.model import Draw


@dataclass(frozen=True)
class Recipe:
    """How the rows of one projection are computed.

    weigh, time: draws of weights and delays, None for one of all. marked: whether rows are counted as bitmaps. longest:
    of its rows. starts: int64[neurons + 1], see `Connections.spread`.
    """

    connections: Connections
    row: RowCall
    weigh: DrawCall | None
    time: DrawCall | None
    marked: bool
    longest: int
    starts: NDArray[np.int64]

    @property
    def largest(self) -> int:
        """The largest magnitude of a weight, in units."""
        weight = self.connections.weight
        return abs(weight) if isinstance(weight, int) else 1 << (self.connections.weight_bits - 1)

    @property
    def factor(self) -> int | None:
        """What a count of spikes is worth, where sums can be such counts."""
        weight = self.connections.weight
        return weight if isinstance(weight, int) and self.time is None else None

    @property
    def scratch(self) -> int:
        """Bytes that the functions need."""
        return max(self.row.scratch, *(draw.scratch if draw else 0 for draw in (self.weigh, self.time)))


def recipe(connections: Connections, graded: int) -> Recipe:
    """The recipe of a projection; InvalidValue where compiled code cannot compute its rows."""
    longest = int(np.diff(connections.indptr).max(initial=0))
    row = connections.rows.call(longest)
    if row is None:
        raise _refusal(connections, "rule", connections.rows)
    weigh = _draw_call(connections, "weight", connections.weight, connections.weight_stream)
    time = _draw_call(connections, "delay", connections.delay, connections.delay_stream)
    marked = row.mark is not None and weigh is None and time is None and graded == 1
    return Recipe(connections, row, weigh, time, marked, longest, connections.spread())


def _draw_call(connections: Connections, what: str, given: float | Draw, stream: int) -> DrawCall | None:
    """How values are drawn; None where all synapses have the same."""
    if not isinstance(given, Draw):
        return None
    call = draw_call(given, connections.seed, stream)
    if call is None:
        raise _refusal(connections, what, given)
    return call


def _refusal(connections: Connections, what: str, given: Any) -> InvalidValue:
    allowed = "one of treplica.connectivity, which compiled code can compute, for storage='procedural'"
    advice = "Use storage='auto', which keeps its synapses."
    return InvalidValue(f"{connections.name}: {what}", type(given).__name__, allowed, advice)


class Workspace:
    """Room of one thread for a row of any of its recipes, and for counting bitmaps."""

    def __init__(self, recipes: list[Recipe]) -> None:
        longest = max((r.longest for r in recipes), default=0)
        drawn = max((r.longest for r in recipes if r.weigh or r.time), default=0)
        targets = max((r.connections.rows.n_target for r in recipes if r.marked), default=0)
        words = (targets + 63) // 64
        self.targets = np.empty(longest, dtype=np.int32)
        self.amounts, self.places = np.empty(drawn), np.empty(drawn)
        self.scratch = np.empty(max((r.scratch for r in recipes), default=0), dtype=np.uint8)
        self.bits = np.empty(words, dtype=np.uint64)
        self.planes = np.empty(2 * LEVELS * words, dtype=np.uint64)

    @property
    def nbytes(self) -> int:
        """Bytes of all of it."""
        return sum(a.nbytes for a in vars(self).values())


class Procedural:
    """Connections that are recomputed at each spike; `sums` are theirs."""

    def __init__(self, plan: Plan, connections: tuple[Connections, ...], threads: int, loads: Loads) -> None:
        self.connections = connections
        graded = [plan.populations[c.source].graded for c in connections]
        self.recipes = [recipe(c, g) for c, g in zip(connections, graded, strict=True)]
        self.spaces = [Workspace(self.recipes) for _ in range(threads if connections else 0)]
        groups: dict[tuple[int, int, int | None, bool], list[tuple[Recipe, int]]] = {}
        for made, most in zip(self.recipes, graded, strict=True):
            groups.setdefault(_sums_key(made), []).append((made, most))
        #: What one projection may bring to one neuron in one step at most, on one thread.
        share = MOST_UNITS // max(1, 2 * threads * len(connections))
        self.sums: dict[tuple[int, int, int | None, bool], Sums] = {}
        for key, members in groups.items():
            population, _, factor, timed = key
            depth = max(r.connections.longest for r, _ in members) if timed else 1
            largest = [1 if factor is not None else r.largest for r, _ in members]
            bound = sum(r.row.in_degree * w * g for (r, g), w in zip(members, largest, strict=True))
            limit = MOST_UNITS if factor is None else share // max(1, abs(factor))  # the first is proven
            size = plan.populations[population].size
            self.sums[key] = Sums(size, depth, bound, 1 if factor is None else factor, limit, threads)
        for made, most in zip(self.recipes, graded, strict=True):
            load = made.row.in_degree * made.largest
            if made.factor is not None:
                load = min(load, share // most)  # checked when they are collected
            loads.of(made.connections.target, made.connections.port)[:] += load

    def sums_of(self, connections: Connections) -> Sums:
        """The sums of a projection."""
        made = next(r for r in self.recipes if r.connections is connections)
        return self.sums[_sums_key(made)]

    def frames(self, thread: int) -> list[Filled]:
        """The frame of every projection for a thread; see `deliver_procedural.PROCEDURAL_FRAME`."""
        return [
            _frame(made, self.sums[_sums_key(made)], self.spaces[thread], thread) for made in self.recipes
        ]

    def check(self) -> None:
        """Raise SimulationError where a sum was too large for the accumulators."""
        for sums in self.sums.values():
            sums.check()

    @property
    def overhead(self) -> int:
        """Bytes of what finds rows, and of the room to compute them in."""
        return sum(r.starts.nbytes for r in self.recipes) + sum(s.nbytes for s in self.spaces)

    @property
    def sums_nbytes(self) -> int:
        """Bytes of the sums."""
        return sum(s.nbytes for s in self.sums.values())


def _sums_key(made: Recipe) -> tuple[int, int, int | None, bool]:
    """Projections with the same key add to the same sums."""
    return made.connections.target, made.connections.port, made.factor, made.time is not None


def _frame(made: Recipe, sums: Sums, space: Workspace, thread: int) -> Filled:
    filled, c = Filled(), made.connections
    filled.alive += [*made.row.settings.alive, made.row.settings.items]
    values: dict[str, int] = {
        "source": c.source, "first": int(c.ids(0, 1)[0]), "rows": made.starts.size - 1,
        "starts": filled.of(made.starts), "n_rows": c.rows.n_source,
        "row_ids": 0 if c.source_ids is None else filled.of(c.source_ids),
        "row": made.row.row.address, "mark": made.row.mark.address if made.marked else 0,
        "row_settings": made.row.settings.address,
        "inverse": _bits(1.0 / c.unit), "rounded": int(c.rounded), "dt": _bits(c.dt),
        "weight": c.weight if isinstance(c.weight, int) and made.factor is None else 1,
        "shortest": c.shortest, "longest": c.longest,
        "first_target": 0 if c.target_ids is not None else c.first_target,
        "target_ids": 0 if c.target_ids is None else filled.of(c.target_ids), "n_target": c.rows.n_target,
        "sums": filled.of(sums.arrays[thread]), "width": sums.width, "stamps": filled.of(sums.stamps[thread]),
        "depth": sums.depth, "size": sums.size,
        "targets": filled.of(space.targets), "amounts": filled.of(space.amounts),
        "places": filled.of(space.places), "scratch": filled.of(space.scratch), "bits": filled.of(space.bits),
        "planes": filled.of(space.planes),
    }  # fmt: skip
    for function, settings, draw in (
        ("weigh", "weigh_settings", made.weigh),
        ("time", "time_settings", made.time),
    ):
        values[function] = draw.values.address if draw else 0
        values[settings] = draw.settings.address if draw else 0
        if draw:
            filled.alive += [*draw.settings.alive, draw.settings.items]
    assert len(values) == len(ITEMS)
    return filled.close([values[name] for name in PROCEDURAL_FRAME])


def _bits(value: float) -> int:
    """The bits of a float64."""
    return int(struct.unpack("<q", struct.pack("<d", value))[0])
