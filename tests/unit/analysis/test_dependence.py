import numpy as np
import pytest

from treplica.analysis import correlation, population_rate, power_spectrum
from treplica.coding import SpikeTrains, poisson
from treplica.errors import InvalidValue


def test_correlation_is_numpys() -> None:
    trains = poisson(np.linspace(0.2, 1, 25), 200.0, 1001.0, seed=3).shifted(30.0)
    result = correlation(trains, bin=4.0)
    counts = trains.to_dense()[:1000].reshape(250, 4, 25).sum(1)
    assert result.ids.tolist() == list(range(25))
    assert result.matrix == pytest.approx(np.corrcoef(counts.T), abs=1e-12)
    assert result.pairs == pytest.approx(np.corrcoef(counts.T)[np.triu_indices(25, 1)], abs=1e-12)


def test_correlation_of_a_pair_with_a_known_common_input() -> None:
    """A = C + X, B = C + Y: r = var C / (var C + var X). C fires in even steps and X, Y in odd ones."""
    bins, common, own = 100_000, 0.1, 0.3
    words = np.random.default_rng(1).random((3, bins))
    dense = np.zeros((2 * bins, 2), bool)
    dense[0::2] = (words[0] < common)[:, None]
    dense[1::2] = (words[1:] < own).T
    expected = common * (1 - common) / (common * (1 - common) + own * (1 - own))
    (r,) = correlation(SpikeTrains.from_dense(dense, 1.0), bin=2.0).pairs
    assert r == pytest.approx(expected, abs=5 / np.sqrt(bins))


def test_identical_opposite_and_silent_neurons() -> None:
    one = np.array([1, 0, 0, 1, 1, 0, 1, 0], bool)
    dense = np.stack([one, one, ~one, np.zeros(8, bool), np.ones(8, bool)], axis=1)
    result = correlation(SpikeTrains.from_dense(dense, 1.0), bin=1.0)
    assert result.ids.tolist() == [0, 1, 2]  # a constant count has no correlation
    assert result.pairs == pytest.approx([1.0, -1.0, -1.0])
    nothing = correlation(SpikeTrains.from_dense(dense[:, 3:4], 1.0), bin=1.0)
    assert (nothing.matrix.shape, len(nothing.ids), len(nothing.pairs)) == ((0, 0), 0, 0)


def test_neurons_are_drawn_by_seed() -> None:
    trains = poisson(np.full(300, 1.0), 100.0, 500.0, seed=3)
    first = correlation(trains, neurons=50, seed=1)
    assert len(first.ids) == 50
    assert (np.diff(first.ids) > 0).all()
    assert np.array_equal(first.ids, correlation(trains, neurons=50, seed=1).ids)
    assert not np.array_equal(first.ids, correlation(trains, neurons=50, seed=2).ids)
    whole = correlation(trains, neurons=300)
    assert first.matrix == pytest.approx(whole.matrix[np.ix_(first.ids, first.ids)])
    # independent neurons: mean 0 with deviation 1/√bins per pair
    assert abs(whole.pairs.mean()) < 5 / np.sqrt(250 * len(whole.pairs)) + 1 / 250
    assert whole.pairs.std() == pytest.approx(1 / np.sqrt(250), rel=0.1)
    with pytest.raises(InvalidValue, match="neurons"):
        correlation(trains, neurons=0)


def test_spectrum_peaks_at_the_modulation() -> None:
    """600 neurons whose rate swings by 80 % at 40 Hz."""
    steps = np.arange(1, 8001)
    chance = 0.02 * (1 + 0.8 * np.sin(2 * np.pi * 40.0 * steps / 1000))
    dense = np.random.default_rng(2).random((8000, 600)) < chance[:, None]
    frequencies, power = power_spectrum(SpikeTrains.from_dense(dense, 1.0), bin=1.0, segment=1000.0)
    assert len(frequencies) == 501
    assert frequencies[-1] == 500.0
    assert frequencies[np.argmax(power)] == 40.0
    assert power[40] > 100 * np.median(power)


def test_spectrum_of_poisson_neurons_is_flat_at_the_predicted_level() -> None:
    trains = poisson(np.full(100, 1.0), 20.0, 60_000.0, seed=8)
    frequencies, power = power_spectrum(trains, segment=500.0)
    level = 2 * 20.0 * (1 - 0.02) / 100  # the second factor: steps are Bernoulli, not Poisson
    inner = power[(frequencies > 5.0) & (frequencies < 495.0)]
    assert inner.mean() == pytest.approx(level, rel=0.03)
    assert inner.std() < 0.15 * level


def test_spectrum_of_a_signal() -> None:
    """A sine of amplitude a has the power a²/2."""
    times = np.arange(0, 4000.0, 0.5)
    frequencies, power = power_spectrum(3 * np.sin(2 * np.pi * 25 * times / 1000), bin=0.5, segment=1000.0)
    assert frequencies[np.argmax(power)] == 25.0
    assert power.sum() * frequencies[1] == pytest.approx(4.5, rel=1e-3)
    trains = poisson(np.full(10, 1.0), 20.0, 3000.0, seed=8)
    same = power_spectrum(population_rate(trains, 2.0)[1], bin=2.0)
    assert np.array_equal(power_spectrum(trains, bin=2.0)[1], same[1])


@pytest.mark.parametrize(
    "arguments",
    [
        {"segment": 1.0},
        {"segment": 101.0},
        {"segment": float("nan")},
        {"bin": 0.0},
        {"activity": np.zeros((5, 5))},
        {"activity": np.full(100, np.nan)},
    ],
)
def test_spectrum_refuses(arguments: dict) -> None:
    with pytest.raises(InvalidValue):
        power_spectrum(**{"activity": np.zeros(100), "segment": 50.0, **arguments})
