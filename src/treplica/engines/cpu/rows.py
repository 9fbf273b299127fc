"""Connections as rows of 32-bit targets: for few synapses a row, or weights that fit no word."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.connectivity.base import row_bounds
from treplica.connectivity.parallel import even_bounds, run_ranges
from treplica.engines.connections import Connections
from treplica.engines.cpu.kernels_packing import add_load
from treplica.engines.cpu.kernels_rows import sort_by_delay, split_rows
from treplica.engines.loads import Loads

#: Synapses that are drawn at once, and rows that a thread splits before it takes more.
AT_ONCE, ROWS_AT_ONCE = 1 << 17, 1 << 16
_WEIGHTS = ((8, np.int8), (16, np.int16), (32, np.int32), (64, np.int64))


class RowTable:
    """The rows of one projection over the ids from its first source to its last; ids in between may have none.

    indptr: int64[rows + 1]. targets: int32, ids, ascending within a row. weights, delays: one for all or one each.
    splits: int32[rows, threads - 1], how far into its row each thread but the last reads. by_delay: each thread's part
    of a row is in the order of delays instead, where these differ.
    """

    def __init__(
        self, connections: Connections, bounds: NDArray[np.int64], loads: Loads, by_delay: bool = False
    ) -> None:
        self.connections = connections
        self.first = int(connections.ids(0, 1)[0])
        self.targets: NDArray[np.int32]
        self.weights: int | NDArray[Any]
        self.delays: int | NDArray[Any]
        self._read(loads)
        self.indptr = connections.spread()
        self.splits = np.zeros((self.indptr.size - 1, bounds.size - 2), dtype=np.int32)
        if self.splits.size:
            run_ranges(
                lambda first, last: split_rows(self.indptr, self.targets, bounds, self.splits, first, last),
                even_bounds(len(self.splits), ROWS_AT_ONCE),
            )
        if by_delay and isinstance(self.delays, np.ndarray):
            weights = np.empty(0, np.int8) if isinstance(self.weights, int) else self.weights
            arrays = self.indptr, self.splits, self.targets, weights, self.delays
            run_ranges(
                lambda first, last: sort_by_delay(*arrays, first, last),
                even_bounds(self.indptr.size - 1, ROWS_AT_ONCE),
            )

    def _read(self, loads: Loads) -> None:
        """Draw everything, on every core."""
        connections, count = self.connections, self.connections.count
        ready = connections.rows.table()
        plain = isinstance(connections.weight, int) and isinstance(connections.delay, int)
        if ready and plain and connections.target_ids is None and not connections.first_target:
            self.targets = ready[1]
            self.weights, self.delays = connections.weight, connections.delay  # type: ignore[assignment]
            one = np.array([connections.weight], dtype=np.int64)
            add_load(self.targets, one, loads.of(connections.target, connections.port))
            return
        self.targets = np.empty(count, dtype=np.int32)
        kind = next(kind for bits, kind in _WEIGHTS if connections.weight_bits <= bits)
        weights = np.empty(0 if isinstance(connections.weight, int) else count, dtype=kind)
        delays = np.empty(
            0 if isinstance(connections.delay, int) else count,
            dtype=np.uint8 if connections.longest < 256 else np.uint16,
        )

        def read(first: int, last: int) -> None:
            chunk = connections.read(first, last)
            part = slice(connections.indptr[first], connections.indptr[last])
            self.targets[part] = chunk.targets
            if weights.size:
                weights[part] = chunk.weights
            if delays.size:
                delays[part] = chunk.delays
            amounts = np.atleast_1d(np.asarray(chunk.weights, dtype=np.int64))
            add_load(chunk.targets, amounts, loads.of(connections.target, connections.port))

        run_ranges(read, row_bounds(connections.indptr, AT_ONCE))
        self.weights = connections.weight if isinstance(connections.weight, int) else weights
        self.delays = connections.delay if isinstance(connections.delay, int) else delays

    @property
    def nbytes(self) -> int:
        """Bytes of targets, weights and delays."""
        return sum(a.nbytes for a in (self.targets, self.weights, self.delays) if isinstance(a, np.ndarray))

    @property
    def overhead(self) -> int:
        """Bytes of what finds them."""
        return self.indptr.nbytes + self.splits.nbytes
