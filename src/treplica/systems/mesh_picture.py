"""The picture of a seeing mesh: images, what is read back of them, the patch they reach, the mesh, both rates."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.analysis import population_rate, style
from treplica.analysis.pictures import draw_spikes
from treplica.coding import SpikeTrains
from treplica.systems.mesh import read_back

#: Images beyond this many would be too small to see; every second, third, ... is drawn then.
MOST_IMAGES = 40


def seeing_mesh_picture(
    spikes: SpikeTrains,
    images: NDArray[np.floating[Any]],
    start: float,
    window: float,
    path: str | os.PathLike[str] | None = None,
) -> Any:
    """Over the same time: images, answers, raster of their patch, raster of the mesh, mean rates of patch and rest.

    spikes: of the whole mesh, whose first neurons, one for each pixel, are the patch. images: [m, h, w] in 0 … 1, the
    first shown from `start` ms on, each for `window` ms.
    """
    pixels = int(np.prod(images.shape[1:]))
    figure = style.new_figure(10.0, 7.0)
    sheets = figure.subplots(5, 1, sharex=True, height_ratios=(0.3, 0.3, 2.2, 2.2, 1.1))
    answers = read_back(spikes, images, start, window)
    _thumbnails(sheets[0], images, start, window, "shown")
    _thumbnails(sheets[1], answers, start, window, "read back from spikes")
    axes = sheets[1:]
    title = "Handwritten images on a small-world mesh"
    sheets[0].set_title(title, fontsize=style.TITLE, color=style.INK, loc="left")
    ids = np.arange(spikes.size)
    patch = spikes.select(ids[:pixels])
    draw_spikes(axes[1], patch, ids[:pixels], 1.0)
    style.tidy(axes[1], "", "neuron of the patch")
    style.note(axes[1], f"the {pixels} neurons that the images reach: {len(patch):,} spikes")
    draw_spikes(axes[2], spikes, ids, 1.0)
    style.tidy(axes[2], "", "neuron of the mesh")
    style.note(axes[2], f"all {spikes.size:,} neurons: {len(spikes):,} spikes")
    for ax in axes[1:3]:
        style.whole_numbers(ax.yaxis)
        for edge in start + window * np.arange(len(images)):
            ax.axvline(edge, color=style.GREY, alpha=0.3, linewidth=0.5, zorder=0)
    _rates(axes[3], patch, spikes, pixels)
    axes[3].set_xlim(spikes.start, spikes.stop)
    figure.align_ylabels(axes)
    return style.keep(figure, path)


def _thumbnails(ax: Any, images: NDArray[np.floating[Any]], start: float, window: float, label: str) -> None:
    """Each image above the time for which it is shown."""
    every = max(1, -(-len(images) // MOST_IMAGES))
    for index in range(0, len(images), every):
        left = start + window * index
        extent = (left, left + every * window, 0.0, 1.0)
        ax.imshow(images[index], extent=extent, aspect="auto", cmap="Greys", vmin=0.0, vmax=1.0)
    ax.set_ylim(0.0, 1.0)
    ax.axis("off")
    where = {"transform": ax.transAxes, "ha": "left", "va": "center"}
    ax.text(0.0, 0.5, label, fontsize=style.TICK, color=style.GREY, **where)


def _rates(ax: Any, patch: SpikeTrains, spikes: SpikeTrains, pixels: int) -> None:
    """The mean rate of the patch, and of the rest of the mesh."""
    rest = spikes.select(np.arange(pixels, spikes.size)) if spikes.size > pixels else patch
    for trains, colour, label in ((patch, style.ACCENT, "patch"), (rest, style.BLUE, "rest of the mesh")):
        times, hertz = population_rate(trains, 10.0 * trains.dt)
        ax.plot(times, hertz, color=colour, linewidth=0.9, label=label)
    ax.set_ylim(0.0, None)
    above = {"loc": "lower left", "bbox_to_anchor": (0.0, 0.95), "borderaxespad": 0.0}
    ax.legend(frameon=False, fontsize=style.TICK, ncols=2, **above)
    style.tidy(ax, "time (ms)", "rate (Hz)")
    style.note(ax, f"bins of {10.0 * patch.dt:g} ms")
