"""The tables and the picture of microcircuit_statistics.py."""

from pathlib import Path

import numpy as np

from treplica.analysis import style

LABELS = {"rate": "rate, Hz", "cv": "CV of intervals", "correlation": "correlation"}
COLOURS = {"nest": style.GREY, "treplica": style.ACCENT}
NAMES = {"nest": "NEST", "treplica": "Treplica"}
HEAD = (
    "population",
    "statistic",
    "mean, NEST",
    "mean, Treplica",
    "NEST–NEST",
    "Treplica–Treplica",
    "Treplica–NEST",
    "within",
    "p",
)
BINS = 25
#: With fewer runs of NEST at a scale, its spread is taken from the scale with most.
FEWEST = 4


def tables(report: dict) -> str:
    """One table for each scale, and what follows from it."""
    parts = [table(scale, found, report["scales"]) for scale, found in report["scales"].items()]
    about, packages = report["machine"], report["versions"]
    kept = ("treplica", "nest-simulator", "python", "numpy")
    said = ", ".join(f"{name} {packages[name]}" for name in kept if name in packages)
    return "\n\n".join([*parts, f"{report['date']}; {about['processor']}; {said}."])


def table(scale: str, found: dict, scales: dict) -> str:
    """A row for each population and statistic; distances as mean and largest."""
    rows = [[*HEAD], ["---", "---", *["---:"] * (len(HEAD) - 2)]]
    spread = reference(scale, scales)
    verdicts, probabilities = [], []
    for name, statistics in found["populations"].items():
        for statistic, values in statistics.items():
            theirs = spread["populations"][name][statistic]["nest_nest"]
            across = values["treplica_nest"]
            within = bool(np.mean(across) <= max(theirs)) if across and theirs else None
            verdicts += [] if within is None else [within]
            probabilities += [] if values["p"] is None else [values["p"]]
            cells = [name, LABELS[statistic], *(number(values["mean"][key]) for key in NAMES)]
            cells += [pair(theirs), pair(values["treplica_treplica"]), pair(across)]
            cells += [
                {None: "", True: "yes", False: "**no**"}[within],
                "" if values["p"] is None else f"{values['p']:.2g}",
            ]
            rows.append(cells)
    seeds = ", ".join(f"{len(found['seeds'][key])} of {NAMES[key]}" for key in NAMES)
    text = [f"Scale {scale}, seeds: {seeds}.", "\n".join(f"| {' | '.join(row)} |" for row in rows)]
    return "\n\n".join([*text, verdict(verdicts, probabilities, found, spread)])


def reference(scale: str, scales: dict) -> dict:
    """The scale whose distances between NEST's runs are compared with: its own, or the one with the most runs."""
    if len(scales[scale]["seeds"]["nest"]) >= FEWEST:
        return scales[scale]
    return max(scales.values(), key=lambda found: len(found["seeds"]["nest"]))


def verdict(verdicts: list[bool], probabilities: list[float], found: dict, spread: dict) -> str:
    """The sentences below a table."""
    if not verdicts:
        return "There is nothing to compare yet."
    text = f"{sum(verdicts)} of {len(verdicts)} mean distances between the simulators are within NEST's own spread."
    if spread is not found:
        few, many = (len(of["seeds"]["nest"]) for of in (found, spread))
        text += f" With {few} of NEST's runs there is no spread of its own: NEST–NEST is that of the {many} runs at the"
        text += " other scale, whose populations are not as large."
    if probabilities:
        least = min(1.0, min(probabilities) * len(probabilities))
        text += f" The least p, times the {len(probabilities)} tests, is {least:.2g}."
    return text


def number(value: float | None) -> str:
    """Three digits."""
    return "" if value is None else f"{value:.3g}"


def pair(distances: list[float]) -> str:
    """Mean and largest."""
    return f"{np.mean(distances):.3f} (≤ {max(distances):.3f})" if distances else ""


def picture(runs: dict, scale: float, path: Path) -> None:
    """A row for each statistic, a column for each population: what NEST's runs span, and each run of Treplica."""
    populations = list(next(iter(runs["nest"].values())))
    figure = style.new_figure(14.0, 6.0)
    axes = figure.subplots(len(LABELS), len(populations), squeeze=False)
    for i, (statistic, label) in enumerate(LABELS.items()):
        for j, name in enumerate(populations):
            draw(axes[i, j], runs, name, statistic)
            style.tidy(axes[i, j], label, "" if j else "density", None if i else name)
            axes[i, j].set_yticks([])
    handles = []
    for key, label in NAMES.items():
        seeds = f"{len(runs[key])} seed{'s' * (len(runs[key]) > 1)}"
        (line,) = axes[0, 0].plot([], [], color=COLOURS[key], label=f"{label}, {seeds}")
        handles.append(line)
    figure.legend(handles=handles, frameon=False, fontsize=style.LABEL, loc="outside upper right", ncols=2)
    title = f"Microcircuit at scale {scale:g}: distributions over neurons and pairs"
    figure.suptitle(title, fontsize=style.TITLE, color=style.INK, x=0.01, ha="left")
    path.parent.mkdir(parents=True, exist_ok=True)
    style.keep(figure, path)


def draw(ax: object, runs: dict, name: str, statistic: str) -> None:
    """Histograms over the same bins."""
    found = {key: [run[name][statistic] for run in of.values()] for key, of in runs.items()}
    bins = edges(statistic, [*found["nest"], *found["treplica"]])
    heights = {
        key: np.array([np.histogram(sample, bins, density=True)[0] for sample in samples])
        for key, samples in found.items()
    }
    least, most = heights["nest"].min(axis=0), heights["nest"].max(axis=0)
    ax.stairs(most, bins, baseline=least, fill=True, color=COLOURS["nest"], alpha=0.5, linewidth=0.0)
    ax.stairs(heights["nest"].mean(axis=0), bins, color=COLOURS["nest"], linewidth=1.0, baseline=None)
    for height in heights["treplica"]:
        ax.stairs(height, bins, color=COLOURS["treplica"], linewidth=0.6, alpha=0.7, baseline=None)
    ax.set_ylim(0.0, None)


def edges(statistic: str, samples: list[np.ndarray]) -> np.ndarray:
    """Bins that hold nearly all values; of rates, each holds the same number of possible spike counts."""
    low, high = np.quantile(np.concatenate(samples), [0.005, 0.995])
    if statistic != "rate" or high <= low:
        return np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    step = min(np.min(np.diff(np.unique(sample))) for sample in samples)
    return np.arange(low - step / 2, high + step, step * max(1, round((high - low) / step / BINS)))
