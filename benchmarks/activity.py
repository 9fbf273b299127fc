"""Cost follows activity: wall time against the number of neurons, and against their rate, on the silent mesh.

    python benchmarks/activity.py             both pictures, with NEST and Brian2 at the sizes that they hold
    python benchmarks/activity.py --alone     without peers
    python benchmarks/activity.py --pictures  nothing is measured: pictures and table of the figures there are

First the same number of spikes per second from outside in 10^5 to 4.2 * 10^7 neurons; then 100,000 neurons at
rates from 0.01 to 100 Hz. Writes results/activity.json, pictures/cost-against-*.png and the table of README.md.
"""

import argparse
import json
import sys
from datetime import date
from pathlib import Path

from tables import fill, lines, number, provenance

from treplica.analysis.style import ACCENT, BLUE, GREY, TICK, keep, new_figure, tidy
from treplica.benchmarks import BENCHMARKS
from treplica.benchmarks.measure import measure
from treplica.benchmarks.peers import run_peer
from treplica.benchmarks.progress import Progress
from treplica.benchmarks.report import busy_cores, machine, versions

HERE = Path(__file__).parent
#: spikes per second from outside, over all neurons
SPIKES = 16_000.0
SIZES = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 42_000_000)
NEURONS, RATES = 100_000, (0.01, 0.1, 0.3, 1.0, 3.0, 7.8, 30.0, 100.0)
#: networkx makes the graph of a peer, in minutes and gigabytes beyond these
HELD = {"nest": 1_000_000, "brian2": 300_000}
WALL = "wall_s_per_model_s"
STYLE = {"treplica": (BLUE, "o", "Treplica"), "nest": (ACCENT, "s", "NEST"), "brian2": (GREY, "^", "Brian2")}


def one(neurons: int, rate: float, peers: tuple[str, ...], threads: int = 2, repeats: int = 5) -> dict:
    """The figures of one network, of everyone who holds it."""
    print(f"activity: {neurons:,} neurons, {rate:g} Hz", file=sys.stderr, flush=True)
    entry = BENCHMARKS["mesh"].driven_by("spikes")
    settings = {**entry.settings, "neurons": neurons, "rate": rate}
    timing = dict(dt=entry.dt, warm_up_ms=500.0, seconds=1.0, repeats=repeats, seed=entry.seed)
    told = {**settings, **timing, "threads": threads, "precision": entry.precision}
    found = {"treplica": measure(entry, settings, told, threads, Progress("activity", False))}
    for peer in peers:
        if neurons <= HELD[peer]:
            alone = {**settings, **timing, "threads": threads, "repeats": 1 if neurons > NEURONS else 3}
            found[peer] = run_peer("mesh", peer, alone)["figures"]
    return {"neurons": neurons, "rate": rate, "figures": found}


def write(report: dict) -> None:
    """The table and the pictures."""
    (HERE / "results" / "activity.json").write_text(json.dumps(report, indent=1) + "\n")
    readme = HERE / "README.md"
    readme.write_text(fill(readme.read_text(), "activity", table(report)))
    (HERE / "pictures").mkdir(exist_ok=True)
    sizes = picture(report["sizes"], "neurons", "neurons, with 16,000 spikes a second from outside")
    keep(sizes, HERE / "pictures" / "cost-against-neurons.png")
    rates = picture(report["rates"], "rate", "spikes from outside for each of 100,000 neurons (Hz)")
    keep(rates, HERE / "pictures" / "cost-against-rate.png")


def table(report: dict) -> str:
    """One row for each network."""
    head = [
        "neurons",
        "from outside, Hz",
        "spikes per s",
        "updates skipped",
        "Treplica, s",
        "NEST, s",
        "Brian2, s",
    ]
    rows = []
    for run in [*report["sizes"], *report["rates"]]:
        ours = run["figures"]["treplica"]
        row = [f"{run['neurons']:,}", number(run["rate"]), f"{ours['mean_rate_hz'] * run['neurons']:,.0f}"]
        row.append(f"{ours['skipped_updates']:.2%}")
        rows.append([*row, *(number(run["figures"].get(who, {}).get(WALL)) for who in STYLE)])
    return f"{lines(head, rows)}\n\n{provenance([report])}"


def picture(runs: list[dict], key: str, label: str):
    """Wall times against one quantity; both axes are logarithmic."""
    figure = new_figure(6.0, 4.2)
    ax = figure.add_subplot()
    ax.set_xscale("log")
    ax.set_yscale("log")
    for who, (colour, mark, name) in STYLE.items():
        there = [run for run in runs if who in run["figures"]]
        walls = [run["figures"][who][WALL] for run in there]
        ax.plot([run[key] for run in there], walls, f"{mark}-", color=colour, ms=5.0, label=name)
    ax.legend(frameon=False, fontsize=TICK)
    ax.margins(y=0.2)
    tidy(ax, label, "wall time for a second of model time (s)")
    return figure


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--alone", action="store_true", help="without peers")
    options.add_argument("--pictures", action="store_true", help="measure nothing")
    given = options.parse_args()
    kept = HERE / "results" / "activity.json"
    if given.pictures:
        write(json.loads(kept.read_text()))
        return
    peers = () if given.alone else tuple(HELD)
    report = {
        "date": date.today().isoformat(),
        "machine": {**machine(), "busy_cores": busy_cores()},
        "versions": {**versions(), "nest": versions().get("nest-simulator")},
        "sizes": [one(neurons, SPIKES / neurons, peers) for neurons in SIZES],
        "rates": [one(NEURONS, rate, peers) for rate in RATES],
    }
    write(report)
    print(table(report))


if __name__ == "__main__":
    main()
