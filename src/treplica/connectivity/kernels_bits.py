"""Sets of targets as bitmaps, inside compiled kernels: bit x % 64 of word x // 64 stands for the target x.

A bitmap of a dense row stays in the first-level cache, where marking a target costs less than sorting it in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.cpython.unsafe.numbers import trailing_zeros
from numba.extending import intrinsic

from treplica.connectivity.kernels_words import U32, U64

#: A row with at least this share of all targets is drawn into a bitmap, if its targets are then listed; and if they
#: are not, but counted with those of other rows.
DENSE, MARKED = 1.0 / 32.0, 1.0 / 256.0
_ONE, _ALL, _BITS, _WORD = U64(1), U64(0xFFFFFFFFFFFFFFFF), U32(6), U32(63)


def _bits_set(typing_context: Any, word: Any) -> Any:
    """Return how many bits of a word (uint64) are set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = builder.module.declare_intrinsic("llvm.ctpop", [arguments[0].type])
        return builder.call(function, arguments)

    return types.uint64(types.uint64), generate


bits_set: Any = intrinsic(_bits_set)


@njit(error_model="numpy", nogil=True)
def mark(targets: Any, bits: Any) -> None:
    """Set the bits of some targets (int32)."""
    for target in targets:
        x = U32(target)
        bits[x >> _BITS] |= _ONE << U64(x & _WORD)


@njit(error_model="numpy", nogil=True)
def count_marked(bits: Any) -> Any:
    """Return how many bits are set; for many targets this is quicker than `mark_new` for each."""
    count = U64(0)
    for word in bits:
        count += bits_set(word)
    return np.int64(count)


@njit(error_model="numpy", nogil=True)
def mark_new(targets: Any, bits: Any) -> Any:
    """Set the bits of some targets (int32); how many were not set before."""
    new = U64(0)
    for target in targets:
        x = U32(target)
        word, shift = bits[x >> _BITS], U64(x & _WORD)
        new += ((word >> shift) & _ONE) ^ _ONE
        bits[x >> _BITS] = word | (_ONE << shift)
    return np.int64(new)


@njit(error_model="numpy", nogil=True)
def complement(bits: Any, n: Any, hole: Any) -> None:
    """Turn a set of numbers below n into those below n that it lacks, without `hole`."""
    for w in range(bits.shape[0]):
        bits[w] ^= _ALL
    if n & 63:
        bits[n >> 6] &= (_ONE << U64(n & 63)) - _ONE
    for w in range((n + 63) >> 6, bits.shape[0]):
        bits[w] = U64(0)
    if hole < n:
        bits[hole >> 6] &= ~(_ONE << U64(hole & 63))


@njit(error_model="numpy", nogil=True)
def list_bits(bits: Any, out: Any) -> None:
    """Write the numbers of a set (int32), ascending; `out` has as many items."""
    at = U64(0)
    for w in range(bits.shape[0]):
        word = bits[w]
        while word != U64(0):
            out[at] = np.int64(w) * 64 + np.int64(trailing_zeros(word))
            at += _ONE
            word &= word - _ONE
