"""Spike for spike against NEST where both integrate in the same way: only rounding may differ.

iaf_psc_delta, iaf_psc_exp and iaf_psc_alpha are integrated exactly on both sides; izhikevich takes the same Euler step
(with consistent_integration) or half steps (without). Spike times must be identical and v within 1e-9 mV at every step
of one second.

NEST delivers a step current one connection delay after the time at which its generator changes, and a spike one delay
after it was sent. `run_nest` sends both that much earlier, so both sides feel the same input in the same steps.
"""

import numpy as np
import pytest
from common_input import DT, DURATION, make_drive, run_treplica
from nest_peer import run_nest

from treplica.model import Instance
from treplica.neurons import LIF, Izhikevich, LIFAlpha, LIFExp, LIFExpCurrent
from treplica.systems.izhikevich_2003 import PublishedIzhikevich

pytestmark = pytest.mark.nest

MEMBRANE = dict(C_m=250.0, tau_m=10.0, E_L=-70.0, V_th=-55.0, V_reset=-70.0, t_ref=2.0)
BOTH = dict(ex=1500.0, inh=600.0)  # Hz

CASES = {
    "iaf_psc_delta": (
        LIF(),
        MEMBRANE,
        make_drive(300.0, 150.0, dict(arrived=1.25), dict(arrived=1500.0)),
    ),
    "iaf_psc_exp": (
        LIFExp(tau_inh=5.0),
        MEMBRANE | dict(tau_syn_ex=2.0, tau_syn_in=5.0),
        make_drive(300.0, 150.0, dict(ex=100.0, inh=-60.0), BOTH),
    ),
    "iaf_psc_exp, one current": (
        LIFExpCurrent(tau_syn=0.5),
        MEMBRANE | dict(tau_syn_ex=0.5, tau_syn_in=0.5),
        make_drive(300.0, 150.0, {"syn+": 300.0, "syn-": -400.0}, {"syn+": 1500.0, "syn-": 600.0}),
    ),
    # NEST has a formula of its own where the synaptic time constant equals that of the membrane
    "iaf_psc_exp, equal time constants": (
        LIFExp(tau_ex=10.0, tau_inh=10.0),
        MEMBRANE | dict(tau_syn_ex=10.0, tau_syn_in=10.0),
        make_drive(300.0, 150.0, dict(ex=20.0, inh=-20.0), BOTH),
    ),
    "iaf_psc_alpha": (
        LIFAlpha(tau_inh=5.0),
        MEMBRANE | dict(tau_syn_ex=2.0, tau_syn_in=5.0),
        make_drive(300.0, 150.0, dict(ex=40.0, inh=-20.0), BOTH),
    ),
    "iaf_psc_alpha, equal time constants": (
        LIFAlpha(tau_ex=10.0, tau_inh=10.0),
        MEMBRANE | dict(tau_syn_ex=10.0, tau_syn_in=10.0),
        make_drive(300.0, 150.0, dict(ex=8.0, inh=-8.0), BOTH),
    ),
    "izhikevich": (
        Izhikevich.regular_spiking(),
        dict(consistent_integration=True, V_m=-65.0, U_m=-13.0),
        make_drive(5.0, 4.0, dict(arrived=1.5), dict(arrived=1000.0)),
    ),
    # two half steps of v, and what arrives is a current of the whole step
    "izhikevich, as published": (
        PublishedIzhikevich(),
        dict(consistent_integration=False, V_m=-65.0, U_m=-13.0),
        make_drive(5.0, 4.0, dict(arrived=15.0), dict(arrived=1000.0)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_same_spikes_and_same_potential(name: str) -> None:
    neuron, params, drive = CASES[name]
    spikes, v = run_treplica(neuron, drive)
    theirs = run_nest(
        name.split(",")[0], params, (drive.times, drive.amplitudes), drive.trains, drive.weights, DT, DURATION
    )
    assert sum(map(len, spikes)) > 30
    assert all(len(train) > 0 for train in spikes)
    for ours, nest in zip(spikes, theirs.spikes, strict=True):
        np.testing.assert_array_equal(ours, nest)
    np.testing.assert_allclose(v[: len(theirs.v)], theirs.v, rtol=0.0, atol=1e-9)


def test_a_shorter_refractory_period_is_noticed() -> None:
    """The comparison above would fail if one side were off by a single step."""
    neuron, params, drive = CASES["iaf_psc_exp"]
    spikes, _ = run_treplica(with_refractory(neuron, 1.9), drive)
    theirs = run_nest(
        "iaf_psc_exp", params, (drive.times, drive.amplitudes), drive.trains, drive.weights, DT, DURATION
    )
    assert any(not np.array_equal(a, b) for a, b in zip(spikes, theirs.spikes, strict=True))


def with_refractory(neuron: Instance, refractory: float) -> Instance:
    return neuron.with_values(refractory=refractory)
