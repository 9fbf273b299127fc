"""Brunel's network in Brian2."""

import brian2 as b2
import numpy as np
import with_brian2
from brian2 import Hz, ms, mV


def build(s, random):
    """Neurons, drive and synapses."""
    size, first = s["neurons"], s["neurons"] * 4 // 5
    cells = b2.NeuronGroup(
        size,
        "dv/dt = -v/(20*ms) : volt (unless refractory)",
        threshold="v > 20*mV",
        reset="v = 10*mV",
        refractory=2 * ms,
        method="exact",
        namespace={"ms": ms, "mV": mV},
    )
    objects, count = [cells], 0
    for sources, weight in ((np.arange(first), 0.1), (np.arange(first, size), -s["g"] * 0.1)):
        synapses = b2.Synapses(cells, cells, on_pre="v_post += weight", namespace={"weight": weight * mV})
        with_brian2.fixed_indegree(synapses, sources, len(sources) // 10, random)
        synapses.delay = 1.5 * ms
        objects.append(synapses)
        count += len(synapses)
    # as many sources as a neuron has excitatory inputs, each at eta times the rate that reaches the threshold
    sources = first // 10
    rate = s["eta"] * 20.0 / (0.1 * 20.0) * 1000.0 / sources
    objects.append(b2.PoissonInput(cells, "v", N=sources, rate=rate * Hz, weight=0.1 * mV))
    return objects, cells, {"neurons": size, "synapses": count}


with_brian2.measure(build)
