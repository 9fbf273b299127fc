"""The silent mesh in Brian2: compiled Cython code, the graph by networkx, Poisson spikes for every neuron."""

import time

import brian2 as b2
import networkx
import numpy as np
import with_brian2

EQUATIONS = """
dv/dt = (0.04*v**2 + 5*v + 140 - u)/ms : 1
du/dt = a*(b*v - u)/ms : 1
"""


def build(s, random):
    """Neurons, spikes from outside and synapses."""
    started = time.perf_counter()
    graph = networkx.watts_strogatz_graph(s["neurons"], s["k"], s["p"], seed=s["seed"])
    graph_s = time.perf_counter() - started
    edges = np.array(graph.edges(), dtype=np.int64)
    both = np.concatenate([edges, edges[:, ::-1]])
    constants = {"a": 0.02, "b": 0.2, "w": s["weight"], "ms": b2.ms}
    neurons = b2.NeuronGroup(
        s["neurons"],
        EQUATIONS,
        threshold="v >= 30",
        reset="v = -65; u += 8",
        method="euler",
        namespace=constants,
    )
    neurons.v, neurons.u = -70.0, -14.0
    outside = b2.PoissonInput(neurons, "v", N=1, rate=s["rate"] * b2.Hz, weight=s["kick"])
    synapses = b2.Synapses(neurons, neurons, on_pre="v_post += w", namespace=constants)
    synapses.connect(i=both[:, 0], j=both[:, 1])
    synapses.delay = 1 * b2.ms
    figures = {"neurons": s["neurons"], "synapses": len(both), "graph_s": graph_s}
    return [neurons, synapses, outside], neurons, figures


with_brian2.measure(build)
