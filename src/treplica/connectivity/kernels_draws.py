"""Values for every synapse, inside compiled kernels. Slot i of a row belongs to its i-th synapse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.connectivity.kernels_words import U32, U64, VALUE, row_words
from treplica.numerics.compiled_noise import fill_normal, normal_pair, philox

F64 = np.float64


@njit(error_model="numpy", nogil=True)
def _row_normal(k0: Any, k1: Any, stream: Any, source: Any, attempt: Any, slot: Any) -> Any:
    """Return the normal number of one slot and attempt: `noise.normal` at step (source, VALUE, attempt)."""
    counter = U32(((slot >> 6) << 4) | (slot & 15))
    above = U32(U32(VALUE << 24) | U32(attempt))
    w0, w1, w2, w3 = philox(counter, U32(stream), U32(source), above, U32(k0), U32(k1))
    upper = (slot >> 5) & 1 == 1
    cosine, sine = normal_pair(w2 if upper else w0, w3 if upper else w1)
    return sine if (slot >> 4) & 1 == 1 else cosine


@njit(error_model="numpy", nogil=True, cache=True)
def normal_values(
    k0: Any, k1: Any, stream: Any, first: Any, last: Any, indptr: Any, mean: Any, std: Any, low: Any,
    high: Any, out: Any,
) -> None:  # fmt: skip
    """Write mean + std * z, redrawing each standard normal z until it lies in low..high."""
    block = np.empty(64, np.float32)
    base = indptr[0]
    for source in range(first, last):
        begin = indptr[source - first] - base
        count = indptr[source - first + 1] - base - begin
        step = U64(source) | (U64(VALUE << 24) << U64(32))
        for slot in range(count):
            if slot & 63 == 0:
                fill_normal(k0, k1, stream, step, slot, block)
            z = F64(block[slot & 63])
            attempt = 0
            while z < low or z > high:
                attempt += 1
                z = F64(_row_normal(k0, k1, stream, source, attempt, slot))
            out[begin + slot] = mean + std * z


@njit(error_model="numpy", nogil=True, cache=True)
def uniform_values(
    k0: Any, k1: Any, stream: Any, first: Any, last: Any, indptr: Any, low: Any, width: Any, out: Any
) -> None:
    """Write low + width * u with u the middle of one of 2**32 equal parts of 0..1."""
    block = np.empty(64, np.uint32)
    base = indptr[0]
    for source in range(first, last):
        begin = indptr[source - first] - base
        for slot in range(indptr[source - first + 1] - base - begin):
            if slot & 63 == 0:
                row_words(k0, k1, stream, source, VALUE, slot, block)
            out[begin + slot] = low + width * ((F64(block[slot & 63]) + 0.5) * 2.0**-32)
