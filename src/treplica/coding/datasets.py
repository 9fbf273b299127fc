"""Labelled images: scikit-learn's digits, and MNIST in its idx files."""

from __future__ import annotations

import gzip
import math
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from treplica.coding.files import reading
from treplica.errors import DescriptionError, UnknownName

Labelled = tuple[NDArray[np.float32], NDArray[np.int64]]

# The third byte of an idx file names the type of its numbers, most significant byte first.
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MNIST_PREFIX = {"train": "train", "test": "t10k"}


def digits() -> Labelled:
    """scikit-learn's 1,797 handwritten digits: images float32[1797, 8, 8] in 0 … 1 and labels int64[1797].

    Source: Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, doi:10.24432/C50P49.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    return (data.images / 16.0).astype(np.float32), data.target.astype(np.int64)


def mnist(split: Literal["train", "test"] = "test", folder: str | os.PathLike[str] | None = None) -> Labelled:
    """MNIST: images float32[m, 28, 28] in 0 … 1 and labels int64[m]; 60,000 of "train", 10,000 of "test".

    The idx files (gzipped or not) are looked for in `folder`; without one in $TREPLICA_DATA/mnist, then in
    ~/.cache/treplica/mnist. Raises `DescriptionError` where they are absent or damaged.
    Source: LeCun, Bottou, Bengio & Haffner 1998, doi:10.1109/5.726791.
    """
    if split not in MNIST_PREFIX:
        raise UnknownName("MNIST split", split, tuple(MNIST_PREFIX))
    prefix = MNIST_PREFIX[split]
    image_file = _find(folder, f"{prefix}-images-idx3-ubyte")
    label_file = _find(folder, f"{prefix}-labels-idx1-ubyte")
    images, labels = read_idx(image_file), read_idx(label_file)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise DescriptionError(
            image_file, f"holds {images.dtype}{list(images.shape)}, not images uint8[m, h, w]"
        )
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        expected = f"one whole number for each of the {len(images)} images of {image_file.name}"
        raise DescriptionError(label_file, f"holds {labels.dtype}{list(labels.shape)}, not {expected}")
    return images.astype(np.float32) / np.float32(255.0), labels.astype(np.int64)


def _find(folder: str | os.PathLike[str] | None, name: str) -> Path:
    if folder is not None:
        places = [Path(folder)]
    else:
        data = os.environ.get("TREPLICA_DATA")
        places = [Path(data) / "mnist"] if data else []
        places.append(Path.home() / ".cache" / "treplica" / "mnist")
    for place in places:
        for file in (place / f"{name}.gz", place / name):
            if file.is_file():
                return file
    raise DescriptionError(
        f"{name}[.gz]",
        f"is not in {' nor in '.join(str(place) for place in places)}",
        "Download the four MNIST files (such as https://ossci-datasets.s3.amazonaws.com/mnist/) into "
        "one of these folders, or set TREPLICA_DATA to the folder that holds mnist/.",
    )


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Array of an idx file, gzipped or not, in the machine's byte order.

    Layout: two zero bytes, type, number of axes, one uint32 per axis (all most significant byte first), data.
    Raises `DescriptionError`, naming what was expected. Source: http://yann.lecun.com/exdb/mnist/.
    """
    with reading(path, "idx file"):
        content = Path(path).read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in IDX_TYPES or not content[3]:
        expected = (
            "00 00, a type of " + ", ".join(f"{kind:02X}" for kind in IDX_TYPES) + ", and a number of axes"
        )
        raise DescriptionError(
            path, f"is not an idx file: it begins with {content[:4].hex(' ')}, not with {expected}"
        )
    kind, axes = np.dtype(IDX_TYPES[content[2]]), content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise DescriptionError(
            path, f"is cut off: {axes} axes need {start} bytes before the data, not {len(content)}"
        )
    shape = [int(n) for n in np.frombuffer(content, ">u4", axes, 4)]
    expected_bytes = start + math.prod(shape) * kind.itemsize
    if len(content) != expected_bytes:
        problem = "is cut off" if len(content) < expected_bytes else "is too long"
        raise DescriptionError(
            path, f"{problem}: {kind}{shape} takes {expected_bytes} bytes, not {len(content)}"
        )
    with reading(path, "idx file"):
        return np.frombuffer(content, kind, offset=start).reshape(shape).astype(kind.newbyteorder("="))
