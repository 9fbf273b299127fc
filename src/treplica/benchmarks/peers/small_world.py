"""The small world of the mesh, for all peers: the graph by networkx."""

import time

import networkx
import numpy as np


def synapses(s):
    """Source and target of every synapse, int64 [synapses, 2], and figures: sizes, the seconds that networkx took."""
    started = time.perf_counter()
    graph = networkx.watts_strogatz_graph(s["neurons"], s["k"], s["p"], seed=s["seed"])
    graph_s = time.perf_counter() - started
    edges = np.array(graph.edges(), dtype=np.int64)
    both = np.concatenate([edges, edges[:, ::-1]])
    return both, {"neurons": s["neurons"], "synapses": len(both), "graph_s": graph_s}
