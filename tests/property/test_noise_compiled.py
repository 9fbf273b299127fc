"""The compiled noise kernels write the bits of the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treplica.numerics import compiled_noise, noise

KINDS = {
    "words": (compiled_noise.fill_words, noise.words, np.uint32),
    "uniform": (compiled_noise.fill_uniform, noise.uniform, np.float32),
    "normal": (compiled_noise.fill_normal, noise.normal, np.float32),
}


@pytest.mark.parametrize("kind", KINDS)
@given(
    seed=st.integers(0, 2**64 - 1),
    stream=st.integers(0, 2**32 - 1),
    step=st.integers(0, 2**63 - 1),
    block=st.integers(0, 2**28 - 7),
    count=st.integers(0, 400),
)
@settings(max_examples=60, deadline=None)
def test_compiled_equals_definition(kind, seed, stream, step, block, count):
    fill, define, dtype = KINDS[kind]
    seed_lo, seed_hi = np.uint32(seed & 0xFFFFFFFF), np.uint32(seed >> 32)
    out = np.full(count + 1, 77, dtype=dtype)
    fill(seed_lo, seed_hi, np.uint32(stream), step, 64 * block, out[:count])
    expected = define(seed, stream, step, 64 * block, 64 * block + count)
    np.testing.assert_array_equal(out[:count].view(np.uint32), expected.view(np.uint32))
    assert out[count] == 77


def test_a_million_normals_are_bit_equal():
    out = np.empty(1_000_000, dtype=np.float32)
    compiled_noise.fill_normal(np.uint32(1), np.uint32(2), np.uint32(3), 4, 0, out)
    np.testing.assert_array_equal(
        out.view(np.uint32), noise.normal(1 + (2 << 32), 3, 4, 0, len(out)).view(np.uint32)
    )
