"""Accumulators of some width, and the driver's tables of kernels and frames that use them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.composition import ScatteredDrive
from treplica.engines.cpu.compile import compile_update
from treplica.engines.cpu.deliver import inject_kernel
from treplica.engines.cpu.frames import (
    GAP,
    AllNeurons,
    Filled,
    inject_frame,
    scatter_frame,
    update_frame,
)
from treplica.engines.cpu.kernels_sleep import update_awake
from treplica.engines.cpu.memory import Arrivals, Regions
from treplica.engines.cpu.runtime import BLOCK
from treplica.engines.cpu.scatter import scatter_kernel
from treplica.engines.cpu.sleep import Awake
from treplica.engines.cpu.synapses import Synapses
from treplica.engines.plan import Injection, Plan

Table = NDArray[np.int64]


class Links:
    """Accumulators of `width` bytes and everything that holds their address; `sleeping` populations have columns.

    populations, deliveries: by thread, the driver's tables.
    """

    def __init__(
        self, plan: Plan, regions: Regions, synapses: Synapses, width: int, sleeping: Collection[int]
    ) -> None:
        self.plan, self.regions, self.synapses, self.width = plan, regions, synapses, width
        self.arrivals = Arrivals(regions, synapses.layout.slots, width, synapses.rings(sleeping))
        self.drives: list[tuple[int, int, ScatteredDrive]] = [
            (p, d, drive)
            for p, population in enumerate(plan.populations)
            for d, drive in enumerate(population.composition.drives)
            if isinstance(drive, ScatteredDrive)
        ]
        sizes = regions.bounds[:, -1]
        self.arrivals.counts = {(p, d): np.zeros(int(sizes[p]), dtype=np.float32) for p, d, _ in self.drives}
        for p in sleeping:
            for t in range(regions.threads):
                first, last = regions.bounds[p, t : t + 2].tolist()
                self.arrivals.awake[p, t] = Awake(plan.populations[p], first, last, width)
        threads = range(regions.threads)
        self.frames: list[list[Filled]] = [[] for _ in threads]
        self.keep: list[Any] = []  # kernels, whose address is in a table
        self.populations = [self._populations(t) for t in threads]
        calls = [synapses.deliveries(self.arrivals, t) for t in threads]
        self.keep += calls
        self.deliveries = [
            np.array([(k.address, f.address) for k, f in c], np.int64).reshape(-1, 2) for c in calls
        ]

    def _populations(self, thread: int) -> Table:
        """The driver's table of populations; compiles what is not in the cache."""
        table = np.zeros((len(self.plan.populations), 3), dtype=np.int64)
        for index, population in enumerate(self.plan.populations):
            kernel, layout = compile_update(population.composition, self.plan.format.arithmetic, self.width)
            awake = self.arrivals.awake.get((index, thread))
            neurons = awake or AllNeurons(population, index, self.arrivals, thread)
            frame = update_frame(self.plan, index, layout, neurons)
            self.frames[thread].append(frame)
            self.keep.append(kernel)
            table[index] = kernel.address, frame.address, BLOCK
            if awake is not None:
                awake.link(kernel.address, frame.address, population.graded > 1)
                table[index] = update_awake.address, awake.frame.ctypes.data, 2**62
        return table

    def drive_calls(self, thread: int, injections: Iterable[Injection]) -> tuple[Table, list[Any]]:
        """The table of drives of a thread, and what must stay alive while it is used."""
        calls = self.synapses.drives(self.arrivals, thread)
        kernel = inject_kernel(self.width)
        for injection in injections:
            calls.append((kernel, inject_frame(injection, self.arrivals, thread), injection.population))
        for p, d, drive in self.drives:
            counts = self.arrivals.reach_counts(thread, p, d)
            frame = scatter_frame(drive, self.plan.seed, self.regions.bounds[p], thread, *counts)
            calls.append((scatter_kernel, frame, p))
        rows = [(k.address, f.address, p) for k, f, p in calls]
        return np.array(rows, dtype=np.int64).reshape(-1, 3), calls

    def set_gaps(self, gaps: Table) -> None:
        """Tell every update kernel the distance from ids to values of spikes, int64[populations]."""
        for frames in self.frames:
            for frame, gap in zip(frames, gaps, strict=True):
                frame.items[GAP] = gap

    def begin(self, before: Links | None, step: int) -> None:
        """Take over what is to arrive, and wake the neurons of populations that sleep."""
        if before is not None:
            self.arrivals.take(before.arrivals, step)
        for awake in self.arrivals.awake.values():
            if before is None:
                awake.wake_all()
