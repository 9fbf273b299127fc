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
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Recurrent:
    """A network. neuron: of Treplica. model: NEST's. weight: mV or pA. drawn: whether each synapse has its delay.

    rate: Hz of spikes from outside, each of which makes a neuron fire (0: currents do).
    """

    neuron: tr.model.Instance
    model: str
    neurons: int
    inputs: int
    weight: float
    drawn: bool = False
    rate: float = 0.0


DELTA, EXPONENTIAL = "iaf_psc_delta_ps", "iaf_psc_exp_ps_lossless"
NETWORKS = {
    "delta, one delay": Recurrent(tr.LIF(**START), DELTA, 10_000, 1_000, -0.02),
    "delta, drawn delays": Recurrent(tr.LIF(**START), DELTA, 10_000, 1_000, -0.02, drawn=True),
    "exponential, one delay": Recurrent(tr.LIFExpCurrent(**START), EXPONENTIAL, 10_000, 1_000, -2.0),
    "exponential, drawn delays": Recurrent(
        tr.LIFExpCurrent(**START), EXPONENTIAL, 10_000, 1_000, -2.0, drawn=True
    ),
    "delta, mostly silent": Recurrent(tr.LIF(), DELTA, 100_000, 100, 0.1, drawn=True, rate=0.1),
}
NEST = """
import json, sys, time
task = json.loads(sys.argv[1])
import nest
nest.set_verbosity("M_ERROR")
nest.set(resolution=0.1, local_num_threads=1, rng_seed=1)
syn = {"tau_syn_ex": 2.0, "tau_syn_in": 2.0} if "exp" in task["model"] else {}
start = {} if task["rate"] else {"V_m": nest.random.uniform(-70.0, -55.5), "I_e": nest.random.uniform(*task["current"])}
cells = nest.Create(task["model"], task["neurons"], params={**start, **syn})
if task["rate"]:
    noise = nest.Create("poisson_generator_ps", params={"rate": task["rate"]})
    nest.Connect(noise, cells, syn_spec={"weight": 16.0})
delay = nest.random.uniform(*task["delays"]) if task["drawn"] else task["delay"]
nest.Connect(cells, cells, {"rule": "fixed_indegree", "indegree": task["inputs"]},
    {"weight": task["weight"], "delay": delay})
nest.Simulate(task["warm_up"])
started = time.perf_counter()
nest.Simulate(task["span"])
wall = time.perf_counter() - started
print("RESULT" + json.dumps({"spikes": nest.local_spike_counter, "wall_s": wall}))
"""


def network(entry: Recurrent) -> tr.Network:
    """A network of the table."""
    net = tr.Network(seed=2)
    cells = net.add(tr.Population("cells", entry.neurons, entry.neuron))
    if entry.rate:
        net.stimulate(cells, tr.PoissonInput(entry.rate, 16.0))
    else:
        net.stimulate(cells, tr.DirectCurrent(amplitude=tr.Uniform(*CURRENT)))
    delay = tr.Uniform(*DELAYS) if entry.drawn else DELAY
    net.connect(cells, cells, tr.FixedInDegree(entry.inputs), weight=entry.weight, delay=delay)
    return net


def figures(entry: Recurrent, walls: list[float], spikes: list[int]) -> dict[str, float]:
    """Of some pieces of a run."""
    rates = [n * entry.inputs / wall for n, wall in zip(spikes, walls, strict=True)]
    hertz = 1000.0 * statistics.mean(spikes) / (entry.neurons * SPAN)
    wall = statistics.median(walls) * 1000.0 / SPAN
    return {"events_per_s": statistics.median(rates), "rate_hz": hertz, "wall_s_per_model_s": wall}


def ours(entry: Recurrent, repeats: int) -> dict[str, float]:
    """Treplica's."""
    sim = tr.Simulation(network(entry), engine="event", quiet=True)
    sim.run(WARM_UP)
    walls, spikes = [], []
    for _ in range(repeats):
        before, started = int(sim.spikes.sum()), time.perf_counter()
        sim.run(SPAN)
        walls.append(time.perf_counter() - started)
        spikes.append(int(sim.spikes.sum()) - before)
    return {**figures(entry, walls, spikes), "in_flight": int(sim.engine.flights.numbers[COUNT])}


def theirs(entry: Recurrent, repeats: int) -> dict[str, float]:
    """NEST's, each time in a process of its own."""
    task = {k: v for k, v in vars(entry).items() if k != "neuron"}
    task |= dict(delay=DELAY, delays=DELAYS, current=CURRENT, warm_up=WARM_UP, span=SPAN)
    found = []
    for _ in range(min(repeats, 3)):
        command = [sys.executable, "-c", NEST, json.dumps(task)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout.rpartition("RESULT")[2]))
    return figures(entry, [f["wall_s"] for f in found], [f["spikes"] for f in found])


def table(report: dict) -> str:
    """Markdown."""
    head = ["network", "Treplica, million events per s", "NEST", "times more"]
    head += ["wall per model second, s", "NEST, s", "rate, Hz", "NEST, Hz"]
    rows = []
    for name, run in report["runs"].items():
        mine, nest = run["treplica"], run.get("nest", {})
        more = mine["events_per_s"] / nest["events_per_s"] if nest else None
        million = [f["events_per_s"] / 1e6 if f else None for f in (mine, nest)]
        others = [f.get(key) for key in ("wall_s_per_model_s", "rate_hz") for f in (mine, nest)]
        cells = [*million, more, *others]
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
    for name, entry in NETWORKS.items():
        print(f"events: {name}", file=sys.stderr, flush=True)
        runs[name] = {"treplica": ours(entry, given.repeats)}
        if not given.alone:
            runs[name]["nest"] = theirs(entry, given.repeats)
    report = {"date": date.today().isoformat(), **about, "runs": runs}
    (HERE / "results" / "events.json").write_text(json.dumps(report, indent=1) + "\n")
    readme = HERE / "README.md"
    readme.write_text(fill(readme.read_text(), "events", table(report)))
    print(table(report))


if __name__ == "__main__":
    main()
