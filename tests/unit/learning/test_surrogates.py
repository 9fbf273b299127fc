"""Surrogates: the derivative is the slope of the smooth function, finite everywhere, and what the papers say."""

import ast
import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import integrate, special, stats

from treplica.errors import InvalidValue, UnknownName
from treplica.learning import Surrogate
from treplica.learning.surrogate import rises_to_one
from treplica.learning.surrogates import (
    SURROGATES,
    Arctan,
    Cauchy,
    Erf,
    FastSigmoid,
    MultiGaussian,
    Sigmoid,
    SoftReLU,
    StraightThrough,
    SuperGaussian,
    Triangular,
)
from treplica.model import formula
from treplica.model.check import WORDS
from treplica.model.lowering import lower
from treplica.numerics import primitives

#: Surrogates, with their area, and where they are not smooth.
CASES: list[tuple[Surrogate, float, tuple[float, ...]]] = [
    (Arctan(), 1.0, ()),
    (Arctan(alpha=7.0), 1.0, ()),
    (Cauchy(), 1.0, ()),
    (Cauchy(width=2.0), 1.0, ()),
    (Erf(), 1.0, ()),
    (Erf(alpha=0.4), 1.0, ()),
    (FastSigmoid(), 2.0 / 25.0, (0.0,)),
    (FastSigmoid(scale=2.0), 1.0, (0.0,)),
    (MultiGaussian(), 0.85, ()),
    (MultiGaussian(h=0.3, s=2.0, sigma=0.2), 0.7, ()),
    (Sigmoid(), 1.0, ()),
    (Sigmoid(alpha=25.0), 1.0, ()),
    (SoftReLU(), math.inf, ()),
    (SoftReLU(scale=6.0), math.inf, ()),
    (StraightThrough(), 1.0, (-0.5, 0.5)),
    (StraightThrough(window=2.0), 4.0, (-2.0, 2.0)),
    (SuperGaussian(), 1.0, ()),
    (SuperGaussian(width=0.5, order=2), 1.0, ()),
    (SuperGaussian(width=2.0, order=10), 1.0, ()),
    (Triangular(), 0.3, (-1.0, 0.0, 1.0)),
    (Triangular(dampening=0.5, width=2.0), 1.0, (-2.0, 0.0, 2.0)),
]
EACH = pytest.mark.parametrize(("surrogate", "area", "corners"), CASES, ids=[repr(c[0]) for c in CASES])
EXTREMES = [0.0, 5e-324, 1e-310, 1e-30, 1e-8, 1.0, 30.0, 1e3, 1e6, 1e30, 1e150]


def smooth(surrogate: Surrogate, x: np.ndarray) -> np.ndarray:
    return np.array([surrogate.smooth(float(number), *surrogate.numbers) for number in x])


def derivative(surrogate: Surrogate, x: np.ndarray) -> np.ndarray:
    return np.array([surrogate.derivative(float(number), *surrogate.numbers) for number in x])


def test_every_family_is_tried() -> None:
    assert {c[0].name for c in CASES} == set(SURROGATES)
    assert all(SURROGATES[name].name == name for name in SURROGATES)
    assert all(SURROGATES[s.name](**dict(s.values)) == s for s, _, _ in CASES)


@EACH
def test_the_derivative_is_the_slope(surrogate: Surrogate, area: float, corners: tuple[float, ...]) -> None:
    """Differences over five points, at even and at random places, not across a corner."""
    h = 2e-4
    rng = np.random.default_rng(5)
    x = np.concatenate([np.linspace(-5, 5, 501), rng.normal(0, 0.2, 300), rng.normal(0, 5, 300)])
    x = x[np.all([np.abs(x - c) > 3 * h for c in corners], axis=0)] if corners else x
    one, two = (smooth(surrogate, x + k * h) - smooth(surrogate, x - k * h) for k in (1, 2))
    slopes = derivative(surrogate, x)
    assert x.size > 900
    assert np.abs(slopes - (8 * one - two) / (12 * h)).max() < 2e-7 * np.abs(slopes).max()
    assert slopes.max() > 0.1


@EACH
def test_extremes_are_finite(surrogate: Surrogate, area: float, corners: tuple[float, ...]) -> None:
    x = np.array([*(-e for e in reversed(EXTREMES)), *EXTREMES])
    forward, slopes = smooth(surrogate, x), derivative(surrogate, x)
    assert np.isfinite(forward).all()
    assert np.isfinite(slopes).all()
    low, high = surrogate.limits
    assert abs(slopes[0]) < 1e-200
    if surrogate.name != "SoftReLU":
        assert high - low == pytest.approx(area, rel=1e-9)
        assert abs(slopes[-1]) < 1e-200
        np.testing.assert_array_equal(slopes, slopes[::-1])
        np.testing.assert_allclose(forward + forward[::-1], 1.0, rtol=1e-15)
    if surrogate.name != "MultiGaussian":
        assert (np.diff(forward) >= 0.0).all()
        assert (slopes >= 0.0).all()
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        inside = x[np.abs(x) <= 1e6]
        np.testing.assert_array_equal(surrogate.derivative(inside, *surrogate.numbers), slopes[abs(x) <= 1e6])
        np.testing.assert_array_equal(surrogate.smooth(inside, *surrogate.numbers), forward[abs(x) <= 1e6])
    assert math.isnan(surrogate.smooth(math.nan, *surrogate.numbers))


@EACH
def test_areas_are_those_of_the_literature(
    surrogate: Surrogate, area: float, corners: tuple[float, ...]
) -> None:
    if math.isinf(area):
        return
    function = lambda x: surrogate.derivative(x, *surrogate.numbers)  # noqa: E731
    edges = [-math.inf, -40.0, *sorted({*corners, -3.0, 0.0, 3.0}), 40.0, math.inf]
    parts = [integrate.quad(function, a, b, limit=200)[0] for a, b in itertools.pairwise(edges)]
    assert sum(parts) == pytest.approx(area, rel=1e-7)


def test_they_are_the_published_functions() -> None:
    x = np.linspace(-4.0, 4.0, 801)
    normal = stats.norm.pdf
    published = {
        Arctan(alpha=3.0): 1.5 / (1.0 + (math.pi * 1.5 * x) ** 2),
        Cauchy(width=0.7): stats.cauchy.pdf(x, scale=0.7),
        Erf(alpha=2.0): normal(x, scale=1.0 / (2.0 * math.sqrt(2.0))),
        FastSigmoid(): 1.0 / (1.0 + 25.0 * np.abs(x)) ** 2,
        MultiGaussian(): 1.15 * normal(x, 0, 0.5) - 0.15 * (normal(x, 0.5, 3) + normal(x, -0.5, 3)),
        Sigmoid(): stats.logistic.pdf(x, scale=0.25),
        SoftReLU(scale=2.0): special.expit(2.0 * x),
        StraightThrough(): (np.abs(x) < 0.5) * 1.0,
        SuperGaussian(): stats.gennorm.pdf(x, 4),
        SuperGaussian(width=0.5, order=2): normal(x, scale=0.5 / math.sqrt(2.0)),
        Triangular(): 0.3 * np.maximum(0.0, 1.0 - np.abs(x)),
    }
    assert {s.name for s in published} == set(SURROGATES)
    for surrogate, expected in published.items():
        np.testing.assert_allclose(derivative(surrogate, x), expected, rtol=1e-12, atol=1e-16)
    forward = {
        Cauchy(width=0.7): stats.cauchy.cdf(x, scale=0.7),
        Erf(alpha=2.0): stats.norm.cdf(x, scale=1.0 / (2.0 * math.sqrt(2.0))),
        FastSigmoid(scale=9.0): 0.5 + x / (1.0 + 9.0 * np.abs(x)),
        Sigmoid(): special.expit(4.0 * x),
        SoftReLU(scale=2.0): np.logaddexp(0.0, 2.0 * x) / 2.0,
    }
    for surrogate, expected in forward.items():
        np.testing.assert_allclose(smooth(surrogate, x), expected, rtol=1e-12, atol=3e-16)


@pytest.mark.parametrize("order", [2, 4, 6, 12, 32, 64])
def test_the_integral_of_a_super_gaussian_is_an_incomplete_gamma_function(order: int) -> None:
    x = np.concatenate([np.linspace(-4.0, 4.0, 4001), np.geomspace(1e-3, 1.0, 200)])
    expected = 0.5 + 0.5 * np.sign(x) * special.gammainc(1.0 / order, (np.abs(x) / 1.5) ** order)
    assert np.abs(smooth(SuperGaussian(width=1.5, order=order), x) - expected).max() < 1e-11


def test_arctan_is_cauchy_noise() -> None:
    x = np.linspace(-3.0, 3.0, 101)
    np.testing.assert_allclose(derivative(Arctan(), x), derivative(Cauchy(), x), rtol=1e-14)
    np.testing.assert_allclose(smooth(Arctan(), x), smooth(Cauchy(), x), rtol=1e-14)


@EACH
def test_lowered_formulas_compute_the_same(
    surrogate: Surrogate, area: float, corners: tuple[float, ...]
) -> None:
    """What generated kernels compile."""
    exact = {n: getattr(primitives, n) for n in ("pow2", "mantissa", "exponent")}
    for role in (surrogate.smooth, surrogate.derivative):
        space = {"inlined": lambda f: f, "real": float, **WORDS, **exact}
        functions = list(lower(role.checked, "f", "float64"))
        exec(compile(ast.Module(functions, []), "lowered", "exec"), space)
        for x in (-1e6, -1.7, -0.2, 0.0, 1e-310, 0.4, 3.0):
            assert space["f"](x, *surrogate.numbers) == role(x, *surrogate.numbers)


@EACH
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_tensors(surrogate: Surrogate, area: float, corners: tuple[float, ...], precision: str) -> None:
    """The bits of the formulas in float64, near them in float32; autograd of the smooth function is the derivative."""
    torch = pytest.importorskip("torch")
    from treplica.learning.words import evaluated

    numbers = np.concatenate([np.linspace(-4.0, 4.0, 803), [-1e6, -1e-38, 0.0, 1e-38, 1e6]])
    numbers = numbers[np.all([numbers != c for c in corners], axis=0)] if corners else numbers
    x = torch.tensor(numbers.astype(precision), requires_grad=True)
    slopes = surrogate(x)
    forward = evaluated(surrogate.smooth, x, surrogate.numbers)
    (gradient,) = torch.autograd.grad(forward.sum(), x)
    assert slopes.dtype == forward.dtype == x.dtype
    expected, rises = (f(surrogate, x.detach().double().numpy()) for f in (derivative, smooth))
    top = np.abs(expected).max()
    if precision == "float64":
        np.testing.assert_array_equal(slopes.detach().numpy(), expected)
        np.testing.assert_array_equal(forward.detach().numpy(), rises)
    else:
        np.testing.assert_allclose(slopes.detach().numpy(), expected, rtol=0, atol=2e-6 * top)
        np.testing.assert_allclose(forward.detach().numpy(), rises, rtol=1e-6, atol=2e-6)
    close = 1e-9 if precision == "float64" else 1e-4
    np.testing.assert_allclose(gradient.numpy(), slopes.detach().numpy(), rtol=0, atol=close * top)


@pytest.mark.parametrize("name", SURROGATES)
def test_bad_values_are_refused(name: str) -> None:
    family = SURROGATES[name]
    for parameter, field in family.fields.items():
        for bad in [*field.invalid_examples(), True, "much", np.ones(3), None]:
            with pytest.raises(InvalidValue, match=rf"{name}\.{parameter} must be"):
                family(**{parameter: bad})
    with pytest.raises(UnknownName, match=f"{name} parameter"):
        family(nonsense=1.0)
    assert family.source
    assert family.doc


def test_orders_are_even() -> None:
    for order in (3, 4.5):
        with pytest.raises(InvalidValue, match="an even number from 2 to 64"):
            SuperGaussian(order=order)


def test_surrogates_of_ones_own() -> None:
    @formula
    def ramp(x, slope):
        return 0.5 + slope * x

    @formula
    def flat(x, slope):
        return slope

    assert repr(Surrogate("Ramp", ramp, flat, (("slope", 2.0),))) == "Ramp(slope=2)"
    assert Surrogate("Ramp", ramp, flat, {"slope": 2}) == Surrogate("Ramp", ramp, flat, (("slope", 2.0),))
    for bad in ((("slope", math.nan),), ("slope",), {"slope": "much"}, 2.0):
        with pytest.raises(InvalidValue, match="Ramp: values must be pairs of a name and a finite number"):
            Surrogate("Ramp", ramp, flat, bad)
    with pytest.raises(InvalidValue, match=r"Ramp: smooth must be a formula of \(x\)"):
        Surrogate("Ramp", ramp, flat)
    with pytest.raises(InvalidValue, match="derivative must be a function marked @formula"):
        Surrogate("Ramp", ramp, lambda x, slope: slope, (("slope", 2.0),))


def test_what_is_a_distribution_function() -> None:
    assert {s.name for s, _, _ in CASES if not rises_to_one(s)} == {
        "Arctan", "Cauchy", "Erf", "FastSigmoid", "Sigmoid", "StraightThrough", "SuperGaussian", "Triangular"
    }  # fmt: skip
    for surrogate, area, _ in CASES:
        falls = surrogate.name == "MultiGaussian"
        assert ("falls" in rises_to_one(surrogate)) == falls
        assert bool(rises_to_one(surrogate)) == (area != 1.0)


def test_torch_stays_out() -> None:
    code = "import sys, treplica.learning.surrogates as s; repr(s.Erf()); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
