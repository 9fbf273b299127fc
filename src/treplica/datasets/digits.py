"""The handwritten digits that scikit-learn carries."""

from __future__ import annotations

from typing import Literal

import numpy as np

from treplica.datasets.forms import DIGITS, Images
from treplica.errors import UnknownName

TRAIN = 1437
"""Images of the training split, the first four fifths; the digits of a writer come one after another, so most of the
writers of the rest are not among them."""

_PARTS = {"train": slice(None, TRAIN), "test": slice(TRAIN, None), "all": slice(None)}


def digits(split: Literal["train", "test", "all"]) -> Images:
    """1,797 handwritten digits of 8 × 8 pixels: the first 1,437 are "train", the last 360 "test".

    The split is this library's; scikit-learn declares none. Nothing is downloaded.
    Source: Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, doi:10.24432/C50P49.
    """
    from sklearn.datasets import load_digits

    if split not in _PARTS:
        raise UnknownName("split of digits", split, tuple(_PARTS))
    data, part = load_digits(), _PARTS[split]
    images, labels = (data.images[part] / 16.0).astype(np.float32), data.target[part].astype(np.int64)
    return Images(f"digits {split}", images, labels, DIGITS)
