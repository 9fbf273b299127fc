"""exp, log, expm1, tanh, atan, erf: close to mathematics, and the same bits from every target."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import special

from treplica.engines.composition import Composition, Part
from treplica.engines.cpu.engine import CpuEngine
from treplica.engines.plan import Plan, PopulationPlan
from treplica.model import atan, current, erf, exp, expm1, graded, log, neuron, sqrt, state, tanh, vocabulary
from treplica.numerics.formats import format_of

WORDS = ["exp", "log", "expm1", "tanh", "atan", "erf"]
PRECISIONS = ["float64", "float32"]
#: Largest error in units in the last place, as the module states it.
BOUNDS = {"exp": 1.0, "log": 1.0, "expm1": 2.0, "tanh": 3.0, "atan": 2.0, "erf": 2.0}
#: Around these some definition changes.
TURNS = (-1.0, -0.5, -0.4142, -0.25, 0.0, 0.25, 0.4142, 0.5, 0.7071, 1.0, 1.4142, 2.4142)
#: Where each function is neither trivial nor out of range.
RANGES = {
    "exp": (-745.0, 709.7),
    "log": (0.0, math.inf),
    "expm1": (-40.0, 709.7),
    "tanh": (-25.0, 25.0),
    "atan": (-100.0, 100.0),
    "erf": (-7.0, 7.0),
}


@neuron(
    e=state("1"), l=state("1"), m=state("1"), t=state("1"), r=state("1"), a=state("1"), f=state("1"), g=state("1"),
    x=current("1"),
)  # fmt: skip
def Elementary(e, l, m, t, r, a, f, g, x):  # noqa: E741
    whole = graded(x)
    return dict(e=exp(x), l=log(x), m=expm1(x), t=tanh(x), r=sqrt(x), a=atan(x), f=erf(x), g=whole, spike=0.0)


STATES = {
    "exp": "e",
    "log": "l",
    "expm1": "m",
    "tanh": "t",
    "sqrt": "r",
    "atan": "a",
    "erf": "f",
    "graded": "g",
}
SIZE = 256


@functools.cache
def engine(precision: str) -> CpuEngine:
    """A population whose kernel computes every function of its current, and `graded`."""
    form = format_of(precision)
    states = {n: np.zeros(SIZE, form.real) for n in STATES.values()}
    external = {"x": np.zeros(SIZE, form.real)}
    composition = Composition([Part("", Elementary, {}, states)], [], ("x",))
    population = PopulationPlan("p", SIZE, composition, external)
    return CpuEngine(Plan(1.0, 0, form, [population]), [], [], 1)


def compiled(word: str, x: np.ndarray) -> np.ndarray:
    """A function from the compiled kernel, [n]."""
    run, parts = engine(x.dtype.name), []
    for first in range(0, x.size, SIZE):
        part = x[first : first + SIZE]
        run.set_external(0, "x", np.arange(part.size), part)
        run.advance(1)
        parts.append(run.read(0, STATES[word])[: part.size])
    return np.concatenate(parts)


def grid(word: str, precision: str) -> np.ndarray:
    """Many numbers of the range: even, of every magnitude, around the places where a definition changes."""
    rng = np.random.default_rng(3)
    low, high = RANGES[word]
    if precision == "float32":
        low, high = max(low, -103.0), min(high, 88.7)
    info = np.finfo(precision)
    tiny = 10.0 ** rng.uniform(math.log10(info.smallest_subnormal), math.log10(info.max), 20_000)
    even = rng.uniform(max(low, -1e4), min(high, 1e4), 20_000)
    turns = np.concatenate([c + rng.normal(0, 1e-3, 2000) for c in TURNS])
    with np.errstate(over="ignore"):
        x = np.concatenate([even, turns, tiny, -tiny]).astype(precision)
    return x[(x >= low) & (x <= high) & (x != 0.0) & np.isfinite(x)]


def exact_erf(x: np.ndarray) -> np.ndarray:
    """exp(-x^2) 2 / sqrt(pi) times the sum of 2^n x^(2n + 1) / (1 3 5 ... (2n + 1)): nothing cancels."""
    a = np.abs(x)
    terms = [a]
    for n in range(1, 220):
        terms.append(terms[-1] * (2.0 * a * a) / (2 * n + 1))
    pi = 4.0 * np.arctan(np.longdouble(1.0))
    return np.copysign(sum(reversed(terms)) * np.exp(-a * a) * 2.0 / np.sqrt(pi), x)


EXACT = {"atan": np.arctan, "erf": exact_erf}


def ulps(word: str, x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The distance from the true values in units in the last place."""
    function = EXACT.get(word) or getattr(np, word)
    exact = function(x.astype(np.longdouble))
    with np.errstate(over="ignore"):
        unit = np.spacing(np.abs(exact).astype(values.dtype)).astype(np.longdouble)
    finite = np.isfinite(unit)
    return (np.abs(values.astype(np.longdouble) - exact)[finite] / unit[finite]).astype(np.float64)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="no wider float on this machine")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("word", WORDS)
def test_errors_are_small(word: str, precision: str) -> None:
    x = grid(word, precision)
    with np.errstate(all="ignore"):
        values = getattr(vocabulary, word)(x)
    errors = ulps(word, x, values)
    assert errors.size > 20_000
    assert errors.max() < BOUNDS[word]
    assert errors.mean() < 0.5


def test_the_measure_sees_a_wrong_bit() -> None:
    x = np.array([0.5, 1.0, 2.0])
    off = np.nextafter(np.nextafter(np.nextafter(np.exp(x), 9.0), 9.0), 9.0)
    assert ulps("exp", x, off).min() > 2.0


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
@pytest.mark.parametrize("kind", [float, np.float64, np.float32])
def test_limits(kind: type) -> None:
    inf, nan = kind(math.inf), kind(math.nan)
    zero, minus_zero = kind(0.0), kind(-0.0)
    assert (exp(zero), exp(minus_zero), exp(inf), exp(-inf)) == (1.0, 1.0, math.inf, 0.0)
    assert (log(kind(1.0)), log(zero), log(minus_zero), log(inf)) == (0.0, -math.inf, -math.inf, math.inf)
    assert (expm1(zero), expm1(inf), expm1(-inf)) == (0.0, math.inf, -1.0)
    assert (tanh(zero), tanh(inf), tanh(-inf)) == (0.0, 1.0, -1.0)
    assert (expm1(minus_zero), tanh(minus_zero)) == (0.0, 0.0)
    half_pi = kind(math.pi / 2.0)
    assert (atan(zero), atan(inf), atan(-inf), erf(inf), erf(-inf)) == (0.0, half_pi, -half_pi, 1.0, -1.0)
    for word in WORDS:
        assert math.isnan(getattr(vocabulary, word)(nan))
    assert math.isnan(log(kind(-1.0)))
    assert math.isnan(log(-inf))


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_overflow_and_underflow(precision: str) -> None:
    info = np.finfo(precision)
    real = np.dtype(precision).type
    top = real(math.log(float(info.max)))
    assert np.isfinite(exp(np.nextafter(top, real(0.0))))
    assert exp(top + real(1e-3)) == math.inf
    bottom = math.log(float(info.smallest_subnormal))
    assert exp(real(bottom - 1.0)) == 0.0
    assert exp(real(bottom + 1.0)) > 0.0
    assert log(info.smallest_subnormal) == pytest.approx(bottom, rel=1e-7)


def monotonic(word: str, start: float, stop: float, real: type) -> None:
    x = np.linspace(start, stop, 100_001).astype(real)
    values = getattr(vocabulary, word)(x)
    assert (np.diff(values) >= 0.0).all(), f"{word} falls"


@pytest.mark.parametrize("real", [np.float64, np.float32])
def test_functions_rise_where_their_definition_changes(real: type) -> None:
    """Within rounding: neighbouring grid points are many units apart."""
    for centre in (-0.5, 0.5):
        monotonic("expm1", centre - 0.05, centre + 0.05, real)
        monotonic("tanh", centre / 2 - 0.02, centre / 2 + 0.02, real)
    for k in (-2, -1, 0, 1, 2):
        monotonic("exp", (k + 0.5) * math.log(2.0) - 0.05, (k + 0.5) * math.log(2.0) + 0.05, real)
    for k in (math.sqrt(2.0) - 1.0, math.sqrt(2.0) + 1.0):
        monotonic("atan", k - 0.05, k + 0.05, real)
    monotonic("erf", 0.95, 1.05, real)
    monotonic("erf", 3.0, 7.0, real)
    for k in (0.70710678, 1.0, 1.41421356):
        monotonic("log", k - 0.05, k + 0.05, real)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("word", ["atan", "erf"])
def test_odd_functions_are_odd_in_every_bit(word: str, precision: str) -> None:
    function = getattr(vocabulary, word)
    x = np.concatenate([grid(word, precision), np.zeros(1, precision), np.full(1, math.inf, precision)])
    same_bits(function(-x), -function(x))


def test_the_true_error_function_is_true() -> None:
    """Abramowitz & Stegun 1964, table 7.1, and scipy in float64."""
    known = {0.5: "0.5204998778130465377", 1.0: "0.8427007929497148693", 2.0: "0.9953222650189527342"}
    for x, value in known.items():
        difference = exact_erf(np.array([x], np.longdouble))[0] - np.longdouble(value)
        assert abs(difference) < 1e-18
    x = grid("erf", "float64")
    np.testing.assert_allclose(exact_erf(x.astype(np.longdouble)).astype(float), special.erf(x), rtol=1e-14)


def one_by_one(word: str, x: np.ndarray) -> np.ndarray:
    return np.array([getattr(vocabulary, word)(number) for number in x])


def python_numbers(word: str, x: np.ndarray) -> np.ndarray:
    return np.array([getattr(vocabulary, word)(float(number)) for number in x])


def together(word: str, x: np.ndarray) -> np.ndarray:
    return getattr(vocabulary, word)(x)


def on_tensors(word: str, x: np.ndarray) -> np.ndarray:
    torch = pytest.importorskip("torch")
    from treplica.learning.words import words

    return words()[word](torch.tensor(x)).numpy()


TARGETS: dict[str, Callable[[str, np.ndarray], Any]] = {
    "python": python_numbers,
    "array": together,
    "compiled": compiled,
    "torch": on_tensors,
}


def same_bits(a: np.ndarray, b: np.ndarray) -> None:
    """Equal in every bit; one NaN is like another."""
    assert a.dtype == b.dtype
    whole = np.int64 if a.dtype == np.float64 else np.int32
    clean_a, clean_b = (np.where(np.isnan(v), v.dtype.type(0), v) for v in (a, b))
    np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
    np.testing.assert_array_equal(clean_a.view(whole), clean_b.view(whole))


def check_all(x: np.ndarray, target: str) -> None:
    if target == "python" and x.dtype != np.float64:
        return
    with np.errstate(all="ignore"):
        for word in STATES:
            same_bits(one_by_one(word, x), TARGETS[target](word, x))


NASTY = [
    6.0, -6.0, math.nextafter(1.0, 0), 2.414213562373095, 0.41421356237309503, 1e17, -1e200, 1e-160,
    0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 2.2250738585072014e-308, 1e-310, -1e-310,
    1.7976931348623157e308, -1.7976931348623157e308, 709.782712893384, 709.7827128933841, -745.1332191019412,
    -745.2, 0.5, -0.5, math.nextafter(0.5, 0), 20.0, -20.0, 1.0, math.nextafter(1.0, 2), 0.7071067811865476,
]  # fmt: skip
NASTY_32 = [
    4.0, -4.0, 0.99999994, 2.4142137, 0.41421357, 1e9, -1e30, 1e-22,
    0.0, -0.0, math.inf, -math.inf, math.nan, 1e-45, -1e-45, 1.1754943508222875e-38, 1e-40, -1e-40, 3.4028235e38,
    -3.4028235e38, 88.72284, 88.72283, -103.97208, -104.0, 0.5, -0.5, 10.0, -10.0, 1.0, 0.70710677,
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
@given(numbers=st.lists(st.floats(), min_size=1, max_size=80))
@example(numbers=NASTY)
@settings(max_examples=40, deadline=None)
def test_every_target_has_the_same_bits_in_float64(target: str, numbers: list[float]) -> None:
    check_all(np.array(numbers), target)


@pytest.mark.parametrize("target", TARGETS)
@given(numbers=st.lists(st.floats(width=32), min_size=1, max_size=80))
@example(numbers=NASTY_32)
@settings(max_examples=40, deadline=None)
def test_every_target_has_the_same_bits_in_float32(target: str, numbers: list[float]) -> None:
    check_all(np.array(numbers, dtype=np.float32), target)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("target", ["compiled", "torch"])
@pytest.mark.parametrize("word", WORDS)
def test_many_numbers_have_the_same_bits(word: str, target: str, precision: str) -> None:
    """Where the property test draws extremes, this takes the range that networks use."""
    x = grid(word, precision)[::4]
    with np.errstate(all="ignore"):
        same_bits(together(word, x), TARGETS[target](word, x))


@pytest.mark.parametrize("word", ["exp", "log", "expm1"])
def test_single_numbers_in_hand_written_kernels(word: str) -> None:
    """The event engine calls them for one float64 at a time."""
    from treplica.numerics import compiled_elementary

    function = {
        "exp": compiled_elementary.exp64,
        "log": compiled_elementary.log64,
        "expm1": compiled_elementary.expm1_64,
    }[word]
    x = np.concatenate([grid(word, "float64")[::4], NASTY])
    with np.errstate(all="ignore"):
        same_bits(together(word, x), np.array([function(number) for number in x]))
