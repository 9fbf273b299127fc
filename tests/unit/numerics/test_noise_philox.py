"""Philox4x32-10 against the vectors published with Random123 (kat_vectors)."""

import hashlib

import numpy as np
import pytest

from treplica.errors import InvalidValue
from treplica.numerics import key, philox4x32, split64, stream_id

ONES = 0xFFFFFFFF
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "seed_words", "expected"), KNOWN)
def test_known_answers(counter, seed_words, expected):
    assert tuple(int(word[0]) for word in philox4x32(*counter, *seed_words)) == expected


def test_arguments_broadcast():
    counters = np.array([[0, 1, 2], [3, 4, 5]], dtype=np.uint32)
    together = philox4x32(counters, 1, 2, 3, 4, 5)
    for word, column in zip(
        together, zip(*(philox4x32(c, 1, 2, 3, 4, 5) for c in counters.ravel()), strict=True), strict=True
    ):
        assert word.shape == (2, 3)
        assert word.dtype == np.uint32
        np.testing.assert_array_equal(word.ravel(), np.concatenate(column))


def test_compiled_words_are_the_same():
    from treplica.numerics.compiled_noise import uniform_word

    for (c0, c1, c2, c3), (k0, k1), expected in KNOWN:
        assert uniform_word(k0, k1, c0, c1, c2, c3) == expected[0]


def test_key_and_split():
    assert split64(0x0123456789ABCDEF) == (0x89ABCDEF, 0x01234567)
    assert key(2**64 - 1) == (ONES, ONES)
    assert key(np.int64(7)) == (7, 0)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "7", True, None])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(InvalidValue, match=r"seed must be a whole number from 0 to 2\*\*64 - 1"):
        key(seed)


def test_stream_ids_are_the_start_of_a_hash():
    assert stream_id("noise") == int.from_bytes(hashlib.sha256(b"noise").digest()[:4], "little")
    names = [f"projection {i}" for i in range(1000)]
    assert len({int(stream_id(name)) for name in names}) == len(names)
