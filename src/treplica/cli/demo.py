"""`treplica demo`: real images in, spikes out, on the founding blueprint's mesh."""

from __future__ import annotations

import argparse
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica import coding
from treplica.cli.run import write_summary
from treplica.cli.terminal import console, print_json, print_table, run_with_bar
from treplica.coding import SpikeTrains
from treplica.connectivity import graph
from treplica.errors import InvalidValue, MissingExtra
from treplica.simulation import Simulation
from treplica.simulation.recorders import prepare_folder
from treplica.systems.mesh import SeeingMesh, seeing_mesh

WARM_UP_MS = 500.0
SIDE = 28  # pixels of the input sheet, each way
CUT = 0.2  # darker pixels stay silent


def main(chosen: argparse.Namespace) -> int:
    """Build, warm up, show the images, write and print the results."""
    _check_picture(chosen)
    images = _images(chosen.images, math.ceil(chosen.duration / chosen.window))
    folder = prepare_folder(chosen.out or Path("runs") / datetime.now().strftime("demo-%Y%m%d-%H%M%S"))
    system = seeing_mesh(chosen.neurons, SIDE * SIDE)
    sim = Simulation(
        system.network,
        dt=1.0,
        engine=chosen.engine,
        threads=chosen.threads,
        precision=chosen.precision,
        seed=chosen.seed,
        quiet=chosen.json,
    )
    with sim:
        shown = coding.latency(images, window=chosen.window, dt=1.0, cut=CUT)
        run_with_bar(sim, WARM_UP_MS, "warming up", show=not chosen.json)
        sim.feed(system.eye, shown)
        try:
            run_with_bar(sim, chosen.duration, "simulating", show=not chosen.json)
        finally:
            files = _write(folder, system, sim, shown, picture=not chosen.no_picture)
        figures = _figures(system, sim, shown, chosen.window)
        write_summary(folder / "summary.json", figures)
    if chosen.json:
        print_json({**figures, "folder": str(folder), "files": files})
    else:
        _show(sim, figures, folder, files)
    return 0


def _check_picture(chosen: argparse.Namespace) -> None:
    """Refuse before a long run what would fail after it."""
    for name in ("duration", "window"):
        if not (math.isfinite(getattr(chosen, name)) and getattr(chosen, name) > 0.0):
            raise InvalidValue(f"--{name}", getattr(chosen, name), "a finite number > 0 ms")
    from importlib.util import find_spec

    if not chosen.no_picture and find_spec("matplotlib") is None:
        raise MissingExtra("matplotlib", "plot", "The raster picture (or use --no-picture)")


def _images(name: str, count: int) -> NDArray[np.float64]:
    """`count` images of SIDE x SIDE in [0, 1], from the beginning again where there are fewer."""
    if name == "digits":
        images, _ = coding.digits()
    elif name == "mnist":
        images, _ = coding.mnist("test")
    else:
        images = coding.read_images(name)
    images = coding.resize(np.asarray(images, dtype=np.float64)[:count], SIDE, SIDE)
    return np.resize(images, (count, SIDE, SIDE))


def _write(
    folder: Path, system: SeeingMesh, sim: Simulation, shown: SpikeTrains, *, picture: bool
) -> list[str]:
    """The files of the run, also of one that was interrupted."""
    spikes = sim[system.spikes]
    spikes.save(folder / "spikes.h5")
    shown.save(folder / "images.h5")
    system.network.save(folder / "network.json")
    names = ["spikes.h5", "images.h5", "network.json", "summary.json"]
    if picture:
        from treplica.analysis import raster

        raster(spikes, folder / "raster.png", title="Digits on a small-world mesh")
        names.append("raster.png")
    return names


def _graph_figures(system: SeeingMesh, sim: Simulation) -> dict[str, float]:
    """Clustering and path length of the mesh, beside those of a ring and of a random graph of the same degree."""
    rows = next(s for s in sim.plan.synapses if s.name == "mesh_mesh")
    n, k = system.mesh.size, len(rows.targets) / system.mesh.size
    return {
        "clustering": graph.clustering_coefficient(rows.indptr, rows.targets),
        "clustering_of_ring": graph.ring_lattice_clustering(round(k)),
        "clustering_of_random_graph": graph.random_graph_clustering(n, k),
        "mean_path_length": graph.mean_path_length(rows.indptr, rows.targets, samples=20, seed=sim.seed),
        "mean_path_length_of_ring": graph.ring_lattice_path_length(n, round(k)),
        "mean_path_length_of_random_graph": graph.random_graph_path_length(n, k),
    }


def _figures(system: SeeingMesh, sim: Simulation, shown: SpikeTrains, window: float) -> dict[str, Any]:
    """The summary of the run, of the graph, and of the mesh's answer to the images."""
    spikes: SpikeTrains = sim[system.spikes]
    pixels, size = system.eye.size, system.mesh.size
    seen_ms = sim.time - WARM_UP_MS
    before = spikes.between(0.0, WARM_UP_MS)
    after = spikes.between(WARM_UP_MS, sim.time)
    patch = int((after.ids < pixels).sum())
    return {
        **sim.summary().as_dict(),
        **_graph_figures(system, sim),
        "images_shown": int(seen_ms / window),
        "spikes_of_eye": len(shown.between(0.0, seen_ms)),
        "rate_before_images_hz": len(before) / size / WARM_UP_MS * 1000.0,
        "rate_of_patch_hz": patch / pixels / seen_ms * 1000.0,
        "rate_of_rest_hz": (len(after) - patch) / max(1, size - pixels) / seen_ms * 1000.0,
    }


def _show(sim: Simulation, figures: dict[str, Any], folder: Path, files: list[str]) -> None:
    console.print(str(sim.summary()))
    rows = [
        (
            "clustering coefficient",
            *(f"{figures[f'clustering{x}']:.4f}" for x in ("", "_of_ring", "_of_random_graph")),
        ),
        (
            "mean path length",
            *(f"{figures[f'mean_path_length{x}']:.1f}" for x in ("", "_of_ring", "_of_random_graph")),
        ),
    ]
    console.print()
    print_table("", rows, ("graph", "mesh", "ring", "random graph"))
    console.print()
    rates = [
        ("before the images", f"{figures['rate_before_images_hz']:.3f} Hz"),
        ("where the eye looks on", f"{figures['rate_of_patch_hz']:.3f} Hz"),
        ("elsewhere", f"{figures['rate_of_rest_hz']:.3f} Hz"),
    ]
    print_table("", rates, ("mean rate of the mesh", ""))
    console.print(f"\n{folder}: {', '.join(files)}")
