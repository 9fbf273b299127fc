"""MNIST and Fashion-MNIST, from their idx files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from treplica.datasets.find import Folder, Search
from treplica.datasets.forms import DIGITS, Images, Split
from treplica.datasets.idx import read_idx
from treplica.datasets.progress import Report
from treplica.errors import DescriptionError, UnknownName

PREFIX = {"train": "train", "test": "t10k"}
CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


def mnist(
    split: Split, *, folder: Folder = None, download: bool = True, report: Report | None = None
) -> Images:
    """Handwritten digits of 28 × 28 pixels: 60,000 of "train", 10,000 of "test".

    The idx files, gzipped or not, are looked for in $TREPLICA_DATA/mnist, then in the cache, and else downloaded
    there (11 MB); with `folder` only in that. See `Report` for `report`. Raises `DescriptionError` where they are
    absent or damaged, `DownloadError` where they cannot be had.
    Source: LeCun, Bottou, Bengio & Haffner 1998, doi:10.1109/5.726791.
    """
    return _read(Search("mnist", folder, download, report), "MNIST", split, DIGITS)


def fashion_mnist(
    split: Split, *, folder: Folder = None, download: bool = True, report: Report | None = None
) -> Images:
    """Pictures of clothes, 28 × 28 pixels: 60,000 of "train", 10,000 of "test".

    Looked for in $TREPLICA_DATA/fashion_mnist and otherwise as `mnist` (30 MB).
    Source: Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747.
    """
    return _read(Search("fashion_mnist", folder, download, report), "Fashion-MNIST", split, CLOTHES)


def _read(search: Search, title: str, split: Split, classes: tuple[str, ...]) -> Images:
    if split not in PREFIX:
        raise UnknownName(f"split of {title}", split, tuple(PREFIX))
    image_file = _file(search, f"{PREFIX[split]}-images-idx3-ubyte")
    label_file = _file(search, f"{PREFIX[split]}-labels-idx1-ubyte")
    images, labels = read_idx(image_file), read_idx(label_file)
    if images.ndim != 3 or images.dtype != np.uint8:
        shape = f"{images.dtype}{list(images.shape)}"
        raise DescriptionError(image_file, f"holds {shape}, not images uint8[m, h, w]")
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        expected = f"one whole number for each of the {len(images)} images of {image_file.name}"
        raise DescriptionError(label_file, f"holds {labels.dtype}{list(labels.shape)}, not {expected}")
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(classes):
        span = f"labels {labels.min()} … {labels.max()}, not 0 … {len(classes) - 1}"
        raise DescriptionError(label_file, f"holds {span}")
    levels = images.astype(np.float32)
    levels /= np.float32(255.0)
    return Images(f"{title} {split}", levels, labels.astype(np.int64), classes)


def _file(search: Search, name: str) -> Path:
    return search.find(f"{name}.gz", name)
