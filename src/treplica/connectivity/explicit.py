"""Connections that are given edge by edge: arrays, sparse matrices, networkx graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from treplica.connectivity.base import LARGEST_SIZE, SYNAPSES_AT_ONCE, AbstractRule, Rows, row_bounds
from treplica.connectivity.draws import FromArray
from treplica.connectivity.parallel import run_ranges
from treplica.connectivity.table import TableRows
from treplica.errors import InvalidValue


@dataclass(frozen=True, eq=False)
class FromArrays(AbstractRule):
    """One synapse from sources[e] to targets[e] for every e; an edge that is given twice is two synapses.

    Both are arrays of neuron indices, of one length; they are kept as read-only int32 copies. Weights or
    delays in the order of the edges become draws with `in_row_order`.
    """

    sources: npt.NDArray[np.int32]
    targets: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        """Check and copy the arrays; raises `InvalidValue`."""
        for name in ("sources", "targets"):
            object.__setattr__(self, name, _indices(f"FromArrays.{name}", getattr(self, name)))
        if self.sources.size != self.targets.size:
            allowed = f"as long as FromArrays.sources ({self.sources.size})"
            raise InvalidValue("the length of FromArrays.targets", self.targets.size, allowed)

    @classmethod
    def from_sparse(cls, matrix: Any) -> tuple[FromArrays, FromArray]:
        """Return the rule and the weights of a scipy sparse matrix; entry (i, j) is a synapse from i to j.

        Stored zeros are synapses of weight 0; entries stored twice are two synapses.
        """
        if not hasattr(matrix, "tocoo") or len(matrix.shape) != 2:
            raise InvalidValue(
                "from_sparse: matrix", matrix, "a two-dimensional scipy sparse matrix or array"
            )
        entries = matrix.tocoo()
        rule = cls(entries.row, entries.col)
        return rule, rule.in_row_order(entries.data)

    @classmethod
    def from_networkx(cls, graph: Any) -> FromArrays:
        """Return the rule of a networkx graph with the nodes 0..n-1; undirected edges are two synapses.

        A self-loop is one synapse; parallel edges are several.
        """
        advice = "networkx.convert_node_labels_to_integers renames the nodes."
        if not hasattr(graph, "edges") or not hasattr(graph, "is_directed"):
            raise InvalidValue("from_networkx: graph", graph, "a networkx graph")
        if set(graph) != set(range(len(graph))):
            raise InvalidValue("from_networkx: the nodes", list(graph), f"0..{len(graph) - 1}", advice)
        pair, count = np.dtype((np.int64, 2)), graph.number_of_edges()
        edges: npt.NDArray[Any] = np.fromiter(graph.edges(), dtype=pair, count=count)
        if not graph.is_directed():
            edges = np.concatenate([edges, edges[edges[:, 0] != edges[:, 1], ::-1]])
        return cls(edges[:, 0], edges[:, 1])

    def in_row_order(self, values: npt.ArrayLike) -> FromArray:
        """Return one value per edge as a draw of weights or delays (rows are sorted, edges need not be).

        Raises `InvalidValue` unless there is one finite number for every edge.
        """
        numbers = np.asarray(values)
        if numbers.shape != self.sources.shape:
            allowed = f"({self.sources.size},), one number for each edge"
            raise InvalidValue("in_row_order: the shape of the values", numbers.shape, allowed)
        return FromArray(numbers[np.lexsort((self.targets, self.sources))])

    def __eq__(self, other: object) -> bool:
        """Whether the same edges are given in the same order."""
        if not isinstance(other, FromArrays):
            return NotImplemented
        return np.array_equal(self.sources, other.sources) and np.array_equal(self.targets, other.targets)

    __hash__ = None  # type: ignore[assignment]

    def _check_sizes(self, n_source: int, n_target: int) -> None:
        for ids, size, side in ((self.sources, n_source, "sources"), (self.targets, n_target, "targets")):
            if ids.size and ids.max() >= size:
                raise InvalidValue(
                    f"FromArrays.{side}", int(ids.max()), f"below the number of {side}, {size}"
                )

    def _expected(self, n_source: int, n_target: int) -> float:
        return self.sources.size

    def _bind(self, n_source: int, n_target: int, seed: int, stream: int) -> Rows:
        from treplica.connectivity.kernels_table import rows_of_edges, sort_rows

        indptr = np.zeros(n_source + 1, dtype=np.int64)
        targets = np.empty(self.sources.size, dtype=np.int32)
        rows_of_edges(self.sources, self.targets, indptr, targets)
        run_ranges(
            lambda first, last: sort_rows(indptr, first, last, targets), row_bounds(indptr, SYNAPSES_AT_ONCE)
        )
        return TableRows(n_target, indptr, targets)


def _indices(quantity: str, values: object) -> npt.NDArray[np.int32]:
    """Return a read-only int32 copy of an array of indices."""
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise InvalidValue(quantity, values, "a one-dimensional array of whole numbers")
    if array.size and not (array.min() >= 0 and array.max() < LARGEST_SIZE):
        bad = array.min() if array.min() < 0 else array.max()
        raise InvalidValue(quantity, int(bad), f"within 0..{LARGEST_SIZE - 1}")
    copy = array.astype(np.int32)
    copy.setflags(write=False)
    return copy
