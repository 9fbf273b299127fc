"""Does the microcircuit spike as it does in NEST? Distributions over neurons, seed by seed, in both simulators.

    python benchmarks/microcircuit_statistics.py run FOLDER --simulator nest --scale 0.1 --seeds 1 2 3 4 5
    python benchmarks/microcircuit_statistics.py run FOLDER --simulator treplica --scale 0.1 --seeds 1 2 3 4 5
    python benchmarks/microcircuit_statistics.py compare FOLDER

`run` keeps the spikes of 10 s of model time without the first one, one file for each seed; what is there is not run
again. `compare` takes every run in the folder: for each population the distributions of the firing rate, of the
coefficient of variation of the intervals (neurons with three spikes or more) and of the pairwise correlation (bins of
2 ms, 200 neurons that spiked); the Kolmogorov-Smirnov distance between every two runs; and whether runs of different
simulators are farther from each other than runs of one. It writes results/microcircuit_statistics.json, the tables of
README.md and docs/images/microcircuit_statistics.png. As van Albada et al. 2018, doi:10.3389/fninf.2018.00291.
"""

import argparse
import itertools
import json
import os
import re
from datetime import date
from pathlib import Path

import numpy as np
from microcircuit_statistics_report import picture, tables
from tables import fill

from treplica import Simulation, SpikeTrains
from treplica.analysis import correlation, cv, rates
from treplica.benchmarks.microcircuit import description
from treplica.benchmarks.peers import run_peer
from treplica.benchmarks.report import machine, versions
from treplica.systems.microcircuit import microcircuit
from treplica.systems.microcircuit_parameters import DT, POPULATIONS, circuit

HERE = Path(__file__).parent
DISCARDED_MS = 1000.0
SIMULATORS = ("nest", "treplica")
#: what a run of a population is reduced to: one number for each neuron, or for each pair
STATISTICS = {
    "rate": lambda trains: rates(trains),
    "cv": lambda trains: cv(trains, min_spikes=3).values,
    "correlation": lambda trains: correlation(trains, bin=2.0, neurons=200).pairs,
}


def run_nest(scale: float, seed: int, seconds: float, threads: int, path: Path) -> None:
    """A run of the peer, which keeps the spikes itself."""
    measured = {"warm_up_ms": DISCARDED_MS, "seconds": seconds - DISCARDED_MS / 1000.0, "repeats": 1}
    settings = {**description(scale), **measured, "seed": seed, "threads": threads, "spikes": str(path)}
    print(json.dumps(run_peer("microcircuit", "nest", settings)["figures"]), flush=True)


def run_treplica(scale: float, seed: int, seconds: float, threads: int, path: Path) -> None:
    """The same here."""
    network = microcircuit(scale, seed=seed)
    probes = [network.record(network.population(name), "spikes") for name in POPULATIONS]
    arrays = {}
    with Simulation(network, dt=DT, threads=threads, quiet=True) as sim:
        sim.run(1000.0 * seconds)
        for k, probe in enumerate(probes):
            kept = sim[probe].between(DISCARDED_MS, 1000.0 * seconds)
            arrays |= {f"steps_{k}": kept.steps.astype(np.int32), f"ids_{k}": kept.ids.astype(np.int32)}
        print(sim.summary(), flush=True)
    np.savez_compressed(path, **arrays)


def run(chosen: argparse.Namespace) -> None:
    """Every seed that is not there yet."""
    chosen.folder.mkdir(parents=True, exist_ok=True)
    simulate = run_nest if chosen.simulator == "nest" else run_treplica
    for seed in chosen.seeds:
        path = chosen.folder / f"{chosen.simulator}-{chosen.scale:g}-{seed}.npz"
        if path.exists():
            continue
        print(f"{path.name}: {chosen.seconds:g} s of model time", flush=True)
        beside = path.with_suffix(".part.npz")
        simulate(chosen.scale, seed, chosen.seconds, chosen.threads, beside)
        beside.rename(path)


def read(path: Path, scale: float, seconds: float) -> dict[str, dict[str, np.ndarray]]:
    """Population -> statistic -> its values in one run."""
    first, last = round(DISCARDED_MS / DT), round(1000.0 * seconds / DT)
    found = {}
    with np.load(path) as kept:
        for k, (name, size) in enumerate(zip(POPULATIONS, circuit(scale).neurons.tolist(), strict=True)):
            trains = SpikeTrains(kept[f"steps_{k}"], kept[f"ids_{k}"], size, DT, last - first, first)
            found[name] = {statistic: reduce(trains) for statistic, reduce in STATISTICS.items()}
    return found


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """Kolmogorov-Smirnov: the largest gap between two distribution functions; 1 if one of them has no value.

    As scipy.stats.ks_2samp, without the probability, which needs more values than a small population has.
    """
    if not (first.size and second.size):
        return float(first.size != second.size)
    at = np.concatenate([first, second])
    gap = [np.searchsorted(np.sort(sample), at, side="right") / sample.size for sample in (first, second)]
    return float(np.abs(gap[0] - gap[1]).max())


def distances(samples: list[np.ndarray]) -> np.ndarray:
    """Between every two samples, [n, n]."""
    matrix = np.zeros((len(samples), len(samples)))
    for i, j in itertools.combinations(range(len(samples)), 2):
        matrix[i, j] = matrix[j, i] = distance(samples[i], samples[j])
    return matrix


def excess(matrix: np.ndarray, ours: np.ndarray) -> np.ndarray:
    """Mean distance across two groups less that within them; ours: 0 or 1, [divisions, n]."""
    across = np.einsum("di,ij,dj->d", ours, matrix, 1.0 - ours)
    here = ours.sum(axis=1)
    pairs = here * (ours.shape[1] - here)
    all_pairs = ours.shape[1] * (ours.shape[1] - 1) / 2
    return across / pairs - (matrix.sum() / 2 - across) / (all_pairs - pairs)


def exchangeable(matrix: np.ndarray, theirs: int) -> float | None:
    """Share of all divisions of the runs into two groups of these sizes that are at least as far apart.

    The first `theirs` runs are one group; with a single one this is its rank among all. None below three runs.
    """
    n = len(matrix)
    if n < 3 or not 0 < theirs < n:
        return None
    divisions = np.array([np.isin(range(n), ours) for ours in itertools.combinations(range(n), n - theirs)])
    observed = np.arange(n)[np.newaxis] >= theirs
    found = excess(matrix, divisions.astype(float))
    return float(np.mean(found >= excess(matrix, observed.astype(float)) - 1e-12))


def compared(nest: list[np.ndarray], treplica: list[np.ndarray]) -> dict:
    """Means, distances of the three kinds of pairs, and how probable they are if the simulators do not differ."""
    matrix, split = distances([*nest, *treplica]), len(nest)
    upper = np.triu(np.ones_like(matrix, dtype=bool), 1)

    def kind(rows: slice, columns: slice) -> list[float]:
        return np.round(matrix[rows, columns][upper[rows, columns]], 5).tolist()

    within_nest, across = kind(slice(split), slice(split)), kind(slice(split), slice(split, None))
    return {
        "mean": {
            name: float(np.mean(np.concatenate(runs))) if sum(map(len, runs)) else None
            for name, runs in zip(SIMULATORS, (nest, treplica), strict=True)
        },
        "nest_nest": within_nest,
        "treplica_nest": across,
        "treplica_treplica": kind(slice(split, None), slice(split, None)),
        "within": bool(np.mean(across) <= max(within_nest)) if within_nest and across else None,
        "p": exchangeable(matrix, split),
    }


def compare(chosen: argparse.Namespace) -> None:
    """Every scale in the folder."""
    pattern = re.compile(r"(nest|treplica)-([\d.]+)-(\d+)\.npz")
    names = [found for p in sorted(chosen.folder.iterdir()) if (found := pattern.fullmatch(p.name))]
    report = {"date": date.today().isoformat(), "machine": machine(), "versions": versions(), "scales": {}}
    samples = {}
    for scale in sorted({float(found[2]) for found in names}):
        runs = {
            simulator: {
                int(found[3]): read(chosen.folder / found[0], scale, chosen.seconds)
                for found in names
                if found[1] == simulator and float(found[2]) == scale
            }
            for simulator in SIMULATORS
        }
        samples[scale] = runs
        report["scales"][f"{scale:g}"] = {
            "seeds": {simulator: sorted(of) for simulator, of in runs.items()},
            "populations": {
                name: {
                    s: compared(*([r[name][s] for r in runs[simulator].values()] for simulator in SIMULATORS))
                    for s in STATISTICS
                }
                for name in POPULATIONS
            },
        }
    write(report, samples, chosen)


def write(report: dict, samples: dict, chosen: argparse.Namespace) -> None:
    """The figures, the tables and the picture of the largest scale at which both simulators ran."""
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "microcircuit_statistics.json").write_text(json.dumps(report, indent=1) + "\n")
    text = tables(report)
    print(text)
    if chosen.readme:
        chosen.readme.write_text(fill(chosen.readme.read_text(), "microcircuit-statistics", text))
    both = [scale for scale, runs in samples.items() if all(runs[simulator] for simulator in SIMULATORS)]
    if both and chosen.picture:
        picture(samples[max(both)], max(both), chosen.picture)


def parser() -> argparse.ArgumentParser:
    """Two commands."""
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run", help="simulate, one file of spikes for each seed")
    one.add_argument("--simulator", choices=SIMULATORS, required=True)
    one.add_argument("--scale", type=float, default=0.1)
    one.add_argument("--seeds", type=int, nargs="+", required=True)
    one.add_argument("--threads", type=int, default=os.cpu_count())
    two = commands.add_parser("compare", help="distances, tables, picture")
    two.add_argument("--out", type=Path, default=HERE / "results", help="folder of the figures")
    two.add_argument(
        "--readme", type=Path, default=HERE / "README.md", help="page with the mark of the tables"
    )
    image = HERE.parent / "docs" / "images" / "microcircuit_statistics.png"
    two.add_argument("--picture", type=Path, default=image)
    for command in (one, two):
        command.add_argument("folder", type=Path, help="folder of the spikes, outside of the repository")
        command.add_argument(
            "--seconds", type=float, default=10.0, help="model time, the first second included"
        )
    return top


if __name__ == "__main__":
    arguments = parser().parse_args()
    {"run": run, "compare": compare}[arguments.command](arguments)
