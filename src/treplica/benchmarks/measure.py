"""`treplica bench NAME`: medians of several runs, and peers beside them."""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from treplica import Simulation
from treplica.benchmarks.beside import compare, if_kept
from treplica.benchmarks.peers import check_peer, run_peer
from treplica.benchmarks.progress import Progress
from treplica.benchmarks.report import Figures, Report, busy_cores, medians
from treplica.benchmarks.starting import starting
from treplica.benchmarks.table import Benchmark, chosen
from treplica.connectivity.parallel import available_threads
from treplica.engines.grid import steps_of
from treplica.network.checks import check_count, check_number


def run(
    name: str,
    *,
    choices: Mapping[str, Any] | None = None,
    seconds: float | None = None,
    threads: int | None = None,
    precision: str | None = None,
    repeats: int | None = None,
    against: tuple[str, ...] = (),
) -> Report:
    """Measure a network of the table; medians of `repeats` runs of `seconds` of model time each.

    choices: settings of the network, such as {"neurons": 40_000}. threads: of peers too, if they have threads (None: a
    choice here, every core there). A drive that was chosen is said on standard error. Raises what the settings deserve
    before anything is measured.
    """
    entry, settings, why = chosen(name, choices or {})
    precision = precision or entry.precision
    repeats = check_count("repeats", entry.repeats if repeats is None else repeats, 1, 10_000)
    seconds = entry.seconds if seconds is None else check_number("seconds", seconds)
    steps_of("seconds, in ms:", 1000.0 * seconds, dt=entry.dt, least=1)
    numbers = entry.for_peers(**settings)
    for peer in against:
        check_peer(name, peer)
    timing = dict(dt=entry.dt, warm_up_ms=entry.warm_up_ms, seconds=seconds, repeats=repeats, seed=entry.seed)
    most = threads or available_threads()
    report = Report(name, {}, settings={**settings, **timing, "threads": most, "precision": precision})
    if why:
        print(f"treplica: {name} driven by {settings['drive']}, {why}", file=sys.stderr, flush=True)
    report.machine["busy_cores"] = busy_cores()
    progress = Progress(name, entry.long)
    if entry.beside:
        report.beside = compare(name, settings, report.settings, threads, progress)
    look = if_kept if entry.beside else nothing
    report.figures = measure(entry, settings, report.settings, threads, progress, look)
    report.figures |= starting(name, precision, settings.get("drive", ""))
    for peer in against:
        progress.say(f"{peer} builds and runs the same network")
        result = run_peer(name, peer, {**numbers, **timing, "threads": most})
        report.peers[peer] = result["figures"]
        report.versions[peer] = result["version"]
    return report


def nothing(_: Simulation) -> Figures:
    """No further figures."""
    return {}


def measure(
    entry: Benchmark,
    settings: dict[str, Any],
    timing: dict[str, Any],
    threads: int | None,
    progress: Progress,
    look: Callable[[Simulation], Figures] = nothing,
) -> Figures:
    """Build several times, simulate the last one. look: gives further figures at the end."""
    with tempfile.TemporaryDirectory() as folder:
        sim, build_s = _build(entry, settings, timing, threads, progress, Path(folder))
        with sim:
            sim.run(timing["warm_up_ms"], progress.of("warming up"))
            runs = _runs(sim, timing["seconds"], timing["repeats"], progress)
            summary = sim.summary()
            return {
                "build_s": build_s,
                **runs,
                "neurons": summary.neurons,
                "synapses": summary.synapses,
                "threads": sim.engine.threads,
                "skipped_updates": summary.skipped_updates,
                "bytes_per_neuron": summary.bytes_per_neuron,
                "bytes_per_synapse": summary.bytes_per_synapse,
                "peak_memory_bytes": summary.peak_memory_bytes,
                **look(sim),
            }


def _build(
    entry: Benchmark,
    settings: dict[str, Any],
    timing: dict[str, Any],
    threads: int | None,
    progress: Progress,
    folder: Path,
) -> tuple[Simulation, float]:
    """A simulation, and the median time from its description to where it can run.

    A small network comes first and loads the kernels. Each build is given up before the next: the peak of memory is
    that of one. folder: for spikes that are recorded.
    """
    how: dict[str, Any] = dict(
        dt=entry.dt, threads=threads, precision=timing["precision"], storage=entry.storage, quiet=True
    )
    progress.say("loading kernels")
    with Simulation(entry.small_network(), **how) as small:
        small.run(1.0)
    size = next((f" at {key} {settings[key]:g}" for key in ("neurons", "scale") if key in settings), "")
    progress.say(f"building{size}")
    walls: list[float] = []
    while True:
        started = time.perf_counter()
        network = entry.make(**settings, seed=timing["seed"])
        for name in entry.records:
            network.record(network.population(name), "spikes")
        record_to = folder / str(len(walls)) if entry.records else None
        sim = Simulation(network, record_to=record_to, **how)
        walls.append(time.perf_counter() - started)
        progress.say(f"built in {walls[-1]:.1f} s")
        if len(walls) == timing["repeats"]:
            return sim, statistics.median(walls)
        sim.close()
        del sim
        gc.collect()


def _runs(sim: Simulation, seconds: float, repeats: int, progress: Progress) -> Figures:
    """Runs that follow each other: medians of times; spikes and synaptic events counted over all of them."""
    first_event, first_spikes = sim.engine.synaptic_events, sim.spikes.copy()

    def timed() -> Figures:
        events, started = sim.engine.synaptic_events, time.perf_counter()
        sim.run(1000.0 * seconds, progress.of("running"))
        wall = time.perf_counter() - started
        per_s = (sim.engine.synaptic_events - events) / wall
        return {"wall_s_per_model_s": wall / seconds, "synaptic_events_per_s": per_s}

    figures = medians(timed, repeats)
    spikes = (sim.spikes - first_spikes).tolist()
    populations, model_s = sim.plan.populations, repeats * seconds
    figures |= {
        "synaptic_events": sim.engine.synaptic_events - first_event,
        "spikes": sum(spikes),
        "mean_rate_hz": sum(spikes) / model_s / sim.plan.neurons,
    }
    if len(populations) > 1:
        figures |= {
            f"rate_{p.name}_hz": n / model_s / p.size for p, n in zip(populations, spikes, strict=True)
        }
    return figures
