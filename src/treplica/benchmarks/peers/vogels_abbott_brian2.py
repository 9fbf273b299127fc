"""The networks of Vogels and Abbott in Brian2: the integrators that its examples CUBA.py and COBAHH.py use."""

import brian2 as b2
import numpy as np
import with_brian2
from brian2 import ms, mV, nS, pA, pF

CUBA = """
dv/dt = (-49*mV - v)/(20*ms) + (ex + inh)/(200*pF) : volt (unless refractory)
dex/dt = -ex/(5*ms) : amp
dinh/dt = -inh/(10*ms) : amp
"""
COBA = """
dv/dt = (10*nS*(-60*mV - v) + ex*(0*mV - v) + inh*(-80*mV - v))/(200*pF) : volt (unless refractory)
dex/dt = -ex/(5*ms) : siemens
dinh/dt = -inh/(10*ms) : siemens
"""
#: kind -> equations, method, first v, excitatory and inhibitory weight
MODELS = {
    "cuba": (CUBA, "exact", -49 * mV, 16.2 * pA, -139.5 * pA),
    "coba": (COBA, "exponential_euler", -60 * mV, 6 * nS, 67 * nS),
}


def kick(cells, weight, random):
    """Poisson spikes of 300 Hz from 1 to 51 ms onto one excitatory neuron of 64."""
    kicked = len(cells) * 4 // 5 // 64
    ids, steps = np.nonzero(random.random((kicked, 500)) < 300.0 * 1e-4)
    source = b2.SpikeGeneratorGroup(kicked, ids, (11 + steps) * 0.1 * ms)
    synapses = b2.Synapses(source, cells, on_pre="ex_post += weight", namespace={"weight": weight})
    synapses.connect(i=np.arange(kicked), j=np.arange(kicked))
    return source, synapses


def build(s, random):
    """Neurons, kick and synapses."""
    equations, method, first_v, excitation, inhibition = MODELS[s["kind"]]
    size, first = s["neurons"], s["neurons"] * 4 // 5
    rules = {"threshold": "v > -50*mV", "reset": "v = -60*mV", "refractory": 5 * ms}
    units = {"mV": mV, "ms": ms, "nS": nS, "pF": pF}
    cells = b2.NeuronGroup(size, equations, method=method, namespace=units, **rules)
    cells.v = first_v
    excitatory = b2.Synapses(cells, cells, on_pre="ex_post += weight", namespace={"weight": excitation})
    with_brian2.fixed_indegree(excitatory, np.arange(first), 64, random)
    inhibitory = b2.Synapses(cells, cells, on_pre="inh_post += weight", namespace={"weight": inhibition})
    with_brian2.fixed_indegree(inhibitory, np.arange(first, size), 16, random)
    for synapses in (excitatory, inhibitory):
        synapses.delay = 0.1 * ms
    objects = [cells, excitatory, inhibitory, *kick(cells, excitation, random)]
    return objects, cells, {"neurons": size, "synapses": len(excitatory) + len(inhibitory)}
