"""Which populations sleep: those that can, for as long as most of their neurons do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from treplica.engines.base import Sleep
from treplica.engines.cpu.layout import Layout
from treplica.engines.cpu.sleep import Awake
from treplica.engines.plan import Plan, Sampler

#: Fewer neurons are updated sooner than looked up.
FEW = 4096
#: With a larger share awake, to update all neurons costs less than to keep track of those.
MOST_AWAKE = 0.4
#: Steps until a population that was too busy is tried again: at first, and at most.
PATIENCE, MOST_PATIENCE = 500, 64_000


class Sleeping:
    """Decides, from what was measured, which populations sleep.

    now: populations that sleep. can: those that may: nothing but spikes over rows, spikes from outside and
    given currents reach them, and their neurons come to rest.
    """

    def __init__(self, plan: Plan, layout: Layout, mode: Sleep) -> None:
        self.sizes = [p.size for p in plan.populations]
        rowwise = {c.name for c in layout.rows}
        busy = {c.target for c in plan.connections if c.name not in rowwise}
        self.can = {
            p
            for p, population in enumerate(plan.populations)
            if population.composition.may_sleep and p not in busy and mode != "never"
        }
        self.mode = mode
        self.now = {p for p in self.can if mode == "always" or self.sizes[p] >= FEW}
        self.again = dict.fromkeys(self.can, 0)
        self.patience = dict.fromkeys(self.can, PATIENCE)
        #: updates of neurons, and those that would have been without sleep
        self.updates = self.all_updates = 0
        self.seen: dict[int, int] = dict.fromkeys(self.can, 0)

    def measure(self, awake: Mapping[tuple[int, int], Awake], step: int, steps: int) -> bool:
        """Take note of some steps that were done; whether `now` has changed."""
        if not steps:
            return False
        before = set(self.now)
        for p, size in enumerate(self.sizes):
            done = size * steps
            self.all_updates += done
            if p in self.now:
                own = [a for (q, _), a in awake.items() if q == p]
                total = sum(a.updates for a in own)
                done, self.seen[p] = total - self.seen[p], total
                self._judge(p, sum(a.count for a in own) / size, step)
            elif p in self.can and self.mode == "auto" and size >= FEW and step >= self.again[p]:
                self.now.add(p)
                self.seen[p] = 0
            self.updates += done
        return self.now != before

    def _judge(self, p: int, share: float, step: int) -> None:
        if self.mode != "auto":
            return
        if share <= MOST_AWAKE:
            self.patience[p] = PATIENCE
        else:
            self.now.discard(p)
            self.again[p] = step + self.patience[p]
            self.patience[p] = min(2 * self.patience[p], MOST_PATIENCE)

    def relinked(self) -> None:
        """Counters of updates begin at 0 again."""
        self.seen = dict.fromkeys(self.can, 0)

    def describe(self, names: list[str], awake: Mapping[tuple[int, int], Awake]) -> str:
        """Who sleeps, and how many do now."""
        found = []
        for p in sorted(self.now):
            share = sum(a.count for (q, _), a in awake.items() if q == p) / self.sizes[p]
            found.append(f"{names[p]} sleeps ({share:.1%} awake)")
        return "; ".join(found)

    @property
    def skipped(self) -> float:
        """The share of updates of neurons that were left out."""
        return 1.0 - self.updates / self.all_updates if self.all_updates else 0.0


def sampler_awake(
    plan: Plan, samplers: Sequence[Sampler], threads: int, awake: Mapping[tuple[int, int], Awake]
) -> NDArray[np.int64]:
    """For every sampled state and thread: places of neurons, the first neuron, the column; 0 where all are at home."""
    out = np.zeros((len(samplers), threads, 3), dtype=np.int64)
    for i, sampler in enumerate(samplers):
        parts = plan.populations[sampler.population].composition.parts
        (what,) = (
            ("state", k, n) for k, p in enumerate(parts) for n in p.states if p.key(n) == sampler.variable
        )
        for t in range(threads):
            own = awake.get((sampler.population, t))
            if own is not None:
                out[i, t] = own.place.ctypes.data, own.first, own.columns[what].ctypes.data
    return out
