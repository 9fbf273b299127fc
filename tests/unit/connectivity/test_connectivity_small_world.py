"""Small worlds against networkx and against the figure of Watts & Strogatz 1998."""

import networkx as nx
import numpy as np
import pytest
from scipy import stats

from treplica.connectivity import (
    WattsStrogatz,
    clustering_coefficient,
    materialise,
    mean_path_length,
    random_graph_clustering,
    random_graph_path_length,
    ring_lattice_clustering,
    ring_lattice_path_length,
)


def small_world(n, k, p, seed, directed=False):
    return materialise(WattsStrogatz(k, p, directed).bind(n, n, seed, 0))


def undirected_graph(n, k, p, seed):
    indptr, targets = small_world(n, k, p, seed)
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(
        zip(np.repeat(np.arange(n), np.diff(indptr)).tolist(), targets.tolist(), strict=True)
    )
    return graph


@pytest.mark.parametrize(("n", "k"), [(3, 2), (5, 4), (9, 8), (10, 8), (20, 6), (101, 10)])
@pytest.mark.parametrize("directed", [False, True])
def test_without_rewiring_it_is_the_ring_lattice_of_networkx(n, k, directed):
    expected = nx.watts_strogatz_graph(n, k, 0.0)
    rows = WattsStrogatz(k, 0.0, directed).bind(n, n, 1, 2)
    assert [rows.row(i).tolist() for i in range(n)] == [sorted(expected[i]) for i in range(n)]


@pytest.mark.parametrize("p", [0.02, 0.5, 1.0])
def test_rewiring_keeps_edges_symmetric_and_simple(p):
    n, k = 500, 6
    indptr, targets = small_world(n, k, p, 5)
    dense = np.zeros((n, n), dtype=int)
    np.add.at(dense, (np.repeat(np.arange(n), np.diff(indptr)), targets), 1)
    assert targets.size == n * k
    assert dense.max() == 1
    assert np.trace(dense) == 0
    np.testing.assert_array_equal(dense, dense.T)
    assert dense.sum(axis=1).min() >= k // 2  # every neuron keeps one end of its own k / 2 edges
    assert len(np.unique(dense.sum(axis=1))) > 1


@pytest.mark.parametrize("p", [0.1, 1.0])
def test_directed_rows_have_k_different_targets(p):
    n, k = 300, 8
    indptr, targets = small_world(n, k, p, 5, directed=True)
    assert np.all(np.diff(indptr) == k)
    rows = targets.reshape(n, k)
    assert np.all(np.diff(rows) > 0)
    assert np.all(rows != np.arange(n)[:, None])
    assert len(np.unique(np.bincount(targets, minlength=n))) > 1


@pytest.mark.parametrize("directed", [False, True])
def test_the_share_of_rewired_edges_is_p(directed):
    n, k, p = 20_000, 10, 0.15
    indptr, targets = small_world(n, k, p, 3, directed)
    sources = np.repeat(np.arange(n), np.diff(indptr))
    distance = np.abs(targets - sources)
    moved = np.count_nonzero(np.minimum(distance, n - distance) > k // 2)
    trials, each = (n * k, 1) if directed else (n * k // 2, 2)
    # A moved edge lands on the lattice again with a probability of the order of k / n.
    assert abs(moved / each - trials * p) < 4 * np.sqrt(trials * p * (1 - p)) + trials * p * k / n


@pytest.mark.parametrize(("n", "k", "p"), [(12, 4, 0.3), (12, 8, 0.7), (40, 6, 0.1), (40, 4, 1.0)])
def test_small_graphs_are_distributed_like_those_of_networkx(n, k, p):
    ours = [undirected_graph(n, k, p, seed) for seed in range(300)]
    theirs = [nx.watts_strogatz_graph(n, k, p, seed=seed) for seed in range(300)]
    assert {g.number_of_edges() for g in ours} == {n * k // 2}
    counts = np.array(
        [np.bincount([d for g in graphs for _, d in g.degree()], minlength=n) for graphs in (ours, theirs)]
    )
    counts = counts[:, counts.sum(axis=0) >= 20]
    assert stats.chi2_contingency(counts).pvalue > 1e-3
    clustering = [[nx.average_clustering(g) for g in graphs] for graphs in (ours, theirs)]
    assert stats.ks_2samp(*clustering).pvalue > 1e-3
    # Neurons at either end of the list are treated at different times: degrees by place must agree, too.
    by_place = [np.array([[g.degree(u) for u in range(n)] for g in graphs]) for graphs in (ours, theirs)]
    difference = by_place[0].mean(axis=0) - by_place[1].mean(axis=0)
    spread = np.sqrt((by_place[0].var(axis=0) + by_place[1].var(axis=0)) / 300)
    assert np.all(np.abs(difference) <= 4.5 * spread)


def test_new_ends_are_uniform():
    n, k = 50, 2
    ends = np.zeros(n)
    for seed in range(400):
        _, targets = small_world(n, k, 1.0, seed, directed=True)
        offset = (targets - np.repeat(np.arange(n), k)) % n
        ends += np.bincount(offset, minlength=n)
    # Slot 1 holds u - 1 until it moves, slot 2 holds u + 1: only these two, and u itself, differ from the rest.
    assert ends[0] == 0
    assert stats.chisquare(ends[2:-1]).pvalue > 1e-3


@pytest.fixture(scope="module")
def figure_2():
    """C(p) / C(0) and L(p) / L(0) for the n = 1000, k = 10 of the figure, averaged over 5 networks."""
    lattice = small_world(1000, 10, 0.0, 0)
    c0, l0 = clustering_coefficient(*lattice), mean_path_length(*lattice, samples=1000)
    ratios = {}
    for p in (0.0001, 0.001, 0.01, 0.1, 1.0):
        networks = [small_world(1000, 10, p, seed) for seed in range(5)]
        c = np.mean([clustering_coefficient(*network) for network in networks]) / c0
        ratios[p] = c, np.mean([mean_path_length(*network, samples=1000) for network in networks]) / l0
    return ratios


def test_the_lattice_has_the_closed_forms():
    lattice = small_world(1000, 10, 0.0, 0)
    assert clustering_coefficient(*lattice) == pytest.approx(ring_lattice_clustering(10), abs=1e-12)
    assert ring_lattice_clustering(10) == pytest.approx(2 / 3)
    assert mean_path_length(*lattice, samples=1000) == pytest.approx(
        ring_lattice_path_length(1000, 10), rel=0.02
    )


def test_a_few_shortcuts_shorten_paths_and_keep_clustering(figure_2):
    clustering, path = figure_2[0.01]
    assert clustering > 0.95
    assert 0.1 < path < 0.3
    clustering, path = figure_2[0.0001]
    assert clustering > 0.99
    assert path > 0.6
    assert figure_2[0.001][0] > 0.99
    assert 0.25 < figure_2[0.001][1] < 0.65


@pytest.mark.parametrize("p", [0.0001, 0.001, 0.01, 0.1])
def test_clustering_falls_like_the_cube_of_kept_edges(figure_2, p):
    # Barrat & Weigt 2000, doi:10.1007/s100510050067: C(p) / C(0) is close to (1 - p)**3.
    assert figure_2[p][0] == pytest.approx((1 - p) ** 3, abs=0.02)


def test_full_rewiring_gives_a_random_graph(figure_2):
    clustering, path = figure_2[1.0]
    c, length = random_graph_clustering(1000, 10), random_graph_path_length(1000, 10)
    assert clustering * ring_lattice_clustering(10) == pytest.approx(c, rel=0.3)
    assert path * ring_lattice_path_length(1000, 10) == pytest.approx(length, rel=0.15)


@pytest.mark.parametrize("p", [0.001, 0.01, 0.1])
def test_the_figure_agrees_with_networkx(figure_2, p):
    graphs = [nx.watts_strogatz_graph(1000, 10, p, seed=seed) for seed in range(3)]
    c = np.mean([nx.average_clustering(g) for g in graphs]) / ring_lattice_clustering(10)
    assert figure_2[p][0] == pytest.approx(c, abs=0.02)
