"""Rows that are two arrays in memory."""

from __future__ import annotations

import numpy as np

from treplica.connectivity.base import Indices, Rows, Targets
from treplica.connectivity.calls import RowCall, packed


class TableRows(Rows):
    """The rows of `indptr` (int64, shape (n_source + 1,)) and `targets` (int32, ascending within rows)."""

    def __init__(self, n_target: int, indptr: Indices, targets: Targets) -> None:
        super().__init__(indptr.size - 1, n_target, float(indptr[-1]))
        self._indptr, self._targets = indptr, targets

    def table(self) -> tuple[Indices, Targets]:
        """Return the arrays themselves."""
        return self._indptr, self._targets

    def call(self, longest: int) -> RowCall:
        """Return a copy from the table."""
        from treplica.connectivity.kernels_calls import table_call

        most = np.bincount(self._targets).max(initial=0)
        return RowCall(table_call, packed(self._indptr, self._targets), 0, int(most))

    def _degrees(self, first: int, last: int, out: Indices) -> None:
        out[:] = self._indptr[first + 1 : last + 1] - self._indptr[first:last]

    def _fill(self, first: int, last: int, indptr: Indices, targets: Targets) -> None:
        targets[: indptr[-1]] = self._targets[self._indptr[first] : self._indptr[last]]
