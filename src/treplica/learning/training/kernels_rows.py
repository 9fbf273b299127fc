"""Rows of spikes moved, compiled: it is done for every batch that is trained on."""

from __future__ import annotations

from typing import Any

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
    batch, found = by.shape[0], 0
    for row in range(indptr.shape[0] - 1):
        starts[row] = found
        down, right = by[row % batch, 0], by[row % batch, 1]
        for at in range(indptr[row], indptr[row + 1]):
            line, x = channel[at] // width, channel[at] % width + right
            y = line % height + down
            if 0 <= x < width and 0 <= y < height:
                channels[found] = (line // height * height + y) * width + x
                if values.shape[0]:
                    values[found] = value[at]
                found += 1
    starts[indptr.shape[0] - 1] = found
