"""What the scripts of all peers share: the clock, and the one JSON object that they print."""

import json
import resource
import statistics
import sys
import time
from pathlib import Path


def settings():
    """The settings, the script's only argument."""
    return json.loads(sys.argv[1])


def peak_memory():
    """The most memory this process has held, in bytes.

    On Linux not ru_maxrss: a child process begins with the memory of the parent that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def measure(s, build, run, version):
    """Build, warm up, run `repeats` times and print the figures.

    build(s): makes the network and returns its figures, neurons and synapses at least. run(ms): returns the spikes of
    that time. Synaptic events are spikes times the mean number of synapses that leave a neuron.
    """
    started = time.perf_counter()
    figures = build(s)
    figures["build_s"] = time.perf_counter() - started
    run(s["warm_up_ms"])
    walls, spikes = [], []
    for _ in range(s["repeats"]):
        started = time.perf_counter()
        spikes.append(run(1000.0 * s["seconds"]))
        walls.append((time.perf_counter() - started) / s["seconds"])
    rate = sum(spikes) / len(spikes) / figures["neurons"] / s["seconds"]
    wall = statistics.median(walls)
    figures |= {
        "wall_s_per_model_s": wall,
        "synaptic_events_per_s": rate * figures["synapses"] / wall,
        "mean_rate_hz": rate,
        "peak_memory_bytes": peak_memory(),
    }
    print(json.dumps({"figures": figures, "version": version}))
