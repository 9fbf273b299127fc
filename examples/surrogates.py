"""Every surrogate of the literature: its derivative, and the smooth function whose derivative it is.

`--picture FILE` draws them. A probability is a smooth function with which a neuron can fire at random. Prints:

    surrogate                                at 0   from     to
    Arctan(alpha=2)                         1.000  0.000      1  a probability
    ...
    MultiGaussian(h=0.15, s=6, sigma=0.5)   0.878  0.075  0.925  it falls at ...
    ...
    Triangular(dampening=0.3, width=1)      0.300  0.350   0.65  it goes from 0.35 to 0.65
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from treplica.analysis.style import ACCENT, BLUE, keep, new_figure, tidy
from treplica.learning.surrogate import Surrogate, rises_to_one
from treplica.learning.surrogates import SURROGATES

X = np.linspace(-2.0, 2.0, 801)


def draw(ax: Any, surrogate: Surrogate, *, left: bool, below: bool) -> None:
    """One panel: the smooth function over the derivative."""
    slopes = surrogate.derivative(X, *surrogate.numbers)
    ax.fill_between(X, slopes, color=BLUE, alpha=0.15, linewidth=0)
    ax.plot(X, slopes, color=BLUE, linewidth=1.4, label="derivative")
    ax.plot(X, surrogate.smooth(X, *surrogate.numbers), color=ACCENT, linewidth=1.4, label="smooth function")
    values = ", ".join(f"{name} {value:.3g}" for name, value in surrogate.values)
    tidy(ax, x="x" if below else "", title=surrogate.name)
    ax.text(0.03, 0.97, values, transform=ax.transAxes, fontsize=7.5, va="top", color="#555555")
    ax.tick_params(labelleft=left, labelbottom=below)
    ax.set(xlim=(-2.0, 2.0), ylim=(-0.1, 1.38), xticks=(-1, 0, 1), yticks=(0.0, 0.5, 1.0))


def main() -> None:
    """Print and draw."""
    parser = argparse.ArgumentParser(description="The surrogates of the literature.")
    parser.add_argument("--picture", type=Path, help="file for the picture of all")
    chosen = parser.parse_args()
    surrogates = [family() for family in SURROGATES.values()]
    print(f"{'surrogate':40} at 0   from     to")
    for surrogate in surrogates:
        (low, high), top = surrogate.limits, surrogate.derivative(0.0, *surrogate.numbers)
        end = rises_to_one(surrogate) or "a probability"
        print(f"{surrogate!r:38} {top:6.3f} {low:6.3f} {high:6.4g}  {end}")
    if chosen.picture:
        figure = new_figure(10.0, 4.4)
        panels = figure.subplots(2, 5)
        for k, (ax, surrogate) in enumerate(zip(panels.flat, surrogates, strict=True)):
            draw(ax, surrogate, left=k % 5 == 0, below=k >= 5)
        figure.legend(*ax.get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False)
        keep(figure, chosen.picture)


if __name__ == "__main__":
    main()
