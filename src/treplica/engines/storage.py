"""Ways to keep synapses; none of them changes a spike. And the one rule by which packed words are chosen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Storage = Literal["auto", "packed", "rows", "procedural"]
STORAGES = ("auto", "packed", "rows", "procedural")

#: Neurons belong to threads in groups of this many: noise is made for so many at once.
GROUP = 64
#: Accumulators of a thread up to 2**ONE_BLOCK are one block; more are blocks of 2**BLOCK_BITS.
ONE_BLOCK, BLOCK_BITS = 18, 16
#: Delays of a group span at most 2**SLOT_BITS steps: so many slots of a thread's accumulators stay in its cache.
SLOT_BITS = 2
#: Runs of memory shorter than this many synapses on average are not worth a place in the table of runs.
SHORTEST_RUN = 8.0
WORDS = (2, 4, 8)


@dataclass(frozen=True)
class Word:
    """A packed synapse: its bytes, the bits of its slot within a group of delays, how many such groups there are."""

    nbytes: int
    slot_bits: int
    groups: int


def blocks_of(accumulators: int) -> tuple[int, int]:
    """Bits that say which of a block, and how many blocks, for so many accumulators of a thread."""
    needed = max(1, accumulators - 1).bit_length()
    bits = needed if needed <= ONE_BLOCK else BLOCK_BITS
    return bits, max(1, -(-accumulators // (1 << bits)))


def most_accumulators(sizes: Iterable[tuple[int, int]], threads: int) -> int:
    """Accumulators of the thread that has most. sizes: of each population, its neurons and ports."""
    most = 0
    for size, ports in sizes:
        groups = -(size // -GROUP)
        most += ports * min(size, -(groups // -threads) * GROUP)
    return most


def narrowest_word(
    weight_bits: int, span: int, place: tuple[int, int], threads: int, per_neuron: float, least: float
) -> Word | None:
    """The narrowest word whose runs are `least` synapses long on average, or None.

    weight_bits: 0 for one weight for all. span: steps from the shortest to the longest delay. place: see `blocks_of`.
    per_neuron: mean number of synapses that a source neuron has.
    """
    bits, blocks = place
    for nbytes in WORDS:
        free = 8 * nbytes - weight_bits - bits
        if free < 0:
            continue
        slot_bits = 0 if blocks > 1 else min(free, SLOT_BITS, (span - 1).bit_length())
        groups = -(-span // (1 << slot_bits))
        if per_neuron / (threads * blocks * groups) >= least:
            return Word(nbytes, slot_bits, groups)
    return None
