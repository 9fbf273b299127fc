"""Cutting batches from samples of spikes, compiled: it is done for every batch that is trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.numerics.compiled_memory import fetch

#: Samples lie anywhere in memory, so a sample is asked for while so many others before it are read.
_AHEAD = 4


@njit(error_model="numpy", nogil=True, cache=True)
def fill_rows(
    starts: Any, step: Any, channel: Any, value: Any, chosen: Any, indptr: Any, channels: Any, values: Any
) -> None:
    """Fill the rows (step - 1)·B + b of a batch; `indptr` comes as zeros, `values` is empty or as long as `channels`.

    The spikes of a sample in one step stand together: such runs are found first, then copied.
    """
    batch, runs = chosen.shape[0], 0
    most = min(channels.shape[0], indptr.shape[0])
    begins, rows = np.empty(most, np.int64), np.empty(most, np.int64)
    for b in range(batch):
        if b + _AHEAD < batch:
            _fetch(starts, step, channel, chosen[b + _AHEAD])
        at, last = starts[chosen[b]], starts[chosen[b] + 1]
        while at < last:
            first, now = at, step[at]
            while at < last and step[at] == now:
                at += 1
            begins[runs], rows[runs] = first, (np.int64(now) - 1) * batch + b
            indptr[rows[runs] + 1] = at - first
            runs += 1
    for row in range(indptr.shape[0] - 1):
        indptr[row + 1] += indptr[row]
    for run in range(runs):
        first, place = begins[run], indptr[rows[run]]
        for i in range(indptr[rows[run] + 1] - place):
            channels[place + i] = channel[first + i]
        if values.shape[0]:
            for i in range(indptr[rows[run] + 1] - place):
                values[place + i] = value[first + i]


@njit(error_model="numpy", nogil=True)
def _fetch(starts: Any, step: Any, channel: Any, sample: int) -> None:
    first, count = starts[sample], starts[sample + 1] - starts[sample]
    fetch(step.ctypes.data + first * step.itemsize, count * step.itemsize)
    fetch(channel.ctypes.data + first * channel.itemsize, count * channel.itemsize)
