"""Building the table of words of a packing, on every core, row after row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.connectivity.base import row_bounds
from treplica.connectivity.parallel import run_ranges
from treplica.engines.connections import Connections
from treplica.engines.cpu.kernels_packing import count_keys, first_places, place_words
from treplica.engines.cpu.layout import Packing
from treplica.engines.cpu.memory import Regions
from treplica.engines.loads import Loads

#: Synapses that are drawn and sorted at once: their temporary arrays stay in the cache.
AT_ONCE = 1 << 19


class PackedTable:
    """Words by source neuron, block of accumulators, and group of delays.

    Row r belongs to neuron first + r of the source. starts: int64[rows + 1] into words. offsets: int32[rows, blocks *
    groups + 1] from the start of the row; run b * groups + g holds block b, group g.
    """

    def __init__(self, packing: Packing, regions: Regions, loads: Loads) -> None:
        self.packing, self.regions = packing, regions
        spans = [_span(m) for m in packing.members]
        self.first = min(first for first, _ in spans)
        self.rows = max(last for _, last in spans) - self.first
        degrees = np.zeros(self.rows, dtype=np.int64)
        for member in packing.members:
            degrees[member.ids(0, member.rows.n_source) - self.first] += np.diff(member.indptr)
        self.starts = np.zeros(self.rows + 1, dtype=np.int64)
        np.cumsum(degrees, out=self.starts[1:])
        self.words = np.empty(int(self.starts[-1]) + 64 // packing.word, dtype=f"u{packing.word}")
        blocks = regions.threads * regions.blocks
        self.offsets = np.empty((self.rows, blocks * packing.groups + 1), dtype=np.int32)
        ports = {(m.target, m.port) for m in packing.members}
        places = {key: regions.places(*key) for key in ports}
        run_ranges(lambda a, b: self._fill(a, b, places, loads), row_bounds(self.starts, AT_ONCE))

    def _fill(self, first: int, last: int, places: dict[tuple[int, int], NDArray[Any]], loads: Loads) -> None:
        """Write the rows first to last."""
        packing, regions = self.packing, self.regions
        group = 1 << packing.slot_bits
        span = packing.groups * group
        counts = np.zeros((last - first, regions.threads * regions.blocks * span), dtype=np.int32)
        read = []
        for member in packing.members:
            rows = member.rows_of(self.first + first, self.first + last)
            if rows[0] == rows[1]:
                continue
            chunk = member.read(*rows)
            delays = chunk.delays
            if isinstance(delays, int):
                delays = np.full(chunk.targets.size, delays, dtype=np.uint16)
            where = places[member.target, member.port]
            own = chunk.ids - (self.first + first)
            fixed = (own, chunk.indptr, chunk.targets, where, regions.bits, delays, packing.shortest, span)
            count_keys(*fixed, counts)
            read.append((member, chunk, fixed))
        first_places(counts, group, self.offsets[first:last])
        starts = self.starts[first : last + 1]
        words = self.words[starts[0] : starts[-1]]
        for member, chunk, fixed in read:
            drawn = packing.weight is None
            weights = np.atleast_1d(np.asarray(chunk.weights, dtype=np.int64))
            if drawn and weights.size != chunk.targets.size:
                weights = np.full(chunk.targets.size, weights[0])
            load = loads.of(member.target, member.port)
            place_words(*fixed, packing.slot_bits, weights, drawn, counts, starts, words, load)

    @property
    def nbytes(self) -> int:
        """Bytes of the words alone."""
        return int(self.starts[-1]) * self.packing.word

    @property
    def overhead(self) -> int:
        """Bytes of what finds the words."""
        return self.starts.nbytes + self.offsets.nbytes


def _span(member: Connections) -> tuple[int, int]:
    ids = member.ids(0, 1), member.ids(member.rows.n_source - 1, member.rows.n_source)
    return int(ids[0][0]), int(ids[1][0]) + 1
