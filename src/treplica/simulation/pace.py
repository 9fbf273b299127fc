"""How many steps an engine does without looking up: until a current changes, and about a tenth of a second."""

from __future__ import annotations

import numpy as np

from treplica.engines.base import Engine
from treplica.engines.plan import CurrentPlan

PIECE_S = 0.1
LARGEST = 1 << 14


class Pace:
    """Sets stimulus currents when their time comes, and sizes the pieces of a run.

    most: steps of a piece at most, for recordings that may not hold more.
    """

    def __init__(self, currents: list[CurrentPlan], most: int | None = None) -> None:
        self.currents, self.most = currents, min(most or LARGEST, LARGEST)
        self.piece = min(8, self.most)
        self.totals: dict[tuple[int, str], list[int]] = {}
        for index, plan in enumerate(currents):
            self.totals.setdefault((plan.population, plan.current), []).append(index)
        changes = [plan.steps for plan in currents]
        self.changes = np.unique(np.concatenate(changes)) if changes else np.empty(0, dtype=np.int64)

    def set_currents(self, engine: Engine) -> None:
        """Set what changes in the next step; currents onto the same neuron add up."""
        coming = engine.step + 1
        at = np.searchsorted(self.changes, coming)
        if at == self.changes.size or self.changes[at] != coming:
            return
        for (population, current), members in self.totals.items():
            plans = [self.currents[m] for m in members]
            ids = np.unique(np.concatenate([p.ids for p in plans]))
            total = np.zeros(ids.size)
            for plan in plans:
                row = np.searchsorted(plan.steps, coming, side="right") - 1
                if row >= 0:
                    total[np.searchsorted(ids, plan.ids)] += plan.values[row]
            engine.set_external(population, current, ids, total)

    def steps(self, step: int, end: int) -> int:
        """The size of the next piece."""
        at = np.searchsorted(self.changes, step + 1, side="right")
        until_change = int(self.changes[at]) - 1 - step if at < self.changes.size else end - step
        return max(1, min(self.piece, end - step, until_change))

    def learn(self, steps: int, elapsed: float) -> None:
        """Adapt the size of pieces to the time one took."""
        per_step = elapsed / max(1, steps)
        fitting = int(PIECE_S / max(per_step, 1e-9))
        self.piece = int(np.clip(fitting, max(1, self.piece // 4), min(self.most, self.piece * 4)))
