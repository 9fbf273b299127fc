"""Graph measures against networkx and by hand."""

import math

import networkx as nx
import numpy as np
import pytest

from treplica.connectivity import (
    AllToAll,
    FromArrays,
    clustering_coefficient,
    materialise,
    mean_path_length,
    random_graph_clustering,
    random_graph_path_length,
    to_networkx,
)
from treplica.errors import InvalidValue


def network_of(graph):
    return materialise(FromArrays.from_networkx(graph).bind(len(graph), len(graph), 0, 0))


GRAPHS = [
    nx.gnp_random_graph(80, 0.1, seed=1), nx.barabasi_albert_graph(100, 3, seed=2), nx.path_graph(6),
    nx.star_graph(5), nx.complete_graph(7), nx.empty_graph(3), nx.karate_club_graph(),
]  # fmt: skip


@pytest.mark.parametrize("graph", GRAPHS, ids=str)
def test_clustering_is_that_of_networkx(graph):
    assert clustering_coefficient(*network_of(graph)) == pytest.approx(
        nx.average_clustering(graph, weight=None)
    )


@pytest.mark.parametrize("graph", [g for g in GRAPHS if nx.is_connected(g)], ids=str)
def test_path_length_is_that_of_networkx(graph):
    exact = nx.average_shortest_path_length(graph)
    assert mean_path_length(*network_of(graph), samples=len(graph)) == pytest.approx(exact)


def test_a_directed_path_counts_only_what_it_reaches():
    indptr, targets = network_of(nx.DiGraph([(0, 1), (1, 2)]))
    assert mean_path_length(indptr, targets) == pytest.approx((1 + 2 + 1) / 3)
    assert clustering_coefficient(indptr, targets) == 0.0


def test_directed_clustering_by_hand():
    # 0 projects to 1 and 2, of the two possible synapses between these one exists; 1 and 2 have one target.
    assert clustering_coefficient(*network_of(nx.DiGraph([(0, 1), (0, 2), (1, 2), (2, 0)]))) == pytest.approx(
        0.5 / 3
    )


def test_loops_and_multapses_do_not_count():
    triangle = [(0, 1), (1, 2), (2, 0)]
    both = [*triangle, *[(b, a) for a, b in triangle]]
    extra = [*both, *both, (0, 0), (1, 1), (1, 1)]
    rule = FromArrays(*np.array(extra).T)
    assert clustering_coefficient(*materialise(rule.bind(3, 3, 0, 0))) == 1.0


def test_without_paths_the_length_is_not_a_number():
    assert math.isnan(mean_path_length(*network_of(nx.empty_graph(4))))


def test_samples_estimate_the_mean():
    network = network_of(nx.barabasi_albert_graph(3000, 4, seed=1))
    exact = mean_path_length(*network, samples=3000)
    assert mean_path_length(*network, samples=300, seed=1) == pytest.approx(exact, rel=0.02)
    assert mean_path_length(*network, samples=300, seed=1) != mean_path_length(*network, samples=300, seed=2)


def test_random_graph_forms():
    assert random_graph_clustering(1000, 10) == 0.01
    assert random_graph_path_length(1000, 10) == pytest.approx(3.0)


def test_bad_arrays_are_refused():
    good = np.array([0, 1, 2]), np.array([1, 0], dtype=np.int32)
    for indptr in ([0], [1, 1, 2], [0, 2, 1], [0, 1, 3]):
        with pytest.raises(InvalidValue, match="indptr must be ascending row bounds from 0 to 2"):
            clustering_coefficient(np.array(indptr), good[1])
    for targets in ([-1, 0], [2, 0]):
        with pytest.raises(InvalidValue, match="targets must be neurons from 0 to 1"):
            mean_path_length(good[0], np.array(targets, dtype=np.int32))
    with pytest.raises(InvalidValue, match="samples must be a whole number >= 1"):
        mean_path_length(*good, samples=0)
    with pytest.raises(InvalidValue, match="to_networkx"):
        to_networkx(AllToAll().bind(2, 3, 0, 0))
