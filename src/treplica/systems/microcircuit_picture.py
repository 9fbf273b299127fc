"""The picture of the microcircuit: spikes of all populations, layer under layer, and their mean rates."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

import treplica as tr
from treplica.analysis import mean_rate, style
from treplica.errors import InvalidValue
from treplica.systems.microcircuit_parameters import EXCITATORY, POPULATIONS

#: Neurons drawn in all, so that single spikes can be told apart.
MOST_NEURONS = 4000


def microcircuit_picture(
    spikes: Mapping[str, tr.SpikeTrains], path: str | os.PathLike[str] | None = None
) -> Any:
    """Spikes over time, the same share of every population, L23E on top; beside them the mean rates.

    spikes: by name of the population, all eight, over the same time. Returns a matplotlib Figure, written to `path`
    unless that is None. Raises InvalidValue; MissingExtra without matplotlib.
    """
    missing = [name for name in POPULATIONS if name not in spikes]
    if missing:
        raise InvalidValue("populations of the picture", ", ".join(spikes), f"all eight, with {missing[0]}")
    share = min(1.0, MOST_NEURONS / sum(spikes[name].size for name in POPULATIONS))
    figure = style.new_figure(9.0, 5.2)
    left, right = figure.subplots(1, 2, width_ratios=(4.0, 1.0))
    colours = [style.BLUE if excitatory else style.ACCENT for excitatory in EXCITATORY]
    top, middles = 0, []
    for name, colour in zip(POPULATIONS, colours, strict=True):
        trains = spikes[name]
        kept = trains.select(
            np.linspace(0, trains.size - 1, max(1, round(share * trains.size))).astype(np.int64)
        )
        left.scatter(kept.times, top + kept.ids, s=1.2, color=colour, linewidths=0.0, rasterized=True)
        middles.append(top + 0.5 * kept.size)
        top += kept.size
    left.set_ylim(top, 0)
    left.set_xlim(trains.start, trains.stop)
    left.set_yticks(middles, POPULATIONS)
    style.tidy(left, "time (ms)", "", "Potjans–Diesmann microcircuit")
    style.note(left, f"{share:.0%} of the neurons")
    right.barh(range(8), [mean_rate(spikes[name]) for name in POPULATIONS], color=colours)
    right.set_ylim(7.5, -0.5)
    right.set_yticks(range(8), POPULATIONS)
    style.tidy(right, "mean rate (Hz)")
    return style.keep(figure, path)
