"""How compiled code computes a row while a simulation runs: functions by address, and their settings as numbers.

They are the functions that write whole ranges of rows, so a row that is recomputed is the row that would be kept.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Settings:
    """Items: int64, with the bits of float64 where a setting is a float, and the addresses of arrays.

    alive: those arrays.
    """

    items: NDArray[np.int64]
    alive: tuple[NDArray[Any], ...]

    @property
    def address(self) -> int:
        """Where the items are."""
        return self.items.ctypes.data


@dataclass(frozen=True)
class RowCall:
    """row(settings, source, count, targets, scratch, ordered): one row, int32, written to `targets`.

    All arguments are int64, addresses among them. count: how many targets the row has, as `Rows.degrees` says.
    ordered: 0 if any order will do. scratch: bytes. in_degree: no target has more synapses than this. mark, if there is
    one, sets the bits of the targets in a bitmap in place of writing them.
    """

    row: Any
    settings: Settings
    scratch: int
    in_degree: int
    mark: Any = None


def packed(*items: Any) -> Settings:
    """Put numbers and arrays (C order) into settings."""
    alive = tuple(item for item in items if isinstance(item, np.ndarray))
    return Settings(np.array([_whole(item) for item in items], dtype=np.int64), alive)


def _whole(item: Any) -> int:
    if isinstance(item, np.ndarray):
        assert item.flags.c_contiguous
        return item.ctypes.data
    if isinstance(item, float):
        return int(struct.unpack("<q", struct.pack("<d", item))[0])
    return int(item)
