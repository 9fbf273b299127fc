"""Memory that kernels see by address: who owns which neurons, where arrivals add up, spike buffers."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.cpu.kernels_rows import join_spikes
from treplica.engines.cpu.sleep import Awake
from treplica.engines.plan import Plan
from treplica.engines.snapshot import Spikes
from treplica.engines.storage import GROUP, blocks_of

#: Spikes that a buffer holds beside those of one step in which every neuron fires.
SLACK = 1 << 16


def owners(size: int, threads: int) -> NDArray[np.int64]:
    """Where each thread's neurons begin, and the size: int64[threads + 1]."""
    groups = -(-size // GROUP)
    return np.minimum(np.arange(threads + 1) * groups // threads * GROUP, size).astype(np.int64)


class Regions:
    """Where the accumulators of every port lie: each thread has its own in one piece, cut into blocks.

    bounds: int64[populations, threads + 1], neurons by owner. bits: a block has up to 2**bits accumulators. blocks:
    how many a thread has. sizes: accumulators of each thread.
    """

    def __init__(self, plan: Plan, threads: int) -> None:
        self.threads = threads
        self.bounds = np.array([owners(p.size, threads) for p in plan.populations], dtype=np.int64)
        self.ports = [len(p.composition.ports) for p in plan.populations]
        self.first: dict[tuple[int, int, int], int] = {}  # thread, population, port -> first accumulator
        self.sizes = np.zeros(threads, dtype=np.int64)
        for t in range(threads):
            for p, ports in enumerate(self.ports):
                for port in range(ports):
                    self.first[t, p, port] = int(self.sizes[t])
                    self.sizes[t] += self.bounds[p, t + 1] - self.bounds[p, t]
        self.bits, self.blocks = blocks_of(int(self.sizes.max()))

    def places(self, population: int, port: int) -> NDArray[Any]:
        """For every neuron, the block (counted over all threads) above its accumulator in the block: [size]."""
        narrow = (self.threads * self.blocks) << self.bits < 2**31
        out = np.empty(int(self.bounds[population, -1]), dtype=np.int32 if narrow else np.int64)
        for t in range(self.threads):
            low, high = self.bounds[population, t : t + 2]
            begin = self.first[t, population, port] + ((t * self.blocks) << self.bits)
            out[low:high] = np.arange(begin, begin + high - low)
        return out


class Arrivals:
    """The accumulators: [threads, slots, accumulators of a thread], and rings for the rows that need longer ones.

    width: bytes of an accumulator. A step uses slot `step % slots`; slots is a power of two.
    """

    def __init__(self, regions: Regions, slots: int, width: int, deep: dict[tuple[int, int], int]) -> None:
        self.regions, self.slots, self.width = regions, slots, width
        dtype = np.int64 if width == 8 else np.int32
        self.stride = 1 << regions.bits if regions.blocks == 1 else int(regions.sizes.max())
        self.array = np.zeros(regions.threads * slots * self.stride + 64 // width, dtype=dtype)
        self.begin = -(-self.array.ctypes.data // 64) * 64
        first = (self.begin - self.array.ctypes.data) // width
        self.cells = self.array[first : first + regions.threads * slots * self.stride]
        sizes = regions.bounds[:, -1]
        #: (population, thread) -> the neurons that are awake, where a population may sleep
        self.awake: dict[tuple[int, int], Awake] = {}
        #: (population, drive) -> how many spikes of a scattered drive have come to each neuron, float32[size]
        self.counts: dict[tuple[int, int], NDArray[np.float32]] = {}
        #: (population, port) -> [depth, size], for synapses that are delivered when a spike is sent
        self.rings = {key: np.zeros((depth, int(sizes[key[0]])), dtype) for key, depth in deep.items()}

    def at(self, thread: int) -> int:
        """The address of a thread's accumulators in slot 0."""
        return self.begin + thread * self.slots * self.stride * self.width

    def reach(self, thread: int, population: int, port: int) -> tuple[int, int, int, int]:
        """How a kernel of a thread gets at a port: address, slots, their distance, frame of the awake neurons.

        Where the population sleeps, the address is that of position 0 among the awake; else the last is 0, and the
        address that of neuron 0.
        """
        awake = self.awake.get((population, thread))
        if awake is None:
            return self.port(thread, population, port), self.slots, self.stride, 0
        column = awake.columns["arrivals", port]
        return column.ctypes.data, awake.slots, awake.stride, awake.frame.ctypes.data

    def reach_counts(self, thread: int, population: int, drive: int) -> tuple[NDArray[np.float32], int]:
        """The counts of a scattered drive as a thread sees them, and the frame of the awake neurons, or 0."""
        awake = self.awake.get((population, thread))
        if awake is None:
            return self.counts[population, drive], 0
        return awake.columns["counts of drive", drive], awake.frame.ctypes.data

    def own(self, thread: int, population: int, port: int, step: int) -> NDArray[Any]:
        """The accumulators of a thread's neurons for what arrives in a step."""
        first = thread * self.slots * self.stride + self.regions.first[thread, population, port]
        first += (step & (self.slots - 1)) * self.stride
        low, high = self.regions.bounds[population, thread : thread + 2]
        return self.cells[first : first + high - low]

    def add(
        self,
        population: int,
        port: int,
        steps: NDArray[np.int64],
        ids: NDArray[Any],
        amounts: NDArray[np.int64],
    ) -> None:
        """Add to what arrives at neurons in steps to come."""
        for t in range(self.regions.threads):
            low, high = self.regions.bounds[population, t : t + 2]
            mine = (ids >= low) & (ids < high)
            if not mine.any():
                continue
            awake = self.awake.get((population, t))
            if awake is not None:
                awake.add(port, ids[mine].astype(np.int64), amounts[mine])
                continue
            first = t * self.slots * self.stride + self.regions.first[t, population, port]
            places = first + (steps[mine] & (self.slots - 1)) * self.stride + ids[mine] - low
            np.add.at(self.cells, places, amounts[mine])

    def port(self, thread: int, population: int, port: int) -> int:
        """The address that neuron 0 would have in slot 0, for the neurons of a thread."""
        first = self.regions.first[thread, population, port] - int(self.regions.bounds[population, thread])
        return self.at(thread) + first * self.width

    def take(self, other: Arrivals, step: int) -> None:
        """Take over what another of the same shape holds after a step; it may be narrower, and others may sleep."""
        self.cells[:] = other.cells
        for key, ring in other.rings.items():
            if key in self.rings:
                self.rings[key][:] = ring
        for (population, _), awake in other.awake.items():
            awake.settle()
            for port in range(self.regions.ports[population]):
                ids, amounts = awake.arriving(port)
                where = np.full(ids.size, step + 1, dtype=np.int64)
                self._without_sleep().add(population, port, where, ids, amounts.astype(np.int64))
        for (population, thread), awake in self.awake.items():
            awake.wake_all()
            for port in range(self.regions.ports[population]):
                cells, arriving = (
                    self.own(thread, population, port, step + 1),
                    awake.columns["arrivals", port],
                )
                arriving[:] = cells
                cells[:] = 0
                if (population, port) in other.rings:
                    ring = other.rings[population, port]
                    arriving += ring[(step + 1) % len(ring), awake.first : awake.last]

    def _without_sleep(self) -> Arrivals:
        """The same accumulators, for neurons that are all at their own places."""
        plain = copy(self)
        plain.awake = {}
        return plain

    @property
    def nbytes(self) -> int:
        """Bytes of all accumulators."""
        rings = sum(r.nbytes for r in self.rings.values())
        return self.array.nbytes + rings + sum(a.nbytes for a in self.awake.values())


class Buffers:
    """Where threads write the ids (and values) of spikes, one buffer for each population and thread.

    A buffer begins with the spikes that still travel: those of the last `history` steps.
    """

    def __init__(self, bounds: NDArray[np.int64], graded: list[int], history: int) -> None:
        self.own = np.diff(bounds, axis=1)
        self.graded, self.history = graded, history
        self.arrays: dict[tuple[int, int], NDArray[np.int32]] = {}
        self.addresses = np.zeros_like(self.own)
        self.gaps = np.zeros_like(self.own)
        self.capacity = np.zeros_like(self.own)
        #: spikes of the last `history` steps: int64[history, populations, threads]
        self.past = np.zeros((history, *self.own.shape), dtype=np.int64)
        self.reserve(1)

    def reserve(self, n_steps: int) -> None:
        """Room for n_steps in which every neuron fires, or for one such step and SLACK more spikes, after the past.

        The buffers of a population are of one size, so that the distance from ids to values is the same for all.
        """
        past = self.past.sum(axis=0)
        for p, t in np.ndindex(self.own.shape):
            own = int(self.own[p].max())
            want = int(past[p].max()) + own + min(SLACK // self.own.shape[1], own * (n_steps - 1))
            if want <= self.capacity[p, t]:
                continue
            array = np.empty((2 if self.graded[p] > 1 else 1, want + want // 4), dtype=np.int32)
            if (p, t) in self.arrays:
                kept = min(int(past[p, t]), int(self.capacity[p, t]))
                array[:, :kept] = self.arrays[p, t][:, :kept]
            self.arrays[p, t] = array
            self.addresses[p, t] = array.ctypes.data
            self.gaps[p, t] = array.strides[0]
            self.capacity[p, t] = array.shape[1]

    def board(self, n_steps: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Counts and first places of spikes by step, history first: int64[history + n_steps (+ 1), ...]."""
        counts = np.zeros((self.history + n_steps, *self.own.shape), dtype=np.int64)
        counts[: self.history] = self.past
        starts = np.zeros((self.history + n_steps + 1, *self.own.shape), dtype=np.int64)
        starts[1 : self.history + 1] = np.cumsum(self.past, axis=0)
        return counts, starts

    def spikes(self, p: int, counts: NDArray[np.int64], starts: NDArray[np.int64], first: int) -> Spikes:
        """Spikes of population p, by step and id. counts: int64[steps, threads]; starts: of the first step."""
        total = int(counts.sum())
        steps, ids = np.empty(total, np.int64), np.empty(total, np.int32)
        values = np.empty(total if self.graded[p] > 1 else 0, np.int32)
        parts = tuple(self.arrays[p, t] for t in range(counts.shape[1]))
        join_spikes(parts, np.ascontiguousarray(counts), starts.copy(), first, steps, ids, values)
        return Spikes(steps, ids, values if self.graded[p] > 1 else None)

    def keep(self, counts: NDArray[np.int64], starts: NDArray[np.int64], done: int) -> None:
        """Move the spikes of the last steps to the front; counts and starts as `board` gave them, filled."""
        end = self.history + done
        self.past = counts[done:end].copy()
        for (p, t), array in self.arrays.items():
            begin, stop = int(starts[done, p, t]), int(starts[end, p, t])
            if begin:
                array[:, : stop - begin] = array[:, begin:stop].copy()

    def remember(self, p: int, spikes: Spikes, bounds: NDArray[np.int64], step: int) -> None:
        """Put spikes of the last `history` steps before and including `step` in place, in an empty past."""
        for t in range(self.own.shape[1]):
            mine = (spikes.ids >= bounds[t]) & (spikes.ids < bounds[t + 1])
            ages = step - spikes.steps[mine]
            self.past[:, p, t] = np.bincount(self.history - 1 - ages, minlength=self.history)
        self.reserve(1)
        for t in range(self.own.shape[1]):
            mine = (spikes.ids >= bounds[t]) & (spikes.ids < bounds[t + 1])
            self.arrays[p, t][0, : int(mine.sum())] = spikes.ids[mine]
            if spikes.values is not None:
                self.arrays[p, t][1, : int(mine.sum())] = spikes.values[mine]

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers."""
        return sum(a.nbytes for a in self.arrays.values())
