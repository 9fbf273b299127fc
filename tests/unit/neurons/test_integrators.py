"""The order of each integrator, measured, and exact solutions against the matrix exponential."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import expm
from stepping import Stepper

from treplica.model import Instance
from treplica.neurons import (
    ALIF,
    LIF,
    AdEx,
    ExponentialIF,
    HodgkinHuxley,
    Izhikevich,
    LIFAlpha,
    LIFCondAlpha,
    LIFCondExp,
    LIFExp,
    LIFExpCurrent,
    QuadraticIF,
    SoftResetLIF,
)
from treplica.neurons.propagators import alpha_to_v, constant_to_v, exponential_to_v

#: neuron, current, time in ms: smooth, below threshold, with the synapses at work from the beginning
SMOOTH: dict[str, tuple[Instance, float, float]] = {
    "LIFCondExp": (LIFCondExp(g_ex=20.0, g_inh=10.0, tau_ex=2.0, tau_inh=4.0, v_th=0.0), 100.0, 8.0),
    "LIFCondAlpha": (
        LIFCondAlpha(rise_ex=30.0, rise_inh=10.0, tau_ex=2.0, tau_inh=4.0, v_th=0.0),
        100.0,
        8.0,
    ),
    "AdEx": (AdEx(g_ex=20.0, w=30.0, tau_ex=2.0, tau_w=10.0), 300.0, 8.0),
    "ExponentialIF": (ExponentialIF(), 300.0, 8.0),
    "QuadraticIF": (QuadraticIF(v=-75.0), 100.0, 8.0),
    "HodgkinHuxley": (HodgkinHuxley(rise_ex=100.0, tau_ex=2.0), 100.0, 8.0),
    "Izhikevich": (Izhikevich(v=-70.0), 3.0, 8.0),
    "Izhikevich, semi-implicit": (Izhikevich(v=-70.0, semi_implicit=1.0), 3.0, 8.0),
}

EXACT: dict[str, tuple[Instance, float, float]] = {
    "LIF": (LIF(v=-66.0), 200.0, 8.0),
    "SoftResetLIF": (SoftResetLIF(v=-66.0), 200.0, 8.0),
    "ALIF": (ALIF(v=-66.0, adaptation=3.0), 200.0, 8.0),
    "LIFExp": (LIFExp(i_ex=300.0, i_inh=-100.0, tau_ex=2.0, tau_inh=10.0), 100.0, 8.0),
    "LIFExpCurrent": (LIFExpCurrent(i_syn=300.0, tau_syn=2.0), 100.0, 8.0),
    "LIFAlpha": (LIFAlpha(rise_ex=200.0, rise_inh=-50.0, tau_ex=2.0, tau_inh=10.0), 100.0, 8.0),
}


def final(neuron: Instance, i: float, duration: float, dt: float) -> NDArray[np.float64]:
    """Every state after `duration` ms under a constant current; it must not spike on the way."""
    stepper = Stepper(neuron, dt)
    assert stepper.spikes(round(duration / dt), i=i) == []
    return np.array(list(stepper.state.values()))


def order(neuron: Instance, i: float, duration: float, steps: list[float]) -> float:
    """Slope of log(error of v) over log(dt)."""
    fine = final(neuron, i, duration, steps[-1] / 16.0)[0]
    errors = [abs(final(neuron, i, duration, dt)[0] - fine) for dt in steps]
    assert min(errors) > 1e-12  # rounding would flatten the slope
    return float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


@pytest.mark.parametrize("name", [n for n in SMOOTH if not n.startswith("Izh")])
def test_runge_kutta_is_of_order_four(name: str) -> None:
    assert order(*SMOOTH[name], steps=[0.5, 0.25, 0.125]) == pytest.approx(4.0, abs=0.25)


@pytest.mark.parametrize("name", [n for n in SMOOTH if n.startswith("Izh")])
def test_euler_is_of_order_one(name: str) -> None:
    assert order(*SMOOTH[name], steps=[0.1, 0.05, 0.025]) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("name", EXACT)
def test_exact_integration_does_not_depend_on_dt(name: str) -> None:
    neuron, i, duration = EXACT[name]
    reference = final(neuron, i, duration, 8.0)
    assert reference[0] != neuron.value("v")
    for dt in (0.1, 0.5, 2.0):
        np.testing.assert_allclose(final(neuron, i, duration, dt), reference, rtol=1e-12, atol=1e-12)


TIMES = [
    (10.0, 2.0, 0.1), (10.0, 2.0, 1.0), (2.0, 10.0, 0.1), (10.0, 0.05, 0.1), (0.05, 10.0, 0.1),
    (10.0, 10.0, 0.1), (10.0, 10.0 + 1e-12, 0.1), (10.0, 10.0 + 1e-6, 1.0), (10.0, 9.999, 1.0),
    (20.0, 11.0, 5.0), (1.0, 0.5, 0.5), (1.0, 0.1, 0.1), (0.001, 10.0, 1.0), (10.0, 0.001, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("tau", "tau_syn", "dt"), TIMES)
def test_propagators_against_the_matrix_exponential(tau: float, tau_syn: float, dt: float) -> None:
    """Of d(rise, i, v)/dt, also where tau and tau_syn are equal or nearly so."""
    c_m = 250.0
    system = np.array([[-1.0 / tau_syn, 0.0, 0.0], [1.0, -1.0 / tau_syn, 0.0], [0.0, 1.0 / c_m, -1.0 / tau]])
    matrix = expm(system * dt)
    assert exponential_to_v(tau, tau_syn, c_m, dt) == pytest.approx(matrix[2, 1], rel=1e-13)
    assert alpha_to_v(tau, tau_syn, c_m, dt) == pytest.approx(matrix[2, 0], rel=1e-13)
    constant = expm(np.array([[0.0, 0.0], [1.0 / c_m, -1.0 / tau]]) * dt)
    assert constant_to_v(tau, c_m, dt) == pytest.approx(constant[1, 0], rel=1e-13)


def test_propagators_are_finite_where_exponentials_overflow() -> None:
    assert exponential_to_v(0.001, 1000.0, 1.0, 10.0) == pytest.approx(0.001 * np.exp(-0.01), rel=1e-5)
    assert alpha_to_v(1000.0, 0.001, 1.0, 10.0) == pytest.approx(1e-6 * np.exp(-0.01), rel=1e-5)


def test_propagators_take_one_value_for_each_neuron() -> None:
    tau = np.array([5.0, 10.0, 20.0])
    together = alpha_to_v(tau, 10.0, 250.0, 0.1)
    assert together.tolist() == [alpha_to_v(t, 10.0, 250.0, 0.1) for t in tau.tolist()]


def test_hodgkin_huxley_at_0_1_ms_is_near_the_solution() -> None:
    """What its documentation says: below 0.01 mV through four spikes."""
    coarse, fine = Stepper(HodgkinHuxley(), 0.1), Stepper(HodgkinHuxley(), 0.0125)
    worst = 0.0
    for _ in range(500):
        coarse.step(i=1000.0)
        for _ in range(8):
            fine.step(i=1000.0)
        worst = max(worst, abs(coarse.state["v"] - fine.state["v"]))
    assert 0.0 < worst < 0.01
