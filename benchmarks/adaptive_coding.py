"""Spikes of a learned code beside spikes of pixels, with the same number of spikes per sample: MNIST.

    python benchmarks/adaptive_coding.py                     measures, and writes table, results and picture
    python benchmarks/adaptive_coding.py --picture           table and picture of the figures there are
    python benchmarks/adaptive_coding.py --budgets 20 --seeds 0 --print   measures that, and writes nothing

For each seed an autoencoder learns the first 20,000 training images, without their labels. Its code becomes spikes
(`AdaptiveCode`), by latency or rate; pixels become spikes by `latency_steps`, and so do means of 2 x 2 and 4 x 4
pixels; each with the cut or gain that gives the budget on the images of training. The same network then learns to
tell digits from each, and a linear map to tell the images. Both are tested once, on the 10,000 test images. Writes
results/adaptive_coding.json, the table of README.md and docs/images/adaptive-coding.png.
"""

import argparse
import json
import math
import statistics
import sys
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import torch
from tables import fill, lines

import treplica as tr
from treplica.analysis.style import ACCENT, BLUE, GREY, INK, LABEL, TICK, keep, new_figure, tidy
from treplica.benchmarks.report import versions
from treplica.coding import SpikeSamples, latency_steps
from treplica.learning import (
    AdaptiveCode,
    SparseAutoencoder,
    SpikeInputs,
    Trainer,
    TrainingSettings,
    fit_autoencoder,
)
from treplica.learning.blueprint.budget import cut_for
from treplica.learning.training.recipes.images import LatencySettings, network
from treplica.learning.training.recipes.layers import mean_potentials

HERE = Path(__file__).parent
KEPT = HERE / "results" / "adaptive_coding.json"
IMAGE = HERE.parent / "docs" / "images" / "adaptive-coding.png"
STEPS, TRAINED = 10, 20_000
BUDGETS, SEEDS = (10, 20, 40, 80), (0, 1, 2)
#: From three pairs of sparsity and weight, by accuracy at 10 and 20 spikes on training images 50,000 to 59,999,
#: which nothing here is trained on.
UNITS, SPARSITY, WEIGHT = 256, 0.1, 1.0
AUTOENCODER = TrainingSettings(epochs=10, batch=128, lr=5e-3, weight_decay=1e-4, threads=1)
CLASSIFIER = LatencySettings(epochs=8, batch=128, lr=4e-3, hidden=256, steps=STEPS, dropout=0.15, threads=1)
#: Standard deviation, over first weights, of what a sample brings to a hidden neuron; thresholds are 1.
SPREAD = 0.76
CODES = {
    "pixels": "pixels, latency",
    "pixels 2": "means of 2 × 2 pixels, latency",
    "pixels 4": "means of 4 × 4 pixels, latency",
    "latency": "learned code, latency",
    "rate": "learned code, rate",
}
STYLE = {
    "pixels": (GREY, "o-"), "pixels 2": (GREY, "s--"), "pixels 4": (GREY, "^:"),
    "latency": (BLUE, "o-"), "rate": (ACCENT, "s-"),
}  # fmt: skip
SHOWN = (0, 1, 2, 3, 4, 7)
"""Test images in the picture."""


@dataclass
class Figures:
    """Of one code, budget and seed, on the test images.

    spikes: per sample. accuracy: of the network. unexplained: share of the variance of the pixels that the linear map
    leaves; by_decoder: what the autoencoder's decoder leaves.
    """

    code: str
    budget: float
    seed: int
    spikes: float
    accuracy: float
    unexplained: float
    by_decoder: float | None = None


def pooled(images: np.ndarray, side: int) -> np.ndarray:
    """Means of side x side pixels, [m, n].

    Where a side is 1, grey levels come in 255 steps and a cut has equal values at it: there each pixel counts a share
    of a level less, by its place in an order that spreads what is kept first over the picture.
    """
    m, h, w = images.shape
    means = images.reshape(m, h // side, side, w // side, side).mean((2, 4), dtype=np.float64).reshape(m, -1)
    if side > 1:
        return means
    y, x = np.divmod(np.arange(h * w), w)
    golden = (0.7548776662 * y + 0.5698402910 * x) % 1.0  # the R2 sequence of Roberts 2018
    return np.where(means > 0.0, means - golden.argsort().argsort() / (255.0 * h * w), 0.0)


def coded(
    code: str, budget: float, autoencoder: SparseAutoencoder, sets: list
) -> tuple[list, AdaptiveCode | None]:
    """The spikes of all sets, the first of which is trained on."""
    if code in ("latency", "rate"):
        adaptive = AdaptiveCode(autoencoder, sets[0].inputs, STEPS, budget, code)
        return [adaptive.encode(images.inputs) for images in sets], adaptive
    values = [pooled(images.inputs, int(code.partition(" ")[2] or 1)) for images in sets]
    cut = cut_for(values[0], budget)
    return [SpikeSamples.from_first(latency_steps(v, STEPS, cut=cut), STEPS) for v in values], None


def told(spikes: SpikeSamples, code: str) -> np.ndarray:
    """What each channel says, [m, n + 1]: 1 for the first step to 0 for no spike, or spikes per step; and a 1."""
    found = np.zeros((len(spikes), spikes.n_channels + 1))
    sample = np.repeat(np.arange(len(spikes)), np.diff(spikes.indptr))
    each = 1.0 / STEPS if code == "rate" else 1.0 - (spikes.step - 1.0) / STEPS
    np.add.at(found, (sample, spikes.channel), each)
    found[:, -1] = 1.0
    return found


def linear_map(spikes: SpikeSamples, code: str, images: np.ndarray) -> np.ndarray:
    """From `told` to pixels by least squares, with a ridge of 1 sample."""
    x = told(spikes, code)
    return np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ images.reshape(len(images), -1))


def unexplained(reconstruction: np.ndarray, images: np.ndarray) -> float:
    """The mean squared error over the variance of the pixels."""
    pixels = images.reshape(len(images), -1).astype(np.float64)
    return float(np.square(reconstruction - pixels).mean() / pixels.var(axis=0).mean())


def accuracy(spikes: list, sets: list, budget: float, seed: int) -> float:
    """Of the recipe's network, after training on the first set, on the second."""
    channels = spikes[0].n_channels
    settings = CLASSIFIER.but(gain=SPREAD * math.sqrt(3 * channels / budget), seed=seed)
    torch.manual_seed(seed)
    trainer = Trainer(network(settings, channels, 10), mean_potentials(settings), settings, progress=False)
    train, test = (SpikeInputs(s, i.labels, i.classes) for s, i in zip(spikes, sets, strict=True))
    trainer.fit(train)
    return trainer.evaluate(test).accuracy


def learned(images: np.ndarray, seed: int) -> SparseAutoencoder:
    """An autoencoder, trained."""
    torch.manual_seed(seed)
    autoencoder = SparseAutoencoder(images[0].size, UNITS, sparsity=SPARSITY, weight=WEIGHT)
    last = fit_autoencoder(autoencoder, images, AUTOENCODER.but(seed=seed))[-1]
    say(f"seed {seed}: {last}")
    return autoencoder


def possible(code: str, budget: float, images: np.ndarray) -> bool:
    """Whether there are as many values above 0."""
    if code in ("latency", "rate"):
        return True
    return float((pooled(images, int(code.partition(" ")[2] or 1)) > 0.0).sum()) / len(images) > budget


def measured(sets: list, budgets: list[float], seed: int) -> tuple[list[Figures], dict]:
    """Figures of all codes and budgets with one seed, and what the linear maps see at the budget of 20 or the first."""
    found, seen = [], {}
    train, test = (images.inputs for images in sets)
    example = 20 if 20 in budgets else budgets[0]
    autoencoder = learned(train, seed)
    for budget in budgets:
        for code in (c for c in CODES if possible(c, budget, train)):
            spikes, adaptive = coded(code, budget, autoencoder, sets)
            linear = told(spikes[1], code) @ linear_map(spikes[0], code, train)
            decoder = None if adaptive is None else unexplained(adaptive.decode(spikes[1]), test)
            figures = [len(spikes[1].step) / len(test), accuracy(spikes, sets, budget, seed)]
            found.append(Figures(code, budget, seed, *figures, unexplained(linear, test), decoder))
            say(str(found[-1]))
            if budget == example:
                seen[code] = np.clip(linear[list(SHOWN)], 0.0, 1.0).round(3).tolist()
    return found, {"budget": example, "images": seen, "originals": test[list(SHOWN)].round(3).tolist()}


def groups(report: dict) -> dict[tuple[str, float], list[dict]]:
    """Runs by code and budget, over seeds."""
    found: dict[tuple[str, float], list[dict]] = {}
    for run in report["runs"]:
        found.setdefault((run["code"], run["budget"]), []).append(run)
    return dict(sorted(found.items(), key=lambda item: (item[0][1], list(CODES).index(item[0][0]))))


def table(report: dict) -> str:
    """One row for each code and budget: means and standard deviations over seeds."""
    head = ["code", "budget, spikes per sample", "spikes in the test", "test accuracy, %"]
    head += ["variance left, linear, %", "decoder, %"]
    rows = []
    for (code, budget), runs in groups(report).items():
        row = [CODES[code], f"{budget:g}", f"{statistics.mean(r['spikes'] for r in runs):.1f}"]
        for key in ("accuracy", "unexplained", "by_decoder"):
            values = [100.0 * r[key] for r in runs if r[key] is not None]
            spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 and key == "accuracy" else ""
            row.append(
                f"{statistics.mean(values):.{2 if key == 'accuracy' else 1}f}{spread}" if values else ""
            )
        rows.append(row)
    known = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return f"{lines(head, rows)}\n\n{report['date']}; seeds {', '.join(map(str, report['seeds']))}; {known}."


def picture(report: dict):
    """Accuracy and variance left against the budget, and what the linear maps see of some digits."""
    figure = new_figure(10.0, 3.7)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.0, 1.0, 0.95))
    means = groups(report)
    for ax, key, label in (
        (left, "accuracy", "test accuracy (%)"),
        (middle, "unexplained", "variance left (%)"),
    ):
        for code, (colour, style) in STYLE.items():
            points = [
                (b, 100.0 * statistics.mean(r[key] for r in runs))
                for (c, b), runs in means.items()
                if c == code
            ]
            ax.plot(*zip(*points, strict=True), style, color=colour, ms=4.0, lw=1.2, label=CODES[code])
        ax.set_xscale("log", base=2)
        ax.set_xticks(report["budgets"], [f"{b:g}" for b in report["budgets"]])
        tidy(ax, "spikes per sample", label)
    left.legend(frameon=False, fontsize=TICK - 1.0, loc="lower right")
    examples(right, report["examples"])
    return figure


def examples(ax, shown: dict) -> None:
    """Digits, and below them what is seen by each code."""
    rows = {"the image": shown["originals"], **{CODES[c]: p for c, p in shown["images"].items()}}
    tiles = [np.hstack([np.reshape(p, (28, 28)) for p in pictures]) for pictures in rows.values()]
    ax.imshow(1.0 - np.vstack(tiles), cmap="gray", vmin=0.0, vmax=1.0)
    names = [name.replace(", ", ",\n") for name in rows]
    ax.set_yticks(14 + 28 * np.arange(len(rows)), names, fontsize=TICK - 1.0)
    ax.set_xticks([])
    tidy(ax)
    ax.tick_params(length=0.0, labelsize=TICK - 1.0, labelcolor=INK)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_title(f"seen in {shown['budget']:g} spikes per sample", fontsize=LABEL, color=INK)


def say(text: str) -> None:
    """What goes on, on standard error."""
    print(f"adaptive_coding: {text}", file=sys.stderr, flush=True)


def write(report: dict) -> None:
    """Results, table and picture."""
    KEPT.write_text(json.dumps(report) + "\n")
    readme = HERE / "README.md"
    readme.write_text(fill(readme.read_text(), "adaptive-coding", table(report)))
    keep(picture(report), IMAGE)


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--budgets", type=float, nargs="+", default=BUDGETS)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--print", action="store_true", help="write nothing")
    parser.add_argument("--picture", action="store_true", help="measure nothing")
    given = parser.parse_args()
    if given.picture:
        write(json.loads(KEPT.read_text()))
        return
    torch.set_num_threads(1)
    sets = [tr.datasets.mnist("train").take(np.arange(TRAINED)), tr.datasets.mnist("test")]
    known = {n: versions()[n] for n in ("treplica", "numpy", "numba")} | {"torch": torch.__version__}
    report = {"date": date.today().isoformat(), "versions": known, "budgets": list(given.budgets)}
    report |= {"seeds": [], "runs": []}
    for seed in given.seeds:  # what is done is kept
        found, seen = measured(sets, list(given.budgets), seed)
        report["seeds"].append(seed)
        report["runs"] += [asdict(f) for f in found]
        report.setdefault("examples", seen)
        if not given.print:
            write(report)
    print(table(report))


if __name__ == "__main__":
    main()
