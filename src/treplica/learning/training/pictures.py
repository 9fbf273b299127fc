"""The pictures of a recipe that was carried out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.analysis import confusion_plot, layer_raster, learning_curves
from treplica.learning.training.evaluation import Evaluation
from treplica.learning.training.logs import Record, curves

NAMES = ("curves.png", "confusion.png", "raster.png")


def draw(
    folder: Path,
    title: str,
    records: list[Record],
    test: Evaluation,
    classes: tuple[str, ...],
    layers: Mapping[str, NDArray[np.bool_]],
) -> list[Path]:
    """Write learning curves, the confusion matrix of the test set and the raster of one sample."""
    paths = [folder / name for name in NAMES]
    learning_curves(_curves(records), paths[0], title)
    confusion_plot(test.confusion, classes, paths[1], title)
    layer_raster(layers, paths[2], title=f"{title}: the first sample of the test set")
    return paths


def _curves(records: list[Record]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for quantity, name in (
        ("accuracy", "accuracy"),
        ("loss", "loss"),
        ("spikes a sample", "spikes_per_sample"),
    ):
        found[quantity] = {"training": curves(records, name)}
        if f"validation_{name}" in records[0]:
            found[quantity]["validation"] = curves(records, f"validation_{name}")
    return found
