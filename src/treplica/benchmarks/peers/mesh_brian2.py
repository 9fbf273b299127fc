"""The mesh in Brian2: compiled Cython code, the graph by networkx."""

import json
import resource
import statistics
import sys
import time

import brian2 as b2
import networkx
import numpy as np

EQUATIONS = """
dv/dt = (0.04*v**2 + 5*v + 140 - u + noise)/ms : 1
du/dt = a*(b*v - u)/ms : 1
noise : 1
"""


def build(s):
    """The network; seconds for the graph and for all."""
    started = time.perf_counter()
    graph = networkx.watts_strogatz_graph(s["neurons"], s["k"], s["p"], seed=s["seed"])
    graph_s = time.perf_counter() - started
    edges = np.array(graph.edges(), dtype=np.int64)
    both = np.concatenate([edges, edges[:, ::-1]])
    constants = {"a": 0.02, "b": 0.2, "sigma": s["noise"], "w": s["weight"]}
    neurons = b2.NeuronGroup(
        s["neurons"],
        EQUATIONS,
        threshold="v >= 30",
        reset="v = -65; u += 8",
        method="euler",
        namespace=constants,
    )
    neurons.v, neurons.u = -65.0, -13.0
    neurons.run_regularly("noise = sigma*randn()", dt=1 * b2.ms)
    synapses = b2.Synapses(neurons, neurons, on_pre="v_post += w", namespace=constants)
    synapses.connect(i=both[:, 0], j=both[:, 1])
    synapses.delay = 1 * b2.ms
    monitor = b2.SpikeMonitor(neurons, record=False)
    network = b2.Network(neurons, synapses, monitor)
    network.run(0 * b2.ms)
    return network, monitor, time.perf_counter() - started, graph_s, len(both)


def main(s):
    """Build, warm up, run; print the figures."""
    b2.defaultclock.dt = 1 * b2.ms
    b2.seed(s["seed"])
    network, monitor, build_s, graph_s, synapses = build(s)
    network.run(s["warm_up_ms"] * b2.ms)
    walls, spikes = [], []
    for _ in range(s["repeats"]):
        before, started = monitor.num_spikes, time.perf_counter()
        network.run(s["seconds"] * b2.second)
        walls.append((time.perf_counter() - started) / s["seconds"])
        spikes.append(monitor.num_spikes - before)
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
    print(json.dumps({"figures": figures, "version": b2.__version__}))


main(json.loads(sys.argv[1]))
