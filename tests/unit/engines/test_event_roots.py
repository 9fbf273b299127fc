"""When a potential first reaches a level: beside a search on a fine grid in extended precision, and integration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import treplica as tr
from treplica.engines.event.forms import constants_of, form_of
from treplica.engines.event.kernels_quadratic import flow, reach_from
from treplica.engines.event.kernels_roots import evolve, reach, reach_at_least
from treplica.engines.resolve import resolve

LEVEL = 15.0
#: Where the search looks, ms.
LOOKS = np.concatenate([[0.0], np.geomspace(1e-6, 400.0, 12_000)]).astype(np.longdouble)

TAUS = st.sampled_from([2.0, 10.0, 20.0]) | st.floats(0.3, 60.0)
#: Also what is left of a current after a long silence.
CURRENTS = st.sampled_from([0.0, 1e-322, 1e-300, 1e-250, 1e-200, 1e-20, 1.0, 30.0, 300.0, 3000.0]).flatmap(
    lambda s: st.floats(-s, s)
)


def constants(tau: float, c_m: float, tau_1: float, tau_2: float) -> np.ndarray:
    """Those of a neuron with two synaptic currents."""
    net = tr.Network()
    net.add(tr.Population("c", 1, tr.LIFExp(tau=tau, c_m=c_m, tau_ex=tau_1, tau_inh=tau_2)))
    (population,) = resolve(net, 0.1, 1, "float64", continuous=True).populations
    return constants_of(population, form_of(population))[0]


def potential(h, tau, c_m, taus, v_inf, v, currents):
    """v after h ms by the textbook formula, in extended precision."""
    h, tau = np.asarray(h, np.longdouble), np.longdouble(tau)
    value = v_inf + (v - v_inf) * np.exp(-h / tau)
    for own, i in zip(map(np.longdouble, taus), currents, strict=True):
        if own == tau:
            value = value + i / np.longdouble(c_m) * h * np.exp(-h / tau)
        else:
            apart = (tau - own) / (tau * own)
            value = value + i / np.longdouble(c_m) / apart * np.exp(-h / own) * np.expm1(h * apart)
    return value


def searched(*membrane) -> float:
    """When the level is reached first, as a fine grid and bisection tell; infinite: not within 400 ms."""
    above = potential(LOOKS, *membrane) >= LEVEL
    if not above.any():
        return math.inf
    at = int(np.argmax(above))
    low, high = (LOOKS[at - 1], LOOKS[at]) if at else (LOOKS[0], LOOKS[0])
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if potential(middle, *membrane) >= LEVEL else (middle, high)
    return float(high)


@given(
    tau=TAUS, c_m=st.floats(50.0, 300.0), tau_1=TAUS, tau_2=TAUS,
    v=st.floats(-10.0, 14.99), v_inf=st.floats(-10.0, 17.0), i_1=CURRENTS, i_2=CURRENTS,
)  # fmt: skip
@settings(max_examples=400)
@example(tau=2.0, c_m=50.0, tau_1=21.0, tau_2=20.0, v=0.0, v_inf=0.0, i_1=-1e-303, i_2=485.0)
@example(tau=20.0, c_m=50.0, tau_1=2.0, tau_2=10.0, v=0.0, v_inf=16.0, i_1=-41.0, i_2=4e-301)
@example(tau=2.0, c_m=50.0, tau_1=2.0, tau_2=10.0, v=0.0, v_inf=0.0, i_1=1020.0, i_2=5e-324)
def test_no_crossing_is_missed(tau, c_m, tau_1, tau_2, v, v_inf, i_1, i_2) -> None:
    """One that the search finds is found, as early; one that only the engine finds is there, between two looks."""
    k = constants(tau, c_m, tau_1, tau_2)
    membrane = tau, c_m, (tau_1, tau_2), v_inf, v, (i_1, i_2)
    expected, found = searched(*membrane), reach(k, LEVEL, v_inf, v, i_1, i_2)
    if found < 390.0:
        assert abs(float(potential(found, *membrane)) - LEVEL) < 1e-9
    if expected < found - 1e-6:
        # Rounding decides where the potential only just reaches the level.
        before = LOOKS[found - 1e-6 > LOOKS]
        assert float(potential(before, *membrane).max()) - LEVEL < 1e-10
    assert reach_at_least(k, LEVEL, v_inf, v, i_1, i_2) <= found


def test_the_search_has_found_crossings_of_every_kind() -> None:
    """By one current, by the difference of two, only for a moment, after a fall, and never."""
    k = constants(10.0, 250.0, 2.0, 5.0)
    for v, v_inf, currents, reached in (
        (0.0, 16.0, (0.0, 0.0), True),
        (0.0, 0.0, (3000.0, 0.0), True),
        (14.9, 0.0, (1200.0, -500.0), True),
        (14.0, 0.0, (-3000.0, 2500.0), True),
        (14.9, 0.0, (900.0, -500.0), False),
        (10.0, 0.0, (-500.0, 1800.0), True),
        (10.0, 15.1, (-3000.0, 0.0), True),
        (0.0, 14.9, (100.0, 0.0), False),
    ):
        membrane = 10.0, 250.0, (2.0, 5.0), v_inf, v, currents
        expected, found = searched(*membrane), reach(k, LEVEL, v_inf, v, *currents)
        assert math.isfinite(expected) == reached
        assert found == pytest.approx(expected, abs=1e-9) if reached else found == math.inf
        if reached:
            assert evolve(k, found, v_inf, v, *currents)[0] == pytest.approx(LEVEL, abs=1e-11)


@pytest.mark.parametrize("a", [0.0, 2.0, -2.0, 1e-9, -1e-9, -30.0])
@pytest.mark.parametrize("x", [-8.0, -1.2, 1.6, 3.0, 9.0])
def test_the_quadratic_flow(a: float, x: float) -> None:
    """Beside a Runge-Kutta method; the level is reached where the flow says so."""
    reached = reach_from(x, a, 10.0)
    end = min(0.9 * reached, 1.0)
    solved = solve_ivp(lambda _, y: y * y + a, (0.0, end), [x], rtol=1e-12, atol=1e-13, method="DOP853")
    assert flow(x, a, end) == pytest.approx(float(solved.y[0, -1]), rel=1e-9, abs=1e-10)
    if math.isfinite(reached):
        assert flow(x, a, reached) == pytest.approx(10.0, rel=1e-9)
    else:
        assert a <= 0.0
        assert flow(x, a, 1e3) < 0.0 or x * x <= -a * (1.0 + 1e-12)
