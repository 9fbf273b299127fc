"""Brunel's sparse random network of excitatory and inhibitory neurons.

Claim: with inhibition that dominates (g = 5) and a drive of twice the threshold (eta = 2) it fires asynchronously and
irregularly, at a rate that mean-field theory gives.
Brunel 2000, Dynamics of sparsely connected networks of excitatory and inhibitory spiking neurons, figure 8C,
doi:10.1023/A:1008925309027.

The parameters are those of the paper's model A: tau 20 ms, threshold 20 mV, reset 10 mV, refractory period 2 ms,
J 0.1 mV, delay 1.5 ms, connection probability 0.1. NEST's example brunel_delta_nest.py is the same network with a
reset to 0 mV.
"""

from __future__ import annotations

import math

import treplica as tr
from treplica.errors import InvalidValue

TAU, THRESHOLD, RESET, REFRACTORY, DELAY = 20.0, 20.0, 10.0, 2.0, 1.5
CONNECTED = 0.1


def external_rate(eta: float = 2.0, weight: float = 0.1) -> float:
    """Spikes per second that a neuron receives from outside: eta times what alone drives it to threshold.

    Brunel's C_E nu_ext = eta threshold / (weight tau); weight in mV. 20,000 Hz with the defaults.
    """
    return 1000.0 * eta * THRESHOLD / (weight * TAU)


def brunel(
    neurons: int = 12_500,
    *,
    g: float = 5.0,
    eta: float = 2.0,
    weight: float = 0.1,
    reset: float = RESET,
    seed: int = 7,
) -> tr.Network:
    """The network: population `cells`, whose first four fifths are excitatory.

    - neurons: a multiple of 50; each has a tenth of either kind as inputs
    - g: how many times stronger an inhibitory synapse is
    - eta: external rate over the rate that drives a neuron to threshold
    - weight: mV by which an excitatory spike raises v
    - reset: mV

    Meant for dt = 0.1 ms. Raises InvalidValue.
    """
    if not isinstance(neurons, int) or neurons < 50 or neurons % 50:
        raise InvalidValue("brunel: neurons", neurons, "a multiple of 50, at least 50")
    if not isinstance(weight, (int, float)) or not 0.0 < weight < math.inf:
        raise InvalidValue("brunel: weight", weight, "a finite number > 0 mV")
    net = tr.Network(seed=seed)
    neuron = tr.LIF(v=0.0, v_rest=0.0, v_th=THRESHOLD, v_reset=reset, tau=TAU, refractory=REFRACTORY, c_m=1.0)
    cells = net.add(tr.Population("cells", neurons, neuron))
    first = neurons * 4 // 5
    excitatory, inhibitory = round(CONNECTED * first), round(CONNECTED * (neurons - first))
    net.connect(cells[:first], cells, tr.FixedInDegree(excitatory), weight=weight, delay=DELAY)
    net.connect(cells[first:], cells, tr.FixedInDegree(inhibitory), weight=-g * weight, delay=DELAY)
    net.stimulate(cells, tr.PoissonInput(external_rate(eta, weight), weight))
    return net
