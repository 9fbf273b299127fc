"""The mesh in NEST: the graph by networkx, izhikevich neurons, a noise generator on every neuron."""

import json
import resource
import statistics
import sys
import time

import nest
import networkx
import numpy as np


def build(s):
    """The network; seconds for the graph and for all."""
    started = time.perf_counter()
    graph = networkx.watts_strogatz_graph(s["neurons"], s["k"], s["p"], seed=s["seed"])
    graph_s = time.perf_counter() - started
    edges = np.array(graph.edges(), dtype=np.int64)
    nest.ResetKernel()
    nest.set(resolution=1.0, local_num_threads=s["threads"], rng_seed=s["seed"] + 1, print_time=False)
    params = {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "consistent_integration": True}
    nodes = nest.Create("izhikevich", s["neurons"], params)
    both = np.concatenate([edges, edges[:, ::-1]]) + nodes[0].global_id
    weights, delays = np.full(len(both), s["weight"]), np.full(len(both), 1.0)
    spec = {"weight": weights, "delay": delays}
    nest.Connect(both[:, 0], both[:, 1], "one_to_one", spec)
    noise = nest.Create("noise_generator", params={"mean": 0.0, "std": s["noise"], "dt": 1.0})
    nest.Connect(noise, nodes)
    nest.Prepare()
    return time.perf_counter() - started, graph_s, len(both)


def main(s):
    """Build, warm up, run; print the figures."""
    nest.verbosity = nest.VerbosityLevel.ERROR
    build_s, graph_s, synapses = build(s)
    nest.Run(s["warm_up_ms"])
    walls, spikes = [], []
    for _ in range(s["repeats"]):
        started = time.perf_counter()
        nest.Run(1000.0 * s["seconds"])
        walls.append((time.perf_counter() - started) / s["seconds"])
        spikes.append(nest.local_spike_counter)  # of the last Run
    rate = statistics.median(spikes) / s["neurons"] / s["seconds"]
    figures = {
        "build_s": build_s,
        "graph_s": graph_s,
        "wall_s_per_model_s": statistics.median(walls),
        "synaptic_events_per_s": rate * synapses / statistics.median(walls),
        "mean_rate_hz": rate,
        "neurons": s["neurons"],
        "synapses": synapses,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    print(json.dumps({"figures": figures, "version": nest.__version__}))


main(json.loads(sys.argv[1]))
