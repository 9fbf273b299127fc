"""What does recording cost? The full microcircuit with and without probes, in turn, in one process.

    python benchmarks/recording.py [--scale 0.1] [--repeats 9] [--seconds 1]

Every way of recording has a simulation of its own, of the same network and seed. They run one after the other, a piece
of model time each, again and again, so that slow and quick phases of the machine meet all of them. It writes
results/recording.json and the table of README.md.
"""

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from tables import fill, lines, number, provenance

from treplica import Network, Simulation
from treplica.benchmarks.report import busy_cores, machine, versions
from treplica.systems.microcircuit import microcircuit
from treplica.systems.microcircuit_parameters import DT, POPULATIONS

HERE = Path(__file__).parent
NOTHING = "nothing"
WAYS = {
    NOTHING: "nothing",
    "spikes": "all spikes, in memory",
    "spikes_to_disk": "all spikes, to disk",
    "voltages": "v of 1,000 neurons every 1 ms, in memory",
    "voltages_to_disk": "v of 1,000 neurons every 1 ms, to disk",
}


def network(way: str, scale: float) -> Network:
    """The microcircuit with the probes of a way of recording."""
    net = microcircuit(scale, seed=1)
    if way.startswith("spikes"):
        for name in POPULATIONS:
            net.record(net.population(name), "spikes")
    elif way.startswith("voltages"):
        net.record(net.population("L23E")[:1000], "v", interval=1.0)
    return net


def say(text: str) -> None:
    print(f"recording: {text}", file=sys.stderr, flush=True)


def measure(scale: float, seconds: float, repeats: int) -> dict:
    """Wall times of every way, piece by piece, and the medians of their ratios to recording nothing."""
    quiet = {"machine": {**machine(), "busy_cores": busy_cores()}}
    walls: dict[str, list[float]] = {way: [] for way in WAYS}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sims = {}
        for way in WAYS:
            say(f"building for {WAYS[way]}")
            record_to = folder / way if way.endswith("disk") else None
            sim = Simulation(network(way, scale), dt=DT, quiet=True, record_to=record_to)
            sims[way] = stack.enter_context(sim)
            sim.run(500.0)
        for turn in range(repeats):
            say(f"turn {turn + 1} of {repeats}")
            for way, sim in sims.items():
                started = time.perf_counter()
                sim.run(1000.0 * seconds)
                walls[way].append((time.perf_counter() - started) / seconds)
        spikes = {int(sim.spikes.sum()) for sim in sims.values()}
        assert len(spikes) == 1, f"recording changed the spikes: {spikes}"
    figures = {
        way: {
            "wall_s_per_model_s": statistics.median(walls[way]),
            "cost": statistics.median(w / n for w, n in zip(walls[way], walls[NOTHING], strict=True)) - 1.0,
        }
        for way in WAYS
    }
    settings = {"scale": scale, "seconds": seconds, "repeats": repeats}
    return {
        "date": date.today().isoformat(),
        "settings": settings,
        **quiet,
        "versions": versions(),
        "figures": figures,
    }


def table(report: dict) -> str:
    """One row for each way of recording."""
    rows = [
        [WAYS[way], number(of["wall_s_per_model_s"]), "" if way == NOTHING else f"{100 * of['cost']:+.1f} %"]
        for way, of in report["figures"].items()
    ]
    return f"{lines(['recorded', 'wall per model second, s', 'cost'], rows)}\n\n{provenance([report])}"


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--scale", type=float, default=1.0)
    options.add_argument("--seconds", type=float, default=1.0, help="model time of a piece")
    options.add_argument("--repeats", type=int, default=9)
    given = options.parse_args()
    report = measure(given.scale, given.seconds, given.repeats)
    (HERE / "results" / "recording.json").write_text(json.dumps(report, indent=1) + "\n")
    readme = HERE / "README.md"
    readme.write_text(fill(readme.read_text(), "recording", table(report)))
    print(table(report))


if __name__ == "__main__":
    main()
