"""Philox4x32-10: random words computed from a key and a counter, without any state.

Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", doi:10.1145/2063384.2063405.
This is the definition; `compiled_noise.philox` computes the same words inside compiled kernels.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from treplica.errors import InvalidValue

Words = npt.NDArray[np.uint32]

ROUNDS = 10
MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
KEY_STEPS = (np.uint32(0x9E3779B9), np.uint32(0xBB67AE85))
_HALF = np.uint64(32)


def philox4x32(
    c0: npt.ArrayLike,
    c1: npt.ArrayLike,
    c2: npt.ArrayLike,
    c3: npt.ArrayLike,
    k0: npt.ArrayLike,
    k1: npt.ArrayLike,
) -> tuple[Words, Words, Words, Words]:
    """Return four random words for each counter (c0, c1, c2, c3) under the key (k0, k1).

    All arguments are 32-bit words, scalars or arrays that broadcast together; the results have the
    broadcast shape and are at least one-dimensional.
    """
    x0, x1, x2, x3, y0, y1 = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(word, dtype=np.uint32)) for word in (c0, c1, c2, c3, k0, k1))
    )
    for _ in range(ROUNDS):
        p0 = x0.astype(np.uint64) * MULTIPLIERS[0]
        p1 = x2.astype(np.uint64) * MULTIPLIERS[1]
        high0, high1 = (p0 >> _HALF).astype(np.uint32), (p1 >> _HALF).astype(np.uint32)
        x0, x1, x2, x3 = high1 ^ x1 ^ y0, p1.astype(np.uint32), high0 ^ x3 ^ y1, p0.astype(np.uint32)
        y0, y1 = y0 + KEY_STEPS[0], y1 + KEY_STEPS[1]
    return x0, x1, x2, x3


def split64(value: int) -> tuple[np.uint32, np.uint32]:
    """Return the low and the high 32 bits of a whole number from 0 to 2**64 - 1."""
    return np.uint32(value & 0xFFFFFFFF), np.uint32(value >> 32)


def key(seed: int) -> tuple[np.uint32, np.uint32]:
    """Return the Philox key of a 64-bit seed: its low and its high word.

    Raises `InvalidValue` where the seed is not a whole number from 0 to 2**64 - 1.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= int(seed) < 2**64:
        raise InvalidValue("seed", seed, "a whole number from 0 to 2**64 - 1")
    return split64(int(seed))


def stream_id(name: str) -> np.uint32:
    """Return the stream number that belongs to a name: the first four bytes of its SHA-256, low byte first.

    Streams of different names give independent words under one seed.
    """
    return np.uint32(int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little"))
