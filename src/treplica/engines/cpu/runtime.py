"""What generated update kernels import besides the vocabulary: slices of memory, noise, collecting spikes."""

from __future__ import annotations

from typing import Any

from numba import float32, njit, uint32

from treplica.engines.cpu.intrinsics import (
    INLINE,
    narrow_8,
    narrow_16,
    rint,
    select,
    view_f32,
    view_f64,
    view_i8,
    view_i16,
    view_i32,
    view_i64,
    view_u8,
    view_u32,
)
from treplica.numerics.compiled_memory import fetch
from treplica.numerics.compiled_noise import fill_normal, fill_uniform, fill_words
from treplica.numerics.fixed import Fixed

#: Neurons that one call of an update kernel computes at most: their scratch stays in the first-level cache.
BLOCK = 1024
#: A kernel adds this to the number of spikes when a state is no longer finite.
NOT_FINITE = 1 << 40

__all__ = [
    "above",
    "arrivals_4",
    "arrivals_8",
    "collect",
    "collect_graded",
    "count_spikes",
    "fetch_float32",
    "fetch_float64",
    "fill_normal",
    "fill_uniform",
    "fill_words",
    "float32",
    "larger",
    "slice_float32",
    "slice_float64",
    "slice_i8",
    "slice_i16",
    "slice_u8",
    "slice_u32",
    "uint32",
    "view_f64",
    "view_i64",
    "whole_8",
    "whole_16",
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
def slice_i16(address: int, first: int, count: int) -> Any:
    """Items first to first + count of the int16 array at an address."""
    return view_i16(address + first * 2, count)


@njit(**INLINE)
def slice_i8(address: int, first: int, count: int) -> Any:
    """Items first to first + count of the int8 array at an address."""
    return view_i8(address + first, count)


@njit(**INLINE)
def fetch_float32(address: int, first: int, count: int) -> None:
    """Ask for items first to first + count of the float32 array at an address."""
    fetch(address + first * 4, count * 4)


@njit(**INLINE)
def fetch_float64(address: int, first: int, count: int) -> None:
    """Ask for items first to first + count of the float64 array at an address."""
    fetch(address + first * 8, count * 8)


def _whole(fixed: Fixed, narrow: Any) -> Any:
    """`Fixed.to_whole` for one float32; narrow: to the integer type."""
    largest, broken = float32(fixed.largest), float32(fixed.broken)

    @njit(forceinline=True, **INLINE)
    def whole(value: Any, units: Any) -> Any:
        scaled = rint(value * units)
        below = select(scaled < largest, scaled, largest)
        within = select(below > -largest, below, -largest)
        finite = value - value == float32(0.0)
        return narrow(select(finite, within, broken))

    return whole


#: Numbers in fixed point, given how many units are 1.
whole_16, whole_8 = _whole(Fixed(16, 1.0), narrow_16), _whole(Fixed(8, 1.0), narrow_8)


@njit(**INLINE)
def slice_u8(address: int, first: int, count: int) -> Any:
    """Items first to first + count of the uint8 array at an address."""
    return view_u8(address + first, count)


@njit(**INLINE)
def slice_u32(address: int, first: int, count: int) -> Any:
    """Items first to first + count of the uint32 array at an address."""
    return view_u32(address + first * 4, count)


@njit(**INLINE)
def arrivals_4(slots: Any, at: int, step: int, first: int, count: int) -> Any:
    """This step's accumulators (int32): slots[at] = address, slots[4] = how many slots, slots[5] = their distance."""
    return view_i32(slots[at] + ((step & (slots[4] - 1)) * slots[5] + first) * 4, count)


@njit(**INLINE)
def arrivals_8(slots: Any, at: int, step: int, first: int, count: int) -> Any:
    """The same for int64."""
    return view_i64(slots[at] + ((step & (slots[4] - 1)) * slots[5] + first) * 8, count)


@njit(forceinline=True, **INLINE)
def above(word: Any, threshold: Any) -> Any:
    """1 where the word is above, else 0; all uint32."""
    return select(word > threshold, uint32(1), uint32(0))


@njit(forceinline=True, **INLINE)
def larger(a: Any, b: Any) -> Any:
    """The larger of two uint32."""
    return select(a > b, a, b)


@njit(**INLINE)
def count_spikes(words: Any, classes: int, tables: int, width: int, first: int, counts: Any) -> None:
    """counts[k] = how many thresholds in the table of neuron first + k are below its word; tables ascend."""
    classes_of = view_u8(classes + first, words.shape[0])
    for k in range(words.shape[0]):
        table = view_u32(tables + int(classes_of[k]) * width * 4, width)
        count = 0
        while count < width and table[count] < words[k]:
            count += 1
        counts[k] = count


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
