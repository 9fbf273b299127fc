"""The synapses of a network in the storage that was chosen, ready for kernels: tables, and who delivers them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from treplica.engines.connections import Connections
from treplica.engines.cpu.deliver import empty_kernel, rows_kernel
from treplica.engines.cpu.deliver_awake import awake_rows_kernel
from treplica.engines.cpu.deliver_packed import packed_kernel
from treplica.engines.cpu.deliver_procedural import collect_kernel, procedural_kernel
from treplica.engines.cpu.frames import Filled, empty_frame, packed_frame, rows_frame
from treplica.engines.cpu.layout import Layout
from treplica.engines.cpu.memory import Arrivals, Regions
from treplica.engines.cpu.packing import PackedTable
from treplica.engines.cpu.procedural import Procedural
from treplica.engines.cpu.rows import RowTable
from treplica.engines.loads import Loads
from treplica.engines.plan import Plan

#: A kernel and its frame for one thread.
Call = tuple[Any, Filled]


class Synapses:
    """Builds the tables of a layout; then says how they are delivered into given accumulators."""

    def __init__(self, plan: Plan, layout: Layout, regions: Regions) -> None:
        self.plan, self.layout = plan, layout
        self.loads = Loads(plan)
        self.packed = [PackedTable(p, regions, self.loads) for p in layout.packed]
        self.procedural = Procedural(plan, layout.procedural, regions.threads, self.loads)
        self.rows = [
            RowTable(
                c, regions.bounds[c.target], self.loads, plan.populations[c.target].composition.may_sleep
            )
            for c in layout.rows
        ]

    def rings(self, sleeping: Collection[int]) -> dict[tuple[int, int], int]:
        """Depth of the ring of every port that is delivered to when a spike is sent: of those that do not sleep."""
        depths: dict[tuple[int, int], int] = {}
        for table in self.rows:
            if not isinstance(table.delays, int) and table.connections.target not in sleeping:
                key = (table.connections.target, table.connections.port)
                depths[key] = max(depths.get(key, 0), table.connections.longest + 1)
        return depths

    def deliveries(self, arrivals: Arrivals, thread: int) -> list[Call]:
        """What a thread calls after every step."""
        calls: list[Call] = []
        for packed in self.packed:
            packing = packed.packing
            graded = self.plan.populations[packing.source].graded > 1
            kernel = packed_kernel(packing.word, packing.weight is None, arrivals.width, graded)
            calls.append((kernel, packed_frame(packed, arrivals, thread)))
        for rows in self.rows:
            widths = [_width(a) for a in (rows.weights, rows.delays)]
            if (rows.connections.target, thread) in arrivals.awake:
                delivery = awake_rows_kernel(*widths, arrivals.width)
            else:
                delivery = rows_kernel(*widths, arrivals.width)
            calls.append((delivery, rows_frame(rows, arrivals, thread)))
        kernel = procedural_kernel() if self.layout.procedural else None
        return calls + [(kernel, frame) for frame in self.procedural.frames(thread)]

    def drives(self, arrivals: Arrivals, thread: int) -> list[tuple[Any, Filled, int]]:
        """What a thread calls before every step: kernel, frame, population."""
        kernel = empty_kernel(arrivals.width)
        calls = [(kernel, empty_frame(*key, arrivals, thread), key[0]) for key in arrivals.rings]
        for (population, port, *_), sums in self.procedural.sums.items():
            collect = collect_kernel(sums.width, arrivals.width)
            calls.append((collect, sums.frame(population, port, arrivals, thread), population))
        return calls

    @property
    def count(self) -> int:
        """How many synapses there are."""
        return sum(c.count for c in self._all())

    def _all(self) -> list[Connections]:
        return [
            *(m for p in self.layout.packed for m in p.members),
            *self.layout.rows,
            *self.layout.procedural,
        ]

    @property
    def nbytes(self) -> int:
        """Bytes of the synapses themselves."""
        return sum(t.nbytes for t in self.packed) + sum(t.nbytes for t in self.rows)

    @property
    def overhead(self) -> int:
        """Bytes of what finds them."""
        tables = sum(t.overhead for t in self.packed) + sum(t.overhead for t in self.rows)
        return tables + self.procedural.overhead


def _width(items: Any) -> int:
    """Bytes of an item as `intrinsics.load` counts them: 0 for one value for all, negative for unsigned."""
    if isinstance(items, int):
        return 0
    return -items.dtype.itemsize if items.dtype.kind == "u" else int(items.dtype.itemsize)
