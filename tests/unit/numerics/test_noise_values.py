"""Noise: layout of the words, distribution, independence and the errors of the elementary functions."""

import numpy as np
import pytest
from scipy import stats

from treplica.errors import InvalidValue
from treplica.numerics import noise, philox4x32

SEED, STREAM = 0x1234_5678_9ABC_DEF0, 99
MILLION = 1_000_000


@pytest.fixture(scope="module")
def normals():
    return noise.normal(SEED, STREAM, 7, 0, MILLION)


def test_words_follow_the_documented_layout():
    step = (5 << 32) + 3
    words = noise.words(SEED, STREAM, step, 0, 1000)
    for i in (0, 15, 16, 63, 64, 500, 999):
        block, output, lane = i // 64, (i % 64) // 16, i % 16
        known = philox4x32(16 * block + lane, STREAM, 3, 5, SEED & 0xFFFFFFFF, SEED >> 32)
        assert words[i] == known[output][0]


@pytest.mark.parametrize("kind", [noise.words, noise.uniform, noise.normal])
@pytest.mark.parametrize(("first", "last"), [(0, 1000), (64, 128), (63, 65), (17, 900), (5, 5), (64, 64)])
def test_a_range_is_a_slice_of_the_whole(kind, first, last):
    np.testing.assert_array_equal(
        kind(SEED, STREAM, 3, first, last), kind(SEED, STREAM, 3, 0, 1000)[first:last]
    )


def test_ids_beyond_32_bits_have_their_own_words():
    a = noise.words(SEED, STREAM, 0, 2**33, 2**33 + 64)
    assert not np.array_equal(a, noise.words(SEED, STREAM, 0, 0, 64))


@pytest.mark.parametrize(("first", "last"), [(-1, 5), (5, 4), (0, 2**34 + 1)])
def test_bad_ranges_are_refused(first, last):
    with pytest.raises(InvalidValue, match="the range of ids"):
        noise.words(SEED, STREAM, 0, first, last)


@pytest.mark.parametrize("step", [-1, 2**64])
def test_bad_steps_are_refused(step):
    with pytest.raises(InvalidValue, match="step must be"):
        noise.normal(SEED, STREAM, step, 0, 5)


def test_uniform_is_uniform_and_below_one():
    u = noise.uniform(SEED, STREAM, 1, 0, MILLION)
    assert u.dtype == np.float32
    assert u.min() >= 0.0
    assert u.max() < 1.0
    assert stats.kstest(u.astype(float), "uniform").pvalue > 1e-3


def test_the_largest_words_stay_below_one():
    from treplica.numerics.compiled_noise import uniform_of

    top = np.arange(2**32 - 300, 2**32).astype(np.uint32)
    expected = np.minimum(top, noise.LARGEST_BELOW_ONE).astype(np.float32) * noise.WORD
    assert expected.max() == np.float32(1.0) - np.float32(2.0**-24)
    assert [uniform_of(word) for word in top] == list(expected)


def test_normal_moments(normals):
    x = normals.astype(float)
    n = len(x)
    assert normals.dtype == np.float32
    assert abs(x.mean()) < 4 / np.sqrt(n)
    assert abs(x.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs(stats.skew(x)) < 4 * np.sqrt(6 / n)
    assert abs(stats.kurtosis(x)) < 4 * np.sqrt(24 / n)


def test_normal_distribution(normals):
    assert stats.kstest(normals.astype(float), "norm").pvalue > 1e-3


@pytest.mark.parametrize("output", range(4))
def test_each_output_of_a_block_is_normal(normals, output):
    part = normals.reshape(-1, 4, 16)[:, output].ravel().astype(float)
    assert stats.kstest(part, "norm").pvalue > 1e-3


@pytest.mark.parametrize("threshold", [2.0, 3.0, 4.0])
def test_normal_tails(normals, threshold):
    for tail in (normals > threshold, normals < -threshold):
        expected = len(normals) * stats.norm.sf(threshold)
        assert abs(np.count_nonzero(tail) - expected) < 4 * np.sqrt(expected)


@pytest.mark.parametrize("lag", [1, 16, 32, 48, 64])
def test_neighbouring_ids_are_independent(normals, lag):
    a, b = normals[:-lag].astype(float), normals[lag:].astype(float)
    bound = 4 / np.sqrt(len(a))
    assert abs(np.corrcoef(a, b)[0, 1]) < bound
    # The two numbers of a pair share a radius: their squares must not show it.
    assert abs(np.corrcoef(a**2, b**2)[0, 1]) < bound


@pytest.mark.parametrize("change", [{"step": 8}, {"stream": 100}, {"seed": SEED + 1}, {"step": 7 + 2**32}])
def test_another_step_stream_or_seed_is_independent(normals, change):
    arguments = {"seed": SEED, "stream": STREAM, "step": 7} | change
    other = noise.normal(**arguments, first=0, last=200_000).astype(float)
    assert abs(np.corrcoef(normals[:200_000].astype(float), other)[0, 1]) < 4 / np.sqrt(len(other))


def test_error_of_the_logarithm():
    words = np.r_[np.arange(1, 2**16), np.arange(1, 2**32, 10_007), np.arange(2**32 - 2**14, 2**32)]
    u = words.astype(np.uint32).astype(np.float32) * noise.WORD
    exact = np.log(u.astype(float))
    got = noise.log_positive(u).astype(float)
    assert np.all(got[exact == 0.0] == 0.0)
    inside = exact != 0.0
    assert np.max(np.abs(got[inside] / exact[inside] - 1.0)) < 1.3e-7


def test_error_of_the_sine():
    angle = np.linspace(-(2**30), 2**30, 500_001).astype(np.int32)
    assert np.max(np.abs(noise.sine_of_turns(angle) - np.sin(2 * np.pi * angle / 2**32))) < 2.1e-7


def test_error_of_the_pair():
    words = noise.words(SEED, STREAM, 11, 0, 400_000)
    words[0] = 0  # the largest radius
    even, odd = words[:200_000], words[200_000:]
    radius = np.sqrt(-2 * np.log((even | 1).astype(np.float32).astype(float) / 2**32))
    angle = 2 * np.pi * (odd.astype(float) / 2**32)
    cosine, sine = noise.normal_pair(even, odd)
    assert np.max(np.abs(cosine - radius * np.cos(angle)) / radius) < 3e-7
    assert np.max(np.abs(sine - radius * np.sin(angle)) / radius) < 3e-7
