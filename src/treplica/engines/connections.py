"""A projection in whole units and steps, read row by row: the same object for every engine and every storage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.connectivity import FromArray
from treplica.connectivity.base import ROWS_AT_ONCE, Rows
from treplica.connectivity.parallel import even_bounds, run_ranges
from treplica.errors import InvalidValue
from treplica.model import Draw

#: The synapses of one neuron: targets, weights in whole units and delays in whole steps, [n] each.
Row = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Chunk:
    """Some rows of a projection.

    ids: source neurons of the rows [rows], ascending. indptr: int64[rows + 1] from 0. targets: ids in the target
    population. weights: whole units, delays: whole steps, or ms in a continuous plan; one for all or one for each
    synapse.
    """

    ids: NDArray[np.int64]
    indptr: NDArray[np.int64]
    targets: NDArray[np.int32]
    weights: int | NDArray[np.int64]
    delays: float | NDArray[np.uint16] | NDArray[np.float64]


@dataclass
class Connections:
    """The synapses of one projection.

    Row r belongs to the neuron `source_ids[r]` of population `source` (None: first_id + r); targets are
    `target_ids[j]` of population `target` (None: first_target + j). weight: units, or a draw in the unit of the port;
    `unit` is that of the port, and a drawn weight w becomes rint(w / unit). weight_bits: with its sign, what the
    largest weight takes. delay: steps, or a draw in ms. shortest, longest: bounds of the delays in steps.
    rounded: whether drawn weights are rounded to float32 first. continuous: as in the plan; delays are then all in ms,
    and their bounds rounded down and up to whole steps.
    """

    name: str
    source: int
    target: int
    port: int
    rows: Rows
    seed: int
    dt: float
    first_id: int
    source_ids: NDArray[np.int64] | None
    first_target: int
    target_ids: NDArray[np.int32] | None
    weight: int | Draw
    weight_stream: int
    delay: float | Draw
    delay_stream: int
    shortest: int
    longest: int
    unit: float = 1.0
    weight_bits: int = 64
    rounded: bool = False
    continuous: bool = False

    @cached_property
    def indptr(self) -> NDArray[np.int64]:
        """Where rows begin, counted over the projection: int64[rows + 1]."""
        ready = self.rows.table()
        if ready is not None:
            return ready[0]
        indptr = np.zeros(self.rows.n_source + 1, dtype=np.int64)

        def count(first: int, last: int) -> None:
            indptr[first + 1 : last + 1] = self.rows.degrees(first, last)

        run_ranges(count, even_bounds(self.rows.n_source, ROWS_AT_ONCE))
        return np.cumsum(indptr, out=indptr)

    def spread(self) -> NDArray[np.int64]:
        """`indptr` by neuron, from the first source to the last; neurons in between have empty rows."""
        if self.source_ids is None:
            return self.indptr
        degrees = np.zeros(int(self.source_ids[-1] - self.source_ids[0]) + 2, dtype=np.int64)
        degrees[self.source_ids - self.source_ids[0] + 1] = np.diff(self.indptr)
        return np.cumsum(degrees)

    @property
    def count(self) -> int:
        """How many synapses there are."""
        return int(self.indptr[-1])

    def ids(self, first: int, last: int) -> NDArray[np.int64]:
        """The source neurons of the rows first to last."""
        if self.source_ids is not None:
            return self.source_ids[first:last]
        return np.arange(self.first_id + first, self.first_id + last, dtype=np.int64)

    def rows_of(self, first: int, last: int) -> tuple[int, int]:
        """The rows, from and to, that belong to source neurons first to last."""
        if self.source_ids is not None:
            low, high = np.searchsorted(self.source_ids, [first, last])
            return int(low), int(high)
        n = self.rows.n_source
        return min(max(first - self.first_id, 0), n), min(max(last - self.first_id, 0), n)

    def read(self, first: int, last: int) -> Chunk:
        """The rows first to last."""
        indptr = self.indptr[first : last + 1]
        own = indptr - indptr[0]
        targets = np.empty(int(own[-1]), dtype=np.int32)
        self.rows.fill(first, last, own, targets)
        if self.target_ids is not None:
            targets = self.target_ids[targets]
        elif self.first_target:
            targets += np.int32(self.first_target)
        return Chunk(
            self.ids(first, last), own, targets,
            self._weights(first, last, indptr), self._delays(first, last),
        )  # fmt: skip

    def row(self, neuron: int) -> Row:
        """The synapses of a neuron of the source population, which may have none."""
        rows = self.rows_of(neuron, neuron + 1)
        if rows[0] == rows[1]:
            return np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64)
        chunk = self.read(*rows)
        weights, delays = (
            np.broadcast_to(np.asarray(v, dtype=np.int64), chunk.targets.shape)
            for v in (chunk.weights, chunk.delays)
        )
        return chunk.targets, weights, delays

    def real_weights(self, first: int, last: int) -> NDArray[np.float64]:
        """The weights as they were drawn, before they become whole units."""
        indptr = self.indptr[first : last + 1]
        return self._drawn(self.weight, self.weight_stream, first, last, indptr)

    def real_delays(self, first: int, last: int) -> float | NDArray[np.float64]:
        """The delays in ms as they were given or drawn, not rounded to steps: one for all or float64[synapses]."""
        if not isinstance(self.delay, Draw):
            return self.delay if self.continuous else self.delay * self.dt
        values = self._drawn(self.delay, self.delay_stream, first, last, self.indptr[first : last + 1])
        return float(values) if values.ndim == 0 else values

    def _drawn(
        self, draw: Any, stream: int, first: int, last: int, indptr: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        given = isinstance(draw, FromArray)
        values: NDArray[np.float64] = draw.values(
            first, last, indptr if given else indptr - indptr[0], self.seed, stream
        )
        if values.size:
            (low, high), least, most = draw.bounds(), values.min(), values.max()
            if not (low <= least and most <= high):
                worst = float(most if low <= least else least)
                allowed = f"within the bounds() of {type(draw).__name__}, {low!r} to {high!r}"
                raise InvalidValue(f"{self.name}: a drawn value", worst, allowed, "Widen its bounds().")
        return values

    def _weights(self, first: int, last: int, indptr: NDArray[np.int64]) -> int | NDArray[np.int64]:
        if isinstance(self.weight, int):
            return self.weight
        values = self._drawn(self.weight, self.weight_stream, first, last, indptr)
        if self.rounded:
            values = values.astype(np.float32).astype(np.float64)
        whole = np.rint(values * (1.0 / self.unit)).astype(np.int64)
        return int(whole) if whole.ndim == 0 else whole

    def _delays(self, first: int, last: int) -> float | NDArray[np.uint16] | NDArray[np.float64]:
        if self.continuous:
            return self.real_delays(first, last)
        if not isinstance(self.delay, Draw):
            return self.delay
        steps = whole_steps(self.real_delays(first, last), self.dt)
        return int(steps) if steps.ndim == 0 else steps.astype(np.uint16)


def whole_steps(delays: Any, dt: float) -> Any:
    """Drawn delays in steps, rounded to nearest, halves upwards: half a step is one."""
    return np.floor(delays / dt + 0.5)
