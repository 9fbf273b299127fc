"""Spikes of changing signals and of event cameras: by hand, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from support import shared_data

from treplica.coding import bin_events, crossing_spikes, delta_decode, delta_spikes, mel_features
from treplica.datasets import Recordings, nmnist, spoken_digits
from treplica.errors import InvalidValue

SIGNAL = np.array([0.0, 0.9, 1.0, 3.2, 2.9, -0.1])[None, :, None]


def spikes(samples: object) -> list[tuple[int, int]]:
    return list(zip(samples.step.tolist(), samples.channel.tolist(), strict=True))  # type: ignore[attr-defined]


def test_deltas_by_hand() -> None:
    counted = delta_spikes(SIGNAL, 1.0, counts=True)
    assert spikes(counted) == [(3, 0), (4, 0), (6, 1)]
    assert counted.value is not None
    assert counted.value.tolist() == [1.0, 2.0, 3.0]
    assert delta_decode(counted, 1.0, [[0.0]]).ravel().tolist() == [0.0, 0.0, 1.0, 3.0, 3.0, 0.0]
    single = delta_spikes(SIGNAL, 1.0)
    # up at 1.0, up at 3.2 and, still one behind, not at 2.9; then down
    assert spikes(single) == [(3, 0), (4, 0), (6, 1)]
    assert single.value is None


def test_deltas_start_where_the_signal_starts() -> None:
    assert spikes(delta_spikes(SIGNAL + 100.0, 1.0)) == spikes(delta_spikes(SIGNAL, 1.0))
    assert delta_spikes(SIGNAL[:, :1], 1.0, counts=True).value is not None


def test_crossings_by_hand() -> None:
    assert spikes(crossing_spikes(SIGNAL, [0.0, 1.0, 3.0])) == [(3, 1), (4, 2), (5, 5), (6, 3), (6, 4)]


@pytest.mark.parametrize("wrong", [np.zeros((2, 2)), np.zeros((0, 2, 2)), np.full((1, 1, 1), np.nan)])
def test_signals_that_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(InvalidValue, match="features must be finite numbers"):
        delta_spikes(wrong, 1.0)
    with pytest.raises(InvalidValue, match="features must be finite numbers"):
        crossing_spikes(wrong, [0.0])


def test_thresholds_that_are_refused() -> None:
    for levels in ([], [1.0, 1.0], [2.0, 1.0], [np.nan], [[1.0]]):
        with pytest.raises(InvalidValue, match="levels must be"):
            crossing_spikes(SIGNAL, levels)
    for threshold in (0.0, -1.0, np.nan):
        with pytest.raises(InvalidValue, match="threshold must be"):
            delta_spikes(SIGNAL, threshold)


def recordings(*times: float) -> Recordings:
    n = len(times)
    return Recordings(
        "x", np.array([0, n]), np.arange(n, dtype=np.int16), np.zeros(n, np.int16), np.ones(n, np.uint8),
        np.array(times, np.float32), np.zeros(1, np.int64), ("a",), 8, 2,
    )  # fmt: skip


def test_bins_by_hand() -> None:
    # 0.3, 0.6 and 0.7 ms are no float32 numbers; they belong to the steps that end there
    seen = recordings(0.0, 0.1, 0.11, 0.3, 0.6, 0.7, 0.71, 0.9)
    samples = bin_events(seen, 0.8, 0.1)
    assert (samples.n_steps, samples.n_channels) == (8, 32)
    assert spikes(samples) == [(1, 16), (1, 17), (2, 18), (3, 19), (6, 20), (7, 21), (8, 22)]
    fewer = bin_events(seen, 0.8, 0.1, shape=(1, 2), polarity=False, counts=True)
    assert spikes(fewer) == [(1, 0), (2, 0), (3, 0), (6, 1), (7, 1), (8, 1)]
    assert fewer.value is not None
    assert fewer.value.tolist() == [2.0, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_bins_that_are_refused() -> None:
    for shape in ((3, 8), (2, 9), (0, 1), (1, 0.5)):
        with pytest.raises(InvalidValue, match="shape"):
            bin_events(recordings(0.0), 1.0, 0.1, shape=shape)  # type: ignore[arg-type]
    for time in (-0.1, np.nan, np.inf):
        with pytest.raises(InvalidValue, match=r"t\[1\] must be a finite time >= 0 ms"):
            bin_events(recordings(0.0, time), 1.0, 0.1)
    with pytest.raises(InvalidValue, match="window"):
        bin_events(recordings(0.0), 1.05, 0.1)
    for name, value, last in (("x", 8, 7), ("x", -1, 7), ("y", 2, 1), ("polarity", 2, 1)):
        seen = recordings(0.0, 0.5)
        column = getattr(seen, name).astype(np.int16)
        column[1] = value
        with pytest.raises(InvalidValue, match=rf"{name}\[1\] must be in 0 … {last}, got {value}"):
            bin_events(replace(seen, **{name: column}), 1.0, 0.1)


def test_recordings_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    from treplica.coding import event_bins

    monkeypatch.setenv("TREPLICA_DATA", str(shared_data("nmnist_small", "nmnist_small.zip").parents[1]))
    seen = nmnist("test", "small")
    whole = bin_events(seen, 300.0, 10.0, shape=(17, 17), counts=True)
    assert whole.value is not None
    assert whole.value.sum() == (seen.t <= 300.0).sum()
    for size in (1, 10_000):
        monkeypatch.setattr(event_bins, "_EVENTS", size)
        assert bin_events(seen, 300.0, 10.0, shape=(17, 17), counts=True) == whole


def test_spoken_digits_become_spikes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREPLICA_DATA", str(shared_data("fsdd", "fsdd.zip").parents[1]))
    sounds = spoken_digits("test").take(np.arange(0, 300, 10))
    features = mel_features(sounds.waveforms, sounds.rate, frames=100)
    assert features.shape == (30, 100, 40)
    samples = delta_spikes(features, 0.5)
    each = np.diff(samples.indptr)
    assert each.min() > 50
    # sounds shorter than a second: the silence behind them has no spikes
    ends = np.array([max(1, 1 + (len(sound) - 200) // 80) for sound in sounds.waveforms])
    late = samples.step > 30 + np.repeat(ends, each)
    assert late.mean() < 0.01
