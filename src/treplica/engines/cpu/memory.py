"""Memory that kernels see by address: who owns which neurons, arrivals, spike buffers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from treplica.connectivity.parallel import even_bounds, run_ranges
from treplica.engines.base import Spikes
from treplica.engines.cpu.kernels_rows import join_spikes, split_rows
from treplica.engines.plan import Plan, Synapses

#: Noise is made for groups of this many neurons, so a thread owns whole groups.
GROUP = 64
#: Rows that a thread splits before it takes more.
ROWS_AT_ONCE = 1 << 16
#: Spikes that a buffer holds beside those of one step in which every neuron fires.
SLACK = 1 << 16


def owners(size: int, threads: int) -> NDArray[np.int64]:
    """Where each thread's neurons begin, and the size: int64[threads + 1]."""
    groups = -(-size // GROUP)
    return np.minimum(np.arange(threads + 1) * groups // threads * GROUP, size).astype(np.int64)


def row_splits(synapses: Synapses, bounds: NDArray[np.int64]) -> NDArray[np.int32]:
    """How far into its row each thread but the last reads, by owner of the target: int32[rows, threads - 1]."""
    out = np.zeros((synapses.indptr.size - 1, bounds.size - 2), dtype=np.int32)
    if out.size:
        run_ranges(
            lambda first, last: split_rows(synapses.indptr, synapses.targets, bounds, out, first, last),
            even_bounds(len(out), ROWS_AT_ONCE),
        )
    return out


class Arrivals:
    """The rings: for every port an accumulator for each neuron and step to come, [depth, size]."""

    def __init__(self, plan: Plan) -> None:
        self.width = np.dtype(plan.format.total).itemsize
        self.rings = {
            (p, port): np.zeros((plan.depth(p, port), population.size), dtype=plan.format.total)
            for p, population in enumerate(plan.populations)
            for port in range(len(population.composition.ports))
        }

    def at(self, population: int, port: int) -> tuple[int, int, int]:
        """Address, depth and size of a port's ring."""
        ring = self.rings[population, port]
        return ring.ctypes.data, ring.shape[0], ring.shape[1]

    @property
    def nbytes(self) -> int:
        """Bytes of all rings."""
        return sum(r.nbytes for r in self.rings.values())


class Buffers:
    """Where threads write the ids (and values) of spikes, one buffer for each population and thread."""

    def __init__(self, bounds: NDArray[np.int64], graded: list[int]) -> None:
        self.own = np.diff(bounds, axis=1)
        self.graded = graded
        self.arrays: dict[tuple[int, int], NDArray[np.int32]] = {}
        self.addresses = np.zeros_like(self.own)
        self.gaps = np.zeros_like(self.own)
        self.capacity = np.zeros_like(self.own)
        self.reserve(1)

    def reserve(self, n_steps: int) -> None:
        """Room for n_steps in which every neuron fires, or for one such step and SLACK more spikes.

        The buffers of a population are of one size, so that the distance from ids to values is the same for all.
        """
        for p, t in np.ndindex(self.own.shape):
            own = int(self.own[p].max())
            want = own + min(SLACK // self.own.shape[1], own * (n_steps - 1))
            if want <= self.capacity[p, t]:
                continue
            array = np.empty((2 if self.graded[p] > 1 else 1, want), dtype=np.int32)
            self.arrays[p, t] = array
            self.addresses[p, t] = array.ctypes.data
            self.gaps[p, t] = array.strides[0]
            self.capacity[p, t] = want

    def spikes(self, p: int, counts: NDArray[np.int64], first: int) -> Spikes:
        """The spikes of population p in the buffers, in order of step and id. counts: int64[steps, threads]."""
        total = int(counts.sum())
        steps, ids = np.empty(total, np.int64), np.empty(total, np.int32)
        values = np.empty(total if self.graded[p] > 1 else 0, np.int32)
        parts = tuple(self.arrays[p, t] for t in range(counts.shape[1]))
        join_spikes(parts, np.ascontiguousarray(counts), first, steps, ids, values)
        return Spikes(steps, ids, values if self.graded[p] > 1 else None)

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers."""
        return sum(a.nbytes for a in self.arrays.values())
