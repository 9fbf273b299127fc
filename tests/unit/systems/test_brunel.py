import math

import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import erfcx

import treplica as tr
from treplica.errors import InvalidValue
from treplica.systems.brunel import brunel, external_rate

TAU, THETA, RESET, PAUSE, J, INPUTS = 0.020, 20.0, 10.0, 0.002, 0.1, 1000


def rate_for(mu: float, sigma: float) -> float:
    """Rate in Hz of a leaky integrate-and-fire neuron with white noise: Brunel 2000, equation 21."""
    low, high = (RESET - mu) / sigma, (THETA - mu) / sigma
    area, _ = quad(lambda u: erfcx(-u), low, high)  # exp(u^2) (1 + erf u)
    return 1.0 / (PAUSE + TAU * math.sqrt(math.pi) * area)


def mean_field_rate(g: float, eta: float) -> float:
    """The rate that makes itself: Brunel 2000, equations 4, 5 and 21, with gamma = 1/4."""
    outside = eta * THETA / (J * INPUTS * TAU)

    def excess(nu: float) -> float:
        mu = INPUTS * J * TAU * (outside + nu * (1.0 - 0.25 * g))
        sigma = J * math.sqrt(INPUTS * TAU * (outside + nu * (1.0 + 0.25 * g * g)))
        return rate_for(mu, sigma) - nu

    return float(brentq(excess, 0.1, 400.0))


def test_the_network() -> None:
    net = brunel()
    (cells,) = net.populations
    assert cells.size == 12_500
    assert [p.rule for p in net.projections] == [tr.FixedInDegree(1000), tr.FixedInDegree(250)]
    assert [len(p.source) for p in net.projections] == [10_000, 2500]
    assert [p.weight for p in net.projections] == [0.1, -0.5]
    assert [p.delay for p in net.projections] == [1.5, 1.5]


def test_external_rate() -> None:
    """J times the rate times tau is eta times the threshold: 0.1 mV x 20,000 Hz x 0.02 s = 2 x 20 mV."""
    assert external_rate() == pytest.approx(20_000.0)
    assert external_rate(1.0, 0.2) == pytest.approx(5000.0)


def test_asynchronous_irregular_state_of_figure_8c() -> None:
    """The paper gives 38.0 Hz by theory and 37.7 Hz simulated."""
    expected = mean_field_rate(5.0, 2.0)
    assert expected == pytest.approx(38.0, abs=0.1)
    net = brunel()
    probe = net.record(net.population("cells")[:1000], "spikes")
    with tr.Simulation(net, quiet=True) as sim:
        sim.run(100.0)
        before = int(sim.spikes.sum())
        sim.run(300.0)
        rate = (int(sim.spikes.sum()) - before) / 12_500 / 0.3
        assert rate == pytest.approx(expected, rel=0.03)
        assert sim.summary().synapses == 15_625_000
        assert 0.3 < tr.analysis.cv(sim[probe].between(100.0, 400.0)).values.mean() < 1.0


def test_settings_that_make_no_network() -> None:
    with pytest.raises(InvalidValue, match="brunel: neurons must be a multiple of 50, at least 50, got 120"):
        brunel(120)
    with pytest.raises(InvalidValue, match="brunel: weight must be a finite number > 0 mV, got 0"):
        brunel(weight=0.0)
