"""Pictures of spikes and traces; each function returns a matplotlib `Figure` and writes it where a path is given.

All of them raise `MissingExtra` without matplotlib, `InvalidValue` for a file type it does not know and `OutputError`
for a place that cannot be written.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.analysis import style
from treplica.analysis.dependence import power_spectrum
from treplica.analysis.irregularity import cv, intervals, isi_histogram
from treplica.analysis.statistics import mean_rate, population_rate, rates
from treplica.coding.grid import check_count
from treplica.coding.traces import Traces
from treplica.coding.trains import SpikeTrains
from treplica.errors import InvalidValue

Path = str | os.PathLike[str] | None

DOTS = 20_000
"""Up to this many spikes are drawn as single marks; more become an image of their density."""

_GRID = (900, 300)  # cells of that image: about two pixels each


def raster(
    trains: SpikeTrains,
    path: Path = None,
    rate: bool = True,
    max_neurons: int | None = None,
    title: str | None = None,
    bin: float | None = None,
) -> Any:
    """Every spike over time, and the population rate below.

    - `rate`: whether to draw the population rate, in bins of `bin` ms (None: about 250 of them)
    - `max_neurons`: draw only this many neurons, evenly spaced in id (None: all); the rate is of all of them
    """
    if not trains.n_steps:
        raise InvalidValue("duration", trains.duration, "> 0 ms")
    figure = style.new_figure(8.0, 4.6 if rate else 3.6)
    axes = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1.0)) if rate else [figure.subplots()]
    scale, time_label = style.time_scale(trains.stop)
    shown, ids = trains, np.arange(trains.size)
    if max_neurons is not None and check_count("max_neurons", max_neurons, 1) < trains.size:
        ids = np.linspace(0, trains.size - 1, max_neurons).round().astype(np.int64)
        shown = trains.select(ids)
    draw_spikes(axes[0], shown, ids, scale)
    style.tidy(axes[0], "" if rate else time_label, "neuron", title)
    style.whole_numbers(axes[0].yaxis)
    style.note(axes[0], _numbers(trains, len(ids)))
    axes[0].set_xlim(trains.start * scale, trains.stop * scale)
    if rate:
        width = style.round_bin(trains.duration, 250, trains.dt) if bin is None else bin
        times, hertz = population_rate(trains, width)
        edges = np.append(times - width / 2, times[-1] + width / 2) * scale
        axes[1].stairs(hertz, edges, fill=True, color=style.BLUE, linewidth=0, alpha=0.85)
        axes[1].set_ylim(0.0, 1.08 * float(hertz.max()) or 1.0)
        style.tidy(axes[1], time_label, "rate (Hz)")
        style.note(axes[1], f"bins of {width:g} ms")
        figure.align_ylabels(axes)
    return style.keep(figure, path)


def draw_spikes(ax: Any, shown: SpikeTrains, ids: NDArray[Any], scale: float) -> None:
    """Draw spikes as marks, or as an image where there are too many to tell apart."""
    low, high = float(ids[0]), float(ids[-1])
    margin = max(0.5, 0.01 * (high - low))
    ax.set_ylim(low - margin, high + margin)
    if len(shown) <= DOTS:
        # a mark is as high as a neuron's share of the axis (2.4 inches), within what the eye can see
        size = float(np.clip(170.0 / len(ids), 1.1, 9.0))
        marker, width = ("|", 0.9) if size > 4.0 else ("o", 0.0)
        ax.scatter(
            shown.times * scale, ids[shown.ids], s=size * size, marker=marker, color=style.INK,
            linewidths=width, rasterized=True,
        )  # fmt: skip
        return
    columns, rows = min(_GRID[0], shown.n_steps), min(_GRID[1], len(ids))
    column = (shown.steps - shown.first_step - 1) * columns // shown.n_steps
    row = shown.ids.astype(np.int64) * rows // len(ids)
    density = np.bincount(row * columns + column, minlength=rows * columns).reshape(rows, columns)
    # Single spikes stay visible beside cells of many: the grey grows with the root of the count.
    full = max(float(np.quantile(density[density > 0], 0.99)), 1.0)
    grey = np.where(density > 0, 0.15 + 0.85 * np.sqrt(np.minimum(density / full, 1.0)), 0.0)
    extent = (shown.start * scale, shown.stop * scale, low - 0.5, high + 0.5)
    ax.imshow(
        grey, extent=extent, origin="lower", aspect="auto", cmap="Greys", vmin=0.0, vmax=1.0,
        interpolation="nearest",
    )  # fmt: skip


def _numbers(trains: SpikeTrains, drawn: int) -> str:
    neurons = (
        f"{trains.size:,} neurons" if drawn == trains.size else f"{drawn:,} of {trains.size:,} neurons shown"
    )
    spikes = f"{len(trains):,} spikes" + ("" if drawn == trains.size else " in all")
    return f"{neurons}, {spikes}, mean rate {mean_rate(trains):.3g} Hz"


def trace_plot(traces: Traces, path: Path = None, max_neurons: int = 6, title: str | None = None) -> Any:
    """One row per neuron with its state variable over time; at most `max_neurons`, evenly spaced in the recording."""
    if not len(traces) or not len(traces.ids):
        raise InvalidValue("traces", repr(traces), "at least one sample of one neuron")
    number = min(check_count("max_neurons", max_neurons, 1), len(traces.ids))
    chosen = np.linspace(0, len(traces.ids) - 1, number).round().astype(np.int64)
    figure = style.new_figure(8.0, 0.7 + 1.15 * number)
    axes = figure.subplots(number, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    scale, time_label = style.time_scale(float(traces.times[-1]))
    for ax, column in zip(axes, chosen, strict=True):
        ax.plot(traces.times * scale, traces.values[:, column], color=style.BLUE, linewidth=0.9)
        last = ax is axes[-1]
        style.tidy(ax, time_label if last else "", "", title if ax is axes[0] else None)
        style.note(ax, f"neuron {traces.ids[column]}")
        if not last:
            ax.spines["bottom"].set_visible(False)
            ax.tick_params(bottom=False)
    # A sample closes its step, so the first one stands a step behind the left edge.
    before = traces.times[1] - traces.times[0] if len(traces) > 1 else 1.0
    axes[-1].set_xlim((traces.times[0] - before) * scale, traces.times[-1] * scale)
    unit = "" if traces.unit == "1" else f" ({traces.unit})"
    figure.supylabel(f"{traces.variable}{unit}", fontsize=style.LABEL, color=style.INK)
    return style.keep(figure, path)


def isi_plot(
    trains: SpikeTrains, path: Path = None, bin: float | None = None, title: str | None = None
) -> Any:
    """Histogram of all interspike intervals in bins of `bin` ms (None: about 100), with their mean and mean CV.

    Drawn up to the 99.5 % quantile; the share beyond is told.
    """
    values = intervals(trains).values
    if not len(values):
        raise InvalidValue("trains", repr(trains), "trains with a neuron that spikes twice or more")
    longest = float(np.quantile(values, 0.995))
    width = style.round_bin(max(longest, trains.dt), 100, trains.dt) if bin is None else bin
    longest = max(np.ceil(longest / width), 1.0) * width
    edges, counts = isi_histogram(trains, width, longest)
    figure = style.new_figure(5.6, 3.4)
    ax = figure.subplots()
    ax.stairs(counts, edges, fill=True, color=style.BLUE, linewidth=0, alpha=0.85)
    ax.set_xlim(0.0, edges[-1])
    style.tidy(ax, "interspike interval (ms)", f"intervals per {width:g} ms", title)
    style.whole_numbers(ax.yaxis)
    irregularity = cv(trains).values
    facts = [f"{len(values):,} intervals", f"mean {values.mean():.3g} ms"]
    facts += [f"mean CV {irregularity.mean():.2f}"] if len(irregularity) else []
    beyond = float((values > edges[-1]).mean())
    facts += [f"{beyond:.1%} beyond"] if beyond else []
    style.note(ax, ", ".join(facts))
    return style.keep(figure, path)


def rate_plot(
    trains: SpikeTrains, path: Path = None, bins: int | None = None, title: str | None = None
) -> Any:
    """Histogram of the neurons' rates in at most `bins` bins (None: by the number of neurons), the mean marked."""
    hertz = rates(trains)
    most = int(trains.counts().max())
    # Rice's rule, up to what the eye can use
    number = (
        min(int(np.ceil(2.0 * np.cbrt(trains.size))), 50) if bins is None else check_count("bins", bins, 1)
    )
    width = -(-(most + 1) // number)
    # A bin takes whole numbers of spikes; with edges between them no bin is empty by rounding.
    edges = (np.arange(-(-(most + 1) // width) + 1) * width - 0.5) / (trains.duration / 1000.0)
    counts, _ = np.histogram(hertz, edges)
    figure = style.new_figure(5.6, 3.4)
    ax = figure.subplots()
    ax.stairs(counts, edges, fill=True, color=style.BLUE, linewidth=0, alpha=0.85)
    ax.axvline(float(hertz.mean()), color=style.ACCENT, linewidth=1.2)
    style.tidy(ax, "rate (Hz)", "neurons", title)
    style.whole_numbers(ax.yaxis)
    silent = float((hertz == 0.0).mean())
    style.note(ax, f"{trains.size:,} neurons, mean {hertz.mean():.3g} Hz (line), {silent:.1%} silent")
    return style.keep(figure, path)


def spectrum_plot(
    activity: SpikeTrains | ArrayLike,
    path: Path = None,
    bin: float = 1.0,
    segment: float = 1000.0,
    highest: float | None = None,
    title: str | None = None,
) -> Any:
    """Power spectral density as `power_spectrum` estimates it, up to `highest` Hz, its peak marked."""
    frequencies, power = power_spectrum(activity, bin, segment)
    keep = slice(1, None) if highest is None else (frequencies > 0.0) & (frequencies <= highest)
    frequencies, power = frequencies[keep], power[keep]
    if not len(frequencies):
        raise InvalidValue("highest", highest, f">= {1000.0 / segment:g} Hz, the resolution")
    figure = style.new_figure(5.6, 3.4)
    ax = figure.subplots()
    ax.plot(frequencies, power, color=style.BLUE, linewidth=1.1)
    if (power > 0.0).any():
        ax.set_yscale("log")
        peak = int(np.argmax(power))
        ax.plot(frequencies[peak], power[peak], "o", color=style.ACCENT, markersize=4.0)
        style.note(ax, f"peak at {frequencies[peak]:.3g} Hz, resolution {1000.0 / segment:.3g} Hz")
    ax.set_xlim(0.0, frequencies[-1])
    unit = "Hz² / Hz" if isinstance(activity, SpikeTrains) else "per Hz"
    style.tidy(ax, "frequency (Hz)", f"power density ({unit})", title)
    ax.tick_params(which="minor", colors=style.GREY, width=0.5, length=2.0, labelleft=False)
    return style.keep(figure, path)
