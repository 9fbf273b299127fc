"""The table of derivatives: every elementary function, against differences of the function itself."""

import numpy as np
import pytest

from treplica.model import vocabulary
from treplica.model.check import WORDS
from treplica.model.derivatives import DERIVATIVES
from treplica.numerics.elementary import ELEMENTARY


def test_every_elementary_function_has_one() -> None:
    assert set(DERIVATIVES) == {*ELEMENTARY, "sqrt"}
    assert set(DERIVATIVES) <= set(WORDS)
    assert {word for word, d in DERIVATIVES.items() if d.takes_result} == {"sqrt", "exp", "expm1", "tanh"}


@pytest.mark.parametrize("word", DERIVATIVES)
def test_it_is_the_slope(word: str) -> None:
    """A difference over five points has an error of h^4; numbers of the formula are plain Python floats."""
    function, derivative = getattr(vocabulary, word), DERIVATIVES[word]
    assert derivative.formula.arguments in (("x",), ("y",))
    x = np.linspace(0.1, 3.0, 59)
    if word not in ("log", "sqrt"):
        x = np.concatenate([-x, [0.0], x])
    h = 1e-3
    slope = (8 * (function(x + h) - function(x - h)) - (function(x + 2 * h) - function(x - 2 * h))) / (12 * h)
    given = function(x) if derivative.takes_result else x
    found = np.array([derivative.formula(float(number)) for number in given])
    np.testing.assert_allclose(found, slope, rtol=3e-8, atol=1e-10)
