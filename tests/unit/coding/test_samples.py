"""Spikes of many samples: by hand, and what is refused."""

import numpy as np
import pytest

from treplica.coding import SpikeSamples, SpikeTrains, latency_steps
from treplica.errors import InvalidValue

#: Two samples of three steps and four channels; the second is silent but for one spike.
STEPS = np.array([[1, 0, 3, 1], [0, 2, 0, 0]], np.uint8)


def test_by_hand() -> None:
    samples = SpikeSamples.from_first(STEPS, 3)
    assert samples.indptr.tolist() == [0, 3, 4]
    assert samples.step.tolist() == [1, 1, 3, 2]
    assert samples.channel.tolist() == [0, 3, 2, 1]
    assert (samples.step.dtype, samples.channel.dtype, samples.indptr.dtype) == (np.int16, np.int32, np.int64)
    assert repr(samples) == "<SpikeSamples: 2 of 3 steps × 4 channels, 4 spikes>"
    rows = samples.rows([1, 0, 1])
    # steps 1, 2, 3, in each of them the samples 1, 0, 1
    assert rows.indptr.tolist() == [0, 0, 2, 2, 3, 3, 4, 4, 5, 5]
    assert rows.channel.tolist() == [0, 3, 1, 1, 2]
    dense = samples.dense([1, 0])
    assert (dense.shape, dense.dtype) == ((3, 2, 4), np.uint8)
    assert np.argwhere(dense).tolist() == [[0, 1, 0], [0, 1, 3], [1, 0, 1], [2, 1, 2]]
    assert samples.trains(0, dt=0.5) == SpikeTrains.from_steps([1, 1, 3], [0, 3, 2], 4, 0.5, 3)
    for array in (rows.indptr, rows.channel, dense):
        assert array.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        samples.step[0] = 2


def test_many_steps_and_an_empty_batch() -> None:
    samples = SpikeSamples.from_first([[40_000, 0]], 50_000)
    assert samples.step.dtype == np.int32
    assert samples.rows([]).indptr.tolist() == [0]
    assert samples.dense([]).shape == (50_000, 0, 2)
    assert np.argwhere(samples.dense([0])).tolist() == [[39_999, 0, 0]]


def test_values() -> None:
    samples = SpikeSamples.from_spikes([0, 0, 0], [2, 2, 1], [1, 1, 0], 2, 2, 2, value=[1.0, 2.0, 4.0])
    assert samples.value is not None
    assert samples.value.tolist() == [4.0, 3.0]
    assert samples.rows([0]).value is not None
    assert samples.dense([0]).tolist() == [[[4.0, 0.0]], [[0.0, 3.0]]]
    assert samples.trains(0).values is not None
    assert "with values" in repr(samples)
    plain = SpikeSamples(samples.indptr, samples.step, samples.channel, 2, 2)
    assert plain != samples
    assert plain != "samples"
    assert SpikeSamples.concatenate([plain, samples]).dense([0, 2])[0].tolist() == [[1.0, 0.0], [4.0, 0.0]]
    half = SpikeSamples.from_spikes([0], [1], [0], 1, 2, 2, value=[0.5])
    with pytest.raises(InvalidValue, match="whole numbers to become spike trains"):
        half.trains(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"indptr": [0, 3]}, "indptr must be ascending from 0 to 4"),
        ({"indptr": [0, 5, 4]}, "indptr must be ascending"),
        ({"indptr": [1, 3, 4]}, "indptr must be ascending"),
        ({"indptr": []}, "indptr must be ascending"),
        ({"step": [1, 1, 4, 2]}, "step must be in 1 … 3, got 4"),
        ({"step": [0, 1, 3, 2]}, "step must be in 1 … 3, got 0"),
        ({"channel": [0, 3, 2, 4]}, "channel must be in 0 … 3, got 4"),
        ({"channel": [0, 3, 2]}, r"len\(channel\) must be 4"),
        ({"step": [3, 1, 1, 2]}, r"spike 1 \(step, channel\) must be after its predecessor"),
        ({"channel": [3, 3, 2, 1]}, r"spike 1 .* SpikeSamples\.from_spikes sorts"),
        ({"value": [1.0]}, r"len\(value\) must be 4"),
        ({"n_steps": 0}, "n_steps must be a whole number >= 1"),
        ({"n_channels": 0}, "n_channels must be a whole number >= 1"),
    ],
)
def test_fields_that_are_refused(change: dict[str, object], message: str) -> None:
    fields = {
        "indptr": [0, 3, 4],
        "step": [1, 1, 3, 2],
        "channel": [0, 3, 2, 1],
        "n_steps": 3,
        "n_channels": 4,
    }
    assert SpikeSamples(**fields) == SpikeSamples.from_first(STEPS, 3)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match=message):
        SpikeSamples(**{**fields, **change})  # type: ignore[arg-type]


def test_arguments_that_are_refused() -> None:
    samples = SpikeSamples.from_first(STEPS, 3)
    for wrong in ([2], [-1], [0.5], [[0]]):
        for method in (samples.rows, samples.dense, samples.take):
            with pytest.raises(InvalidValue, match="indices must be"):
                method(wrong)
    with pytest.raises(InvalidValue, match=r"steps must be whole numbers \[samples, channels\]"):
        SpikeSamples.from_first([0.5], 3)
    with pytest.raises(InvalidValue, match="step must be in 1 … 2"):
        SpikeSamples.from_first(STEPS, 2)
    with pytest.raises(InvalidValue, match="array must be numbers"):
        SpikeSamples.from_dense(np.zeros((2, 2)))
    for spike in ((1, 1, 0), (0, 4, 0), (0, 1, 4)):
        with pytest.raises(InvalidValue, match="must be in"):
            SpikeSamples.from_spikes(*([part] for part in spike), 1, 3, 4)
    with pytest.raises(InvalidValue, match="parts must be one or more of the same"):
        SpikeSamples.concatenate([samples, SpikeSamples.from_first(STEPS, 4)])
    with pytest.raises(InvalidValue, match="parts"):
        SpikeSamples.concatenate([])


def test_latency_steps_by_hand() -> None:
    images = np.array([[[1.0, 0.5], [0.2, 0.0]]])
    # from step 1 for the value 1 to step 5 for 0; half way is step 3
    steps = latency_steps(images, window=5.0, cut=0.2)
    assert steps.tolist() == [[1, 3, 0, 0]]
    assert (steps.dtype, latency_steps(images, window=256.0).dtype) == (np.uint8, np.int16)
    assert latency_steps(images, window=40_000.0).dtype == np.int32
    assert latency_steps(images, window=40_000.0).max() == 32_000  # 0.2 comes after four fifths


def test_a_bad_value_is_named_in_whichever_part_it_is() -> None:
    frames = np.zeros((5000, 300), np.float32)
    frames[4321, 17] = 1.5
    with pytest.raises(InvalidValue, match=r"value 17 of frame 4321 must be in 0 … 1, got 1\.5"):
        latency_steps(frames, window=5.0)
    frames[4321, 17] = np.nan
    with pytest.raises(InvalidValue, match="value 17 of frame 4321 must be finite"):
        latency_steps(frames, window=5.0)
    with pytest.raises(InvalidValue, match="values must be an array of numbers"):
        latency_steps([[0.0], [0.0, 1.0]], window=5.0)
