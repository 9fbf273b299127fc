"""Populations without a closed form: their own step, on the grid of dt, for the neurons that are awake."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.composition import ScatteredDrive
from treplica.engines.cpu.codegen import scratch_bytes
from treplica.engines.cpu.compile import NOT_FINITE, compile_update
from treplica.engines.cpu.frames import GAP, Filled, scatter_frame, update_frame
from treplica.engines.cpu.kernels_sleep import update_awake
from treplica.engines.cpu.runtime import BLOCK
from treplica.engines.cpu.scatter import scatter_kernel
from treplica.engines.cpu.sleep import Awake
from treplica.engines.event.world import World
from treplica.engines.plan import Plan

#: Bytes of a sum.
WIDTH = 8
_call = ctypes.CFUNCTYPE(ctypes.c_int64, *([ctypes.c_int64] * 6))


class Everyone:
    """All neurons of a population at their own place; their sums are those of the loop."""

    slots, stride = 1, 0

    def __init__(self, plan: Plan, index: int, sums: list[NDArray[np.int64]]) -> None:
        self.population, self.sums = plan.populations[index], sums
        size, drives = self.population.size, self.population.composition.drives
        self.counts = {d: np.zeros(size, np.float32) for d in range(len(drives))}

    def item(self, *what: Any) -> Any:
        """The array that an item of the kernel's frame is."""
        parts = self.population.composition.parts
        match what:
            case ("state", part, name):
                return parts[part].states[name]
            case ("array", part, name):
                return np.asarray(parts[part].constants[name])
            case ("mask", part):
                return np.asarray(parts[part].mask, dtype=np.uint8)
            case ("external", name):
                return self.population.external[name]
            case ("arrivals", port):
                return self.sums[port]
            case ("counts of drive", drive):
                return self.counts[drive]
            case _:
                return np.zeros(self.population.size, dtype=np.uint8)  # still


class Stepped:
    """One population. Neurons that can come to rest are computed only while they are awake."""

    def __init__(
        self, plan: Plan, index: int, world: World, sums: list[NDArray[np.int64]], first: int
    ) -> None:
        self.plan, self.index, self.world, self.sums = plan, index, world, sums
        self.population = plan.populations[index]
        composition = self.population.composition
        self.first, self.pending = first, world.pending[first : first + self.population.size]
        self.awake = Awake(self.population, 0, self.population.size, WIDTH) if composition.may_sleep else None
        kernel, layout = compile_update(composition, plan.format.arithmetic, WIDTH)
        neurons = self.awake or Everyone(plan, index, sums)
        self.frame = update_frame(plan, index, layout, neurons)  # type: ignore[arg-type]
        self.kernel = kernel  # its address is called
        self.update = _call((update_awake if self.awake else kernel).address)
        if self.awake:
            self.awake.link(kernel.address, self.frame.address, self.population.graded > 1)
            self.awake.wake_all()
        self.found = np.zeros((2, self.population.size), dtype=np.int32)
        self.frame.items[GAP] = self.found.strides[0]
        self.scratch = np.zeros(scratch_bytes(composition) + 64, dtype=np.uint8)
        self.drives = [self._scatter(d, drive, neurons) for d, drive in enumerate(composition.drives)]
        self.units = [port.unit for port in composition.ports]
        self.updates = 0

    def _scatter(self, index: int, drive: Any, neurons: Awake | Everyone) -> Filled | None:
        """The frame of a rare Poisson drive; others are drawn by the update itself."""
        if not isinstance(drive, ScatteredDrive):
            return None
        bounds = np.array([0, self.population.size], dtype=np.int64)
        counts = neurons.item("counts of drive", index)
        asleep = self.awake.frame.ctypes.data if self.awake else 0
        return scatter_frame(drive, self.plan.seed, bounds, 0, counts, asleep)

    @property
    def busy(self) -> bool:
        """Whether the next step has to be computed even if nothing arrives."""
        return self.awake is None or self.awake.count > 0 or any(self.drives)

    def waiting(self) -> NDArray[np.int64]:
        """Ids at which something has arrived since the last step, ascending; their marks are taken away."""
        count = int(self.world.waiting[self.index])
        self.world.waiting[self.index] = 0
        neurons = np.sort(self.pending[:count])
        self.world.mark[neurons] = 0
        return neurons.astype(np.int64) - self.first

    def step(
        self, number: int, arrived: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], bool]:
        """Compute a step; the ids and values of its spikes, and whether a state is not finite."""
        scratch = -(-self.scratch.ctypes.data // 64) * 64
        if self.awake:
            for port, sums in enumerate(self.sums):
                self.awake.add(port, arrived, sums[arrived])
                sums[arrived] = 0
        for frame in self.drives:
            if frame is not None:
                _call(scatter_kernel.address)(frame.address, 0, 0, number, scratch, 0)
        if self.awake:
            self.updates += self.awake.count
            found = self.update(self.awake.frame.ctypes.data, 0, 0, number, scratch, self.found.ctypes.data)
        else:
            found = self._all(number, scratch)
        bad, count = found >= NOT_FINITE, found % NOT_FINITE
        values = self.found[1] if self.population.graded > 1 else np.ones(count, np.int32)
        return self.found[0, :count].copy(), values[:count].copy(), bad

    def _all(self, number: int, scratch: int) -> int:
        """Update every neuron, block by block."""
        size, found, bad = self.population.size, 0, 0
        self.updates += size
        for low in range(0, size, BLOCK):
            ids = self.found.ctypes.data + 4 * found
            new = self.update(self.frame.address, low, min(low + BLOCK, size), number, scratch, ids)
            bad, found = max(bad, new // NOT_FINITE), found + new % NOT_FINITE
        return found + bad * NOT_FINITE

    def read(self, variable: str) -> NDArray[Any]:
        """A copy of a state variable, [size]."""
        self.settle()
        return self.population.read(variable, self.plan.format.real)

    def settle(self) -> None:
        """Bring the states at home up to date."""
        if self.awake:
            self.awake.settle()

    def refresh(self) -> None:
        """Take over states and currents that were changed at home; everybody wakes up."""
        if self.awake:
            self.awake.wake(np.arange(self.population.size))
            for what in self.awake.homes:
                self.awake.refresh(what)
