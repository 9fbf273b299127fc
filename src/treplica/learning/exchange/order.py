"""The order in which populations are computed: those that depend on each other together, in short pieces of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor


@dataclass
class Block:
    """Populations in a cycle, or one that is in none.

    length: steps that can be computed at once, the shortest delay among them; 0: all, as nothing comes back.
    """

    members: list[int]
    length: int = 0
    pending: dict[int, Tensor] = field(default_factory=dict)

    def keep(self, index: int, spikes: Tensor) -> None:
        """Keep new spikes until the whole block is done with these steps."""
        self.pending[index] = spikes

    def append(self, made: dict[int, list[Tensor]]) -> None:
        """Add them to what was made before."""
        for index, spikes in self.pending.items():
            made[index].append(spikes)
        self.pending.clear()


def schedule(count: int, edges: Sequence[tuple[int, int, int]]) -> list[Block]:
    """Blocks of `count` populations in the order of their dependence; edges: (source, target, shortest delay)."""
    table = np.array([(s, t) for s, t, _ in edges], np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(table)), (table[:, 0], table[:, 1])), shape=(count, count))
    _, labels = connected_components(graph, connection="strong")
    blocks: dict[int, Block] = {}
    for index, label in enumerate(labels.tolist()):
        blocks.setdefault(label, Block([])).members.append(index)
    for label, block in blocks.items():
        inner = [d for s, t, d in edges if labels[s] == labels[t] == label]
        block.length = min(inner, default=0)
    before = {label: {labels[s] for s, t, _ in edges if labels[t] == label} - {label} for label in blocks}
    ordered: list[Block] = []
    while before:
        ready = [label for label in before if not before[label] & before.keys()]
        for label in ready:
            ordered.append(blocks[label])
            del before[label]
    return ordered
