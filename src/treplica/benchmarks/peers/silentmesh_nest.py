"""The silent mesh in NEST: the graph by networkx, izhikevich neurons at rest, one Poisson generator for all."""

import time

import nest
import networkx
import numpy as np
import with_nest


def build(s):
    """Neurons, spikes from outside and synapses."""
    started = time.perf_counter()
    graph = networkx.watts_strogatz_graph(s["neurons"], s["k"], s["p"], seed=s["seed"])
    graph_s = time.perf_counter() - started
    edges = np.array(graph.edges(), dtype=np.int64)
    params = {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "consistent_integration": True}
    nodes = nest.Create("izhikevich", s["neurons"], {**params, "V_m": -70.0, "U_m": -14.0})
    both = np.concatenate([edges, edges[:, ::-1]]) + nodes[0].global_id
    weights, delays = np.full(len(both), s["weight"]), np.full(len(both), 1.0)
    nest.Connect(both[:, 0], both[:, 1], "one_to_one", {"weight": weights, "delay": delays})
    outside = nest.Create("poisson_generator", params={"rate": s["rate"]})
    nest.Connect(outside, nodes, syn_spec={"weight": s["kick"], "delay": 1.0})
    return {"neurons": s["neurons"], "synapses": len(both), "graph_s": graph_s}


with_nest.measure(build)
