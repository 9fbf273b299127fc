"""How a network is wired: clustering, path length, their closed forms, and the way to networkx.

Watts & Strogatz 1998, doi:10.1038/30918. Networks are rows as `materialise` returns them: row i,
targets[indptr[i]:indptr[i + 1]], ascending; both directions of an undirected edge are there. Sources and
targets are the same neurons.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from treplica.connectivity.base import SYNAPSES_AT_ONCE, Indices, Rows, Targets, materialise, row_bounds
from treplica.connectivity.checks import whole_number
from treplica.connectivity.parallel import available_threads, even_bounds, run_ranges
from treplica.errors import InvalidValue
from treplica.numerics.noise import words


def clustering_coefficient(indptr: Indices, targets: Targets) -> float:
    """Return the mean over all neurons of the fraction of pairs of its targets that are connected.

    Neurons with fewer than two targets count as 0; self-connections and multapses do not count. For
    undirected networks this is the C of Watts & Strogatz and networkx's `average_clustering`.
    """
    from treplica.connectivity.kernels_graph import local_clustering

    _check_rows(indptr, targets)
    out = np.empty(indptr.size - 1)
    run_ranges(
        lambda first, last: local_clustering(indptr, targets, first, last, out),
        row_bounds(indptr, SYNAPSES_AT_ONCE),
    )
    return float(out.mean())


def mean_path_length(indptr: Indices, targets: Targets, samples: int = 100, seed: int = 0) -> float:
    """Return the mean number of synapses on the shortest path between two different neurons.

    Measured from `samples` uniformly drawn neurons to all others, or from every neuron where there are no
    more than that. Pairs without a path do not count; NaN where there is none with one.
    """
    from treplica.connectivity.kernels_graph import path_lengths

    _check_rows(indptr, targets)
    whole_number("mean_path_length: samples", samples, 1)
    n = indptr.size - 1
    if samples >= n:
        starts = np.arange(n)
    else:
        starts = (words(seed, 0, 0, 0, samples).astype(np.uint64) * np.uint64(n) >> np.uint64(32)).astype(
            np.int64
        )
    sums, reached = np.empty(starts.size, dtype=np.int64), np.empty(starts.size, dtype=np.int64)
    run_ranges(
        lambda first, last: path_lengths(indptr, targets, starts, first, last, sums, reached),
        even_bounds(starts.size, -(-starts.size // (4 * available_threads()))),
    )
    pairs = int(reached.sum())
    return float(sums.sum()) / pairs if pairs else math.nan


def ring_lattice_clustering(k: int) -> float:
    """Return C = 3 (k - 2) / (4 (k - 1)) of a ring of neurons joined to k nearest neighbours, k < 2 n / 3."""
    return 3.0 * (k - 2) / (4.0 * (k - 1))


def ring_lattice_path_length(n: int, k: int) -> float:
    """Return L = n / (2 k) of a ring of n neurons joined to k nearest neighbours, for n far above k."""
    return n / (2.0 * k)


def random_graph_clustering(n: int, k: float) -> float:
    """Return C = k / n of a random graph of n neurons with k neighbours on average."""
    return k / n


def random_graph_path_length(n: int, k: float) -> float:
    """Return L = ln n / ln k of a random graph of n neurons with k neighbours on average."""
    return math.log(n) / math.log(k)


def to_networkx(rows: Rows) -> Any:
    """Return a networkx graph with the nodes 0..n-1 and an edge for every synapse, for small networks.

    A `DiGraph`, or a `MultiDiGraph` where there are multapses. `rows` must connect a population to itself.
    """
    import networkx

    if rows.n_source != rows.n_target:
        sizes = (rows.n_source, rows.n_target)
        raise InvalidValue("to_networkx: the numbers of sources and targets", sizes, "equal")
    indptr, targets = materialise(rows)
    edges = np.stack([np.repeat(np.arange(rows.n_source), np.diff(indptr)), targets], axis=1)
    repeated = bool(np.any(np.all(edges[1:] == edges[:-1], axis=1)))
    graph = networkx.MultiDiGraph() if repeated else networkx.DiGraph()
    graph.add_nodes_from(range(rows.n_source))
    graph.add_edges_from(edges.tolist())
    return graph


def _check_rows(indptr: npt.NDArray[Any], targets: npt.NDArray[Any]) -> None:
    """Raise `InvalidValue` where the arrays are not the rows of a network onto itself."""
    n = indptr.size - 1
    if n < 1 or indptr[0] != 0 or indptr[-1] != targets.size or np.any(np.diff(indptr) < 0):
        raise InvalidValue("indptr", indptr, f"ascending row bounds from 0 to {targets.size}")
    if targets.size and not (targets.min() >= 0 and targets.max() < n):
        raise InvalidValue("targets", targets, f"neurons from 0 to {n - 1}")
