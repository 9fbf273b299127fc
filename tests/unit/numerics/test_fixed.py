"""Fixed point: rounding, saturation, what is not finite; definition, units."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treplica.numerics.fixed import Fixed, fixed_for

BITS = st.sampled_from([8, 16])


@given(BITS, st.integers(-20, 20), st.floats(width=32))
def test_the_nearest_multiple(bits: int, exponent: int, value: float) -> None:
    fixed = Fixed(bits, math.ldexp(1.0, exponent))
    kept = int(fixed.to_whole(np.float32(value)))
    if not math.isfinite(value):
        assert kept == fixed.broken
        assert math.isnan(fixed.to_real(kept, np.float64))
        return
    exact = value / fixed.unit
    assert abs(kept) <= fixed.largest
    if abs(exact) <= fixed.largest:
        assert kept == round(exact)  # halves to the even one
    else:
        assert kept == math.copysign(fixed.largest, exact)


@given(BITS, st.integers(-20, 20))
def test_every_whole_number_comes_back(bits: int, exponent: int) -> None:
    fixed = Fixed(bits, math.ldexp(1.0, exponent))
    everything = np.arange(-fixed.largest, fixed.largest + 1, dtype=fixed.dtype)
    for real in (np.float32, np.float64):
        assert np.array_equal(fixed.to_whole(fixed.to_real(everything, real)), everything)


@given(BITS, st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_the_unit_is_the_finest_that_holds_the_span(bits: int, low: float, width: float) -> None:
    fixed = fixed_for(low, low + width, bits)
    most = max(abs(low), abs(low + width))
    assert math.frexp(fixed.unit)[0] == 0.5
    assert fixed.unit * 2 ** (bits - 1) >= most
    assert fixed.unit / 2 * 2 ** (bits - 1) < most


@pytest.mark.parametrize(("bits", "unit"), [(16, 2.0**-8), (8, 1.0)])
def test_potentials(bits: int, unit: float) -> None:
    assert fixed_for(-128.0, 128.0, bits) == Fixed(bits, unit)
