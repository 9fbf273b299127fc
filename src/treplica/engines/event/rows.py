"""The rows of all connections in memory, each in order of delays, then of targets."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.connectivity.base import row_bounds
from treplica.connectivity.parallel import run_ranges
from treplica.engines.connections import Connections
from treplica.engines.event.world import LINK, Synapses
from treplica.engines.loads import Loads
from treplica.engines.plan import Plan
from treplica.model import Draw

#: Synapses that are sorted at once.
PIECE = 1 << 20


class Rows:
    """Synapses for the loop; connections are numbered in order of their source populations.

    sums: where the sums of each port begin, by population and port. firsts: number of each population's neuron 0.
    stepped: populations without a closed form. listened: those at which somebody waits for arrivals.
    """

    def __init__(
        self,
        plan: Plan,
        firsts: NDArray[np.int64],
        sums: dict[tuple[int, int], int],
        stepped: Collection[int],
        listened: Collection[int],
    ) -> None:
        self.loads = Loads(plan)
        self.connections = sorted(plan.connections, key=lambda c: c.source)
        self.count = sum(c.count for c in self.connections)
        links = np.zeros((len(self.connections), len(LINK)), dtype=np.int64)
        drawn = [not isinstance(c.weight, int) for c in self.connections]
        timed = [isinstance(c.delay, Draw) for c in self.connections]
        counts = np.array([c.count for c in self.connections], dtype=np.int64)
        wide = any(d and c.weight_bits > 32 for c, d in zip(self.connections, drawn, strict=True))
        self.synapses = Synapses(
            links,
            np.array(
                [
                    0.0 if t else float(c.real_delays(0, 0))
                    for c, t in zip(self.connections, timed, strict=True)
                ]
            ),
            np.zeros(sum(c.spread().size for c in self.connections), dtype=np.int64),
            np.empty(self.count, dtype=np.int32),
            np.empty(counts[drawn].sum(), dtype=np.int64 if wide else np.int32),
            np.empty(counts[timed].sum(), dtype=np.float64),
        )
        indptr = synapse = weight = delay = 0
        for row, c, own_weight, own_delay in zip(links, self.connections, drawn, timed, strict=True):
            own = c.spread()
            first = int(c.source_ids[0]) if c.source_ids is not None else c.first_id
            numbers: tuple[Any, ...] = (
                firsts[c.source] + first, own.size - 1, indptr, firsts[c.target], sums[c.target, c.port],
                0 if own_weight else c.weight, own_weight, weight - synapse, own_delay, delay - synapse,
                c.target, c.target in stepped, c.target in listened,
            )  # fmt: skip
            row[:] = numbers
            self.synapses.indptr[indptr : indptr + own.size] = own + synapse
            self._fill(c, synapse, weight if own_weight else None, delay if own_delay else None)
            indptr, synapse = indptr + own.size, synapse + c.count
            weight, delay = weight + c.count * own_weight, delay + c.count * own_delay
        self.loads.width(max(p.graded for p in plan.populations))  # sums have 64 bits

    def _fill(self, c: Connections, synapse: int, weight: int | None, delay: int | None) -> None:
        """Put the synapses of a connection where they belong."""
        targets, weights, delays = self.synapses.targets, self.synapses.weights, self.synapses.delays
        loads = self.loads

        def fill(first: int, last: int) -> None:
            low, high = int(c.indptr[first]), int(c.indptr[last])
            chunk = c.read(first, last)
            order = slice(None)
            if delay is not None:
                real = np.broadcast_to(chunk.delays, high - low)
                rows = np.repeat(np.arange(first, last), np.diff(c.indptr[first : last + 1]))
                order = np.lexsort((chunk.targets, real, rows))  # type: ignore[assignment]
                delays[delay + low : delay + high] = real[order]
            targets[synapse + low : synapse + high] = chunk.targets[order]
            if weight is not None:
                drawn = np.broadcast_to(np.asarray(chunk.weights), high - low)
                weights[weight + low : weight + high] = drawn[order]
            load = loads.of(c.target, c.port)
            each = np.abs(np.broadcast_to(np.asarray(chunk.weights), high - low))
            load += np.bincount(chunk.targets, weights=each, minlength=load.size)

        run_ranges(fill, row_bounds(c.indptr, PIECE))

    @property
    def nbytes(self) -> int:
        """Bytes of the synapses."""
        return self.synapses.targets.nbytes + self.synapses.weights.nbytes + self.synapses.delays.nbytes
