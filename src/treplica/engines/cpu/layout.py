"""How every projection is kept: packed into words, as rows of wide targets, or recomputed at each spike.

A packed word holds, from below: the accumulator within a block, the delay within a group of 2**slot_bits steps, the
weight. Projections of one source population are packed together, so that a spike finds all its synapses of one
thread and one group of delays in one run of memory. The narrowest word that leaves such runs long enough is taken.
None of this changes a spike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from treplica.engines.connections import Connections
from treplica.engines.cpu.memory import Regions
from treplica.engines.plan import Plan
from treplica.engines.storage import SHORTEST_RUN, Storage, narrowest_word


@dataclass(frozen=True)
class Packing:
    """Projections of one source population that share a table of words of `word` bytes.

    weight: units, if one for all, which then is not stored; else weight_bits with the sign. shortest: steps of the
    first group of delays; groups: how many there are.
    """

    members: tuple[Connections, ...]
    word: int
    weight: int | None
    weight_bits: int
    slot_bits: int
    shortest: int
    groups: int

    @property
    def source(self) -> int:
        """The source population."""
        return self.members[0].source

    def __str__(self) -> str:
        weight = f"weight {self.weight_bits}" if self.weight is None else "one weight"
        return f"words of {8 * self.word} bits (delay {self.slot_bits}, {weight})"


@dataclass(frozen=True)
class Layout:
    """What is packed, what is kept as rows and what is recomputed."""

    packed: tuple[Packing, ...]
    rows: tuple[Connections, ...]
    procedural: tuple[Connections, ...]

    @property
    def slots(self) -> int:
        """How many steps of arrivals a thread keeps beside each other."""
        return 1 << max((p.slot_bits for p in self.packed), default=0)

    def __str__(self) -> str:
        kept: dict[str, list[str]] = {}
        for packing in self.packed:
            kept.setdefault(str(packing), []).extend(m.name for m in packing.members)
        for how, connections in (
            ("rows of 32-bit targets", self.rows),
            ("recomputed at each spike", self.procedural),
        ):
            kept.setdefault(how, []).extend(c.name for c in connections)
        return "; ".join(f"{_named(names)}: {how}" for how, names in kept.items() if names)


def _named(names: Sequence[str]) -> str:
    """A few projections by name, many by number."""
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} projections"


def choose_layout(plan: Plan, regions: Regions, storage: Storage) -> Layout:
    """The layout of a plan's connections."""
    if storage == "procedural":
        return Layout((), (), tuple(plan.connections))
    if storage == "rows":
        return Layout((), tuple(plan.connections), ())
    groups: dict[tuple[int, int | None], list[Connections]] = {}
    for connections in plan.connections:
        weight = connections.weight if isinstance(connections.weight, int) else None
        groups.setdefault((connections.source, weight), []).append(connections)
    packed, rows = [], []
    for (source, weight), members in groups.items():
        size = plan.populations[source].size
        packing = _packing(members, weight, size, regions, 0.0 if storage == "packed" else SHORTEST_RUN)
        if packing:
            packed.append(packing)
        else:
            rows += members
    return Layout(tuple(packed), tuple(rows), ())


def _packing(
    members: Sequence[Connections], weight: int | None, size: int, regions: Regions, least: float
) -> Packing | None:
    """The narrowest packing whose runs are `least` synapses on average, or None."""
    shortest, longest = min(m.shortest for m in members), max(m.longest for m in members)
    span = longest - shortest + 1
    bits = 0 if weight is not None else max(m.weight_bits for m in members)
    expected = sum(m.rows.expected_synapses for m in members) / size
    word = narrowest_word(bits, span, (regions.bits, regions.blocks), regions.threads, expected, least)
    if word is None:
        return None
    return Packing(tuple(members), word.nbytes, weight, bits, word.slot_bits, shortest, word.groups)
