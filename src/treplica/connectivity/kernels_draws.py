"""Values for every synapse, inside compiled kernels. Slot i of a row belongs to its i-th synapse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.connectivity.kernels_words import U32, U64, VALUE, row_words
from treplica.numerics.compiled_elementary import exp64
from treplica.numerics.compiled_noise import fill_normal, normal_pair, philox

F64 = np.float64
CHUNK = 256  # values that are drawn together


@njit(error_model="numpy", nogil=True)
def _row_normal(k0: Any, k1: Any, stream: Any, source: Any, attempt: Any, slot: Any) -> Any:
    """Return the normal number of one slot and attempt: `noise.normal` at step (source, VALUE, attempt)."""
    counter = U32(((slot >> 6) << 4) | (slot & 15))
    above = U32(U32(VALUE << 24) | U32(attempt))
    w0, w1, w2, w3 = philox(counter, U32(stream), U32(source), above, U32(k0), U32(k1))
    upper = (slot >> 5) & 1 == 1
    cosine, sine = normal_pair(w2 if upper else w0, w3 if upper else w1)
    return sine if (slot >> 4) & 1 == 1 else cosine


@njit(error_model="numpy", nogil=True)
def _exponentials(values: Any) -> None:
    for i in range(values.shape[0]):
        values[i] = exp64(values[i])


@njit(error_model="numpy", nogil=True)
def _clip(values: Any, low: Any, high: Any) -> None:
    for i in range(values.shape[0]):
        values[i] = min(max(values[i], low), high)


@njit(error_model="numpy", nogil=True)
def normal_row(k0: Any, k1: Any, stream: Any, source: Any, law: Any, block: Any, out: Any) -> None:
    """Write mean + std * z, or its exponential, with every standard normal z redrawn until it lies in its limits.

    law: mean, std, limits of z, limits of the result (against rounding), whether it is exponentiated. block: float32,
    CHUNK items.
    """
    mean, std, z_low, z_high, low, high, exponential = law
    step = U64(source) | (U64(VALUE << 24) << U64(32))
    for begin in range(0, out.shape[0], CHUNK):
        part = out[begin : begin + CHUNK]
        fill_normal(k0, k1, stream, step, begin, block[: (part.shape[0] + 63) & ~63])
        for i in range(part.shape[0]):
            z = F64(block[i])
            attempt = 0
            while z < z_low or z > z_high:
                attempt += 1
                z = F64(_row_normal(k0, k1, stream, source, attempt, begin + i))
            part[i] = mean + std * z
        if exponential:
            _exponentials(part)
        _clip(part, low, high)


@njit(error_model="numpy", nogil=True)
def uniform_row(k0: Any, k1: Any, stream: Any, source: Any, law: Any, block: Any, out: Any) -> None:
    """Write low + (high - low) * u with u the middle of one of 2**32 equal parts of 0..1; law: low, high."""
    low, high = law
    width = high - low
    for begin in range(0, out.shape[0], CHUNK):
        part = out[begin : begin + CHUNK]
        row_words(k0, k1, stream, source, VALUE, begin, block[: (part.shape[0] + 63) & ~63])
        for i in range(part.shape[0]):
            part[i] = low + width * ((F64(block[i]) + 0.5) * 2.0**-32)
        _clip(part, low, high)


@njit(error_model="numpy", nogil=True, cache=True)
def drawn_values(
    k0: Any, k1: Any, stream: Any, first: Any, last: Any, indptr: Any, law: Any, out: Any
) -> None:
    """Write the values of some rows; law: that of `uniform_row`, two numbers, or of `normal_row`."""
    words = np.empty(CHUNK, np.uint32)
    for i in range(last - first):
        row = out[indptr[i] - indptr[0] : indptr[i + 1] - indptr[0]]
        if len(law) == 2:  # known to the compiler, which drops the other branch
            uniform_row(k0, k1, stream, first + i, law, words, row)
        else:
            normal_row(k0, k1, stream, first + i, law, words.view(np.float32), row)
