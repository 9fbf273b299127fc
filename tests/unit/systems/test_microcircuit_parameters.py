"""The microcircuit's numbers: published ones, worked ones, and what scaling down must keep."""

import math

import numpy as np
import pytest

from treplica.errors import InvalidValue
from treplica.systems.microcircuit_parameters import (
    EXTERNAL_IN_DEGREES,
    MEAN_RATES,
    NEURONS,
    POPULATIONS,
    TAU_SYN,
    Circuit,
    circuit,
    psc_per_psp,
    synapse_numbers,
)

WEIGHT = 87.8085  # pA, of 0.15 mV
TO_L23E = [45499805, 22323577, 20253647, 9670918, 3293578, 0, 2271404, 0]


def at(numbers: np.ndarray, target: str, source: str) -> float:
    return float(numbers[POPULATIONS.index(target), POPULATIONS.index(source)])


def test_the_whole_network() -> None:
    whole = circuit()
    assert whole.neurons.sum() == 77_169
    assert whole.synapses.sum() == 298_880_968
    assert whole.synapses[0].tolist() == TO_L23E
    assert at(whole.synapses, "L5E", "L5I") == 2_407_889
    assert at(whole.synapses, "L4I", "L6I") == 0
    in_degrees = np.rint(whole.synapses.sum(axis=1) / whole.neurons)
    assert in_degrees.tolist() == [4995, 5285, 2806, 5888, 4944, 2736, 2564, 2434]


def test_a_number_of_synapses_connects_a_pair_with_its_probability() -> None:
    """Of 2000 pairs, K draws with replacement miss one with (1 - 1/2000)^K."""
    (number,) = synapse_numbers(np.array([40]), np.array([50]), np.array([[0.1]])).ravel()
    assert 1.0 - (1.0 - 1.0 / 2000.0) ** number == pytest.approx(0.1, rel=1e-12)


def test_weights() -> None:
    assert psc_per_psp() == pytest.approx(585.39, abs=0.005)
    mean = circuit().weights
    assert at(mean, "L23E", "L23E") == pytest.approx(WEIGHT, abs=1e-3)
    assert at(mean, "L23E", "L4E") == pytest.approx(2 * WEIGHT, abs=1e-3)
    assert at(mean, "L4E", "L23E") == pytest.approx(WEIGHT, abs=1e-3)
    assert at(mean, "L6I", "L6I") == pytest.approx(-4 * WEIGHT, abs=1e-3)
    assert ((mean > 0) == np.array([True, False] * 4)).all()


def test_a_spike_of_the_weight_peaks_at_the_potential() -> None:
    """The difference of exponentials that a jump of the current causes, on a fine grid."""
    t = np.linspace(0.0, 10.0, 100_001)
    v = psc_per_psp() * 10.0 * 0.5 / (250.0 * 9.5) * (np.exp(-t / 10.0) - np.exp(-t / 0.5))
    assert v.max() == pytest.approx(1.0, abs=1e-8)


def test_drives_of_the_whole_network() -> None:
    spikes, current = circuit(drive="poisson"), circuit(drive="dc")
    assert spikes.external_rates.tolist() == [12800, 12000, 16800, 15200, 16000, 15200, 23200, 16800]
    assert spikes.external_weight == pytest.approx(WEIGHT, abs=1e-3)
    assert not spikes.currents.any()
    assert not current.external_rates.any()
    expected = [561.974, 526.851, 737.591, 667.345, 702.468, 667.345, 1018.579, 737.591]
    np.testing.assert_allclose(current.currents, expected, atol=5e-4)


def test_a_quarter_worked_by_hand() -> None:
    """Weights are twice as large, and the current gives half of the whole network's mean input."""
    quarter = circuit(0.25)
    assert quarter.neurons.tolist() == [5171, 1458, 5479, 1370, 1212, 266, 3599, 737]
    assert at(quarter.synapses, "L23E", "L23E") == round(45499805 / 16)
    assert at(quarter.weights, "L23E", "L4E") == pytest.approx(4 * WEIGHT, abs=4e-3)
    assert quarter.external_rates[:2].tolist() == [3200.0, 3000.0]
    assert quarter.external_weight == pytest.approx(2 * WEIGHT, abs=2e-3)
    factors = [1.0, -4.0, 2.0, -4.0, 1.0, -4.0, 1.0, -4.0]
    rates = [0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829]
    into_one = sum(f * n / 20683 * r for f, n, r in zip(factors, TO_L23E, rates, strict=True))
    mean = WEIGHT * 0.5e-3 * (into_one + 8.0 * 1600)
    assert quarter.currents[0] == pytest.approx(0.5 * mean, rel=1e-5)


def test_a_quarter_with_direct_current_keeps_all_of_it() -> None:
    difference = circuit(0.25, "dc").currents - circuit(0.25, "poisson").currents
    whole = circuit(drive="dc").currents
    np.testing.assert_allclose(difference, 0.5 * whole, rtol=1e-12)


def moments(numbers: Circuit, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean (pA) and variance (up to a factor) of the input of each population at the rates of the whole network."""
    in_degrees = numbers.synapses / numbers.neurons[:, np.newaxis]
    charge = (numbers.weights * in_degrees) @ MEAN_RATES + numbers.external_weight * numbers.external_rates
    squares = (numbers.weights**2 * in_degrees) @ MEAN_RATES
    squares += numbers.external_weight**2 * numbers.external_rates
    return 1e-3 * TAU_SYN * charge + numbers.currents, squares


@pytest.mark.parametrize("drive", ["poisson", "dc"])
@pytest.mark.parametrize("scale", [0.5, 0.1, 0.05])
def test_scaling_down_keeps_mean_and_variance_of_the_input(scale: float, drive: str) -> None:
    mean, variance = moments(circuit(1.0, drive), 1.0)  # type: ignore[arg-type]
    less_mean, less_variance = moments(circuit(scale, drive), scale)  # type: ignore[arg-type]
    # what is left is the rounding of whole neurons and synapses
    np.testing.assert_allclose(less_mean, mean, atol=0.01 * np.abs(mean).max())
    np.testing.assert_allclose(less_variance, variance, rtol=0.02)


def test_scaled_numbers() -> None:
    tenth = circuit(0.1)
    np.testing.assert_array_equal(tenth.neurons, np.rint(0.1 * NEURONS))
    assert tenth.synapses.sum() == pytest.approx(2_988_810, abs=40)
    np.testing.assert_array_equal(tenth.external_rates, 0.8 * EXTERNAL_IN_DEGREES)
    assert circuit().thalamic_synapses.tolist() == [0, 0, 2045393, 315791, 0, 0, 682419, 52636]
    assert circuit(0.1).thalamic_synapses.tolist() == [0, 0, 20454, 3158, 0, 0, 6824, 526]
    assert (circuit(0.001).neurons >= 1).all()


@pytest.mark.parametrize("scale", [0.0, 0.0009, 1.01, -1.0, math.nan, math.inf, True, "1", None])
def test_scales_that_make_no_network(scale: object) -> None:
    with pytest.raises(InvalidValue, match=r"scale of the microcircuit must be a number from 0.001 to 1"):
        circuit(scale)  # type: ignore[arg-type]


@pytest.mark.parametrize("drive", ["", "DC", None, ["dc"]])
def test_unknown_drives(drive: object) -> None:
    with pytest.raises(InvalidValue, match="drive of the microcircuit must be 'poisson' or 'dc'"):
        circuit(1.0, drive)  # type: ignore[arg-type]
