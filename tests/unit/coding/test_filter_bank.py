"""Bands of sounds: tones are where they should be, and what is refused."""

import numpy as np
import pytest

from treplica.coding import mel_bank, mel_features
from treplica.errors import InvalidValue

RATE = 8000.0


def tone(frequency: float, samples: int = 4000) -> np.ndarray:
    return np.sin(2.0 * np.pi * frequency / RATE * np.arange(samples))


def corners(channels: int, low: float, high: float) -> np.ndarray:
    """Corners of the bands, from the definition of the scale."""
    mel = np.linspace(2595 * np.log10(1 + low / 700), 2595 * np.log10(1 + high / 700), channels + 2)
    return np.asarray(700 * (10 ** (mel / 2595) - 1))


def test_a_tone_is_loudest_in_its_band() -> None:
    middles = corners(20, 20.0, 4000.0)[1:-1]
    features = mel_features([tone(f) for f in middles], RATE, frames=48, channels=20)
    assert features.shape == (20, 48, 20)
    assert features.dtype == np.float32
    assert (features.argmax(axis=2) == np.arange(20)[:, None]).all()


def test_bands_share_what_lies_between_their_middles() -> None:
    bank, edges = mel_bank(RATE, 512, 20), corners(20, 20.0, 4000.0)
    frequencies = np.arange(257) * RATE / 512
    inside = (frequencies >= edges[1]) & (frequencies <= edges[-2])
    assert inside.sum() > 200
    assert bank[:, inside].sum(axis=0) == pytest.approx(1.0)
    assert not bank[:, (frequencies <= edges[0]) | (frequencies >= edges[-1])].any()


def test_frames_lie_a_hop_apart_and_silence_follows() -> None:
    click = np.zeros(2000)
    click[1000] = 1.0
    features = mel_features([click], RATE, frames=40, channels=10, window=25.0, hop=10.0)[0]
    # windows of 200 samples begin at every 80th: 1000 is in those that begin at 880, 960; at 800 the taper is 0
    loud = np.flatnonzero(features.max(axis=1) > features.min() + 1.0)
    assert loud.tolist() == [11, 12]
    assert np.unique(features[23:]).tolist() == [features.min()]
    assert np.array_equal(mel_features([click], RATE, frames=15, channels=10)[0], features[:15])


def test_silence_and_sounds_shorter_than_a_window() -> None:
    assert not mel_features([np.zeros(100), np.zeros(0)], RATE, frames=3, channels=10).any()
    assert mel_features([tone(500.0, 50)], RATE, frames=3, channels=10).any()
    assert mel_features([], RATE, frames=3).shape == (0, 3, 40)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": 0.0}, "rate must be"),
        ({"frames": 0}, "frames must be"),
        ({"channels": 0}, "channels must be"),
        ({"channels": 400}, r"channels must be so few that each band holds one .* Take fewer"),
        ({"low": -1.0}, r"\(low, high\) must be 0 <= low < high <= 4000 Hz"),
        ({"low": 500.0, "high": 500.0}, r"\(low, high\)"),
        ({"high": 4001.0}, r"\(low, high\)"),
        ({"window": 0.1}, r"\(window, hop\) must be at least"),
        ({"hop": 0.01}, r"\(window, hop\) must be at least"),
        ({"hop": -1.0}, "hop must be"),
        ({"waveforms": [np.zeros((2, 2))]}, r"waveforms\[0\] must be finite numbers \[n\]"),
        ({"waveforms": [np.zeros(9), np.array([np.nan])]}, r"waveforms\[1\] must be"),
    ],
)
def test_what_is_refused(change: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {"waveforms": [tone(500.0)], "rate": RATE, "frames": 5}
    with pytest.raises(InvalidValue, match=message):
        mel_features(**{**arguments, **change})  # type: ignore[arg-type]
