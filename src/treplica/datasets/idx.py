"""The idx files of MNIST and its relatives."""

from __future__ import annotations

import gzip
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.coding.files import reading
from treplica.errors import DescriptionError

# The third byte of an idx file names the type of its numbers, most significant byte first.
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


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
