"""Cutting batches from samples of spikes, compiled: it is done for every batch that is trained on."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(error_model="numpy", nogil=True, cache=True)
def fill_rows(
    starts: Any, step: Any, channel: Any, value: Any, chosen: Any, indptr: Any, channels: Any, values: Any
) -> None:
    """Fill the rows (step - 1)·B + b of a batch by counting; `indptr` comes as zeros, `values` is empty or as long."""
    batch = chosen.shape[0]
    for b in range(batch):
        for at in range(starts[chosen[b]], starts[chosen[b] + 1]):
            indptr[(step[at] - 1) * batch + b + 1] += 1
    for row in range(indptr.shape[0] - 1):
        indptr[row + 1] += indptr[row]
    for b in range(batch):
        first, last = starts[chosen[b]], starts[chosen[b] + 1]
        before = 0
        for at in range(first, last):
            # the spikes of a sample in one step stand together
            before = before + 1 if at > first and step[at] == step[at - 1] else 0
            place = indptr[(step[at] - 1) * batch + b] + before
            channels[place] = channel[at]
            if values.shape[0]:
                values[place] = value[at]
