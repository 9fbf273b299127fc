"""The 40-bit events of N-MNIST: x, y, then the polarity in the highest bit of 24 whose others are µs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.datasets.archive import Files
from treplica.errors import DescriptionError

BYTES = 5
_BLOCK = 1 << 20

Columns = tuple[
    NDArray[np.int64], NDArray[np.int16], NDArray[np.int16], NDArray[np.uint8], NDArray[np.float32]
]


def decode(files: Files, names: Sequence[str], width: int, height: int) -> Columns:
    """Events of files, one recording each: indptr, x, y, polarity and t (ms), as in `Recordings`.

    Raises `DescriptionError` naming the first file that is cut off, has an event outside the camera, or runs
    backwards in time.
    """
    content, indptr = bytearray(), np.zeros(len(names) + 1, dtype=np.int64)
    for at, name in enumerate(names):
        one = files.read(name)
        if len(one) % BYTES:
            problem = f"is cut off: events have {BYTES} bytes, and it has {len(one)}"
            raise DescriptionError(files.place / name, problem)
        content += one
        indptr[at + 1] = len(content) // BYTES
    raw = np.frombuffer(content, dtype=np.uint8).reshape(-1, BYTES)
    x, y = raw[:, 0].astype(np.int16), raw[:, 1].astype(np.int16)
    t = np.empty(len(raw), dtype=np.float32)
    for start in range(
        0, len(raw), _BLOCK
    ):  # in blocks, because whole numbers of µs are wider than what is kept
        part = raw[start : start + _BLOCK, 2:].astype(np.int32)
        t[start : start + _BLOCK] = ((part[:, 0] & 0x7F) << 16 | part[:, 1] << 8 | part[:, 2]) / 1000.0
    where = (files, names, indptr)
    _refuse((x >= width) | (y >= height), f"lies outside the {width} × {height} pixels of the camera", *where)
    backwards = np.zeros(len(t), dtype=bool)
    backwards[1:] = t[1:] < t[:-1]
    backwards[indptr[:-1][indptr[:-1] < len(t)]] = False
    _refuse(backwards, "comes before its predecessor", *where)
    return indptr, x, y, (raw[:, 2] >> 7).astype(np.uint8), t


def _refuse(
    bad: NDArray[Any], problem: str, files: Files, names: Sequence[str], indptr: NDArray[np.int64]
) -> None:
    if bad.any():
        at = int(np.argmax(bad))
        recording = int(np.searchsorted(indptr, at, side="right")) - 1
        raise DescriptionError(files.place / names[recording], f"event {at - indptr[recording]} {problem}")
