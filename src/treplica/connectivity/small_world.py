"""Small-world networks: Watts & Strogatz 1998, doi:10.1038/30918."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from treplica.connectivity.base import AbstractRule, Indices, Rows, Targets
from treplica.connectivity.calls import RowCall, packed
from treplica.connectivity.checks import flag, probability, same_size, whole_number
from treplica.connectivity.parallel import even_bounds, run_ranges
from treplica.connectivity.probabilities import word_threshold
from treplica.errors import InvalidValue
from treplica.numerics.philox import key


@dataclass(frozen=True)
class WattsStrogatz(AbstractRule):
    """A ring where every neuron is joined to its k nearest neighbours, each edge rewired with probability p.

    k: even, from 2 to below the number of neurons. p: 0 to 1.

    Undirected (the default), this is networkx's `watts_strogatz_graph`: for each distance j = 1..k/2 and
    each neuron u, the edge (u, u + j) is with probability p replaced by (u, w), w uniform among the
    neurons that are neither u nor joined to u at that time; it stays where u is joined to all. Each edge
    is two synapses, one each way.

    With `directed=True` every neuron has exactly k outgoing synapses, to its k nearest neighbours, each with
    probability p moved to a uniform neuron that is neither itself nor one of its targets at that time.
    """

    k: int
    p: float
    directed: bool = False

    def __post_init__(self) -> None:
        """Check the fields; raises `InvalidValue`."""
        k = whole_number("WattsStrogatz.k", self.k, 2)
        if k % 2:
            advice = "Half of the neighbours lie on each side of the ring."
            raise InvalidValue("WattsStrogatz.k", self.k, "an even integer >= 2", advice)
        object.__setattr__(self, "k", k)
        object.__setattr__(self, "p", probability("WattsStrogatz.p", self.p))
        flag("WattsStrogatz.directed", self.directed)

    def _check_sizes(self, n_source: int, n_target: int) -> None:
        same_size("WattsStrogatz", n_source, n_target, "Connect a population, or a part of it, to itself.")
        if n_source < 3:
            raise InvalidValue("WattsStrogatz: the number of neurons", n_source, "at least 3")
        if self.k >= n_source:
            largest = (n_source - 1) // 2 * 2
            allowed = f"an even integer from 2 to {largest} (below the {n_source} neurons)"
            raise InvalidValue("WattsStrogatz.k", self.k, allowed, "Use a smaller k or AllToAll.")

    def _expected(self, n_source: int, n_target: int) -> float:
        return n_source * 2 * (self.k // 2)

    def _bind(self, n_source: int, n_target: int, seed: int, stream: int) -> Rows:
        rows = _DirectedRows if self.directed else _UndirectedRows
        return rows(n_source, self.k // 2, self.p, seed, stream)


class _DirectedRows(Rows):
    def __init__(self, n: int, h: int, p: float, seed: int, stream: int) -> None:
        super().__init__(n, n, n * 2 * h)
        self._h, self._random = h, (*key(seed), np.uint32(stream))
        self._limit = word_threshold(p)

    def call(self, longest: int) -> RowCall:
        from treplica.connectivity.kernels_calls import directed_call

        drawn = (*self._random, self.n_source, self._h, self._limit)
        return RowCall(directed_call, packed(*drawn), 4 * (2 * self._h + 64), self.n_source)

    def _degrees(self, first: int, last: int, out: Indices) -> None:
        out[:] = 2 * self._h

    def _fill(self, first: int, last: int, indptr: Indices, targets: Targets) -> None:
        from treplica.connectivity.kernels_small_world import fill_directed

        fill_directed(*self._random, self.n_source, self._h, self._limit, first, last, targets)


class _UndirectedRows(Rows):
    """Keeps one bit per lattice edge (is it gone?) and the added edges; the lattice itself is arithmetic.

    Each rewiring depends on the earlier ones, so this part runs when the rule is bound, on one thread.
    """

    def __init__(self, n: int, h: int, p: float, seed: int, stream: int) -> None:
        from treplica.connectivity.kernels_small_world import added_rows, rewire

        super().__init__(n, n, n * 2 * h)
        self._h, random = h, (*key(seed), np.uint32(stream))
        bounds, candidates = _candidates(n, h, word_threshold(p), random)
        ends = np.empty(candidates.size, dtype=np.int32)
        edges = np.zeros(candidates.size + candidates.size // 2 + 8, dtype=np.uint64)
        self._gone = np.zeros((n * h + 7) // 8, dtype=np.uint8)
        self._degree = np.full(n, 2 * h, dtype=np.int32)
        rewire(*random, n, h, bounds, candidates, edges, self._gone, self._degree, ends)
        del edges
        self._added_indptr = np.zeros(n + 1, dtype=np.int64)
        self._added = np.empty(2 * np.count_nonzero(ends >= 0), dtype=np.int32)
        added_rows(candidates, ends, self._added_indptr, self._added)

    def call(self, longest: int) -> RowCall:
        from treplica.connectivity.kernels_calls import undirected_call

        drawn = (self.n_source, self._h, self._gone, self._added_indptr, self._added)
        return RowCall(undirected_call, packed(*drawn), 0, int(self._degree.max()))

    def _degrees(self, first: int, last: int, out: Indices) -> None:
        out[:] = self._degree[first:last]

    def _fill(self, first: int, last: int, indptr: Indices, targets: Targets) -> None:
        from treplica.connectivity.kernels_small_world import fill_undirected

        added = (self._added_indptr, self._added)
        fill_undirected(self.n_source, self._h, self._gone, *added, first, last, indptr, targets)


def _candidates(
    n: int, h: int, limit: np.uint64, random: tuple[np.uint32, np.uint32, np.uint32]
) -> tuple[Indices, npt.NDArray[np.int32]]:
    """Return the edges to rewire: bounds of the distances 1..h, shape (h + 1,), and the u of each edge."""
    from treplica.connectivity.kernels_small_world import CHUNK, count_candidates, list_candidates

    chunks = -(-n // CHUNK)
    starts = np.zeros(h * chunks + 1, dtype=np.int64)
    ranges = even_bounds(h * chunks, 64)

    def count(first: int, last: int) -> None:
        count_candidates(*random, n, limit, first, last, starts[1:])

    run_ranges(count, ranges)
    np.cumsum(starts, out=starts)
    candidates = np.empty(starts[-1], dtype=np.int32)

    def write(first: int, last: int) -> None:
        list_candidates(*random, n, limit, first, last, starts, candidates)

    run_ranges(write, ranges)
    return starts[::chunks].copy(), candidates
