import numpy as np
import pytest

from treplica.analysis import binned_counts, fano, mean_rate, population_rate, rates, silent_share, synchrony
from treplica.coding import SpikeTrains, poisson
from treplica.errors import InvalidValue

# three neurons over 10 ms in steps of 0.5 ms
BY_HAND = SpikeTrains.from_lists([[0.5, 4.0, 4.5], [4.0], []], 0.5, 10.0)
NOTHING = SpikeTrains.from_times([], [], 3, 0.5, 0.0)


def test_rates_by_hand() -> None:
    assert rates(BY_HAND).tolist() == [300.0, 100.0, 0.0]
    assert rates(BY_HAND, start=0.5, stop=4.5).tolist() == [500.0, 250.0, 0.0]
    assert rates(BY_HAND, start=4.0).tolist() == pytest.approx([1000 / 6, 0.0, 0.0])
    assert mean_rate(BY_HAND) == pytest.approx(400 / 3)
    assert mean_rate(BY_HAND, stop=2.0) == pytest.approx(500 / 3)
    for span in ((3.0, 3.0), (5.0, 11.0)):
        with pytest.raises(InvalidValue):
            rates(BY_HAND, *span)
    with pytest.raises(InvalidValue, match="duration must be > 0 ms"):
        mean_rate(NOTHING)


def test_population_rate_by_hand() -> None:
    times, hertz = population_rate(BY_HAND, bin=4.0)
    assert times.tolist() == [2.0, 6.0]  # the last 2 ms fill no bin
    assert hertz == pytest.approx([3 / 3 / 0.004, 1 / 3 / 0.004])
    times, _ = population_rate(BY_HAND.shifted(100.0), bin=4.0)
    assert times.tolist() == [102.0, 106.0]
    for wrong in (0.0, 0.75, 10.5):
        with pytest.raises(InvalidValue, match="bin"):
            population_rate(BY_HAND, bin=wrong)


def test_binned_counts_are_the_dense_table() -> None:
    trains = poisson(np.linspace(0, 1, 30), 300.0, 103.0, seed=4).shifted(17.0)
    cells = binned_counts(trains, 5.0)
    table = np.zeros((30, cells.n_bins), int)
    table[cells.neurons, cells.bins] = cells.counts
    dense = trains.to_dense()[:100].reshape(20, 5, 30).sum(1).T
    assert np.array_equal(table, dense)
    assert (cells.counts > 0).all()


def test_silent_share_by_hand() -> None:
    share = silent_share(BY_HAND)
    assert share.mean == pytest.approx(1 - 4 / (20 * 3))
    assert share.least == pytest.approx(1 / 3)  # two of three spike at 4 ms
    assert silent_share(SpikeTrains.from_times([], [], 3, 0.5, 1.0)) == (1.0, 1.0)
    twice = SpikeTrains.from_exact_times([0.1, 0.2, 0.3, 1.5], [0, 0, 1, 0], 4, 1.0, 2.0)
    assert silent_share(twice) == (0.625, 0.5)
    assert rates(twice).tolist() == [1500.0, 500.0, 0.0, 0.0]


def test_fano_of_regular_and_poisson_trains() -> None:
    regular = SpikeTrains.from_lists([np.arange(5.0, 1001.0, 5.0), []], 1.0, 1000.0)
    values, ids = fano(regular, window=50.0)
    assert ids.tolist() == [0]
    assert values.tolist() == [0.0]
    # Binomial counts: variance over mean is 1 - p.
    trains = poisson(np.full(400, 1.0), rate_max=100.0, window=10_000.0, seed=6)
    assert fano(trains, window=100.0).values.mean() == pytest.approx(0.9, abs=0.02)
    with pytest.raises(InvalidValue, match="at most half the recording, 500 ms"):
        fano(regular, window=600.0)


def test_fano_matches_the_definition() -> None:
    trains = poisson(np.linspace(0, 1, 20), 200.0, 1000.0, seed=4)
    counts = trains.to_dense().reshape(40, 25, 20).sum(1)
    values, ids = fano(trains, 25.0)
    assert values == pytest.approx(counts.var(0)[ids] / counts.mean(0)[ids])


def test_synchrony_of_identical_and_independent_trains() -> None:
    one = poisson([1.0], 50.0, 2000.0, seed=1).to_dense()
    assert synchrony(SpikeTrains.from_dense(np.repeat(one, 30, axis=1), 1.0)) == pytest.approx(1.0)
    independent = poisson(np.full(400, 1.0), 50.0, 5000.0, seed=2)
    assert synchrony(independent) == pytest.approx(1 / np.sqrt(400), rel=0.1)
    assert synchrony(SpikeTrains.from_times([], [], 3, 1.0, 10.0)) == 0.0
