"""The words as ordinary Python: on numbers, numpy scalars and arrays, each in its own type."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treplica.model import vocabulary
from treplica.model.vocabulary import (
    absolute,
    exp,
    floor,
    graded,
    hold,
    log,
    maximum,
    minimum,
    spike,
    sqrt,
    where,
)

ONE_NUMBER = [w for w in vocabulary.__all__ if w not in ("where", "minimum", "maximum")]
TYPES = [float, np.float64, np.float32]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("value", [-math.inf, -2.0, -0.0, 0.0, 0.3, 1.0, math.inf, math.nan])
@pytest.mark.parametrize("word", ONE_NUMBER)
def test_the_type_is_kept(word: str, value: float, kind: type) -> None:
    function = getattr(vocabulary, word)
    with np.errstate(all="ignore"):
        alone = function(kind(value))
        together = function(np.full(3, value, dtype=kind))
    assert type(alone) is kind
    assert together.dtype == kind
    assert np.asarray(alone).tobytes() == together[:1].tobytes() or math.isnan(alone)
    assert math.isnan(alone) == np.isnan(together).all()


@pytest.mark.parametrize("kind", TYPES)
def test_spike_is_heaviside(kind: type) -> None:
    for x, expected in [(-1.0, 0), (-0.0, 1), (0.0, 1), (5e-324, 1), (math.inf, 1), (math.nan, 0)]:
        assert spike(kind(x)) == expected
    np.testing.assert_array_equal(spike(np.array([-1, -0.0, 2, math.nan], dtype=kind)), [0, 1, 1, 0])


@pytest.mark.parametrize("kind", TYPES)
def test_graded_counts_whole_spikes(kind: type) -> None:
    cases = [
        (-3.5, 0),
        (-0.0, 0),
        (0.0, 0),
        (0.99, 0),
        (1.0, 1),
        (7.6, 7),
        (math.inf, math.inf),
        (math.nan, 0),
    ]
    for x, expected in cases:
        assert graded(kind(x)) == expected
        assert math.copysign(1.0, graded(kind(x))) == 1.0
    x, expected = zip(*cases, strict=True)
    np.testing.assert_array_equal(graded(np.array(x, dtype=kind)), expected)


@given(st.floats())
def test_hold_and_absolute(x: float) -> None:
    assert hold(x) is x
    assert math.copysign(1.0, absolute(x)) == 1.0 or math.isnan(x)
    assert absolute(x) == abs(x) or math.isnan(x)


@given(st.floats(), st.floats())
def test_minimum_and_maximum(a: float, b: float) -> None:
    """The second is taken where they do not compare, also in arrays."""
    low, high = minimum(a, b), maximum(a, b)
    if math.isnan(a) or math.isnan(b):
        assert low is b
        assert high is b
    else:
        assert (low, high) == (min(a, b), max(a, b))
    np.testing.assert_array_equal(minimum(np.array([a]), np.array([b])), [low])
    np.testing.assert_array_equal(maximum(np.array([a]), np.array([b])), [high])


def test_where_takes_one_of_two() -> None:
    assert (where(True, 1.0, 2.0), where(False, 1.0, 2.0)) == (1.0, 2.0)
    assert where(np.bool_(True), np.float32(1), np.float32(2)).dtype == np.float32
    chosen = where(np.array([True, False]), np.float32([1, 2]), np.float32([3, 4]))
    np.testing.assert_array_equal(chosen, np.float32([1, 4]))
    assert chosen.dtype == np.float32


@given(st.floats())
def test_floor(x: float) -> None:
    if math.isfinite(x):
        assert floor(x) == math.floor(x)
    else:
        assert floor(x) == x or math.isnan(x)


def test_sqrt() -> None:
    assert sqrt(2.0) == math.sqrt(2.0)
    assert math.isnan(sqrt(-1.0))
    assert sqrt(math.inf) == math.inf


def test_python_numbers_never_raise() -> None:
    """Called by CPython the specification has no exceptions where IEEE arithmetic has none."""
    assert exp(1e6) == math.inf
    assert exp(-1e6) == 0.0
    assert log(0.0) == -math.inf
    assert math.isnan(log(-1.0))
