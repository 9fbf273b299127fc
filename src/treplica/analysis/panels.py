"""A grid of small panels, each a trace with the stimulus that caused it underneath."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.analysis.style import ACCENT, GREY, INK, new_figure
from treplica.errors import InvalidValue


@dataclass(frozen=True)
class Panel:
    """One panel. times in ms, v in mV and the stimulus in any unit: float[T] each.

    magnified_from: from this time (ms) on v is drawn a second time, 20 times as large around its mean (None: not).
    """

    title: str
    times: NDArray[np.float64]
    v: NDArray[np.float64]
    stimulus: NDArray[np.float64]
    magnified_from: float | None = None


def trace_panels(panels: Sequence[Panel], columns: int = 4, scale_ms: float = 20.0) -> Any:
    """Draw panels row by row; returns a matplotlib Figure.

    Every panel has its own length of time, so each shows a bar of `scale_ms`; v has one scale in all of them. The
    stimulus is drawn to the height of its own range. Raises MissingExtra without matplotlib.
    """
    if not panels:
        raise InvalidValue("panels", "none", "at least one")
    rows = -(-len(panels) // columns)
    figure = new_figure(2.9 * columns, 1.75 * rows + 0.2)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    low = min(float(p.v.min()) for p in panels)
    high = max(float(p.v.max()) for p in panels)
    for ax in axes:
        ax.axis("off")
    for ax, panel in zip(axes, panels, strict=False):
        _draw(ax, panel, low, high, scale_ms)
    return figure


def _draw(ax: Any, panel: Panel, low: float, high: float, scale_ms: float) -> None:
    end = float(panel.times[-1])
    span = high - low
    floor = low - 0.38 * span
    ax.plot(panel.times, panel.v, color=INK, linewidth=0.9, solid_joinstyle="round")
    ax.plot(panel.times, floor + _unit_range(panel.stimulus) * 0.2 * span, color=ACCENT, linewidth=1.0)
    if panel.magnified_from is not None:
        late = panel.times >= panel.magnified_from
        level = low + 0.65 * span
        ax.plot(
            panel.times[late],
            level + 20.0 * (panel.v[late] - panel.v[late].mean()),
            color=GREY,
            linewidth=0.8,
        )
        ax.text(end, level + 0.12 * span, "× 20", color=GREY, fontsize=6.5, ha="right")
    bar = floor - 0.18 * span
    ax.plot([0.0, scale_ms], [bar, bar], color=GREY, linewidth=2.0, solid_capstyle="butt")
    ax.text(scale_ms + 0.015 * end, bar, f"{scale_ms:g} ms", color=GREY, fontsize=6.5, va="center")
    ax.set_xlim(0.0, end)
    ax.set_ylim(bar - 0.08 * span, high + 0.05 * span)
    ax.set_title(panel.title, fontsize=9, loc="left", color=INK, pad=3.0)


def _unit_range(stimulus: NDArray[np.float64]) -> NDArray[np.float64]:
    """The stimulus between 0 and 1; 0 where it does not change."""
    low, high = float(stimulus.min()), float(stimulus.max())
    return (stimulus - low) / (high - low) if high > low else np.zeros_like(stimulus)
