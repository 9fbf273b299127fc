"""The event engine against NEST's models with precise spike times: ten seconds of a thousand neurons, spike by spike.

The networks fire irregularly, some 20 times a second, with excitation and inhibition; but small differences shrink in
them, so that every spike can be compared. With twice the weights they would grow, in NEST as here: with a resolution of
0.025 ms it is then apart from itself with 0.125 ms after 1.0 to 1.5 s.
"""

from __future__ import annotations

import numpy as np
import pytest
from nest_precise import Sparse, draw, run_nest, run_treplica

DURATION = 10_000.0
COMMON = {"C_m": 250.0, "E_L": 0.0, "V_th": 20.0, "V_reset": 0.0, "t_ref": 2.0}
DELTA = {**COMMON, "tau_m": 20.0}
#: tau_syn * (tau_m - tau_syn) is tau_m: only there is the time right up to which iaf_psc_exp_ps_lossless looks for a
#: spike that is above the threshold between two events and below it at both.
EXPONENTIAL = {**COMMON, "tau_m": 10.125, "tau_syn_ex": 1.125, "tau_syn_in": 1.125}
#: The current, in pA, that brings as much charge as a jump of one mV.
PER_MV = COMMON["C_m"] / EXPONENTIAL["tau_syn_ex"]


def networks() -> dict[str, Sparse]:
    """The networks by the kind of their synapses."""
    weight = (3.0 * PER_MV, -15.0 * PER_MV)
    return {
        "delta": draw("iaf_psc_delta_ps", DELTA, weight=(2.0, -10.0), drive=(2.0, 3.5)),
        "exponential": draw("iaf_psc_exp_ps_lossless", EXPONENTIAL, weight=weight, drive=(0.9, 2.0)),
    }


@pytest.mark.parametrize(("kind", "rate"), [("delta", (15.0, 25.0)), ("exponential", (12.0, 20.0))])
def test_every_spike_of_ten_seconds(kind: str, rate: tuple[float, float]) -> None:
    """The same neurons, at the same times within 1e-6 ms. rate: between which it must be, Hz."""
    network = networks()[kind]
    times, neurons = run_nest(network, DURATION)
    found, ids = run_treplica(network, DURATION)
    assert rate[0] < times.size / (network.v.size * DURATION / 1000.0) < rate[1]
    assert found.size == times.size
    # Two spikes at one time may change places.
    order, expected = np.lexsort((found, ids)), np.lexsort((times, neurons))
    assert (ids[order] == neurons[expected]).all()
    np.testing.assert_allclose(found[order], times[expected], rtol=0.0, atol=1e-6)
