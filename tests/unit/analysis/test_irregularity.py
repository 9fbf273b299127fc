from collections.abc import Callable

import numpy as np
import pytest

from treplica.analysis import PerNeuron, cv, cv2, intervals, isi_histogram, local_variation
from treplica.coding import SpikeTrains, poisson
from treplica.errors import InvalidValue

MEASURES = (cv, cv2, local_variation)
Measure = Callable[[SpikeTrains], PerNeuron]


def gamma_trains(order: int, neurons: int = 60, spikes: int = 400) -> SpikeTrains:
    """Gamma renewal processes of mean interval 20 ms on a grid of 0.01 ms."""
    gaps = np.random.default_rng(order).gamma(order, 20.0 / order, (neurons, spikes))
    steps = np.maximum(np.rint(gaps / 0.01), 1).astype(np.int64).cumsum(axis=1)
    ids = np.repeat(np.arange(neurons), spikes)
    return SpikeTrains.from_steps(steps.ravel(), ids, neurons, 0.01, int(steps.max()))


def test_intervals_by_hand() -> None:
    trains = SpikeTrains.from_lists([[1.0, 4.0, 9.0], [2.0], [], [5.0, 6.0]], 0.5, 10.0)
    values, ids = intervals(trains)
    assert values.tolist() == [3.0, 5.0, 1.0]
    assert ids.tolist() == [0, 0, 3]


EXACT = SpikeTrains.from_exact_times([0.125, 0.25, 1.0, 3.25, 3.5], [0, 0, 0, 0, 1], 2, 1.0, 4.0)


def test_exact_times_by_hand() -> None:
    """Two spikes of neuron 0 are in one step."""
    values, ids = intervals(EXACT)
    assert values.tolist() == [0.125, 0.75, 2.25]
    assert ids.tolist() == [0, 0, 0]
    mean = 3.125 / 3.0
    deviation = np.sqrt(sum((value - mean) ** 2 for value in (0.125, 0.75, 2.25)) / 3.0)
    assert cv(EXACT).values == pytest.approx([deviation / mean])
    assert cv2(EXACT).values == pytest.approx([(2 * 0.625 / 0.875 + 2 * 1.5 / 3.0) / 2.0])
    assert local_variation(EXACT).values == pytest.approx([3 * ((0.625 / 0.875) ** 2 + 0.25) / 2.0])
    edges, counts = isi_histogram(EXACT, bin=1.0)
    assert edges.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert counts.tolist() == [2, 0, 1]
    assert isi_histogram(EXACT, bin=1.0, longest=2.0)[1].tolist() == [2, 0]


def test_intervals_of_whole_steps_are_in_their_own_bin() -> None:
    """Also where differences of floats are a bit more; spikes as good as at once are in the first."""
    times = np.concatenate([np.arange(1, 100) * 0.1, [9.9 + 1e-13]])
    trains = SpikeTrains.from_exact_times(times, np.zeros(100, int), 1, 0.1, 10.0)
    assert (intervals(trains).values > 0.1).any()
    assert isi_histogram(trains, bin=0.1)[1].tolist() == [99]


def test_by_hand() -> None:
    trains = SpikeTrains.from_lists([[2.0], [1.0, 2.0, 5.0], [1.0, 4.0], []], 1.0, 10.0)
    values, ids = cv(trains)  # intervals 1 and 3: mean 2, deviation 1
    assert (values.tolist(), ids.tolist()) == ([0.5], [1])
    assert cv2(trains).values.tolist() == [1.0]  # 2·2/4
    assert local_variation(trains).values.tolist() == [0.75]  # 3·(2/4)²


@pytest.mark.parametrize("measure", MEASURES)
def test_regular_trains_do_not_vary(measure: Measure) -> None:
    trains = SpikeTrains.from_lists([np.arange(3.0, 301.0, 3.0), np.arange(7.0, 301.0, 7.0)], 0.1, 301.0)
    values, ids = measure(trains)
    assert ids.tolist() == [0, 1]
    assert values == pytest.approx([0.0, 0.0], abs=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
def test_poisson_trains_vary_by_one(measure: Measure) -> None:
    assert measure(gamma_trains(1)).values.mean() == pytest.approx(1.0, abs=0.02)


def test_bernoulli_steps_vary_a_little_less() -> None:
    """Intervals of steps with a chance p each are geometric: CV = √(1 - p)."""
    trains = poisson(np.full(200, 1.0), rate_max=200.0, window=2000.0, seed=5)
    assert cv(trains).values.mean() == pytest.approx(np.sqrt(0.8), abs=0.01)


@pytest.mark.parametrize("order", [2, 5, 20])
def test_gamma_trains(order: int) -> None:
    trains = gamma_trains(order)
    assert cv(trains).values.mean() == pytest.approx(1 / np.sqrt(order), rel=0.02)
    assert local_variation(trains).values.mean() == pytest.approx(3 / (2 * order + 1), rel=0.03)


def test_slow_changes_of_rate_move_cv_but_not_cv2() -> None:
    slow_then_fast = np.concatenate([np.full(50, 100.0), np.full(50, 5.0)]).cumsum()
    trains = SpikeTrains.from_lists([slow_then_fast], 1.0, float(slow_then_fast[-1]))
    assert cv(trains).values[0] > 0.8
    assert cv2(trains).values[0] < 0.05
    assert local_variation(trains).values[0] < 0.05


@pytest.mark.parametrize("measure", MEASURES)
def test_neurons_with_few_spikes_are_left_out(measure: Callable[..., PerNeuron]) -> None:
    trains = SpikeTrains.from_lists([[1.0, 2.0], [1.0, 2.0, 4.0], [1.0, 2.0, 4.0, 5.0, 9.0], []], 1.0, 10.0)
    assert measure(trains).ids.tolist() == [1, 2]
    assert measure(trains, min_spikes=5).ids.tolist() == [2]
    assert len(measure(trains, min_spikes=6).values) == 0
    assert len(measure(trains.select([3])).values) == 0
    with pytest.raises(InvalidValue, match="min_spikes must be a whole number >= 3"):
        measure(trains, min_spikes=2)


def test_isi_histogram_by_hand() -> None:
    trains = SpikeTrains.from_lists([[0.1, 0.3, 0.6, 1.6], [0.2, 0.4]], 0.1, 2.0)  # 0.2 0.3 1.0 and 0.2
    edges, counts = isi_histogram(trains, bin=0.2)
    assert edges == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert counts.tolist() == [2, 1, 0, 0, 1]
    edges, counts = isi_histogram(trains, bin=0.3, longest=0.3)
    assert (edges.tolist(), counts.tolist()) == ([0.0, 0.3], [3])
    assert isi_histogram(trains.select([1]).between(0.0, 0.2), 0.5)[1].tolist() == [0]
    for wrong in ({"bin": 0.0}, {"bin": 0.15}, {"bin": 0.1, "longest": 0.0}):
        with pytest.raises(InvalidValue):
            isi_histogram(trains, **wrong)
