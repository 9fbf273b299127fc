"""The `cpu` engine: compiled kernels on every core, the same spikes on any number of them."""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.base import Advance, Sleep
from treplica.engines.cpu.codegen import scratch_bytes
from treplica.engines.cpu.deliver_awake import BATCH_BYTES
from treplica.engines.cpu.deliver_packed import LIST_BYTES
from treplica.engines.cpu.driver import run_thread
from treplica.engines.cpu.layout import choose_layout
from treplica.engines.cpu.links import Links
from treplica.engines.cpu.memory import Arrivals, Buffers, Regions
from treplica.engines.cpu.refill import refill, refill_rings
from treplica.engines.cpu.sleeping import Sleeping, sampler_awake
from treplica.engines.cpu.synapses import Synapses
from treplica.engines.failure import find_failure
from treplica.engines.loads import NARROW
from treplica.engines.plan import Injection, Plan, Sampler
from treplica.engines.snapshot import Snapshot, Spikes, copy_states, pending, set_states
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
        sleep: Sleep = "auto",
    ) -> None:
        plan.check_steps(self.name)
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
        self.sleeping = Sleeping(plan, self.synapses.layout, sleep)
        self.graded = np.array([p.graded for p in plan.populations], dtype=np.int64)
        self.buffers = Buffers(self.regions.bounds, self.graded.tolist(), plan.longest_delay)
        scratch = max([LIST_BYTES, BATCH_BYTES, *(scratch_bytes(p.composition) for p in plan.populations)])
        self.scratch = [np.zeros(scratch + 64, np.uint8) for _ in range(threads)]
        self._link(max(self.synapses.loads.width(int(self.graded.max())), self._injected_width()), fresh=True)
        self.pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None
        self.advance(0)  # compiles or loads the driver: a run is not to pay for it

    def _link(self, width: int, fresh: bool = False) -> None:
        """Make accumulators of so many bytes; what is to arrive is kept, unless everything is fresh."""
        before = None if fresh else self.links
        self.links: Links = Links(self.plan, self.regions, self.synapses, width, self.sleeping.now)
        self.links.begin(before, self.step)
        if before is not None and before.arrivals.rings.keys() != self.arrivals.rings.keys():
            refill_rings(self.synapses, self.arrivals, before.arrivals, self._flying(), self.step)
        self.sleeping.relinked()

    @property
    def arrivals(self) -> Arrivals:
        """The accumulators."""
        return self.links.arrivals

    def _settle(self) -> None:
        """Bring the states of neurons that are awake home."""
        for awake in self.arrivals.awake.values():
            awake.settle()

    def advance(self, n_steps: int, until: float = math.inf) -> Advance:
        """Do at most n_steps steps, on all threads."""
        calls = [self.links.drive_calls(t, self.injections.values()) for t in range(self.threads)]
        drives, alive = zip(*calls, strict=True)
        buffers, history = self.buffers, self.buffers.history
        buffers.reserve(n_steps)
        self.links.set_gaps(buffers.gaps[:, 0])
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
        samples, table, splits, awake = self._sampler_tables(n_steps)
        self.barrier[0] = self.step * self.threads * self.barriers

        def run(t: int) -> int:
            links = self.links.populations[t], drives[t], self.links.deliveries[t]
            tables = (*links, table, splits, awake, self.regions.bounds)
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
        failure = None
        if (bad >= 0).any():
            self._settle()
            failure = find_failure(self.plan, self.step)
        if self.sleeping.measure(self.arrivals.awake, self.step, done):
            self._link(self.links.width)
        return Advance(done, counts[new].sum(axis=2), spikes, rows, failure)

    def _sampler_tables(self, n_steps: int) -> tuple[list[NDArray[Any]], Table, Table, Table]:
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
        return (
            samples,
            table,
            splits,
            sampler_awake(self.plan, self.samplers, self.threads, self.arrivals.awake),
        )

    def set_external(
        self, population: int, current: str, ids: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Set the external current of some neurons for the steps to come."""
        self.plan.populations[population].external[current][ids] = values
        for (p, _), awake in self.arrivals.awake.items():
            if p == population:
                awake.wake(ids[(ids >= awake.first) & (ids < awake.last)])
                awake.refresh(("external", current))

    def inject(self, injection: Injection) -> None:
        """Add arrivals for steps to come."""
        self._merge(injection)
        if self._injected_width() > self.links.width:
            self._link(8)

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
        self._settle()
        flying = self._flying()
        given = [pending(i, self.step) for i in self.injections.values()]
        return Snapshot(self.step, *copy_states(self.plan), flying, given, self.synaptic_events)

    def _flying(self) -> list[Spikes]:
        """By population, the spikes of the last steps, some of whose arrivals are to come."""
        past, first = self.buffers.past, self.step - self.buffers.history
        none = np.zeros(self.threads, dtype=np.int64)
        return [self.buffers.spikes(p, past[:, p], none, first) for p in range(len(self.plan.populations))]

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot; for an engine that has not done a step."""
        set_states(self.plan, snapshot)
        self.step = snapshot.step
        self.events[0] = snapshot.events
        self.injections = {}
        for injection in snapshot.injections:
            self._merge(injection)
        self._link(max(self.links.width, self._injected_width()), fresh=True)
        for p, spikes in enumerate(snapshot.flying):
            self.buffers.remember(p, spikes, self.regions.bounds[p], self.step)
        refill(self.synapses, self.arrivals, snapshot.flying, self.step)

    def read(self, population: int, variable: str) -> NDArray[Any]:
        """A copy of a state variable, [size]."""
        self._settle()
        return self.plan.populations[population].read(variable, self.plan.format.real)

    def write(self, population: int, variable: str, values: NDArray[Any]) -> None:
        """Replace a state variable; all neurons of the population wake up."""
        self._settle()
        self.plan.populations[population].write(variable, values)
        for (p, _), awake in self.arrivals.awake.items():
            if p == population:
                awake.wake(np.arange(awake.first, awake.last))
                for what in awake.homes:
                    awake.refresh(what)

    @property
    def time(self) -> float:
        """Model time in ms."""
        return self.step * self.plan.dt

    @property
    def synaptic_events(self) -> int:
        """How many synapses the spikes had that were sent."""
        return int(self.events.sum())

    @property
    def skipped_updates(self) -> float:
        """The share of updates of neurons that were left out, because they slept."""
        return self.sleeping.skipped

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
        kept = f"{layout}; sums of {8 * self.links.width} bits" if layout else "none"
        asleep = self.sleeping.describe([p.name for p in self.plan.populations], self.arrivals.awake)
        return f"{kept}; {asleep}" if asleep else kept

    def close(self) -> None:
        """Give the threads back."""
        if self.pool:
            self.pool.shutdown()
