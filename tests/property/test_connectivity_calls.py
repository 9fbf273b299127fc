"""What compiled code computes for one row is the row that `Rows` gives, and the values that draws give."""

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treplica.connectivity import (
    AllToAll,
    Bernoulli,
    Constant,
    DistanceDependent,
    FixedInDegree,
    FixedOutDegree,
    FixedTotalNumber,
    FromArray,
    FromArrays,
    LogNormal,
    Normal,
    OneToOne,
    Uniform,
    WattsStrogatz,
)
from treplica.connectivity.draw_calls import draw_call

SEEDS = st.integers(0, 2**64 - 1)
STREAMS = st.integers(0, 2**32 - 1)
SIX = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 6)

RULES = [
    Bernoulli(0.01), Bernoulli(0.2), Bernoulli(0.8), Bernoulli(1.0), Bernoulli(0.3, False), Bernoulli(0.9, False),
    FixedOutDegree(9), FixedOutDegree(9, True, False), FixedOutDegree(9, False), FixedOutDegree(9, False, False),
    FixedOutDegree(2, False), FixedOutDegree(0), FixedTotalNumber(900), FixedInDegree(7), FixedInDegree(7, False),
    FixedInDegree(7, True, False), WattsStrogatz(4, 0.3), WattsStrogatz(6, 0.3, directed=True), OneToOne(),
    AllToAll(), AllToAll(False), FromArrays(np.arange(20) % 7, np.arange(20) % 5),
]  # fmt: skip


def rule_of(rule, n: int):
    """A rule, or one that is made for a size."""
    return rule if rule is not None else DistanceDependent((n,), "gaussian", 3.0, 0.9, self_connections=False)


@pytest.mark.parametrize("rule", [*RULES, None], ids=repr)
@given(seed=SEEDS, stream=STREAMS, n=st.sampled_from([10, 11, 63, 64, 65, 128, 300, 1500]), data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_called_row_is_the_row(rule, seed: int, stream: int, n: int, data) -> None:
    rows = rule_of(rule, n).bind(n, n, seed, stream)
    degrees = rows.degrees(0, n)
    call = rows.call(int(degrees.max()))
    assert call is not None
    row = SIX(call.row.address)
    scratch = np.full(call.scratch + 64, 0xAB, np.uint8)
    sources = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=5))
    for source in sources:
        expected = rows.row(source)
        for ordered in (1, 0):
            out = np.full(expected.size + 1, -7, np.int32)
            place = -(-scratch.ctypes.data // 8) * 8
            row(call.settings.address, source, expected.size, out.ctypes.data, place, ordered)
            assert out[-1] == -7
            np.testing.assert_array_equal(out[:-1] if ordered else np.sort(out[:-1]), expected)
        if call.mark:
            bits = np.full((n + 63) // 64, 0xFFFF, np.uint64)
            mark = SIX(call.mark.address)
            mark(call.settings.address, source, expected.size, bits.ctypes.data, place, 0)
            marked = np.flatnonzero(np.unpackbits(bits.view(np.uint8), bitorder="little"))
            np.testing.assert_array_equal(marked, expected)
    assert (scratch[-48:] == 0xAB).all(), "written beyond the scratch"
    onto = np.bincount(np.concatenate([rows.row(i) for i in range(n)]), minlength=n)
    assert onto.max() <= call.in_degree


DRAWS = [
    Constant(2.5), Normal(1.0, 2.0), Normal(1.0, 2.0, 0.0, 1.5), Normal(3.0, 0.0), LogNormal(2.0, 3.0),
    LogNormal(1.0, 0.5, 0.5, 4.0), Uniform(-1.0, 3.0),
]  # fmt: skip


@pytest.mark.parametrize("draw", [*DRAWS, None], ids=repr)
@given(seed=SEEDS, stream=STREAMS, degrees=st.lists(st.integers(0, 600), min_size=1, max_size=6))
@settings(max_examples=15, deadline=None)
def test_called_values_are_the_values(draw, seed: int, stream: int, degrees: list[int]) -> None:
    indptr = np.concatenate([[0], np.cumsum(degrees)])
    draw = draw or FromArray(np.arange(float(indptr[-1])))
    expected = np.broadcast_to(draw.values(0, len(degrees), indptr, seed, stream), indptr[-1])
    call = draw_call(draw, seed, stream)
    assert call is not None
    values, scratch = SIX(call.values.address), np.zeros(call.scratch + 8, np.uint8)
    for source, degree in enumerate(degrees):
        first = int(indptr[source])
        out = np.full(degree + 1, -7.0)
        values(call.settings.address, source, degree, out.ctypes.data, scratch.ctypes.data, first)
        np.testing.assert_array_equal(out, [*expected[first : first + degree], -7.0])


class Other(Normal):
    """A draw that is not what it descends from."""


def test_what_has_no_compiled_form_says_so() -> None:
    assert draw_call(Other(1.0, 2.0), 1, 1) is None
