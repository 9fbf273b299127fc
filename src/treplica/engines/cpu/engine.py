"""The `cpu` engine: compiled kernels on every core, the same spikes on any number of them."""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.base import Advance
from treplica.engines.composition import ScatteredDrive
from treplica.engines.cpu.codegen import scratch_bytes
from treplica.engines.cpu.compile import compile_update
from treplica.engines.cpu.deliver import inject_kernel
from treplica.engines.cpu.deliver_packed import LIST_BYTES
from treplica.engines.cpu.driver import run_thread
from treplica.engines.cpu.frames import GAP, Filled, inject_frame, scatter_frame, update_frame
from treplica.engines.cpu.layout import choose_layout
from treplica.engines.cpu.loads import NARROW
from treplica.engines.cpu.memory import Arrivals, Buffers, Regions
from treplica.engines.cpu.refill import refill
from treplica.engines.cpu.scatter import scatter_kernel
from treplica.engines.cpu.synapses import Synapses
from treplica.engines.failure import find_failure
from treplica.engines.plan import Injection, Plan, Sampler
from treplica.engines.snapshot import Snapshot, copy_states, pending, set_states
from treplica.engines.storage import Storage

Table = NDArray[np.int64]


class CpuEngine:
    """Runs a plan with numba kernels on `threads` threads; storage: how synapses are kept (see `layout`)."""

    name = "cpu"

    def __init__(
        self,
        plan: Plan,
        samplers: list[Sampler],
        watched: Collection[int],
        threads: int,
        storage: Storage = "auto",
    ) -> None:
        self.plan, self.samplers, self.watched, self.threads = plan, samplers, watched, threads
        self.step = 0
        started = time.perf_counter()
        self.regions = Regions(plan, threads)
        self.synapses = Synapses(plan, choose_layout(plan, self.regions, storage), self.regions)
        self.build_s = time.perf_counter() - started
        self.injections: dict[tuple[int, int], Injection] = {}
        for injection in plan.injections:
            self._merge(injection)
        self.events = np.zeros(threads, dtype=np.int64)
        self.barrier = np.zeros(8, dtype=np.int64)
        #: Sums of one thread are collected by others, in the next step.
        self.barriers = 2 if self.synapses.layout.procedural else 1
        self.counts = {
            (p, d): np.zeros(population.size, dtype=np.float32)
            for p, population in enumerate(plan.populations)
            for d, drive in enumerate(population.composition.drives)
            if isinstance(drive, ScatteredDrive)
        }
        self.graded = np.array([p.graded for p in plan.populations], dtype=np.int64)
        self.buffers = Buffers(self.regions.bounds, self.graded.tolist(), plan.longest_delay)
        scratch = max([LIST_BYTES, *(scratch_bytes(p.composition) for p in plan.populations)])
        self.scratch = [np.zeros(scratch + 64, np.uint8) for _ in range(threads)]
        self._link(max(self.synapses.loads.width(int(self.graded.max())), self._injected_width()))
        self.pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None
        self.advance(0)  # compiles or loads the driver: a run is not to pay for it

    def _link(self, width: int) -> None:
        """Make accumulators of so many bytes, and the tables of kernels that use them."""
        slots = self.synapses.layout.slots
        self.arrivals = Arrivals(self.regions, slots, width, self.synapses.rings())
        self.frames: list[list[Filled]] = [[] for _ in range(self.threads)]
        self.keep: list[Any] = []  # kernels, whose address is in a table
        self.populations = [self._populations(t) for t in range(self.threads)]
        calls = [self.synapses.deliveries(self.arrivals, t) for t in range(self.threads)]
        self.keep += calls
        self.deliveries = [
            np.array([(k.address, f.address) for k, f in c], np.int64).reshape(-1, 2) for c in calls
        ]

    def _populations(self, thread: int) -> Table:
        """The driver's table of populations; compiles what is not in the cache."""
        table = np.zeros((len(self.plan.populations), 2), dtype=np.int64)
        for index, population in enumerate(self.plan.populations):
            kernel, layout = compile_update(
                population.composition, self.plan.format.arithmetic, self.arrivals.width
            )
            frame = update_frame(self.plan, index, layout, self.arrivals, thread, self.counts)
            self.frames[thread].append(frame)
            self.keep.append(kernel)
            table[index] = kernel.address, frame.address
        return table

    def _drives(self, thread: int) -> tuple[Table, list[Any]]:
        """The table of drives of a thread, and what must stay alive while it is used."""
        calls = self.synapses.drives(self.arrivals, thread)
        kernel = inject_kernel(self.arrivals.width)
        for injection in self.injections.values():
            calls.append((kernel, inject_frame(injection, self.arrivals, thread), injection.population))
        for (p, d), counts in self.counts.items():
            drive: Any = self.plan.populations[p].composition.drives[d]
            frame = scatter_frame(drive, self.plan.seed, counts, self.regions.bounds[p], thread)
            calls.append((scatter_kernel, frame, p))
        rows = [(k.address, f.address, p) for k, f, p in calls]
        return np.array(rows, dtype=np.int64).reshape(-1, 3), calls

    def advance(self, n_steps: int) -> Advance:
        """Do at most n_steps steps, on all threads."""
        drives, alive = zip(*[self._drives(t) for t in range(self.threads)], strict=True)
        buffers, history = self.buffers, self.buffers.history
        buffers.reserve(n_steps)
        for frames in self.frames:
            for frame, gap in zip(frames, buffers.gaps[:, 0], strict=True):
                frame.items[GAP] = gap
        counts, starts = buffers.board(n_steps)
        board = np.array(
            [
                a.ctypes.data
                for a in (counts, starts, buffers.addresses, buffers.gaps, self.graded, self.events)
            ]
            + [len(self.plan.populations), self.threads],
            dtype=np.int64,
        )
        bad = np.full(self.threads, -1, dtype=np.int64)
        samples, table, splits = self._sampler_tables(n_steps)
        self.barrier[0] = self.step * self.threads * self.barriers

        def run(t: int) -> int:
            tables = (self.populations[t], drives[t], self.deliveries[t], table, splits, self.regions.bounds)
            spikes = (buffers.addresses, buffers.capacity, counts, starts, board.ctypes.data, history)
            scratch = -(-self.scratch[t].ctypes.data // 64) * 64
            return int(
                run_thread(
                    t, self.threads, self.step, n_steps, *tables, *spikes, bad,
                    self.barrier.ctypes.data, self.barriers, scratch,
                )
            )  # fmt: skip

        others = [self.pool.submit(run, t) for t in range(1, self.threads)] if self.pool else []
        done = run(0)
        for other in others:
            other.result()
        del alive
        self.synapses.procedural.check()
        first, self.step = self.step, self.step + done
        new = slice(history, history + done)
        spikes = {p: buffers.spikes(p, counts[new, p], starts[history, p], first) for p in self.watched}
        buffers.keep(counts, starts, done)
        rows = [
            self.plan.populations[r.population].to_real(
                r.variable, s[: self.step // r.interval - first // r.interval], self.plan.format.real
            )
            for s, r in zip(samples, self.samplers, strict=True)
        ]
        failure = find_failure(self.plan, self.step) if (bad >= 0).any() else None
        return Advance(done, counts[new].sum(axis=2), spikes, rows, failure)

    def _sampler_tables(self, n_steps: int) -> tuple[list[NDArray[Any]], Table, Table]:
        samples = []
        table = np.zeros((len(self.samplers), 7), dtype=np.int64)
        splits = np.zeros((len(self.samplers), self.threads + 1), dtype=np.int64)
        for i, sampler in enumerate(self.samplers):
            state = self.plan.populations[sampler.population].composition.states()[sampler.variable]
            rows = (self.step + n_steps) // sampler.interval - self.step // sampler.interval
            out = np.empty((rows, sampler.ids.size), dtype=state.dtype)
            samples.append(out)
            splits[i] = np.searchsorted(sampler.ids, self.regions.bounds[sampler.population])
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
        self._merge(injection)
        if self._injected_width() > self.arrivals.width:
            before = self.arrivals
            self._link(8)
            self.arrivals.take(before)

    def _merge(self, injection: Injection) -> None:
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

    def _injected_width(self) -> int:
        """Bytes of accumulators that hold what is given beside what synapses may deliver."""
        for given in self.injections.values():
            if not given.steps.size:
                continue
            _, same = np.unique(given.steps * (2**31) + given.ids, return_inverse=True)
            if np.bincount(same, weights=np.abs(given.amounts)).max() > NARROW:
                return 8
        return 4

    def snapshot(self) -> Snapshot:
        """What the steps to come depend on."""
        past, first = self.buffers.past, self.step - self.buffers.history
        none = np.zeros(self.threads, dtype=np.int64)
        flying = [self.buffers.spikes(p, past[:, p], none, first) for p in range(len(self.plan.populations))]
        given = [pending(i, self.step) for i in self.injections.values()]
        return Snapshot(self.step, *copy_states(self.plan), flying, given, self.synaptic_events)

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot; for an engine that has not done a step."""
        set_states(self.plan, snapshot)
        self.step = snapshot.step
        self.events[0] = snapshot.events
        self.injections = {}
        for injection in snapshot.injections:
            self._merge(injection)
        self._link(max(self.arrivals.width, self._injected_width()))
        for p, spikes in enumerate(snapshot.flying):
            self.buffers.remember(p, spikes, self.regions.bounds[p], self.step)
        refill(self.synapses, self.arrivals, snapshot.flying, self.step)

    def read(self, population: int, variable: str) -> NDArray[Any]:
        """A copy of a state variable, [size]."""
        return self.plan.populations[population].read(variable, self.plan.format.real)

    def write(self, population: int, variable: str, values: NDArray[Any]) -> None:
        """Replace a state variable."""
        self.plan.populations[population].write(variable, values)

    @property
    def synaptic_events(self) -> int:
        """How many synapses the spikes had that were sent."""
        return int(self.events.sum())

    @property
    def synapse_count(self) -> int:
        """How many synapses there are."""
        return self.synapses.count

    def memory(self) -> dict[str, int]:
        """Bytes by purpose."""
        states = sum(v.nbytes for p in self.plan.populations for v in p.composition.states().values())
        return {
            "states": states,
            "arrivals": self.arrivals.nbytes + self.synapses.procedural.sums_nbytes,
            "synapses": self.synapses.nbytes,
            "rows": self.synapses.overhead,
            "buffers": self.buffers.nbytes,
        }

    def describe(self) -> str:
        """How synapses and sums are kept."""
        layout = str(self.synapses.layout)
        return f"{layout}; sums of {8 * self.arrivals.width} bits" if layout else "none"

    def close(self) -> None:
        """Give the threads back."""
        if self.pool:
            self.pool.shutdown()
