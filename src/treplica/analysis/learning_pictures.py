"""Pictures of a training: its course, what a network confuses, and where its layers spike for one sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.analysis import style
from treplica.analysis.pictures import Path
from treplica.errors import InvalidValue

_MARKED = 30
"""Up to so many epochs their values are marked."""
_WRITTEN = 15
"""Up to so many classes the numbers are written into the cells."""


def learning_curves(
    curves: Mapping[str, Mapping[str, ArrayLike]], path: Path = None, title: str | None = None
) -> Any:
    """A panel for each quantity, with a curve for each set of samples over the epochs.

    - `curves`: by quantity (the label of the axis) and set, numbers [epochs], the first of epoch 1; NaN leaves out.
      The first set is drawn in blue, the others in vermilion and grey, and each is named at its end
    """
    if not curves or not all(curves.values()):
        raise InvalidValue("curves", dict(curves), "one quantity or more, with one curve or more each")
    figure = style.new_figure(3.7 * len(curves), 3.1)
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    for ax, (quantity, sets) in zip(panels, curves.items(), strict=True):
        _curves(ax, quantity, sets)
    panels[0].set_title(title or "", fontsize=style.TITLE, color=style.INK, loc="left", pad=8.0)
    return style.keep(figure, path)


def _curves(ax: Any, quantity: str, sets: Mapping[str, ArrayLike]) -> None:
    colours = (style.BLUE, style.ACCENT, style.GREY)
    last = 1
    for number, (name, given) in enumerate(sets.items()):
        values = np.asarray(given, dtype=np.float64)
        epochs = np.arange(1, len(values) + 1)
        last = max(last, len(values))
        marker = "o" if len(values) <= _MARKED else ""
        ax.plot(
            epochs,
            values,
            color=colours[min(number, 2)],
            linewidth=1.2,
            marker=marker,
            markersize=3.0,
            label=name,
        )
    if len(sets) > 1:
        ax.legend(fontsize=style.TICK, frameon=False, labelcolor="linecolor", handlelength=1.4)
    ax.set_xlim(1.0 - 0.03 * last, last * 1.03 if last > 1 else 2.0)
    style.tidy(ax, "epoch", quantity)
    style.whole_numbers(ax.xaxis)


def confusion_plot(
    confusion: ArrayLike, classes: Sequence[str] = (), path: Path = None, title: str | None = None
) -> Any:
    """Samples by class (rows) and answer (columns): shares of each row as greys, mistakes in vermilion, counts written.

    - `confusion`: whole numbers [c, c]
    - `classes`: c names; () numbers them
    """
    counts = np.asarray(confusion)
    size = len(counts)
    if counts.shape != (size, size) or counts.dtype.kind not in "iu" or not size or counts.min() < 0:
        raise InvalidValue(
            "confusion", (counts.shape, str(counts.dtype)), "whole numbers >= 0, [classes, classes]"
        )
    names = [str(name) for name in classes] or [str(number) for number in range(size)]
    if len(names) != size:
        raise InvalidValue("classes", names, f"{size} names, one for each row")
    edge = float(np.clip(1.2 + 0.34 * size, 2.6, 9.0))
    figure = style.new_figure(edge + 0.5, edge)
    ax = figure.subplots()
    ax.imshow(_colours(counts))
    if size <= _WRITTEN:
        _write(ax, counts)
    turned = dict(rotation=45, ha="right", rotation_mode="anchor") if max(map(len, names)) > 3 else {}
    ax.set_xticks(range(size), names, **turned)
    ax.set_yticks(range(size), names)
    style.tidy(ax, "answer", "class", title)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0.0)
    total = int(counts.sum())
    right = float(np.trace(counts)) / total if total else 0.0
    style.note(ax, f"{right:.2%} of {total:,} right")
    return style.keep(figure, path)


def _colours(counts: NDArray[Any]) -> NDArray[np.float64]:
    """RGB [c, c, 3]: right answers from white to blue, wrong ones from white to vermilion, rare ones visible too."""
    from matplotlib.colors import to_rgb

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    depth = np.where(counts > 0, 0.06 + 0.94 * np.sqrt(shares), 0.0)[..., None]
    right = np.eye(len(counts), dtype=bool)[..., None]
    full = np.where(right, np.array(to_rgb(style.BLUE)), np.array(to_rgb(style.ACCENT)))
    colours: NDArray[np.float64] = 1.0 - depth * (1.0 - full)
    return colours


def _write(ax: Any, counts: NDArray[Any]) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, column] > 0.3 else style.INK
        ax.text(
            column,
            row,
            f"{counts[row, column]:,}",
            ha="center",
            va="center",
            fontsize=style.TICK - 1.0,
            color=colour,
        )


def layer_raster(
    layers: Mapping[str, ArrayLike], path: Path = None, dt: float = 1.0, title: str | None = None
) -> Any:
    """Where the layers of a network spike for one sample, a panel for each.

    - `layers`: by name, [T, n] of what is not 0 at a spike
    - `dt`: ms of a step; a mark is as long as the step
    """
    arrays = {name: np.asarray(given) != 0 for name, given in layers.items()}
    steps = {len(a) for a in arrays.values()}
    if not arrays or len(steps) != 1 or 0 in steps or any(a.ndim != 2 for a in arrays.values()):
        shapes = {name: a.shape for name, a in arrays.items()}
        raise InvalidValue("layers", shapes, "one or more arrays [T, n] with the same T >= 1")
    (n_steps,) = steps
    figure = style.new_figure(6.4, 0.7 + 1.7 * len(arrays))
    panels = figure.subplots(len(arrays), 1, sharex=True, squeeze=False)[:, 0]
    for ax, (name, spikes) in zip(panels, arrays.items(), strict=True):
        step, neuron = np.nonzero(spikes)
        width = float(np.clip(0.7 * 100.0 / spikes.shape[1], 0.7, 5.0))  # of a neuron's share of the axis
        ax.hlines(neuron, step * dt, (step + 1) * dt, color=style.INK, linewidth=width, rasterized=True)
        ax.set_ylim(-0.5 - 0.02 * spikes.shape[1], spikes.shape[1] - 0.5 + 0.02 * spikes.shape[1])
        style.tidy(ax, "time (ms)" if ax is panels[-1] else "", name, title if ax is panels[0] else None)
        style.whole_numbers(ax.yaxis)
        busy = int(spikes.any(axis=0).sum())
        style.note(ax, f"{len(step):,} spikes, {busy:,} of {spikes.shape[1]:,} active")
    panels[-1].set_xlim(0.0, n_steps * dt)
    figure.align_ylabels(panels)
    return style.keep(figure, path)
