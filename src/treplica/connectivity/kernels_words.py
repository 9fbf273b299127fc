"""Random words of rows, inside compiled kernels.

Word `slot` of a row has the layout of `treplica.numerics.noise.words` with the step replaced by (source,
purpose): a 64-bit number with the source below and purpose << 24 | attempt above. Rules and draws use
separate streams.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.numerics.compiled_noise import fill_words, philox

U32, U64 = np.uint32, np.uint64

DECIDE, CHOOSE, COUNT, VALUE = 0, 1, 2, 3  # purposes
_WORDS = U64(1 << 32)
_WORD_BITS, _PURPOSE_BITS = U64(32), U32(24)


@njit(error_model="numpy", nogil=True)
def row_words(k0: Any, k1: Any, stream: Any, source: Any, purpose: Any, first: Any, out: Any) -> None:
    """Write the words first, first + 1, ... of a row; `first` and the length of `out` are multiples of 64."""
    above = U64(U32(purpose) << _PURPOSE_BITS) << _WORD_BITS
    fill_words(k0, k1, stream, U64(source) | above, first, out)


@njit(error_model="numpy", nogil=True)
def row_word(k0: Any, k1: Any, stream: Any, source: Any, purpose: Any, attempt: Any, slot: Any) -> Any:
    """Return one word of a row."""
    counter = U32(((slot >> 6) << 4) | (slot & 15))
    above = U32(U32(U32(purpose) << _PURPOSE_BITS) | U32(attempt))
    words = philox(counter, U32(stream), U32(source), above, U32(k0), U32(k1))
    output = (slot >> 4) & 3
    return words[0] if output == 0 else words[1] if output == 1 else words[2] if output == 2 else words[3]


@njit(error_model="numpy", forceinline=True)
def rejected_below(n: Any) -> Any:
    """Return 2**32 mod n: words whose product with n has a smaller low half are redrawn (Lemire 2019)."""
    return U32((_WORDS - U64(n)) % U64(n))


@njit(error_model="numpy", nogil=True)
def slot_below(
    k0: Any, k1: Any, stream: Any, source: Any, purpose: Any, slot: Any, word: Any, n: Any, rejected: Any
) -> Any:
    """Return the uniform number below n (int64) of a slot of a row, from its word or redraws.

    Lemire 2019, "Fast random integer generation in an interval", doi:10.1145/3230636.
    """
    product = U64(word) * U64(n)
    attempt = 0
    while U32(product) < rejected:
        attempt += 1
        product = U64(row_word(k0, k1, stream, source, purpose, attempt, slot)) * U64(n)
    return np.int64(product >> _WORD_BITS)
