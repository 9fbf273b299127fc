"""`treplica demo`: real images in, spikes out, on the founding blueprint's mesh."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica import coding, datasets
from treplica.cli.run import write_summary
from treplica.cli.terminal import console, print_json, print_table, run_with_bar
from treplica.coding import SpikeTrains
from treplica.connectivity import graph, materialise
from treplica.errors import InvalidValue, MissingExtra
from treplica.simulation import Simulation
from treplica.simulation.recorders import prepare_folder
from treplica.systems.mesh import SeeingMesh, likeness, read_back, seeing_mesh
from treplica.systems.mesh_picture import seeing_mesh_picture

WARM_UP_MS = 500.0
SIDE = 28  # pixels of the input sheet, each way
CUT = 0.2  # darker pixels stay silent


@dataclass(frozen=True)
class _Show:
    """The images of a run, [m, SIDE, SIDE] in [0, 1], and the spikes that they become."""

    images: NDArray[np.float64]
    trains: SpikeTrains
    window: float


def main(chosen: argparse.Namespace) -> int:
    """Build, warm up, show the images, write and print the results."""
    _check(chosen)
    show = _show(chosen)
    folder = prepare_folder(chosen.out or Path("runs") / datetime.now().strftime("demo-%Y%m%d-%H%M%S"))
    seed = {} if chosen.seed is None else {"seed": chosen.seed}
    system = seeing_mesh(chosen.neurons, SIDE * SIDE, **seed)
    sim = Simulation(
        system.network,
        dt=1.0,
        engine=chosen.engine,
        threads=chosen.threads,
        precision=chosen.precision,
        quiet=chosen.json,
    )
    with sim:
        try:
            run_with_bar(sim, WARM_UP_MS, "warming up", show=not chosen.json)
            sim.feed(system.eye, show.trains)
            run_with_bar(sim, chosen.duration, "simulating", show=not chosen.json)
        finally:
            figures = _figures(system, sim, show)
            files = _write(folder, system, sim, show, figures, picture=not chosen.no_picture)
    if chosen.json:
        print_json({**figures, "folder": str(folder), "files": files})
    else:
        _print(sim, figures, folder, files)
    return 0


def _check(chosen: argparse.Namespace) -> None:
    """Refuse before a long run what would fail after it."""
    for name in ("duration", "window"):
        if not (math.isfinite(getattr(chosen, name)) and getattr(chosen, name) > 0.0):
            raise InvalidValue(f"--{name}", getattr(chosen, name), "a finite number > 0 ms")
    if not chosen.no_picture and find_spec("matplotlib") is None:
        raise MissingExtra("matplotlib", "plot", "The raster picture (or use --no-picture)")


def _show(chosen: argparse.Namespace) -> _Show:
    """As many images as the run has time for, from the beginning again where there are fewer."""
    if chosen.images == "digits":
        images = datasets.digits("all").inputs
    elif chosen.images == "mnist":
        images = datasets.mnist("test").inputs
    else:
        images = coding.read_images(chosen.images)
    count = math.ceil(chosen.duration / chosen.window)
    sized = coding.resize(np.asarray(images, dtype=np.float64)[:count], SIDE, SIDE)
    sized = sized[np.arange(count) % len(sized)]
    return _Show(sized, coding.latency(sized, window=chosen.window, dt=1.0, cut=CUT), chosen.window)


def _write(
    folder: Path, system: SeeingMesh, sim: Simulation, show: _Show, figures: dict[str, Any], *, picture: bool
) -> list[str]:
    """The files of the run, also of one that was interrupted."""
    spikes = sim[system.spikes]
    spikes.save(folder / "spikes.h5")
    show.trains.save(folder / "images.h5")
    system.network.save(folder / "network.json")
    write_summary(folder / "summary.json", figures)
    names = ["spikes.h5", "images.h5", "network.json", "summary.json"]
    if picture and sim.time > WARM_UP_MS:
        seeing_mesh_picture(spikes, show.images, WARM_UP_MS, show.window, folder / "raster.png")
        names.append("raster.png")
    return names


def _graph_figures(system: SeeingMesh, sim: Simulation) -> dict[str, float]:
    """Clustering and path length of the mesh, beside those of a ring and of a random graph of the same degree."""
    rows = next(c for c in sim.plan.connections if c.name == "mesh_mesh")
    indptr, targets = materialise(rows.rows)
    n, k = system.mesh.size, len(targets) / system.mesh.size
    return {
        "clustering": graph.clustering_coefficient(indptr, targets),
        "clustering_of_ring": graph.ring_lattice_clustering(round(k)),
        "clustering_of_random_graph": graph.random_graph_clustering(n, k),
        "mean_path_length": graph.mean_path_length(indptr, targets, samples=20, seed=sim.seed),
        "mean_path_length_of_ring": graph.ring_lattice_path_length(n, round(k)),
        "mean_path_length_of_random_graph": graph.random_graph_path_length(n, k),
    }


def _figures(system: SeeingMesh, sim: Simulation, show: _Show) -> dict[str, Any]:
    """The summary of the run, of the graph, and of the mesh's answer to the images."""
    spikes: SpikeTrains = sim[system.spikes]
    pixels, size = system.eye.size, system.mesh.size
    warm = min(WARM_UP_MS, sim.time)
    seen_ms = sim.time - warm
    before, after = spikes.between(0.0, warm), spikes.between(warm, sim.time)
    patch = int((after.ids < pixels).sum())
    answers = read_back(spikes, show.images, WARM_UP_MS, show.window)

    def rate(count: int, neurons: int, ms: float) -> float:
        return count / neurons / ms * 1000.0 if neurons and ms else 0.0

    return {
        **sim.summary().as_dict(),
        **_graph_figures(system, sim),
        "images_shown": len(answers),
        "likeness_of_answers": likeness(show.images, answers),
        "spikes_of_eye": len(show.trains.between(0.0, min(seen_ms, show.trains.duration))),
        "rate_before_images_hz": rate(len(before), size, warm),
        "rate_of_patch_hz": rate(patch, pixels, seen_ms),
        "rate_of_rest_hz": rate(len(after) - patch, size - pixels, seen_ms),
    }


def _print(sim: Simulation, figures: dict[str, Any], folder: Path, files: list[str]) -> None:
    kinds = ("", "_of_ring", "_of_random_graph")
    rows = [
        ("clustering coefficient", *(f"{figures[f'clustering{kind}']:.4f}" for kind in kinds)),
        ("mean path length", *(f"{figures[f'mean_path_length{kind}']:.1f}" for kind in kinds)),
    ]
    rates = [
        ("before the images", f"{figures['rate_before_images_hz']:.3f} Hz"),
        ("where the images arrive", f"{figures['rate_of_patch_hz']:.3f} Hz"),
        ("elsewhere", f"{figures['rate_of_rest_hz']:.3f} Hz"),
    ]
    console.print(str(sim.summary()))
    print_table("", rows, ("graph", "mesh", "ring", "random graph"))
    print_table("", rates, ("mean rate of the mesh", ""))
    shown, alike = figures["images_shown"], figures["likeness_of_answers"]
    answered = f"; read back from the spikes of the mesh, they correlate {alike:.2f}" if alike else ""
    console.print(f"\n{shown} images shown{answered}")
    console.print(f"results in {folder}: {', '.join(files)}")
