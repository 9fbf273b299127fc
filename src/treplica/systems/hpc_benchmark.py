"""NEST's hpc_benchmark with static synapses: a balanced random network whose neurons have 11,250 inputs at every size.

Claim: none about the brain: this is the network with which simulators are compared on supercomputers. Morrison et al.
2007, doi:10.1162/neco.2007.19.6.1437; Helias et al. 2012, doi:10.3389/fninf.2012.00026; parameters of NEST 3.10's
hpc_benchmark.py. There the excitatory synapses onto excitatory neurons are plastic; here they keep their first weight.
"""

from __future__ import annotations

import math

import treplica as tr
from treplica.errors import InvalidValue

#: Neurons at scale 1, and inputs of every neuron at any scale.
EXCITATORY, INHIBITORY = 9000, 2250
TAU, TAU_SYN, C_M, THRESHOLD, REFRACTORY, DELAY = 10.0, 0.32582722403722841, 250.0, 20.0, 0.5, 1.5
#: Peak of an excitatory postsynaptic potential (mV), strength of inhibition, drive over what reaches the threshold.
PEAK, G, ETA = 0.14, -5.0, 1.685
FIRST_V = tr.Normal(5.7, 7.2)


def current_for_peak(peak: float = PEAK) -> float:
    """The weight in pA, peak of an alpha-shaped current, that raises v from rest by `peak` mV at most.

    v is largest t ms after the spike, where its slope is zero: Lambert's W gives t.
    """
    from scipy.special import lambertw

    ratio, b = TAU / TAU_SYN, 1.0 / TAU_SYN - 1.0 / TAU
    t = float(-lambertw(-math.exp(-1.0 / ratio) / ratio, -1).real - 1.0 / ratio) / b
    slow, fast = math.exp(-t / TAU), math.exp(-t / TAU_SYN)
    return peak * TAU_SYN * C_M * b / (math.e * ((slow - fast) / b - t * fast))


def external_rate(eta: float = ETA) -> float:
    """Spikes per second that a neuron receives from outside, each with the weight of an excitatory synapse.

    eta times the rate whose mean current, rate e tau_syn weight, holds v at the threshold. 20,856 Hz by default.
    """
    return 1000.0 * eta * THRESHOLD * C_M / (TAU * current_for_peak() * math.e * TAU_SYN)


def hpc_benchmark(scale: float = 1.0, *, seed: int = 7) -> tr.Network:
    """The network: population `cells`, 9,000 scale excitatory neurons and then 2,250 scale inhibitory ones.

    scale: at least 0.001; a neuron has 9,000 + 2,250 inputs at any scale, so there are 126.6 million synapses times
    the scale. No neuron reaches itself. Meant for dt = 0.1 ms. Raises InvalidValue.
    """
    if not isinstance(scale, (int, float)) or not 0.001 <= scale < math.inf:
        raise InvalidValue("hpc_benchmark: scale", scale, "a finite number of at least 0.001")
    first, second = int(EXCITATORY * scale), int(INHIBITORY * scale)
    net = tr.Network(seed=seed)
    neuron = tr.LIFAlpha(
        v=FIRST_V, v_rest=0.0, v_th=THRESHOLD, v_reset=0.0, c_m=C_M, tau=TAU, refractory=REFRACTORY,
        tau_ex=TAU_SYN, tau_inh=TAU_SYN,
    )  # fmt: skip
    cells = net.add(tr.Population("cells", first + second, neuron))
    excitatory, inhibitory = cells[:first], cells[first:]
    weight = current_for_peak()
    for source, degree, strength, port in (
        (excitatory, EXCITATORY, weight, "ex"),
        (inhibitory, INHIBITORY, G * weight, "inh"),
    ):
        for target in (excitatory, inhibitory):
            rule = tr.FixedInDegree(degree, self_connections=source is not target)
            net.connect(source, target, rule, weight=strength, delay=DELAY, port=port)
    net.stimulate(cells, tr.PoissonInput(external_rate(), weight), port="ex")
    return net
