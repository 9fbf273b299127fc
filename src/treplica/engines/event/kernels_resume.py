"""Spikes that were on their way when a snapshot was taken, put back into the queue."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.engines.event.kernels_clocks import COMPILED
from treplica.engines.event.kernels_flights import COUNT, ROOM, push
from treplica.engines.event.kernels_pointers import pointers, row
from treplica.engines.event.kernels_travel import row_of
from treplica.engines.event.world import (
    L_DELAYS,
    L_TIMED,
    P_COLUMNS,
    P_LINKS_FROM,
    P_LINKS_TO,
)


@njit(cache=True, **COMPILED)
def resume(world: Any, flights: Any, synapses: Any, spikes: Any, first: int, after: float) -> Any:
    """Queue what the spikes from `first` on have still to deliver after a time; the first that found no room.

    spikes: float64[3, n], times, neurons, values.
    """
    to, queue, rows = pointers(world), pointers(flights), pointers(synapses)
    for s in range(first, spikes.shape[1]):
        sent, neuron, value = spikes[0, s], np.int64(spikes[1, s]), np.int64(spikes[2, s])
        own = row(to.populations, np.int64(to.owner[2 * neuron]) * P_COLUMNS)
        if queue.numbers[COUNT] + own[P_LINKS_TO] - own[P_LINKS_FROM] > queue.numbers[ROOM]:
            return s
        for link in range(own[P_LINKS_FROM], own[P_LINKS_TO]):
            position, end, columns = row_of(rows, link, neuron)
            delay = rows.delay[link]
            while position < end:
                if columns[L_TIMED] != 0:
                    delay = rows.delays[columns[L_DELAYS] + position]
                if sent + delay > after:
                    push(queue, sent + delay, sent, link, position, end, value)
                    break
                position = position + 1 if columns[L_TIMED] != 0 else end
    return spikes.shape[1]
