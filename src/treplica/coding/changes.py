"""Spikes where something changes: signals [m, T, n] over time, such as the bands of sounds.

Rising and falling have channels of their own: what rises spikes in the first half of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.coding.grid import check_positive
from treplica.coding.samples import SpikeSamples
from treplica.errors import InvalidValue


def delta_spikes(features: ArrayLike, threshold: float, counts: bool = False) -> SpikeSamples:
    """A spike each time that a signal has moved by `threshold` from where it was at the last spike.

    - `features`: numbers [m, T, n]; the first frame is where signals start from, and has no spikes
    - `threshold`: > 0, in the unit of the features
    - `counts`: whether a spike has a value, the whole thresholds that were passed since the frame before;
      otherwise a signal that moves faster is followed by one threshold in each step

    Returns samples of T steps and 2 n channels: c where signal c rises, n + c where it falls. With counts,
    `delta_decode` is off by less than a threshold everywhere. Raises `InvalidValue`.
    Source: send-on-delta, Miskowicz 2006, doi:10.3390/s6010049.
    """
    signals = _signals(features)
    threshold = check_positive("threshold", threshold, "in the unit of the features")
    m, n_steps, n = signals.shape
    level = np.zeros((m, n))
    moves: NDArray[Any] = np.zeros((n_steps, m, 2, n), dtype=np.float32 if counts else np.bool_)
    for at in range(1, n_steps):
        move = np.trunc((signals[:, at] - signals[:, 0]) / threshold - level)
        if not counts:
            move = np.clip(move, -1.0, 1.0)
        level += move
        moves[at, :, 0], moves[at, :, 1] = np.maximum(move, 0.0), np.maximum(-move, 0.0)
    return SpikeSamples.from_dense(moves.reshape(n_steps, m, 2 * n))


def delta_decode(samples: SpikeSamples, threshold: float, start: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Signals float64[m, T, n] from the spikes of `delta_spikes`; `start`: their first frame, [m, n]."""
    moved = samples.dense(np.arange(len(samples))).astype(np.float64).transpose(1, 0, 2)
    n = samples.n_channels // 2
    level = np.cumsum(moved[..., :n] - moved[..., n:], axis=1)
    decoded: NDArray[np.float64] = np.asarray(start, dtype=np.float64)[..., None, :] + threshold * level
    return decoded


def crossing_spikes(features: ArrayLike, levels: ArrayLike) -> SpikeSamples:
    """A spike each time that a signal crosses one of the `levels`, upwards or downwards, in the frame after it.

    - `features`: numbers [m, T, n]
    - `levels`: numbers [k], ascending; a signal that is at a level has crossed it upwards

    Returns samples of T steps and 2 k n channels: l n + c where signal c rises to level l, (k + l) n + c where it falls
    below. Raises `InvalidValue`.
    Source: onsets and offsets of spectral bands, Gütig & Sompolinsky 2009, doi:10.1371/journal.pbio.1000141.
    """
    signals = _signals(features)
    heights = np.asarray(levels, dtype=np.float64)
    if (
        heights.ndim != 1
        or not heights.size
        or not (np.diff(heights) > 0.0).all()
        or not np.isfinite(heights).all()
    ):
        raise InvalidValue("levels", levels, "one or more finite numbers, ascending")
    m, n_steps, n = signals.shape
    crossed = np.zeros((n_steps, m, 2, len(heights), n), dtype=bool)
    for place, height in enumerate(heights):
        above = (signals >= height).transpose(1, 0, 2)
        crossed[1:, :, 0, place] = above[1:] & ~above[:-1]
        crossed[1:, :, 1, place] = ~above[1:] & above[:-1]
    return SpikeSamples.from_dense(crossed.reshape(n_steps, m, -1))


def _signals(features: ArrayLike) -> NDArray[np.float64]:
    signals = np.asarray(features, dtype=np.float64)
    if signals.ndim != 3 or not signals.size or not np.isfinite(signals).all():
        raise InvalidValue(
            "features", signals.shape, "finite numbers [samples, frames, channels], none of them 0"
        )
    return signals
