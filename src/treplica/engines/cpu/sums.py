"""Sums that every thread has of its own for all neurons of a population, until their owners collect them."""

from __future__ import annotations

import numpy as np

from treplica.engines.cpu.frames import Filled
from treplica.engines.cpu.memory import Arrivals
from treplica.errors import SimulationError

#: A sum of 32 bits holds less than this.
NARROW = 2**31


class Sums:
    """What is to arrive at a port: [threads], each with `depth` (a power of two) slots of `size` sums.

    bound: no sum exceeds it. factor: units that one of a sum is worth. limit: what a sum must not exceed so that
    accumulators hold it; this is checked whenever sums are collected. stamps: for which step a slot holds
    something, int64[depth] of each thread.
    """

    def __init__(self, size: int, longest: int, bound: int, factor: int, limit: int, threads: int) -> None:
        self.size, self.factor, self.limit = size, factor, limit
        self.depth = 1 << (longest - 1).bit_length()
        self.width = 4 if bound < NARROW else 8
        kind = np.int32 if self.width == 4 else np.int64
        self.arrays = [np.zeros((self.depth, size), dtype=kind) for _ in range(threads)]
        self.stamps = [np.zeros(self.depth, dtype=np.int64) for _ in range(threads)]
        self.addresses = np.array([a.ctypes.data for a in self.arrays], dtype=np.int64)
        self.stamp_addresses = np.array([s.ctypes.data for s in self.stamps], dtype=np.int64)
        self.beyond = np.full(threads, -1, dtype=np.int64)

    def frame(self, population: int, port: int, arrivals: Arrivals, thread: int) -> Filled:
        """The frame for a thread that collects; see `deliver_procedural.COLLECT_FRAME`."""
        filled = Filled()
        return filled.close(
            [
                len(self.arrays),
                filled.of(self.addresses),
                filled.of(self.stamp_addresses),
                self.depth,
                self.size,
                arrivals.port(thread, population, port),
                arrivals.slots,
                arrivals.stride,
                self.factor,
                self.limit,
                filled.of(self.beyond[thread : thread + 1]),
            ]
        )

    def check(self) -> None:
        """Raise SimulationError where a sum was beyond the limit."""
        found = self.beyond[self.beyond >= 0]
        if len(found):
            raise SimulationError(
                f"More than {self.limit:,} spikes reached one neuron in step {found.min()} over synapses of one "
                "weight that are recomputed: sums of 64 bits do not hold that. Use storage='auto' or float32."
            )

    @property
    def nbytes(self) -> int:
        """Bytes of the sums."""
        return sum(a.nbytes for a in self.arrays)
