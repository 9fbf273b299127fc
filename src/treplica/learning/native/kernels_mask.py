"""Which neurons are kept, drawn by the words of `numerics.noise`: several numbers in the time of one of PyTorch's."""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Any

from treplica.engines.cpu.intrinsics import atomic_add
from treplica.learning.native.compiled_kernels import Kernels, table_of
from treplica.numerics.compiled_memory import size_of, view_i64, view_like, view_u32
from treplica.numerics.compiled_noise import fill_words

#: Numbers that a thread draws at a time.
DRAWN = 16384


class Slot(IntEnum):
    """Items of the table."""

    CHUNK = 0
    #: Two words of the seed; the least word that keeps a number.
    SEED_LO = auto()
    SEED_HI = auto()
    LEAST = auto()
    #: Numbers in all; where they go; uint32 of each; the one number that those are which are kept.
    COUNT = auto()
    RESULT = auto()
    WORDS = auto()
    KEPT = auto()
    END = auto()


_CHUNK, _SEED_LO, _SEED_HI, _LEAST = int(Slot.CHUNK), int(Slot.SEED_LO), int(Slot.SEED_HI), int(Slot.LEAST)
_COUNT, _RESULT, _WORDS, _KEPT, _END = (
    int(Slot.COUNT),
    int(Slot.RESULT),
    int(Slot.WORDS),
    int(Slot.KEPT),
    int(Slot.END),
)


def draw(place: Any) -> None:
    """result = kept where its word is `LEAST` or more, else 0."""
    address, like = table_of(place)
    table = view_i64(address, _END)
    least, kept = table[_LEAST], view_like(table[_KEPT], 1, like)[0]
    nothing = kept - kept
    while True:
        first = atomic_add(address + 8 * _CHUNK, 1) * DRAWN
        if first >= table[_COUNT]:
            break
        n = min(DRAWN, table[_COUNT] - first)
        words = view_u32(table[_WORDS] + 4 * first, n)
        result = view_like(table[_RESULT] + first * size_of(like), n, like)
        fill_words(table[_SEED_LO], table[_SEED_HI], 0, 0, first, words)
        for k in range(n):
            result[k] = kept if words[k] >= least else nothing


KERNELS = Kernels(draw)
