"""The Potjans-Diesmann microcircuit in NEST: iaf_psc_exp, fixed total numbers of synapses, drawn weights and delays.

The settings hold every number of the network (`treplica.benchmarks.microcircuit.description`). With `spikes`, the name
of a file, what was recorded in the measured time is kept there: for population k, steps_k and ids_k.
"""

import json
import statistics
import sys
import time

import nest
import numpy as np
import timing


def build(s):
    """Neurons, drive, recorders and synapses; the populations and their recorders."""
    nest.ResetKernel()
    nest.set(resolution=s["dt"], local_num_threads=s["threads"], rng_seed=s["seed"], print_time=False)
    for name in ("excitatory", "inhibitory"):  # one synapse model holds 134 million synapses a thread at most
        nest.CopyModel("static_synapse", name)
    populations = []
    for size, current, mean, std in zip(s["neurons"], s["currents"], *s["initial_v"], strict=True):
        v = nest.random.normal(mean, std)
        populations.append(nest.Create("iaf_psc_exp", size, {**s["params"], "I_e": current, "V_m": v}))
    recorders = [nest.Create("spike_recorder", params={"start": s["warm_up_ms"]}) for _ in populations]
    for population, recorder, rate in zip(populations, recorders, s["external_rates"], strict=True):
        nest.Connect(population, recorder)
        if rate:
            source = nest.Create("poisson_generator", params={"rate": rate})
            spec = {"weight": s["external_weight"], "delay": s["delays"][0]}
            nest.Connect(source, population, "all_to_all", spec)
    for y, target in enumerate(populations):
        for x, source in enumerate(populations):
            connect(s, source, target, s["synapses"][y][x], s["weights"][y][x], s["delays"][x])
    return populations, recorders


def connect(s, source, target, number, weight, delay):
    """A fixed total number of synapses; values outside their limits are drawn again."""
    if not number:
        return
    drawn = nest.random.normal(weight, s["weight_spread"] * abs(weight))
    low, high = (0.0, np.inf) if weight >= 0.0 else (-np.inf, 0.0)
    waits = nest.random.normal(delay, s["delay_spread"] * delay)
    spec = {
        "synapse_model": "excitatory" if weight >= 0.0 else "inhibitory",
        "weight": nest.math.redraw(drawn, min=low, max=high),
        "delay": nest.math.redraw(waits, min=0.5 * s["dt"], max=np.inf),
    }
    nest.Connect(source, target, {"rule": "fixed_total_number", "N": number}, spec)


def keep(s, populations, recorders):
    """Write the spikes, by step and then by neuron."""
    arrays = {}
    for k, (population, recorder) in enumerate(zip(populations, recorders, strict=True)):
        steps = np.rint(recorder.events["times"] / s["dt"]).astype(np.int64)
        ids = recorder.events["senders"] - population[0].global_id
        order = np.lexsort((ids, steps))
        arrays |= {f"steps_{k}": steps[order].astype(np.int32), f"ids_{k}": ids[order].astype(np.int32)}
    np.savez_compressed(s["spikes"], **arrays)


def main(s):
    """Build, warm up, run; print the figures."""
    nest.verbosity = nest.VerbosityLevel.ERROR
    started = time.perf_counter()
    populations, recorders = build(s)
    nest.Prepare()
    build_s = time.perf_counter() - started
    nest.Run(s["warm_up_ms"])
    walls = []
    for _ in range(s["repeats"]):
        started = time.perf_counter()
        nest.Run(1000.0 * s["seconds"])
        walls.append((time.perf_counter() - started) / s["seconds"])
    seconds, wall = s["seconds"] * s["repeats"], statistics.median(walls)
    sizes, spikes = np.array(s["neurons"]), np.array([r.n_events for r in recorders])
    out_degrees = np.array(s["synapses"]).sum(axis=0) / sizes
    figures = {
        "build_s": build_s,
        "wall_s_per_model_s": wall,
        "synaptic_events_per_s": float(spikes @ out_degrees) / seconds / wall,
        "mean_rate_hz": int(spikes.sum()) / int(sizes.sum()) / seconds,
        **{f"rate_{n}_hz": r for n, r in zip(s["names"], (spikes / sizes / seconds).tolist(), strict=True)},
        "neurons": int(sizes.sum()),
        "synapses": int(np.sum(s["synapses"])),
        "peak_memory_bytes": timing.peak_memory(),
    }
    if s.get("spikes"):
        keep(s, populations, recorders)
    print(json.dumps({"figures": figures, "version": nest.__version__}))


main(json.loads(sys.argv[1]))
