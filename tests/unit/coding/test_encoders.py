import numpy as np
import pytest

from treplica.coding import SpikeTrains, currents, latency, latency_decode, poisson, rate_decode
from treplica.errors import InvalidValue, UnknownName


def test_linear_latency_by_hand() -> None:
    trains = latency([[1.0, 0.0, 0.5], [0.25, 1.0, 0.0]], window=5.0, gap=2.0)
    # values <= cut = 0 are silent; 0.5 -> 1 + 0.5·4 = step 3; 0.25 -> step 4; the second frame begins after step 7
    assert trains.steps.tolist() == [1, 3, 7 + 1, 7 + 4]
    assert trains.ids.tolist() == [0, 2, 1, 0]
    assert trains.n_steps == 14
    decoded = latency_decode(trains, window=5.0, gap=2.0, silent=-1.0)
    assert decoded.tolist() == [[1.0, -1.0, 0.5], [0.25, 1.0, -1.0]]


def test_logarithmic_latency_is_the_charging_time() -> None:
    """A leaky integrator driven by v reaches the threshold 0.2 when the formula says, to a step."""
    values, tau, cut, dt = np.array([1.0, 0.5, 0.3, 0.21, 0.2]), 10.0, 0.2, 0.01
    trains = latency(values, window=20.0, dt=dt, cut=cut, law="logarithmic", tau=tau)
    times = np.arange(1, 2001) * dt
    for neuron, value in enumerate(values):
        reached = times[value * (1.0 - np.exp(-times / tau)) >= cut]
        expected = reached[:1] if neuron < 3 else []  # 0.21 would need 30 ms, 0.2 for ever
        assert trains.of(neuron) == pytest.approx(expected, abs=1.01 * dt)


def test_logarithmic_latency_fills_the_window_without_tau() -> None:
    cut = 0.2
    levels = cut + (1.0 - cut) * np.array([255, 128, 64, 1, 0.01, 0]) / 255
    trains = latency(levels, window=50.0, cut=cut, law="logarithmic")
    assert trains.of(0).tolist() == [1.0]
    assert trains.of(3).tolist() == trains.of(4).tolist() == [50.0]
    assert trains.of(5).tolist() == []
    assert 1.0 < trains.of(1)[0] < trains.of(2)[0] < 50.0


def test_only_the_first_spike_in_the_window_counts() -> None:
    trains = SpikeTrains.from_times([2.0, 3.0, 6.0], [0, 0, 1], 2, 1.0, 7.0)
    assert latency_decode(trains, window=5.0, gap=2.0).tolist() == [[0.75, 0.0]]
    with pytest.raises(InvalidValue, match="a whole number of windows and gaps, 5 ms each"):
        latency_decode(trains, window=5.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": [0.5, 1.5]}, r"value 1 of frame 0 must be in 0 … 1, got 1.5. Scale them"),
        ({"values": [[0.5], [-0.1]]}, r"value 0 of frame 1 must be in 0 … 1"),
        ({"values": [0.5, np.nan]}, r"value 1 of frame 0 must be finite"),
        ({"values": 0.5}, r"values must be an array with one axis"),
        ({"values": []}, r"values must be an array with one axis"),
        ({"values": ["a"]}, r"values must be an array of numbers"),
        ({"window": 1.0}, r"window must be >= 2 ms"),
        ({"window": 5.5}, r"window must be a whole multiple >= 0 of dt = 1 ms"),
        ({"gap": -1.0}, r"gap must be a whole multiple"),
        ({"dt": -1.0}, r"dt must be"),
        ({"cut": 1.0}, r"cut must be a number with 0 <= cut < 1"),
        ({"cut": 0.0, "law": "logarithmic"}, r"cut must be a number with 0 < cut < 1"),
        ({"tau": 5.0}, r"tau must be None for the linear law"),
        ({"cut": 0.1, "law": "logarithmic", "tau": 0.0}, r"tau must be a finite number > 0 ms"),
    ],
)
def test_latency_refuses(arguments: dict, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        latency(**{"values": [0.5, 1.0], "window": 5.0, **arguments})


def test_an_unknown_law_gets_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'linear'"):
        latency([0.5], 5.0, law="lineal")  # type: ignore[arg-type]


def test_poisson_counts_are_binomial() -> None:
    """2,000 neurons with p = 0.1 over 500 steps: mean 50 and variance 45 of the counts, within 5 standard errors."""
    n, steps, p = 2000, 500, 0.1
    counts = poisson(np.full(n, 0.5), rate_max=200.0, window=500.0, seed=3).counts()
    mean, variance = steps * p, steps * p * (1 - p)
    assert counts.mean() == pytest.approx(mean, abs=5 * np.sqrt(variance / n))
    assert counts.var() == pytest.approx(variance, abs=5 * variance * np.sqrt(2 / n))


def test_poisson_steps_and_neurons_are_independent() -> None:
    """Correlations between neighbouring steps and between neurons vanish within 5 standard errors."""
    dense = poisson(np.full(100, 1.0), rate_max=300.0, window=2000.0, seed=9).to_dense().astype(float)
    dense -= dense.mean()
    variance, samples = dense.var(), dense.size
    for lag in (1, 2, 4):
        assert abs((dense[lag:] * dense[:-lag]).mean() / variance) < 5 / np.sqrt(samples)
        assert abs((dense[:, lag:] * dense[:, :-lag]).mean() / variance) < 5 / np.sqrt(samples)


def test_poisson_extremes() -> None:
    trains = poisson([0.0, 1.0], rate_max=1000.0, window=40.0, seed=1)
    assert trains.counts().tolist() == [0, 40]
    assert len(poisson(np.zeros((2, 3)), 10.0, 20.0)) == 0
    with pytest.raises(InvalidValue, match=r"rate_max must be <= 1000 Hz.*Lower the rate or shorten dt"):
        poisson([0.5], rate_max=1001.0, window=10.0)
    with pytest.raises(InvalidValue, match="seed"):
        poisson([0.5], rate_max=10.0, window=10.0, seed=-1)


def test_poisson_depends_on_seed_neuron_and_step_alone() -> None:
    values = np.linspace(0.0, 1.0, 50)
    trains = poisson(values, 500.0, 200.0, seed=7)
    assert trains == poisson(values, 500.0, 200.0, seed=7)
    assert trains != poisson(values, 500.0, 200.0, seed=8)
    assert trains.between(0.0, 111.0) == poisson(values, 500.0, 111.0, seed=7)
    assert trains.select(range(20)) == poisson(values[:20], 500.0, 200.0, seed=7)
    # the second of two frames draws in later steps, so it differs from the first
    twice = poisson(np.stack([values, values]), 500.0, 200.0, seed=7)
    assert twice.between(0.0, 200.0) == trains
    assert twice.between(200.0, 400.0).shifted(-200.0) != trains


def test_poisson_batches_leave_no_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    values = np.linspace(0.1, 1.0, 9).reshape(3, 3)
    whole = poisson(values, 400.0, 101.0, seed=5, gap=2.0)
    monkeypatch.setattr(sys.modules["treplica.coding.rate"], "_BATCH", 12)
    assert poisson(values, 400.0, 101.0, seed=5, gap=2.0) == whole


def test_rate_decode_by_hand_and_unbiased() -> None:
    trains = SpikeTrains.from_times([1.0, 2.0, 10.0, 12.0, 15.0], [0, 0, 0, 1, 1], 2, 1.0, 20.0)
    assert rate_decode(trains, rate_max=500.0, window=8.0, gap=2.0).tolist() == [[0.5, 0.0], [0.0, 0.5]]
    values = np.array([[0.1, 0.9], [0.6, 0.0]])
    p, k = 0.1, 100.0 * 100.0  # per step, and expected for the value 1
    decoded = rate_decode(poisson(values, 100.0, 100_000.0, seed=2), 100.0, 100_000.0)
    assert (np.abs(decoded - values) <= 5 * np.sqrt(values * (1 - values * p) / k)).all()


def test_currents_hold_each_frame() -> None:
    frames = np.array([[[1.0, 2.0]], [[3.0, -4.0]]])
    steps = currents(frames, window=1.0, dt=0.5, gap=0.5)
    assert steps.tolist() == [[1, 2], [1, 2], [0, 0], [3, -4], [3, -4], [0, 0]]
