"""A fixed number of synapses onto every target, asked for by source."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from treplica.connectivity.base import LARGEST_SIZE, ROWS_AT_ONCE, AbstractRule, Indices, Rows, Targets
from treplica.connectivity.calls import RowCall, packed
from treplica.connectivity.checks import flag, whole_number
from treplica.connectivity.parallel import available_threads, even_bounds, run_ranges
from treplica.connectivity.random import LARGEST_TOTAL, FixedOutDegree, check_degree, uniform_counts
from treplica.connectivity.simple import check_self_connections
from treplica.connectivity.table import TableRows
from treplica.errors import InvalidValue
from treplica.numerics.noise import words
from treplica.numerics.philox import key

KEY_STEP = 4 << 56  # beside the purposes of `kernels_words`, whose words have the step (source, purpose)


@dataclass(frozen=True)
class FixedInDegree(AbstractRule):
    """Every target has k synapses from uniformly drawn sources.

    multapses: whether a target may have several synapses from one source. self_connections: False leaves
    out neuron i to neuron i, and then both sides must be equally large. Where either is False, binding
    the rule builds all rows.
    """

    k: int
    multapses: bool = True
    self_connections: bool = True

    def __post_init__(self) -> None:
        """Check the fields; raises `InvalidValue`."""
        object.__setattr__(self, "k", whole_number("FixedInDegree.k", self.k, 0, LARGEST_SIZE))
        flag("FixedInDegree.multapses", self.multapses)
        flag("FixedInDegree.self_connections", self.self_connections)

    def _check_sizes(self, n_source: int, n_target: int) -> None:
        check_self_connections("FixedInDegree", self.self_connections, n_source, n_target)
        check_degree("FixedInDegree.k", self.k, n_source, "source", self.multapses, self.self_connections)
        if self.k * n_target > LARGEST_TOTAL:
            allowed = f"at most {LARGEST_TOTAL // n_target} for {n_target} targets"
            raise InvalidValue("FixedInDegree.k", self.k, allowed, "Split the targets into parts.")

    def _expected(self, n_source: int, n_target: int) -> float:
        return n_target * self.k

    def _bind(self, n_source: int, n_target: int, seed: int, stream: int) -> Rows:
        if self.multapses and self.self_connections:
            return _SlotRows(n_source, n_target, self.k, seed, stream)
        # With the roles exchanged this is a fixed out-degree: draw the sources of each target, then transpose.
        by_target = FixedOutDegree(self.k, self.multapses, self.self_connections)
        return _transposed(by_target.bind(n_target, n_source, seed, stream), self.k)


class _SlotRows(Rows):
    """Each target has k slots; the sources' numbers of synapses are multinomial and share out permuted slots.

    That is the law of k uniform sources for each target, without a table of all synapses.
    """

    def __init__(self, n_source: int, n_target: int, k: int, seed: int, stream: int) -> None:
        from treplica.connectivity.kernels_in_degree import ROUNDS

        super().__init__(n_source, n_target, n_target * k)
        self._k, total = k, n_target * k
        self._starts = np.zeros(n_source + 1, dtype=np.int64)
        np.cumsum(uniform_counts(n_source, total, (*key(seed), np.uint32(stream))), out=self._starts[1:])
        self._width = math.isqrt(max(total, 1) - 1) + 1
        self._height = -(-max(total, 1) // self._width)
        halves = words(seed, stream, KEY_STEP, 0, 4 * ROUNDS).astype(np.uint64)
        self._keys = halves[::2] << np.uint64(32) | halves[1::2]

    def call(self, longest: int) -> RowCall:
        from treplica.connectivity.kernels_calls import slots_call

        drawn = (self.n_target, self._k, self._width, self._height, self._keys, self._starts, longest)
        return RowCall(slots_call, packed(*drawn), 20 * longest + 8, self._k)

    def _degrees(self, first: int, last: int, out: Indices) -> None:
        out[:] = np.diff(self._starts[first : last + 1])

    def _fill(self, first: int, last: int, indptr: Indices, targets: Targets) -> None:
        from treplica.connectivity.kernels_in_degree import fill_slots

        box = (self._width, self._height, self._keys)
        fill_slots(self.n_target, self._k, *box, first, last, self._starts[first], indptr, targets)


def _transposed(by_target: Rows, k: int) -> Rows:
    """Return the rows by source of rows by target that all have k entries."""
    from treplica.connectivity.kernels_in_degree import count_sources, transpose

    n_source, n_target = by_target.n_target, by_target.n_source
    columns = np.empty((n_target, k), dtype=np.int32)

    def draw(first: int, last: int) -> None:
        by_target.fill(first, last, k * np.arange(last - first + 1), columns[first:last].reshape(-1))

    run_ranges(draw, even_bounds(n_target, ROWS_AT_ONCE))
    indptr = np.zeros(n_source + 1, dtype=np.int64)
    targets = np.empty(n_target * k, dtype=np.int32)
    ranges = even_bounds(n_source, -(-n_source // available_threads()))
    run_ranges(lambda first, last: count_sources(columns, first, last, indptr[1:]), ranges)
    np.cumsum(indptr, out=indptr)
    run_ranges(lambda first, last: transpose(columns, first, last, indptr, targets), ranges)
    return TableRows(n_target, indptr, targets)
