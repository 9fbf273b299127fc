"""`treplica bench mesh`: the small-world mesh with Gaussian current noise, dt 1 ms."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from treplica.benchmarks.peers import check_peer, run_peer
from treplica.benchmarks.report import Figures, Report, medians
from treplica.engines.grid import steps_of
from treplica.network.checks import check_count, check_number
from treplica.simulation import Simulation
from treplica.systems.mesh import mesh

SETTINGS = {"k": 6, "p": 0.02, "weight": 10.0, "noise": 5.0, "refractory": 0.0}
WARM_UP_MS = 200.0


def run(
    *,
    neurons: int = 100_000,
    seconds: float = 1.0,
    threads: int | None = None,
    precision: str = "float64",
    repeats: int = 5,
    against: tuple[str, ...] = (),
    seed: int = 7,
) -> Report:
    """Measure the mesh; medians of `repeats` runs of `seconds` of model time each."""
    check_count("repeats", repeats, 1, 10_000)
    steps_of("seconds, in ms:", 1000.0 * check_number("seconds", seconds), dt=1.0, least=1)
    for peer in against:
        check_peer("mesh", peer)
    settings = {"neurons": neurons, "seconds": seconds, "repeats": repeats, "seed": seed, **SETTINGS}
    report = Report("mesh", _measure(settings, threads, precision))
    used = int(report.figures["threads"])
    for peer in against:
        result = run_peer("mesh", peer, {**settings, "threads": used, "warm_up_ms": WARM_UP_MS})
        report.peers[peer] = result["figures"]
        report.versions[peer] = result["version"]
    return report


def _measure(settings: dict[str, Any], threads: int | None, precision: str) -> Figures:
    """Our side: build and simulate, then what starting costs in fresh processes."""
    build = {key: settings[key] for key in ("neurons", "k", "p", "weight", "noise", "refractory", "seed")}
    sim = _build(build, threads, precision)
    figures: Figures = medians(
        lambda: {"build_s": _timed_build(build, threads, precision)}, settings["repeats"]
    )
    sim.run(WARM_UP_MS)
    figures |= medians(lambda: _timed_run(sim, settings["seconds"]), settings["repeats"])
    summary = sim.summary()
    figures |= {
        "neurons": summary.neurons,
        "synapses": summary.synapses,
        "threads": sim.engine.threads,
        "mean_rate_hz": summary.mean_rate_hz,
        "bytes_per_neuron": summary.bytes_per_neuron,
        "bytes_per_synapse": summary.bytes_per_synapse,
        "peak_memory_bytes": summary.peak_memory_bytes,
    }
    sim.close()
    return figures | _starting()


def _build(build: dict[str, Any], threads: int | None, precision: Any) -> Simulation:
    return Simulation(mesh(**build), dt=1.0, threads=threads, precision=precision, quiet=True)


def _timed_build(build: dict[str, Any], threads: int | None, precision: str) -> float:
    """From the description to a simulation that can run, kernels loaded."""
    started = time.perf_counter()
    sim = _build(build, threads, precision)
    elapsed = time.perf_counter() - started
    sim.close()
    return elapsed


def _timed_run(sim: Simulation, seconds: float) -> Figures:
    events, started = sim.engine.synaptic_events, time.perf_counter()
    sim.run(1000.0 * seconds)
    wall = time.perf_counter() - started
    return {
        "wall_s_per_model_s": wall / seconds,
        "synaptic_events_per_s": (sim.engine.synaptic_events - events) / wall,
    }


_FIRST_RUN = """
import json, time
started = time.perf_counter()
import treplica
imported = time.perf_counter() - started
from treplica.systems.mesh import mesh
sim = treplica.Simulation(mesh(1000), dt=1.0, quiet=True)
sim.run(1.0)
print(json.dumps({"import_s": imported, "start_s": time.perf_counter() - started}))
"""


def _starting() -> Figures:
    """Time to import, and from nothing to the end of a first millisecond, without and with compiled kernels."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "TREPLICA_CACHE": folder, "NUMBA_CACHE_DIR": folder}

        def first_run() -> Figures:
            done = subprocess.run(
                [sys.executable, "-c", _FIRST_RUN],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            result: Figures = json.loads(done.stdout)
            return result

        cold = first_run()
        warm = medians(first_run, 3)
    return {"import_s": warm["import_s"], "first_start_s": cold["start_s"], "later_start_s": warm["start_s"]}
