"""Rate code: the larger a value, the more spikes; and frames as currents."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.coding.frames import Schedule, as_frames, as_unit_frames
from treplica.coding.grid import check_positive
from treplica.coding.trains import SpikeTrains
from treplica.errors import InvalidValue
from treplica.numerics.philox import key, philox4x32, stream_id

WORDS = 4
"""Random words of one Philox counter; they serve this many consecutive steps."""
_BATCH = 1 << 18


def poisson(
    values: ArrayLike, rate_max: float, window: float, dt: float = 1.0, seed: int = 0, gap: float = 0.0
) -> SpikeTrains:
    """Independent spikes with a probability of value·rate_max·dt/1000 in each step of the window.

    - `values`: numbers in 0 … 1, shown frame after frame: [n] one frame, [m, n] m frames, or images [m, h, w]
    - `rate_max`: Hz, rate of the value 1; at most one spike per step, 1000/dt
    - `window`, `gap`: ms, whole steps; each frame takes the window and then the silent gap
    - `dt`: time step in ms
    - `seed`: 0 … 2**64 - 1; the same seed gives the same spikes, whatever runs beside

    Returns trains of n neurons over m·(window + gap) ms. Raises `InvalidValue`.
    """
    schedule = Schedule.of(window, gap, dt)
    peak = check_positive("rate_max", rate_max, "Hz") * schedule.dt / 1000.0
    if peak > 1.0:
        allowed = f"<= {1000.0 / schedule.dt:g} Hz, one spike per step of {schedule.dt:g} ms"
        raise InvalidValue("rate_max", rate_max, allowed, "Lower the rate or shorten dt.")
    seed_key = key(seed)
    frames = as_unit_frames(values)
    parts = [
        _draw(frame * peak, number * schedule.period, schedule.window, seed_key)
        for number, frame in enumerate(frames)
    ]
    steps = np.concatenate([steps for steps, _ in parts])
    ids = np.concatenate([ids for _, ids in parts])
    return SpikeTrains.from_steps(steps, ids, frames.shape[1], schedule.dt, len(frames) * schedule.period)


def _draw(
    chance: NDArray[np.float64], start: int, n_steps: int, seed_key: tuple[np.uint32, np.uint32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Steps and ids of the spikes of one frame in the steps start + 1 … start + n_steps."""
    (active,) = np.nonzero(chance)
    steps, ids = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    # Word (step % 4) of the counter (neuron, stream, step // 4, its high bits): batches leave no mark.
    first, last = (start + 1) // WORDS, (start + n_steps) // WORDS
    rows = max(1, _BATCH // max(1, len(active)))
    for block in range(first, last + 1, rows):
        counter = np.arange(block, min(block + rows, last + 1))[:, None]
        high, low = counter >> 32, counter & 0xFFFFFFFF
        words = philox4x32(active, stream_id("coding.poisson"), low, high, *seed_key)
        # [blocks, 4, active] -> one row per step
        fired = np.concatenate(np.stack(words, axis=1)) * 2.0**-32 < chance[active]
        row, column = np.nonzero(fired)
        step = row + block * WORDS
        inside = (step > start) & (step <= start + n_steps)
        steps.append(step[inside])
        ids.append(active[column[inside]])
    return np.concatenate(steps), np.concatenate(ids)


def rate_decode(trains: SpikeTrains, rate_max: float, window: float, gap: float = 0.0) -> NDArray[np.float64]:
    """Values float64[m, n]: spikes of each neuron in each window over those that `rate_max` (Hz) would give.

    The estimate is unbiased, so it may exceed 1. With k spikes expected for the value 1, each of chance p per
    step, its variance is value·(1 - value·p)/k. Raises `InvalidValue`.
    """
    schedule = Schedule.of(window, gap, trains.dt)
    peak = check_positive("rate_max", rate_max, "Hz") * window / 1000.0
    frame, step = np.divmod(trains.steps - trains.first_step - 1, schedule.period)
    inside = step < schedule.window
    m = schedule.frames_in(trains)
    place = frame[inside] * trains.size + trains.ids[inside]
    counts = np.bincount(place, minlength=m * trains.size).reshape(m, trains.size)
    return counts / peak


def currents(frames: ArrayLike, window: float, dt: float = 1.0, gap: float = 0.0) -> NDArray[np.float64]:
    """Step currents float64[T, n]: each frame ([m, n], [m, h, w]) is held for the window, then 0 for the gap.

    The unit is that of the frames; row k is for step k + 1. Times in ms, whole steps. Raises `InvalidValue`.
    """
    schedule = Schedule.of(window, gap, dt)
    held = as_frames(frames)
    steps = np.zeros((len(held), schedule.period, held.shape[1]))
    steps[:, : schedule.window] = held[:, None]
    return steps.reshape(-1, held.shape[1])
