"""Batches of sparse spikes against the arrays that they stand for, and encoders against definitions in loops."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from treplica.coding import (
    SpikeSamples,
    bin_events,
    crossing_spikes,
    delta_decode,
    delta_spikes,
    latency,
    latency_steps,
    mel_features,
)

SHAPES = st.tuples(st.integers(1, 6), st.integers(0, 5), st.integers(1, 7))
PLAIN = hnp.arrays(np.bool_, SHAPES)
GRADED = hnp.arrays(np.float32, SHAPES, elements=st.sampled_from([0.0, 0.0, 1.0, -2.5, 3.0]))
FRAMES = hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=st.floats(0.0, 1.0))
SIGNALS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 3)),
    elements=st.floats(-4.0, 4.0),
)


def some(data: st.DataObject, count: int) -> np.ndarray:
    indices = st.lists(st.integers(0, count - 1), max_size=2 * count) if count else st.just([])
    return np.array(data.draw(indices), dtype=np.int64)


@given(st.one_of(PLAIN, GRADED), st.data())
def test_batches_are_those_of_the_array(array: np.ndarray, data: st.DataObject) -> None:
    samples = SpikeSamples.from_dense(array)
    assert len(samples) == array.shape[1]
    assert len(samples.step) == np.count_nonzero(array)
    chosen = some(data, len(samples))
    batch = array[:, chosen]
    assert np.array_equal(samples.dense(chosen), batch)
    assert samples.dense(chosen).dtype == (np.uint8 if array.dtype == np.bool_ else np.float32)
    assert samples.take(chosen) == SpikeSamples.from_dense(batch)
    rows, flat = samples.rows(chosen), batch.reshape(-1, array.shape[2])
    assert len(rows.indptr) == len(flat) + 1
    assert rows.channel.tolist() == np.nonzero(flat)[1].tolist()
    assert np.diff(rows.indptr).tolist() == np.count_nonzero(flat, axis=1).tolist()
    if array.dtype == np.bool_:
        assert rows.value is None
    else:
        assert rows.value is not None
        assert rows.value.tolist() == flat[flat != 0].tolist()


@given(PLAIN, PLAIN)
def test_parts_are_put_together(one: np.ndarray, two: np.ndarray) -> None:
    two = np.resize(two, (one.shape[0], two.shape[1], one.shape[2]))
    joined = SpikeSamples.concatenate([SpikeSamples.from_dense(one), SpikeSamples.from_dense(two)])
    assert joined == SpikeSamples.from_dense(np.concatenate([one, two], axis=1))


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(0, 3), st.sampled_from([1.0, 2.0, 0.5])),
        max_size=40,
    )
)
def test_spikes_in_any_order_with_repeats(spikes: list[tuple[int, int, int, float]]) -> None:
    array = np.zeros((4, 3, 4), np.float32)
    for sample, step, channel, value in spikes:
        array[step - 1, sample, channel] += value
    sample, step, channel, value = np.array(spikes, dtype=np.float64).reshape(-1, 4).T
    places = sample.astype(int), step.astype(int), channel.astype(int)
    assert SpikeSamples.from_spikes(*places, 3, 4, 4, value) == SpikeSamples.from_dense(array)
    assert SpikeSamples.from_spikes(*places, 3, 4, 4) == SpikeSamples.from_dense(array != 0.0)


@given(
    FRAMES,
    st.integers(2, 400),
    st.sampled_from([0.1, 1.0]),
    st.floats(0.01, 0.9),
    st.sampled_from([("linear", None), ("logarithmic", None), ("logarithmic", 20.0)]),
)
def test_latency_steps_are_the_spikes_of_latency(
    frames: np.ndarray, window: int, dt: float, cut: float, law: tuple[str, float | None]
) -> None:
    code = {"window": window * dt, "dt": dt, "cut": cut, "law": law[0], "tau": law[1]}
    trains = latency(frames, **code)  # type: ignore[arg-type]
    steps = latency_steps(frames, **code)  # type: ignore[arg-type]
    expected = np.zeros(frames.shape, dtype=np.int64)
    frame, step = np.divmod(trains.steps - 1, window)
    expected[frame, trains.ids] = step + 1
    assert np.array_equal(steps, expected)
    assert steps.dtype == (np.uint8 if window <= 255 else np.int16)
    samples = SpikeSamples.from_first(steps, window)
    assert len(samples.step) == np.count_nonzero(expected)
    for at in range(len(frames)):
        assert samples.trains(at, dt) == latency(frames[at], **code)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Seen:
    indptr: np.ndarray
    x: np.ndarray
    y: np.ndarray
    polarity: np.ndarray
    t: np.ndarray
    width: int = 5
    height: int = 4


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 1), st.integers(0, 120)),
            max_size=8,
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([(4, 5), (2, 2), (1, 1), (3, 5)]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([np.float32, np.float64]),
)
def test_bins_of_events(
    events: list[list[tuple[int, int, int, int]]],
    shape: tuple[int, int],
    polarity: bool,
    counts: bool,
    kind: type,
) -> None:
    flat = np.array([event for one in events for event in one], dtype=np.int64).reshape(-1, 4)
    x, y, sign, tenths = flat.T
    indptr = np.cumsum([0, *map(len, events)])
    seen = Seen(indptr, x, y, sign, (tenths / 10.0).astype(kind))
    expected = np.zeros((10, len(events), 2 if polarity else 1, *shape), np.float32)
    for at, one in enumerate(events):
        for column, row, bright, time in one:
            if time <= 100:  # ten steps of 1 ms
                place = (row * shape[0] // 4, column * shape[1] // 5)
                expected[max(0, -(-time // 10) - 1), at, bright if polarity else 0, *place] += 1.0
    expected = expected.reshape(10, len(events), -1)
    samples = bin_events(seen, 10.0, 1.0, shape, polarity, counts)
    assert samples == SpikeSamples.from_dense(expected if counts else expected > 0)


@given(SIGNALS, st.sampled_from([0.25, 1.0, 1.5]))
def test_deltas_with_counts_are_decoded_within_a_threshold(signals: np.ndarray, threshold: float) -> None:
    samples = delta_spikes(signals, threshold, counts=True)
    assert (samples.n_steps, samples.n_channels) == (signals.shape[1], 2 * signals.shape[2])
    decoded = delta_decode(samples, threshold, signals[:, 0])
    assert (np.abs(decoded - signals) < threshold + 1e-9).all()


@given(SIGNALS, st.sampled_from([0.25, 1.0]))
def test_deltas_without_counts_move_by_one_threshold_towards_the_signal(
    signals: np.ndarray, threshold: float
) -> None:
    samples = delta_spikes(signals, threshold)
    assert samples.value is None
    decoded = delta_decode(samples, threshold, signals[:, 0])
    assert (np.abs(np.diff(decoded, axis=1)) <= threshold + 1e-9).all()
    for at in range(1, signals.shape[1]):
        before = np.abs(signals[:, at] - decoded[:, at - 1])
        after = np.abs(signals[:, at] - decoded[:, at])
        assert (after <= np.maximum(before, threshold) + 1e-9).all()
        assert (after[before >= threshold + 1e-9] < before[before >= threshold + 1e-9]).all()


@given(SIGNALS, st.lists(st.floats(-4.0, 4.0), min_size=1, max_size=3, unique=True))
def test_crossings_by_hand(signals: np.ndarray, levels: list[float]) -> None:
    levels = sorted(levels)
    m, n_steps, n = signals.shape
    expected = np.zeros((n_steps, m, 2, len(levels), n), dtype=bool)
    for sample in range(m):
        for channel in range(n):
            for at, (before, now) in enumerate(pairwise(signals[sample, :, channel]), 1):
                for place, level in enumerate(levels):
                    expected[at, sample, 0, place, channel] = before < level <= now
                    expected[at, sample, 1, place, channel] = now < level <= before
    assert crossing_spikes(signals, levels) == SpikeSamples.from_dense(expected.reshape(n_steps, m, -1))


@given(
    hnp.arrays(np.float64, st.integers(0, 900), elements=st.floats(-1.0, 1.0)),
    st.sampled_from([2.0**-9, 0.5, 8.0]),
    st.integers(1, 12),
)
def test_features_do_not_depend_on_loudness(sound: np.ndarray, gain: float, frames: int) -> None:
    sound[np.abs(sound) < 1e-6] = 0.0
    features, louder = (mel_features([one], 8000.0, frames, channels=12)[0] for one in (sound, gain * sound))
    assert features.shape == (frames, 12)
    assert np.isfinite(features).all()
    assert np.allclose(features, louder, atol=1e-4)
    whole = mel_features([sound], 8000.0, max(1, 1 + (len(sound) - 200) // 80), channels=12)[0]
    if whole.any():
        assert abs(whole.mean()) < 1e-3
        assert abs(whole.std() - 1.0) < 1e-3
