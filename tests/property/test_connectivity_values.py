"""Draws against their definition by the noise of `treplica.numerics`, and the permutation behind the in-degree."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treplica.connectivity import FromArray, LogNormal, Normal, Uniform
from treplica.connectivity import kernels_in_degree as kernels
from treplica.connectivity.kernels_words import VALUE
from treplica.numerics import noise
from treplica.numerics.elementary import exp64, log64

SEEDS = st.integers(0, 2**64 - 1)
STREAMS = st.integers(0, 2**32 - 1)
DEGREES = st.lists(st.integers(0, 150), min_size=1, max_size=6)
FIRST = st.integers(0, 2**31 - 10)


def standard_normal(seed, stream, source, slot, low, high):
    """The first attempt that lies in low..high."""
    attempt = 0
    while True:
        step = source | ((VALUE << 24 | attempt) << 32)
        z = float(noise.normal(seed, stream, step, slot, slot + 1)[0])
        if low <= z <= high:
            return z
        attempt += 1


def slots(first, degrees):
    return [(first + i, slot) for i, degree in enumerate(degrees) for slot in range(0, degree, 7)]


def row_bounds(degrees):
    return np.concatenate([[0], np.cumsum(degrees)]).astype(np.int64)


@given(seed=SEEDS, stream=STREAMS, first=FIRST, degrees=DEGREES, truncated=st.booleans())
@settings(max_examples=25, deadline=None)
def test_normal_and_log_normal(seed, stream, first, degrees, truncated):
    indptr = row_bounds(degrees)
    arguments = (first, first + len(degrees), indptr, seed, stream)
    z_low, z_high = (-0.5, 0.75) if truncated else (-math.inf, math.inf)
    normal = Normal(3.0, 2.0, 2.0, 4.5) if truncated else Normal(3.0, 2.0)
    got = normal.values(*arguments)
    z = [standard_normal(seed, stream, *slot, z_low, z_high) for slot in slots(first, degrees)]
    at = [indptr[source - first] + slot for source, slot in slots(first, degrees)]
    np.testing.assert_array_equal(got[at], 3.0 + 2.0 * np.array(z))

    variance = log64(1.0 + 0.5**2)
    mu, sigma = log64(4.0) - 0.5 * variance, math.sqrt(variance)
    got = LogNormal(4.0, 2.0).values(*arguments)
    z = np.array(
        [standard_normal(seed, stream, *slot, -math.inf, math.inf) for slot in slots(first, degrees)]
    )
    np.testing.assert_array_equal(got[at], exp64(mu + sigma * z))


@given(seed=SEEDS, stream=STREAMS, first=FIRST, degrees=DEGREES)
@settings(max_examples=25, deadline=None)
def test_uniform(seed, stream, first, degrees):
    indptr = row_bounds(degrees)
    got = Uniform(-1.0, 4.0).values(first, first + len(degrees), indptr, seed, stream)
    for source, slot in slots(first, degrees):
        word = int(noise.words(seed, stream, source | (VALUE << 56), slot, slot + 1)[0])
        assert got[indptr[source - first] + slot] == -1.0 + 5.0 * ((word + 0.5) * 2.0**-32)


@pytest.mark.parametrize(
    "draw",
    [Normal(0, 1), Normal(1, 1, 0, 2), LogNormal(1, 2), Uniform(0, 1), FromArray(np.arange(900.0))],
    ids=str,
)
@given(seed=SEEDS, stream=STREAMS, degrees=DEGREES, data=st.data())
@settings(max_examples=15, deadline=None)
def test_values_do_not_depend_on_the_range(draw, seed, stream, degrees, data):
    indptr = row_bounds(degrees)
    first = data.draw(st.integers(0, len(degrees)))
    last = data.draw(st.integers(first, len(degrees)))
    whole = draw.values(0, len(degrees), indptr, seed, stream)
    part = draw.values(first, last, indptr[first : last + 1], seed, stream)
    assert whole.shape == (indptr[-1],)
    assert whole.dtype == np.float64
    np.testing.assert_array_equal(part, whole[indptr[first] : indptr[last]])


@given(
    size=st.integers(1, 3000),
    keys=st.lists(st.integers(0, 2**64 - 1), min_size=8, max_size=8),
    data=st.data(),
)
@settings(max_examples=40, deadline=None)
def test_permutations_are_bijections(size, keys, data):
    keys = np.array(keys, dtype=np.uint64)
    assert keys.size == 2 * kernels.ROUNDS
    width = math.isqrt(size - 1) + 1
    height = -(-size // width)
    images = np.empty(size, dtype=np.int64)
    kernels.permute(0, size, width, height, keys, images)
    assert sorted(images) == list(range(size))
    first = data.draw(st.integers(0, size - 1))
    part = np.empty(size - first, dtype=np.int64)
    kernels.permute(first, size, width, height, keys, part)
    np.testing.assert_array_equal(part, images[first:])
