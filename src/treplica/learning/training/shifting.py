"""Pictures moved by whole pixels, where what leaves them is lost and what comes in is dark; and mirrored ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from treplica.coding.samples import SpikeRows
from treplica.learning.training.draws import Moment, below


def shifts(moment: Moment, most: int, size: int) -> NDArray[np.int64]:
    """Pixels down and to the right for each of `size` samples, [size, 2], each -most … most with equal chance."""
    return below(moment, "shift", 2 * most + 1, 2 * size).reshape(size, 2) - most


def shifted_rows(rows: SpikeRows, pixels: tuple[int, int], by: NDArray[np.int64]) -> SpikeRows:
    """The spikes of a batch of pictures, moved; channel (..., y, x) of `pixels` (height, width). by: int[B, 2]."""
    from treplica.learning.training.kernels_rows import move_rows

    indptr, channel = np.empty_like(rows.indptr), np.empty_like(rows.channel)
    given = np.empty(0, np.float32) if rows.value is None else rows.value
    value = np.empty_like(given)
    move_rows(rows.indptr, rows.channel, given, by, *pixels, indptr, channel, value)
    kept = int(indptr[-1])
    return SpikeRows(indptr, channel[:kept], None if rows.value is None else value[:kept])


def shifted_pictures(pictures: NDArray[np.float32], by: NDArray[np.int64]) -> NDArray[np.float32]:
    """Pictures [B, ..., h, w], moved. by: int[B, 2]."""
    height, width = pictures.shape[-2:]
    moved = np.zeros_like(pictures)
    for down, right in np.unique(by, axis=0):
        chosen = np.flatnonzero((by == (down, right)).all(axis=1))
        to_y, from_y = _overlap(int(down), height)
        to_x, from_x = _overlap(int(right), width)
        moved[chosen, ..., to_y, to_x] = pictures[chosen, ..., from_y, from_x]
    return moved


def mirrored(moment: Moment, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pictures [B, ..., h, w], each with left and right exchanged or not, with equal chance."""
    chosen = below(moment, "mirror", 2, len(pictures)).astype(np.bool_)
    return np.where(chosen.reshape(-1, *[1] * (pictures.ndim - 1)), pictures[..., ::-1], pictures)


def _overlap(by: int, size: int) -> tuple[slice, slice]:
    """Where an axis moved by `by` is written and read."""
    kept = max(0, size - abs(by))
    return slice(max(by, 0), max(by, 0) + kept), slice(max(-by, 0), max(-by, 0) + kept)
