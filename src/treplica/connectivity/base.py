"""What a connection rule is: a query, "which targets does source i have?", answered row by row.

A rule says how to connect; `bind` gives it sizes and random numbers and returns `Rows`. A row is a pure
function of (seed, stream, source): it is the same whatever range of rows is asked for, in whatever order
and on however many threads. So rows can be computed where they are needed, or `materialise`d into two
arrays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import numpy as np
import numpy.typing as npt

from treplica.connectivity.calls import RowCall
from treplica.connectivity.checks import whole_number
from treplica.connectivity.parallel import even_bounds, run_ranges
from treplica.errors import InvalidValue
from treplica.numerics.philox import key

Indices = npt.NDArray[np.int64]
Targets = npt.NDArray[np.int32]

LARGEST_SIZE = 2**31 - 1
ROWS_AT_ONCE = 4096
SYNAPSES_AT_ONCE = 1 << 18


class Rows(ABC):
    """The synapses of a bound rule by source: each row holds its targets, ascending, multapses repeated.

    Fields: `n_source` and `n_target` neurons; `expected_synapses`, the mean number over all seeds, exact
    where the rule fixes the number.
    """

    def __init__(self, n_source: int, n_target: int, expected_synapses: float) -> None:
        self.n_source, self.n_target, self.expected_synapses = n_source, n_target, float(expected_synapses)

    @final
    def degrees(self, first: int, last: int) -> Indices:
        """Return the number of synapses of each source first..last-1: int64, shape (last - first,).

        Raises `InvalidValue` for ranges outside the sources, as do `fill` and `row`.
        """
        self._check_range(first, last)
        out = np.empty(last - first, dtype=np.int64)
        if last > first:
            self._degrees(first, last, out)
        return out

    @final
    def fill(self, first: int, last: int, indptr: Indices, targets: Targets) -> None:
        """Write the rows of the sources first..last-1.

        Row first + i goes to targets[indptr[i]:indptr[i + 1]] (int32). `indptr` (int64, shape
        (last - first + 1,)) must start at 0 and have the differences that `degrees` gives.
        """
        self._check_range(first, last)
        if indptr.shape != (last - first + 1,) or indptr[0] != 0:
            raise InvalidValue("fill: indptr", indptr, f"{last - first + 1} row bounds, the first of them 0")
        if targets.dtype != np.int32 or targets.ndim != 1 or targets.size < indptr[-1]:
            raise InvalidValue("fill: targets", targets, f"an int32 array of at least {indptr[-1]} items")
        if last > first:
            self._fill(first, last, indptr, targets)

    @final
    def row(self, source: int) -> Targets:
        """Return the targets of one source: int32, ascending."""
        indptr = np.array([0, self.degrees(source, source + 1)[0]], dtype=np.int64)
        targets = np.empty(indptr[1], dtype=np.int32)
        self.fill(source, source + 1, indptr, targets)
        return targets

    def table(self) -> tuple[Indices, Targets] | None:
        """Return (indptr, targets) of all rows where they are in memory anyway, else None."""
        return None

    def call(self, longest: int) -> RowCall | None:
        """Return how compiled code computes one row of up to `longest` targets; None where only `fill` does."""
        return None

    @abstractmethod
    def _degrees(self, first: int, last: int, out: Indices) -> None:
        """Write the degrees of a checked, non-empty range."""

    @abstractmethod
    def _fill(self, first: int, last: int, indptr: Indices, targets: Targets) -> None:
        """Write the rows of a checked, non-empty range."""

    def _check_range(self, first: int, last: int) -> None:
        if not 0 <= first <= last <= self.n_source:
            allowed = f"within the {self.n_source} sources"
            raise InvalidValue("the range of sources (first, last)", (first, last), allowed)


class AbstractRule(ABC):
    """How to connect two sets of neurons: a frozen dataclass of plain values, checked on creation."""

    @final
    def bind(self, n_source: int, n_target: int, seed: int, stream: int) -> Rows:
        """Return the rows from `n_source` to `n_target` neurons under a 64-bit seed and a 32-bit stream.

        Raises `InvalidValue` where the rule does not fit the sizes; the message names the rule and its field.
        """
        key(seed)
        whole_number("stream", stream, 0, 2**32 - 1)
        self.check_sizes(n_source, n_target)
        return self._bind(int(n_source), int(n_target), int(seed), int(stream))

    @final
    def check_sizes(self, n_source: int, n_target: int) -> None:
        """Raise `InvalidValue` where the rule does not fit these numbers of neurons."""
        whole_number("the number of sources", n_source, 1, LARGEST_SIZE)
        whole_number("the number of targets", n_target, 1, LARGEST_SIZE)
        self._check_sizes(int(n_source), int(n_target))

    @final
    def expected_synapses(self, n_source: int, n_target: int) -> float:
        """Return the mean number of synapses over all seeds, without drawing any. Raises like `check_sizes`."""
        self.check_sizes(n_source, n_target)
        return float(self._expected(int(n_source), int(n_target)))

    def _check_sizes(self, n_source: int, n_target: int) -> None:  # noqa: B027 - most rules fit every size
        """Raise `InvalidValue` where the rule does not fit; the sizes themselves are checked."""

    @abstractmethod
    def _expected(self, n_source: int, n_target: int) -> float:
        """Return the mean number of synapses for checked sizes."""

    @abstractmethod
    def _bind(self, n_source: int, n_target: int, seed: int, stream: int) -> Rows:
        """Return the rows for checked arguments."""


def materialise(rows: Rows, threads: int | None = None) -> tuple[Indices, Targets]:
    """Return all rows as (indptr, targets): int64, shape (n_source + 1,), and int32, shape (synapses,).

    Row i is targets[indptr[i]:indptr[i + 1]]. Computed on `threads` threads (default: all processors this
    process may use); the result does not depend on their number. Tables that exist already are not copied.
    """
    ready = rows.table()
    if ready is not None:
        return ready
    indptr = np.zeros(rows.n_source + 1, dtype=np.int64)

    def count(first: int, last: int) -> None:
        indptr[first + 1 : last + 1] = rows.degrees(first, last)

    run_ranges(count, even_bounds(rows.n_source, ROWS_AT_ONCE), threads)
    np.cumsum(indptr, out=indptr)
    targets = np.empty(indptr[-1], dtype=np.int32)

    def fill(first: int, last: int) -> None:
        begin, end = indptr[first], indptr[last]
        rows.fill(first, last, indptr[first : last + 1] - begin, targets[begin:end])

    run_ranges(fill, row_bounds(indptr, SYNAPSES_AT_ONCE), threads)
    return indptr, targets


def row_bounds(indptr: Indices, synapses: int) -> Indices:
    """Return bounds, from 0 to the number of rows, of ranges of rows with about `synapses` synapses each."""
    goals = np.arange(0, indptr[-1] + synapses, synapses)
    inner = np.searchsorted(indptr, goals[1:-1])
    return np.unique(np.concatenate([[0], inner, [indptr.size - 1]]))
