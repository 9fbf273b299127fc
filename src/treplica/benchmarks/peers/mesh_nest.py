"""The mesh in NEST: the graph by networkx, izhikevich neurons, a noise generator on every neuron."""

import time

import nest
import networkx
import numpy as np
import with_nest


def build(s):
    """Neurons, noise and synapses."""
    started = time.perf_counter()
    graph = networkx.watts_strogatz_graph(s["neurons"], s["k"], s["p"], seed=s["seed"])
    graph_s = time.perf_counter() - started
    edges = np.array(graph.edges(), dtype=np.int64)
    params = {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "consistent_integration": True}
    nodes = nest.Create("izhikevich", s["neurons"], params)
    both = np.concatenate([edges, edges[:, ::-1]]) + nodes[0].global_id
    weights, delays = np.full(len(both), s["weight"]), np.full(len(both), 1.0)
    spec = {"weight": weights, "delay": delays}
    nest.Connect(both[:, 0], both[:, 1], "one_to_one", spec)
    noise = nest.Create("noise_generator", params={"mean": 0.0, "std": s["noise"], "dt": 1.0})
    nest.Connect(noise, nodes)
    return {"neurons": s["neurons"], "synapses": len(both), "graph_s": graph_s}


with_nest.measure(build)
