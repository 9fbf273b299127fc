"""Rows of spikes moved, compiled: it is done for every batch that is trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(error_model="numpy", nogil=True, cache=True)
def move_rows(
    indptr: Any,
    channel: Any,
    value: Any,
    by: Any,
    height: int,
    width: int,
    starts: Any,
    channels: Any,
    values: Any,
) -> None:
    """Fill starts (of all rows and their end), channels and values with the spikes that stay in their pictures.

    Row r is of sample r % B; by: int64[B, 2], pixels down and to the right. `value` may be empty.
    """
    batch, found, size = by.shape[0], 0, 0
    for at in range(channel.shape[0]):
        size = max(size, channel[at] + 1)
    ys, xs = np.empty(size, np.int32), np.empty(size, np.int32)
    for c in range(size):
        ys[c], xs[c] = c // width % height, c % width
    for row in range(indptr.shape[0] - 1):
        starts[row] = found
        down, right = by[row % batch, 0], by[row % batch, 1]
        for at in range(indptr[row], indptr[row + 1]):
            c = channel[at]
            if 0 <= xs[c] + right < width and 0 <= ys[c] + down < height:
                channels[found] = c + down * width + right
                if values.shape[0]:
                    values[found] = value[at]
                found += 1
    starts[indptr.shape[0] - 1] = found
