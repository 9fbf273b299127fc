"""Sounds as energies in bands of frequency, spaced as the ear spaces them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.coding.grid import check_count, check_positive
from treplica.errors import InvalidValue

FLOOR = 1e-8
"""Share of the greatest energy of a sound (80 dB below it) below which everything counts as silence."""


def mel_features(
    waveforms: Sequence[ArrayLike],
    rate: float,
    frames: int,
    channels: int = 40,
    window: float = 25.0,
    hop: float = 10.0,
    low: float = 20.0,
    high: float | None = None,
) -> NDArray[np.float32]:
    """Logarithms of the energies of sounds in bands of the mel scale, float32[m, frames, channels].

    - `waveforms`: m sounds [n], of any lengths
    - `rate`: samples per second
    - `frames`: how many windows are kept; a longer sound is cut, a shorter one goes on in silence
    - `channels`: number of bands between `low` and `high` (Hz; None: rate / 2)
    - `window`, `hop`: ms, length of a window (Hann) and from one to the next

    Each sound is normalised by itself, over all its windows and bands, to mean 0 and variance 1; so neither how loud
    it is nor the silence behind it changes them. Energies of less than 10⁻⁸ of its greatest count as that. A sound
    of one value becomes 0. Raises `InvalidValue`.
    Source: Davis & Mermelstein 1980, doi:10.1109/TASSP.1980.1163420 (the bands; here without the cosine transform).
    """
    rate = check_positive("rate", rate, "Hz")
    frames = check_count("frames", frames, 1)
    length = round(check_positive("window", window, "ms") * rate / 1000.0)
    step = round(check_positive("hop", hop, "ms") * rate / 1000.0)
    if length < 2 or step < 1:
        raise InvalidValue(
            "(window, hop)", (window, hop), f"at least two and one samples of {1000 / rate:g} ms"
        )
    # twice as fine as the window needs, so that the narrow bands below hold frequencies too
    size = 2 << (length - 1).bit_length()
    bank = mel_bank(rate, size, channels, low, high)
    taper = np.hanning(length + 1)[:-1]
    features = np.empty((len(waveforms), frames, channels), dtype=np.float32)
    for place, waveform in enumerate(waveforms):
        sound = _sound(waveform, place, length)
        views = np.lib.stride_tricks.sliding_window_view(sound, length)[::step]
        energy = np.abs(np.fft.rfft(views * taper, size)) ** 2 @ bank.T
        levels = _normalised(energy)
        kept = levels[:frames]
        features[place, : len(kept)] = kept
        features[place, len(kept) :] = levels.min()
    return features


def mel_bank(
    rate: float, size: int, channels: int, low: float = 20.0, high: float | None = None
) -> NDArray[np.float64]:
    """Weights [channels, size / 2 + 1] of triangular bands for the energies of `np.fft.rfft` of `size` samples.

    The corners stand in even distances on the mel scale, 2595 log10(1 + f / 700); a band rises from one corner to
    the next and falls to the one after. Raises `InvalidValue`, also where a band would hold none of the frequencies.
    """
    top = rate / 2.0 if high is None else check_positive("high", high, "Hz")
    channels = check_count("channels", channels, 1)
    if not 0.0 <= low < top <= rate / 2.0:
        allowed = f"0 <= low < high <= {rate / 2.0:g} Hz, half the rate"
        raise InvalidValue("(low, high)", (low, high), allowed)
    first, last = (2595.0 * math.log10(1.0 + f / 700.0) for f in (low, top))
    mel = np.linspace(first, last, channels + 2)
    corners = 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    frequencies = np.arange(size // 2 + 1) * (rate / size)
    below, at, above = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (frequencies - below) / (at - below), (above - frequencies) / (above - at)
    bank: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    if not bank.any(axis=1).all():
        advice = "Take fewer channels, a longer window, or a higher `low`."
        allowed = f"so few that each band holds one of the frequencies, every {rate / size:g} Hz"
        raise InvalidValue("channels", channels, allowed, advice)
    return bank


def _sound(waveform: ArrayLike, place: int, shortest: int) -> NDArray[np.float64]:
    """Samples as float64, with silence behind them up to one window."""
    sound = np.asarray(waveform, dtype=np.float64)
    if sound.ndim != 1 or not np.isfinite(sound).all():
        raise InvalidValue(f"waveforms[{place}]", sound, "finite numbers [n]")
    return np.pad(sound, (0, max(0, shortest - len(sound))))


def _normalised(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    peak = energy.max()
    if peak <= 0.0:
        return np.zeros_like(energy)
    levels = np.log(np.maximum(energy / peak, FLOOR))
    spread = levels.std()
    return (levels - levels.mean()) / spread if spread > 0.0 else np.zeros_like(levels)
