"""Currents over time, and Poisson input: exact sums, and the statistics of what is random."""

import re

import numpy as np
import pytest
from tallies import ENGINES, Tally, simulate, tallies

import treplica as tr
from treplica.errors import InvalidValue


@pytest.mark.parametrize("engine", ENGINES)
def test_a_current_is_felt_from_its_time_on(engine: str) -> None:
    """Given for 2 ms, it acts in the step from 2 to 3 ms: the sample at 2 ms is still untouched."""
    net, tally = tallies(2)
    net.stimulate(tally, tr.StepCurrent([2.0, 4.0, 6.0], [[1.0, 10.0], [5.0, 0.0], [0.0, 0.0]]))
    sim = simulate(net, 8.0, engine=engine)
    assert sim["x"].values.T.tolist() == [[0, 0, 1, 2, 7, 12, 12, 12], [0, 0, 10, 20, 20, 20, 20, 20]]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_current_from_the_beginning(engine: str) -> None:
    net, tally = tallies(1)
    net.stimulate(tally, tr.StepCurrent(0.0, 3.0))
    assert simulate(net, 3.0, engine=engine)["x"].values[:, 0].tolist() == [3.0, 6.0, 9.0]


@pytest.mark.parametrize("engine", ENGINES)
def test_currents_onto_one_neuron_add_up(engine: str) -> None:
    """Three stimuli that overlap in neurons and in time, and a constant that is part of the model."""
    net, tally = tallies(3)
    net.stimulate(tally, tr.StepCurrent([1.0, 3.0], [1.0, 0.0]))
    net.stimulate(tally[1:], tr.StepCurrent([2.0], [[10.0, 20.0]]))
    net.stimulate(tally[[0, 2]], tr.StepCurrent([2.0, 4.0], [[100.0, 200.0], [0.0, 0.0]]))
    net.stimulate(tally[0], tr.DirectCurrent(amplitude=0.5))
    sim = simulate(net, 5.0, engine=engine)
    assert np.diff(sim["x"].values, axis=0, prepend=0.0).T.tolist() == [
        [0.5, 1.5, 101.5, 100.5, 0.5],
        [0.0, 1.0, 11.0, 10.0, 10.0],
        [0.0, 1.0, 221.0, 220.0, 20.0],
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_changes_between_runs_and_pieces_are_not_missed(engine: str) -> None:
    """A change in every third step, in runs that end before, at and after a change."""
    net, tally = tallies(1)
    times = np.arange(0.0, 60.0, 3.0)
    net.stimulate(tally, tr.StepCurrent(times, times))
    sim = tr.Simulation(net, dt=1.0, engine=engine, quiet=True)
    for duration in (1.0, 1.0, 1.0, 3.0, 4.0, 20.0, 30.0):
        sim.run(duration)
    expected = np.cumsum(np.arange(60) // 3 * 3)
    assert sim["x"].values[:, 0].tolist() == expected.tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_frames_are_shown_one_after_the_other(engine: str) -> None:
    net, tally = tallies(2)
    net.stimulate(tally, tr.StepCurrent.from_frames([[1.0, 2.0], [4.0, 8.0]], interval=0.2, start=0.1))
    sim = simulate(net, 1.0, dt=0.1, engine=engine)
    assert np.diff(sim["x"].values[:, 0]).tolist() == [1, 1, 4, 4, 0, 0, 0, 0, 0]
    assert sim["x"].values[-1].tolist() == [10.0, 20.0]


def test_times_of_currents_are_on_the_grid() -> None:
    net, tally = tallies(1)
    net.stimulate(tally, tr.StepCurrent([0.0, 0.25], [1.0, 2.0]), name="push")
    with pytest.raises(
        InvalidValue, match=re.escape("push: StepCurrent time must be a multiple of dt = 0.1 ms")
    ):
        tr.Simulation(net, dt=0.1, quiet=True)


def counts(net: tr.Network, duration: float, dt: float = 1.0, engine: str = "cpu") -> np.ndarray:
    """Spikes that arrived in each step at each tally, [steps, neurons]."""
    sim = simulate(net, duration, dt=dt, engine=engine)
    return np.diff(sim["x"].values, axis=0, prepend=0.0)


@pytest.mark.parametrize(("rate", "dt"), [(20.0, 1.0), (2500.0, 1.0), (900.0, 0.1), (60_000.0, 1.0)])
def test_poisson_counts_are_poisson(rate: float, dt: float) -> None:
    """Mean and variance of k counts of mean m: m within 5 sqrt(m/k), m within 5 sqrt((2 m^2 + m)/k)."""
    net, tally = tallies(400)
    net.stimulate(tally, tr.PoissonInput(rate, weight=1.0))
    found = counts(net, 500 * dt, dt)
    mean, k = rate * dt / 1000.0, found.size
    assert found.min() >= 0.0
    assert (found == np.rint(found)).all()
    assert abs(found.mean() - mean) < 5.0 * np.sqrt(mean / k)
    assert abs(found.var() - mean) < 5.0 * np.sqrt((2.0 * mean * mean + mean) / k)


def test_several_poisson_spikes_arrive_in_one_step() -> None:
    """The whole distribution at 2.5 spikes a step: chi-square against the Poisson probabilities."""
    from scipy.stats import chisquare, poisson

    net, tally = tallies(400)
    net.stimulate(tally, tr.PoissonInput(2500.0, weight=1.0))
    found = np.bincount(counts(net, 500.0).astype(int).ravel(), minlength=12)
    expected = poisson.pmf(np.arange(11), 2.5) * 200_000
    tail = 200_000 - expected.sum()
    result = chisquare([*found[:11], found[11:].sum()], [*expected, tail])
    assert result.pvalue > 1e-4


def test_poisson_counts_are_independent() -> None:
    """Of neurons, of steps, and of two inputs onto the same neurons (the correlation of k pairs is about 1/sqrt k)."""
    net, tally = tallies(200)
    net.stimulate(tally, tr.PoissonInput(500.0, weight=1.0))
    net.stimulate(tally, tr.PoissonInput(500.0, weight=1.0), port="late")
    found = counts(net, 500.0)
    late, early = np.divmod(found, 1000.0)

    def correlation(a: np.ndarray, b: np.ndarray) -> float:
        return abs(float(np.corrcoef(a.ravel(), b.ravel())[0, 1])) * np.sqrt(a.size)

    assert late.sum() > 40_000
    assert correlation(early, late) < 5.0
    assert correlation(early[:, 1:], early[:, :-1]) < 5.0
    assert correlation(early[1:], early[:-1]) < 5.0


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_poisson_input_is_the_same_on_both_engines(precision: str) -> None:
    net, tally = tallies(150)
    net.stimulate(tally[10:], tr.PoissonInput(np.linspace(0.0, 4000.0, 140), weight=0.5))
    net.stimulate(tally[::3], tr.PoissonInput(100.0, weight=-0.3), port="late")
    settings = {"precision": precision, "duration": 20.0}
    plain = simulate(net, engine="plain", **settings)["x"]
    assert plain == simulate(net, engine="cpu", **settings)["x"]
    assert plain == simulate(net, engine="cpu", threads=2, **settings)["x"]
    assert np.abs(plain.values[-1, 10:]).min() < np.abs(plain.values[-1, 10:]).max()


def test_each_neuron_has_its_own_rate() -> None:
    net, tally = tallies(6)
    net.stimulate(tally[1:5], tr.PoissonInput([0.0, 100.0, 400.0, 1600.0], weight=1.0))
    total = counts(net, 20_000.0).sum(axis=0)
    assert total[[0, 1, 5]].tolist() == [0.0, 0.0, 0.0]
    expected = np.array([2000.0, 8000.0, 32_000.0])
    assert (np.abs(total[2:5] - expected) < 5.0 * np.sqrt(expected)).all()


def test_the_seed_and_the_name_decide_about_chance() -> None:
    def total(seed: int, name: str) -> list[float]:
        net, tally = tallies(20, seed=seed)
        net.stimulate(tally, tr.PoissonInput(500.0, weight=1.0), name=name)
        return counts(net, 50.0).sum(axis=0).tolist()

    assert total(1, "a") == total(1, "a")
    assert total(1, "a") != total(2, "a")
    assert total(1, "a") != total(1, "b")


def test_rates_that_a_step_cannot_hold_are_refused() -> None:
    net, tally = tallies(1)
    net.stimulate(tally, tr.PoissonInput(200_000.0, weight=1.0), name="flood")
    with pytest.raises(InvalidValue, match="flood: spikes per step and neuron must be at most 100, got 200"):
        tr.Simulation(net, dt=1.0, quiet=True)
    net, tally = tallies(300)
    net.stimulate(tally, tr.PoissonInput(np.arange(300.0), weight=1.0), name="rainbow")
    with pytest.raises(
        InvalidValue, match=r"rainbow: PoissonInput.rate must be at most 255 different rates, got 300"
    ):
        tr.Simulation(net, dt=1.0, quiet=True)


def test_the_tally_adds_up() -> None:
    assert Tally.step(x=1.0, i=2.0, arrived=4.0, late=8.0) == {"x": 8007.0, "spike": 0.0}
