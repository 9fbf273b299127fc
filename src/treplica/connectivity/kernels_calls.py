"""One row, or its values, by address: see `calls.RowCall` and `draw_calls.DrawCall` for the arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cfunc

from treplica.connectivity.kernels_draws import CHUNK as VALUES
from treplica.connectivity.kernels_draws import normal_row
from treplica.connectivity.kernels_draws import uniform_row as uniform_values_row
from treplica.connectivity.kernels_in_degree import ROUNDS, slot_row
from treplica.connectivity.kernels_sampling import CHUNK, mark_row, uniform_row
from treplica.connectivity.kernels_small_world import directed_row, undirected_row
from treplica.connectivity.kernels_spatial import line_words, spatial_row
from treplica.numerics.compiled_memory import (
    SIGNATURE,
    view_f32,
    view_f64,
    view_i32,
    view_i64,
    view_u8,
    view_u32,
    view_u64,
)

_call: Any = cfunc(SIGNATURE, cache=True, error_model="numpy", nogil=True)


@_call
def uniform_call(settings: int, source: int, count: int, targets: int, scratch: int, ordered: int) -> int:
    """Settings: k0, k1, stream, n, multapses, skip_self, longest row, words of its bitmap."""
    s = view_i64(settings, 8)
    rest = scratch + 8 * CHUNK
    work = (
        view_u32(scratch, CHUNK),
        view_i32(scratch + 4 * CHUNK, CHUNK),
        view_i32(rest, s[6]),
        view_i32(rest + 4 * s[6], s[6]),
        view_i64(rest + 8 * s[6], s[6] + 1),
        view_u64(rest + 16 * s[6] + 8, s[7]),
    )
    row = view_i32(targets, count)
    uniform_row(s[0], s[1], s[2], s[3], s[4] != 0, s[5] != 0, source, ordered != 0, row, work)
    return 0


@_call
def mark_call(settings: int, source: int, count: int, bits: int, scratch: int, _: int) -> int:
    """The same, for rows of different targets."""
    s = view_i64(settings, 8)
    work = view_u32(scratch, CHUNK), view_i32(scratch + 4 * CHUNK, CHUNK)
    marked = view_u64(bits, s[7])
    marked[:] = np.uint64(0)
    mark_row(s[0], s[1], s[2], s[3], s[5] != 0, source, count, work, marked)
    return 0


@_call
def slots_call(settings: int, source: int, count: int, targets: int, scratch: int, ordered: int) -> int:
    """Settings: n, k, width, height, keys, first slot of every source, longest row."""
    s = view_i64(settings, 7)
    box = s[2], s[3], view_u64(s[4], 2 * ROUNDS)
    # Items of 8 bytes first: they stay aligned.
    starts, slots = view_i64(scratch, s[6] + 1), view_i64(scratch + 8 * (s[6] + 1), s[6])
    work = view_i32(scratch + 16 * s[6] + 8, s[6]), starts, slots
    start = view_i64(s[5], source + 1)[source]
    slot_row(s[0], s[1], box, start, ordered != 0, view_i32(targets, count), work)
    return 0


@_call
def directed_call(settings: int, source: int, count: int, targets: int, scratch: int, ordered: int) -> int:
    """Settings: k0, k1, stream, n, h, limit."""
    s = view_i64(settings, 6)
    words = view_u32(scratch, (count + 63) & ~63)
    row = view_i32(targets, count)
    directed_row(s[0], s[1], s[2], s[3], s[4], np.uint64(s[5]), source, ordered != 0, row, words)
    return 0


@_call
def undirected_call(settings: int, source: int, count: int, targets: int, _: int, __: int) -> int:
    """Settings: n, h, bits of lattice edges that are gone, rows of added ones (two arrays)."""
    s = view_i64(settings, 5)
    bounds = view_i64(s[3] + 8 * source, 2)
    added = view_i32(s[4] + 4 * bounds[0], bounds[1] - bounds[0])
    gone = view_u8(s[2], (s[0] * s[1] + 7) // 8)
    undirected_row(s[0], s[1], gone, added, source, view_i32(targets, count))
    return 0


@_call
def spatial_call(settings: int, source: int, count: int, targets: int, scratch: int, _: int) -> int:
    """Settings: k0, k1, stream, rows, columns, periodic, limits, their shape (two), low_y, low_x."""
    s = view_i64(settings, 11)
    limits = view_u64(s[6], s[7] * s[8]).reshape((s[7], s[8]))
    words = view_u32(scratch, line_words(s[8]))
    sheet = s[3], s[4], s[5] != 0, limits, s[9], s[10]
    spatial_row(s[0], s[1], s[2], *sheet, source, False, view_i32(targets, count), words)
    return 0


@_call
def table_call(settings: int, source: int, count: int, targets: int, _: int, __: int) -> int:
    """Settings: indptr, targets."""
    s = view_i64(settings, 2)
    view_i32(targets, count)[:] = view_i32(s[1] + 4 * view_i64(s[0] + 8 * source, 1)[0], count)
    return 0


@_call
def range_call(settings: int, source: int, count: int, targets: int, _: int, __: int) -> int:
    """Settings: 0 for the source itself; 1 for all targets; 2 for all but the source."""
    kind = view_i64(settings, 1)[0]
    row = view_i32(targets, count)
    for i in range(count):
        row[i] = source if kind == 0 else i + (kind == 2 and i >= source)
    return 0


@_call
def normal_call(settings: int, source: int, count: int, out: int, scratch: int, _: int) -> int:
    """Settings: k0, k1, stream, then the law; see `kernels_draws.normal_row`."""
    s, f = view_i64(settings, 10), view_f64(settings, 10)
    law = f[3], f[4], f[5], f[6], f[7], f[8], s[9] != 0
    normal_row(s[0], s[1], s[2], source, law, view_f32(scratch, VALUES), view_f64(out, count))
    return 0


@_call
def uniform_values_call(settings: int, source: int, count: int, out: int, scratch: int, _: int) -> int:
    """Settings: k0, k1, stream, low, high."""
    s, f = view_i64(settings, 5), view_f64(settings, 5)
    block = view_u32(scratch, VALUES)
    uniform_values_row(s[0], s[1], s[2], source, (f[3], f[4]), block, view_f64(out, count))
    return 0


@_call
def given_call(settings: int, _: int, count: int, out: int, __: int, first: int) -> int:
    """Settings: values, 1 for one each or 0 for the first for all."""
    s = view_i64(settings, 2)
    each = s[1]
    values = view_f64(s[0] + 8 * first * each, count * each + 1 - each)
    row = view_f64(out, count)
    for i in range(count):
        row[i] = values[i * each]
    return 0
