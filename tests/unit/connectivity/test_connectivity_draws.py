"""Draws of weights and delays: laws, truncation, shortcuts and refusals."""

import math

import numpy as np
import pytest
from scipy import stats

from treplica.connectivity import Constant, FromArray, LogNormal, Normal, Uniform
from treplica.errors import InvalidValue
from treplica.model import Draw

N = 200_000
ROWS = np.arange(0, N + 1, 10)


def drawn(draw, stream=5):
    return draw.values(0, ROWS.size - 1, ROWS, 3, stream)


LAWS = [
    (Normal(2.0, 3.0), stats.norm(2.0, 3.0)),
    (Normal(2.0, 3.0, low=0.0), stats.truncnorm(-2 / 3, np.inf, 2.0, 3.0)),
    (Normal(0.0, 1.0, 2.0, 2.5), stats.truncnorm(2.0, 2.5)),
    (Normal(0.0, 1.0, high=-2.9), stats.truncnorm(-np.inf, -2.9)),
    (Uniform(-1.0, 3.0), stats.uniform(-1.0, 4.0)),
    (LogNormal(2.0, 1.0), stats.lognorm(math.sqrt(math.log(1.25)), scale=2.0 / math.sqrt(1.25))),
]


@pytest.mark.parametrize(("draw", "law"), LAWS, ids=lambda x: str(x)[:40])
def test_values_follow_the_law(draw, law):
    values = drawn(draw)
    assert values.shape == (N,)
    assert stats.kstest(values, law.cdf).pvalue > 1e-3
    assert values.mean() == pytest.approx(law.mean(), abs=4 * law.std() / math.sqrt(N))


def test_mean_and_deviation_of_the_log_normal_are_its_own():
    values = drawn(LogNormal(10.0, 4.0))
    assert values.mean() == pytest.approx(10.0, rel=0.01)
    assert values.std() == pytest.approx(4.0, rel=0.02)


def test_truncated_log_normal():
    draw = LogNormal(2.0, 1.0, 1.0, 3.0)
    values, full = drawn(draw), drawn(LogNormal(2.0, 1.0))
    assert values.min() >= 1.0
    assert values.max() <= 3.0
    assert stats.ks_2samp(values, full[(full >= 1.0) & (full <= 3.0)]).pvalue > 1e-3
    inside = (full >= 1.0) & (full <= 3.0)
    np.testing.assert_array_equal(values[inside], full[inside])  # only values outside are drawn again


@pytest.mark.parametrize(
    "draw", [Normal(2.0, 3.0, -1.0, 4.0), Uniform(0.1, 0.2), LogNormal(1.0, 1.0, 0.5, 1.5)]
)
def test_values_stay_within_their_limits(draw):
    values = drawn(draw)
    assert values.min() >= draw.low
    assert values.max() <= draw.high


@pytest.mark.parametrize("draw", [Normal(0, 1), Uniform(0, 1)])
def test_synapses_and_streams_are_independent(draw):
    values = drawn(draw)
    bound = 4 / math.sqrt(N)
    for lag in (1, 10, 64):
        assert abs(np.corrcoef(values[:-lag], values[lag:])[0, 1]) < bound
    assert abs(np.corrcoef(values, drawn(draw, stream=6))[0, 1]) < bound


def test_no_spread():
    assert np.all(drawn(Normal(2.0, 0.0)) == 2.0)
    np.testing.assert_allclose(drawn(LogNormal(2.0, 0.0)), 2.0, rtol=1e-15)
    assert np.all(drawn(Uniform(0.5, 0.5)) == 0.5)


def test_one_value_per_neuron():
    values = Normal(0.0, 1.0).values(0, 1000, np.arange(1001), 1, 2)
    assert values.shape == (1000,)
    assert len(np.unique(values)) == 1000


def test_a_constant_is_one_number():
    value = Constant(3).values(0, 5, np.arange(6), 0, 0)
    assert value.shape == ()
    assert value.dtype == np.float64
    assert value == 3.0


def test_given_values():
    draw = FromArray([1, 2, 3, 4])
    assert draw.values(0, 2, np.array([0, 3, 4]), 0, 0).tolist() == [1.0, 2.0, 3.0, 4.0]
    assert draw.values(1, 2, np.array([3, 4]), 0, 0).tolist() == [4.0]
    draw.check_count(4)
    for count in (3, 5):
        with pytest.raises(
            InvalidValue, match=f"length of FromArray.array must be {count}, one for each, got 4"
        ):
            draw.check_count(count)
    with pytest.raises(InvalidValue, match=r"length of FromArray\.array must be 5"):
        draw.values(0, 1, np.array([0, 5]), 0, 0)
    with pytest.raises(ValueError, match="read-only"):
        draw.array[0] = 1.0
    with pytest.raises(TypeError, match="unhashable"):
        hash(draw)


@pytest.mark.parametrize(
    "draw", [Constant(1), Normal(0, 1), LogNormal(1, 1), Uniform(0, 1), FromArray([1.0])]
)
def test_they_are_draws(draw):
    assert isinstance(draw, Draw)


def test_no_synapses():
    for draw in (Normal(0, 1), LogNormal(1, 1), Uniform(0, 1), FromArray([])):
        assert draw.values(0, 3, np.zeros(4, dtype=np.int64), 0, 0).shape == (0,)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(NAN), "Constant.value must be a finite number, got nan"),
        (lambda: Constant("1"), "Constant.value must be a finite number, got '1'"),
        (lambda: Constant(True), "Constant.value must be a finite number, got True"),
        (lambda: Normal(INF, 1), "Normal.mean must be a finite number"),
        (lambda: Normal(0, -1), "Normal.std must be a finite number >= 0, got -1"),
        (lambda: Normal(0, NAN), "Normal.std must be a finite number >= 0, got nan"),
        (lambda: Normal(0, 1, NAN), "Normal.low must be a number or infinity, got nan"),
        (lambda: Normal(0, 1, 0, "2"), "Normal.high must be a number or infinity, got '2'"),
        (
            lambda: Normal(0, 1, 4.0),
            "Normal.low to Normal.high must be an interval that holds at least 0.001",
        ),
        (lambda: Normal(0, 1, -INF, -4.0), "Normal.low to Normal.high"),
        (lambda: Normal(0, 1, 1.0, 1.0), "Normal.low to Normal.high"),
        (lambda: Normal(0, 1, 2.0, -2.0), "Normal.low to Normal.high"),
        (lambda: Normal(1, 0, 2.0), "move the mean 1 into it"),
        (lambda: Normal(1, 0, -INF, 0.0), "Normal.low to Normal.high"),
        (lambda: LogNormal(0, 1), "LogNormal.mean must be a finite number > 0, got 0"),
        (lambda: LogNormal(1, -1), "LogNormal.std must be a finite number >= 0, got -1"),
        (lambda: LogNormal(1, 1, high=0.0), "LogNormal.low to LogNormal.high"),
        (lambda: LogNormal(1, 0.1, low=9.0), "LogNormal.low to LogNormal.high"),
        (lambda: LogNormal(1, 0, 2.0), "LogNormal.low to LogNormal.high"),
        (lambda: Uniform(NAN, 1), "Uniform.low must be a finite number, got nan"),
        (lambda: Uniform(0, INF), "Uniform.high must be a finite number, got inf"),
        (lambda: Uniform(2, 1), "Uniform.high must be at least Uniform.low, 2.0, got 1.0"),
        (lambda: FromArray([[1.0]]), "FromArray.array must be a one-dimensional array of finite numbers"),
        (lambda: FromArray([1.0, NAN]), "FromArray.array"),
        (lambda: FromArray(["a"]), "FromArray.array"),
    ],
)
def test_bad_fields_are_refused(make, message):
    with pytest.raises(InvalidValue) as error:
        make()
    assert message in str(error.value)


def test_limits_that_are_just_possible_are_accepted():
    Normal(0, 1, 3.09)
    with pytest.raises(InvalidValue):
        Normal(0, 1, 3.10)
