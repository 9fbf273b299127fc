"""The `cpu` engine: compiled kernels on every core, the same spikes on any number of them."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.base import Advance
from treplica.engines.cpu.compile import compile_update
from treplica.engines.cpu.deliver import deliver_kernel, inject_kernel, poisson_kernel
from treplica.engines.cpu.driver import run_thread
from treplica.engines.cpu.frames import GAP, Filled, deliver_frame, inject_frame, poisson_frame, update_frame
from treplica.engines.cpu.memory import Arrivals, Buffers, owners, row_splits
from treplica.engines.cpu.runtime import BLOCK
from treplica.engines.failure import find_failure
from treplica.engines.plan import Injection, Plan, Sampler


class CpuEngine:
    """Runs a plan with numba kernels on `threads` threads."""

    name = "cpu"

    def __init__(self, plan: Plan, samplers: list[Sampler], watched: Collection[int], threads: int) -> None:
        self.plan, self.samplers, self.watched, self.threads = plan, samplers, watched, threads
        self.step = 0
        self.bounds = np.array([owners(p.size, threads) for p in plan.populations], dtype=np.int64)
        self.arrivals = Arrivals(plan)
        self.events = np.zeros(threads, dtype=np.int64)
        self.barrier = np.zeros(8, dtype=np.int64)
        self.frames: list[Filled] = []  # of the populations
        self.keep: list[Any] = []  # everything else whose address is in a table
        self.populations = self._populations()
        self.projections = self._projections()
        self.injections: dict[tuple[int, int], Injection] = {}
        for injection in plan.injections:
            self.inject(injection)
        self.buffers = Buffers(self.bounds, [p.graded for p in plan.populations])
        noise = max((len(part.streams) for p in plan.populations for part in p.composition.parts), default=0)
        parts = max(len(p.composition.parts) for p in plan.populations)
        self.scratch = [np.zeros(BLOCK * (9 + 4 * (noise * parts + 1)), np.uint8) for _ in range(threads)]
        self.pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None
        self.advance(0)  # compiles or loads the driver: a run is not to pay for it

    def _populations(self) -> NDArray[np.int64]:
        """The driver's table of populations; compiles what is not in the cache."""
        table = np.zeros((len(self.plan.populations), 4), dtype=np.int64)
        for index, population in enumerate(self.plan.populations):
            kernel, layout = compile_update(population.composition, self.plan.format.name)
            frame = update_frame(self.plan, index, layout, self.arrivals)
            self.frames.append(frame)
            self.keep.append(kernel)
            table[index] = kernel.address, frame.address, population.graded, population.size
        return table

    def _projections(self) -> NDArray[np.int64]:
        table = np.zeros((len(self.plan.synapses), 3), dtype=np.int64)
        for index, synapses in enumerate(self.plan.synapses):
            widths = [_width(a) for a in (synapses.weights, synapses.delays)]
            kernel = deliver_kernel(widths[0], widths[1], self.arrivals.width)
            splits = row_splits(synapses, self.bounds[synapses.target])
            frame = deliver_frame(synapses, splits, self.arrivals, self.threads, self.events)
            self.keep += [kernel, frame]
            table[index] = kernel.address, frame.address, synapses.source
        return table

    def _drives(self) -> tuple[NDArray[np.int64], list[Any]]:
        """The table of drives, and what must stay alive while it is used."""
        rows, alive = [], []
        for drive in self.plan.poisson:
            kernel = poisson_kernel(self.arrivals.width)
            frame = poisson_frame(drive, self.plan.seed, self.arrivals)
            rows.append((kernel.address, frame.address, drive.population))
            alive += [kernel, frame]
        for injection in self.injections.values():
            kernel = inject_kernel(self.arrivals.width)
            frame = inject_frame(injection, self.arrivals)
            rows.append((kernel.address, frame.address, injection.population))
            alive += [kernel, frame]
        return np.array(rows, dtype=np.int64).reshape(len(rows), 3), alive

    def advance(self, n_steps: int) -> Advance:
        """Do at most n_steps steps, on all threads."""
        drives, alive = self._drives()
        self.buffers.reserve(n_steps)
        for frame, gap in zip(self.frames, self.buffers.gaps[:, 0], strict=True):
            frame.items[GAP] = gap
        counts = np.zeros((n_steps, len(self.plan.populations), self.threads), dtype=np.int64)
        bad = np.full(self.threads, -1, dtype=np.int64)
        samples, table, splits = self._sampler_tables(n_steps)
        self.barrier[0] = self.step * self.threads

        def run(thread: int) -> int:
            return int(
                run_thread(
                    thread,
                    self.threads,
                    self.step,
                    n_steps,
                    self.populations,
                    drives,
                    self.projections,
                    table,
                    splits,
                    self.bounds,
                    self.buffers.addresses,
                    self.buffers.gaps,
                    self.buffers.capacity,
                    counts,
                    bad,
                    self.barrier.ctypes.data,
                    self.scratch[thread].ctypes.data,
                )
            )

        others = [self.pool.submit(run, t) for t in range(1, self.threads)] if self.pool else []
        done = run(0)
        for other in others:
            other.result()
        del alive
        first, self.step = self.step, self.step + done
        spikes = {p: self.buffers.spikes(p, counts[:done, p], first) for p in self.watched}
        rows = [
            s[: self.step // r.interval - first // r.interval]
            for s, r in zip(samples, self.samplers, strict=True)
        ]
        failure = find_failure(self.plan, self.step) if (bad >= 0).any() else None
        return Advance(done, counts[:done].sum(axis=2), spikes, rows, failure)

    def _sampler_tables(
        self, n_steps: int
    ) -> tuple[list[NDArray[Any]], NDArray[np.int64], NDArray[np.int64]]:
        samples = []
        table = np.zeros((len(self.samplers), 7), dtype=np.int64)
        splits = np.zeros((len(self.samplers), self.threads + 1), dtype=np.int64)
        for i, sampler in enumerate(self.samplers):
            state = self.plan.populations[sampler.population].composition.states()[sampler.variable]
            rows = (self.step + n_steps) // sampler.interval - self.step // sampler.interval
            out = np.empty((rows, sampler.ids.size), dtype=state.dtype)
            samples.append(out)
            splits[i] = np.searchsorted(sampler.ids, self.bounds[sampler.population])
            table[i] = (
                sampler.population, state.ctypes.data, state.itemsize, sampler.ids.ctypes.data, sampler.interval,
                out.ctypes.data, sampler.ids.size,
            )  # fmt: skip
        return samples, table, splits

    def set_external(
        self, population: int, current: str, ids: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Set the external current of some neurons for the steps to come."""
        self.plan.populations[population].external[current][ids] = values

    def inject(self, injection: Injection) -> None:
        """Add arrivals for steps to come."""
        key = (injection.population, injection.port)
        before = self.injections.get(key)
        parts = [injection] if before is None else [before, injection]
        steps = np.concatenate([p.steps for p in parts])
        order = np.argsort(steps, kind="stable")
        order = order[steps[order] > self.step]
        # Kernels read these by address: the types must be those of `Injection`.
        self.injections[key] = Injection(
            *key,
            steps[order].astype(np.int64),
            np.concatenate([p.ids for p in parts])[order].astype(np.int32),
            np.concatenate([p.amounts for p in parts])[order].astype(np.int64),
        )

    def read(self, population: int, variable: str) -> NDArray[Any]:
        """A copy of a state variable, [size]."""
        return self.plan.populations[population].composition.states()[variable].copy()

    def write(self, population: int, variable: str, values: NDArray[Any]) -> None:
        """Replace a state variable."""
        self.plan.populations[population].composition.states()[variable][:] = values

    @property
    def synaptic_events(self) -> int:
        """How many spikes were delivered over single synapses."""
        return int(self.events.sum())

    def memory(self) -> dict[str, int]:
        """Bytes by purpose."""
        states = sum(v.nbytes for p in self.plan.populations for v in p.composition.states().values())
        synapses = sum(s.nbytes for s in self.plan.synapses)
        return {
            "states": states,
            "arrivals": self.arrivals.nbytes,
            "synapses": synapses,
            "buffers": self.buffers.nbytes,
        }

    def close(self) -> None:
        """Give the threads back."""
        if self.pool:
            self.pool.shutdown()


def _width(items: int | NDArray[Any]) -> int:
    """Bytes of an item as `intrinsics.load` counts them: 0 for one value for all, negative for unsigned."""
    if isinstance(items, int):
        return 0
    return -items.dtype.itemsize if items.dtype.kind == "u" else items.dtype.itemsize
