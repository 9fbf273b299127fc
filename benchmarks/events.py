"""How many synaptic events a second does one core of the event engine handle? Beside NEST's models with precise times.

    python benchmarks/events.py [--repeats 5] [--alone]

Recurrent networks of leaky neurons above threshold that inhibit each other, with one delay for all synapses and with
drawn ones, each engine on one thread. In NEST delays are multiples of its resolution, 0.1 ms, here they are any. Writes
results/events.json and the table of README.md.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from tables import fill, lines, number, provenance

import treplica as tr
from treplica.benchmarks.report import busy_cores, machine, versions
from treplica.engines.event.kernels_flights import COUNT

HERE = Path(__file__).parent
WARM_UP, SPAN = 100.0, 200.0
START = {"v": tr.Uniform(-70.0, -55.5)}
CURRENT, DELAY, DELAYS = (380.0, 420.0), 1.5, (0.5, 3.0)
#: name: neuron, NEST's model, neurons, inputs of each, weight (mV or pA), whether delays are drawn
NETWORKS = {
    "delta, one delay": (tr.LIF(**START), "iaf_psc_delta_ps", 10_000, 1_000, -0.02, False),
    "delta, drawn delays": (tr.LIF(**START), "iaf_psc_delta_ps", 10_000, 1_000, -0.02, True),
    "exponential, one delay": (
        tr.LIFExpCurrent(**START),
        "iaf_psc_exp_ps_lossless",
        10_000,
        1_000,
        -2.0,
        False,
    ),
    "exponential, drawn delays": (
        tr.LIFExpCurrent(**START),
        "iaf_psc_exp_ps_lossless",
        10_000,
        1_000,
        -2.0,
        True,
    ),
}
NEST = """
import json, sys, time
task = json.loads(sys.argv[1])
import nest
nest.set_verbosity("M_ERROR")
nest.set(resolution=0.1, local_num_threads=1, rng_seed=1)
syn = {"tau_syn_ex": 2.0, "tau_syn_in": 2.0} if "exp" in task["model"] else {}
cells = nest.Create(task["model"], task["neurons"], params={"V_m": nest.random.uniform(-70.0, -55.5),
    "I_e": nest.random.uniform(*task["current"]), **syn})
delay = nest.random.uniform(*task["delays"]) if task["drawn"] else task["delay"]
nest.Connect(cells, cells, {"rule": "fixed_indegree", "indegree": task["inputs"]},
    {"weight": task["weight"], "delay": delay})
nest.Simulate(task["warm_up"])
started = time.perf_counter()
nest.Simulate(task["span"])
wall = time.perf_counter() - started
print("RESULT" + json.dumps({"spikes": nest.local_spike_counter, "wall_s": wall}))
"""


def network(name: str) -> tr.Network:
    """A network of the table."""
    neuron, _, neurons, inputs, weight, drawn = NETWORKS[name]
    net = tr.Network(seed=2)
    cells = net.add(tr.Population("cells", neurons, neuron))
    net.stimulate(cells, tr.DirectCurrent(amplitude=tr.Uniform(*CURRENT)))
    delay = tr.Uniform(*DELAYS) if drawn else DELAY
    net.connect(cells, cells, tr.FixedInDegree(inputs), weight=weight, delay=delay)
    return net


def ours(name: str, repeats: int) -> dict[str, float]:
    """Events per second, the median of some pieces of a run."""
    sim = tr.Simulation(network(name), engine="event", quiet=True)
    sim.run(WARM_UP)
    rates, spikes = [], int(sim.spikes.sum())
    for _ in range(repeats):
        before, started = sim.engine.synaptic_events, time.perf_counter()
        sim.run(SPAN)
        rates.append((sim.engine.synaptic_events - before) / (time.perf_counter() - started))
    hertz = 1000.0 * (int(sim.spikes.sum()) - spikes) / (NETWORKS[name][2] * repeats * SPAN)
    return {
        "events_per_s": statistics.median(rates),
        "rate_hz": hertz,
        "in_flight": int(sim.engine.flights.numbers[COUNT]),
    }


def theirs(name: str, repeats: int) -> dict[str, float]:
    """The same of NEST, each time in a process of its own."""
    _, model, neurons, inputs, weight, drawn = NETWORKS[name]
    task = dict(
        model=model, neurons=neurons, inputs=inputs, weight=weight, drawn=drawn, delay=DELAY, delays=DELAYS
    )
    task |= dict(current=CURRENT, warm_up=WARM_UP, span=SPAN)
    found = []
    for _ in range(min(repeats, 3)):
        done = subprocess.run(
            [sys.executable, "-c", NEST, json.dumps(task)], capture_output=True, text=True, check=True
        )
        found.append(json.loads(done.stdout.rpartition("RESULT")[2]))
    rates = [f["spikes"] * inputs / f["wall_s"] for f in found]
    hertz = 1000.0 * statistics.mean(f["spikes"] for f in found) / (neurons * SPAN)
    return {"events_per_s": statistics.median(rates), "rate_hz": hertz}


def table(report: dict) -> str:
    """Markdown."""
    head = ["network", "Treplica, million events per s", "NEST", "times more", "rate, Hz", "NEST, Hz"]
    rows = []
    for name, run in report["runs"].items():
        mine, nest = run["treplica"], run.get("nest", {})
        more = mine["events_per_s"] / nest["events_per_s"] if nest else None
        million = [f["events_per_s"] / 1e6 if f else None for f in (mine, nest)]
        cells = [*million, more, mine["rate_hz"], nest.get("rate_hz")]
        rows.append([name, *(number(cell) for cell in cells)])
    return f"{lines(head, rows)}\n\n{provenance([report])}"


def main() -> None:
    """Measure, and write."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--alone", action="store_true", help="without NEST")
    given = options.parse_args()
    about = {"machine": {**machine(), "busy_cores": busy_cores()}, "versions": versions()}
    about["versions"]["nest"] = about["versions"].get("nest-simulator")
    runs = {}
    for name in NETWORKS:
        print(f"events: {name}", file=sys.stderr, flush=True)
        runs[name] = {"treplica": ours(name, given.repeats)}
        if not given.alone:
            runs[name]["nest"] = theirs(name, given.repeats)
    report = {"date": date.today().isoformat(), **about, "runs": runs}
    (HERE / "results" / "events.json").write_text(json.dumps(report, indent=1) + "\n")
    readme = HERE / "README.md"
    readme.write_text(fill(readme.read_text(), "events", table(report)))
    print(table(report))


if __name__ == "__main__":
    main()
