"""Declared quantities: what they admit, and how they say so."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treplica.errors import InvalidValue
from treplica.model import Field, current, normal, param, state, uniform

TAU = param("ms", 10.0, low=0.0, low_open=True, doc="time constant")
SHARE = param("1", 0.5, low=0.0, high=1.0, high_open=True)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (TAU, "a finite number > 0 ms"),
        (SHARE, "a finite number >= 0 and < 1"),
        (param("mV", 0.0, high=-3.5), "a finite number <= -3.5 mV"),
        (state("mV"), "a finite number mV"),
        (param("1", 0.0), "a finite number"),
    ],
)
def test_what_is_allowed_is_said(declared: Field, words: str) -> None:
    assert declared.allowed == words


@pytest.mark.parametrize("declared", [TAU, SHARE, param("mV", 0.0, high=-3.5), state("mV")])
def test_invalid_examples_are_refused(declared: Field) -> None:
    bad = declared.invalid_examples()
    assert len(bad) >= 3
    for value in bad:
        with pytest.raises(InvalidValue, match=re.escape(f"X.y must be {declared.allowed}, got")):
            declared.check("X.y", value)
        with pytest.raises(InvalidValue, match=r"X\.y\[1\] must be"):
            declared.check("X.y", [declared.high - 1.0 if math.isfinite(declared.high) else 5.0, value])


@given(st.floats())
def test_a_number_is_admitted_or_refused(value: float) -> None:
    inside = math.isfinite(value) and 0.0 <= value < 1.0
    assert bool(SHARE.admits(np.array(value))) is inside
    if inside:
        assert SHARE.check("x", value) == value
    else:
        with pytest.raises(InvalidValue):
            SHARE.check("x", value)


@pytest.mark.parametrize("value", ["5", None, True, 1j, object(), {1.0}, b"1", lambda: 1.0])
def test_what_is_not_a_number(value: object) -> None:
    with pytest.raises(InvalidValue, match="Give a number"):
        TAU.check("tau", value)


def test_what_is_not_an_array_of_numbers() -> None:
    with pytest.raises(InvalidValue, match="Give a number"):
        TAU.check("tau", [1.0, "b"])
    with pytest.raises(InvalidValue, match=r"Flatten it to \[n\]"):
        TAU.check("tau", [[1.0], [2.0]])
    with pytest.raises(InvalidValue, match="Give a number"):
        TAU.check("tau", [[1.0], [2.0, 3.0]])
    with pytest.raises(InvalidValue, match="Give a number"):
        TAU.check("tau", np.array([True, False]))
    with pytest.raises(InvalidValue, match="Give a number"):
        TAU.check("tau", ["1", "2"])
    with pytest.raises(InvalidValue, match="Give a number"):
        TAU.check("tau", 10**400)


@pytest.mark.parametrize("value", [3, np.float32(3), np.int64(3), np.array(3.0), Fraction(3)])
def test_numbers_become_floats(value: object) -> None:
    given = TAU.check("tau", value)
    assert type(given) is float
    assert given == 3.0


def test_a_draw_stays_a_draw() -> None:
    class Three:
        def values(self, first, last, indptr, seed, stream):
            return np.full(last - first, 3.0)

        def bounds(self):
            return 3.0, 3.0

    three = Three()
    assert TAU.check("tau", three) is three


def test_kinds() -> None:
    assert (normal().kind, normal().law) == ("noise", "normal")
    assert (uniform().kind, uniform().law) == ("noise", "uniform")
    assert (state("mV", -65.0).default, current("pA").kind) == (-65.0, "current")
