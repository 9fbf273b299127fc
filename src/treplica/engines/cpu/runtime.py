"""What generated update kernels import besides the vocabulary: slices of memory, noise, collecting spikes."""

from __future__ import annotations

from typing import Any

from numba import njit

from treplica.engines.cpu.intrinsics import (
    INLINE,
    view_f32,
    view_f64,
    view_i32,
    view_i64,
    view_u8,
)
from treplica.numerics.compiled_noise import fill_normal, fill_uniform

#: Neurons that one call of an update kernel computes at most: their scratch stays in the first-level cache.
BLOCK = 1024
#: A kernel adds this to the number of spikes when a state is no longer finite.
NOT_FINITE = 1 << 40

__all__ = [
    "collect",
    "collect_graded",
    "fill_normal",
    "fill_uniform",
    "ring_float32",
    "ring_float64",
    "slice_float32",
    "slice_float64",
    "slice_u8",
    "view_f64",
    "view_i64",
]


@njit(**INLINE)
def slice_float32(address: int, first: int, count: int) -> Any:
    """Items first to first + count of the float32 array at an address."""
    return view_f32(address + first * 4, count)


@njit(**INLINE)
def slice_float64(address: int, first: int, count: int) -> Any:
    """Items first to first + count of the float64 array at an address."""
    return view_f64(address + first * 8, count)


@njit(**INLINE)
def slice_u8(address: int, first: int, count: int) -> Any:
    """Items first to first + count of the uint8 array at an address."""
    return view_u8(address + first, count)


@njit(**INLINE)
def ring_float32(slots: Any, at: int, step: int, first: int, count: int) -> Any:
    """This step's accumulators of a port (int32): slots[at] = ring, slots[at+1] = depth, slots[at+2] = size."""
    return view_i32(slots[at] + ((step % slots[at + 1]) * slots[at + 2] + first) * 4, count)


@njit(**INLINE)
def ring_float64(slots: Any, at: int, step: int, first: int, count: int) -> Any:
    """This step's accumulators of a port (int64)."""
    return view_i64(slots[at] + ((step % slots[at + 1]) * slots[at + 2] + first) * 8, count)


@njit(**INLINE)
def collect(fired: Any, count: int, first: int, ids_address: int) -> int:
    """Write the ids of the neurons that fired, ascending; how many. Eight silent neurons cost one comparison."""
    words = view_i64(fired.ctypes.data, (count + 7) // 8)
    ids = view_i32(ids_address, count)
    found = 0
    for w in range(words.shape[0]):
        if words[w] != 0:
            for k in range(8 * w, min(8 * w + 8, count)):
                if fired[k] != 0:
                    ids[found] = first + k
                    found += 1
    return found


@njit(**INLINE)
def collect_graded(values: Any, count: int, first: int, ids_address: int, gap: int, limit: float) -> int:
    """Write ids and values of the events whose whole part is not 0; NOT_FINITE marks one beyond `limit`."""
    ids = view_i32(ids_address, count)
    out = view_i32(ids_address + gap, count)
    found = 0
    flag = 0
    for k in range(count):
        if not (abs(values[k]) < 1.0):
            if not (abs(values[k]) <= limit):
                flag = NOT_FINITE
            else:
                ids[found] = first + k
                out[found] = int(values[k])
                found += 1
    return found + flag
