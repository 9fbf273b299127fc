"""One restrained look for every picture, set on each figure and never in matplotlib's global state."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from treplica.coding.files import optional, replacing
from treplica.errors import InvalidValue

# Blue and vermilion stay apart with every common kind of colour vision (Okabe & Ito 2008).
INK, GREY, BLUE, ACCENT = "#1a1a1a", "#8a8a8a", "#0072b2", "#d55e00"

DPI = 160
TITLE, LABEL, TICK = 10.5, 9.0, 8.0


def new_figure(width: float, height: float) -> Any:
    """Empty `matplotlib.figure.Figure` of a size in inches; raises `MissingExtra` without matplotlib."""
    figures = optional("matplotlib.figure", "plot", "Drawing a picture")
    return figures.Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")


def tidy(ax: Any, x: str = "", y: str = "", title: str | None = None) -> None:
    """Name the axes, drop the frame's upper and right side, and set sizes and colours."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GREY)
        ax.spines[side].set_linewidth(0.7)
    ax.tick_params(colors=GREY, labelcolor=INK, labelsize=TICK, width=0.7, length=3.0)
    ax.set_xlabel(x, fontsize=LABEL, color=INK)
    ax.set_ylabel(y, fontsize=LABEL, color=INK)
    if title:
        ax.set_title(title, fontsize=TITLE, color=INK, loc="left", pad=8.0)


def whole_numbers(axis: Any) -> None:
    """Ticks at whole numbers only, written like 100,000."""
    axis.get_major_locator().set_params(integer=True)
    axis.set_major_formatter("{x:,.0f}")


def note(ax: Any, text: str) -> None:
    """Small grey text in the upper right corner, above the axes."""
    ax.text(1.0, 1.02, text, transform=ax.transAxes, ha="right", va="bottom", fontsize=TICK, color=GREY)


def time_scale(stop: float) -> tuple[float, str]:
    """Factor and axis label for times in ms up to `stop`: seconds from 10 s on."""
    return (0.001, "time (s)") if stop >= 10_000.0 else (1.0, "time (ms)")


def round_bin(span: float, bins: int, dt: float) -> float:
    """A bin width in ms of 1, 2 or 5 times a power of ten, in whole steps, for about `bins` bins in `span`."""
    wanted = max(span / bins, dt)
    power = 10.0 ** np.floor(np.log10(wanted))
    width = float(power * min((1.0, 2.0, 5.0, 10.0), key=lambda digit: abs(digit * power - wanted)))
    return max(1, round(width / dt)) * dt


def keep(figure: Any, path: str | os.PathLike[str] | None) -> Any:
    """Write the figure to `path` (beside and renamed; format by its suffix) unless that is None; return it.

    Raises `InvalidValue` for a suffix that matplotlib does not write, `OutputError` for a place it cannot.
    """
    if path is not None:
        suffix = Path(path).suffix.lower().removeprefix(".")
        known = figure.canvas.get_supported_filetypes()
        if suffix not in known:
            raise InvalidValue(
                "path", str(path), f"a file name that ends in one of {', '.join(sorted(known))}"
            )
        with replacing(path) as beside:
            figure.savefig(beside, format=suffix)
    return figure
