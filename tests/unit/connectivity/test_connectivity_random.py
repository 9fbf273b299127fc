"""Random rules: degrees, targets and joint laws against the distributions they name."""

import numpy as np
import pytest
from scipy import stats

from treplica.connectivity import (
    Bernoulli,
    DistanceDependent,
    FixedInDegree,
    FixedOutDegree,
    FixedTotalNumber,
    materialise,
)
from treplica.connectivity.probabilities import WIDTH, binomial_table, word_threshold

SMALLEST_P = 1e-4  # of all the tests below together, about one in a hundred seeds would fail one


def chi_square(observed, expected):
    """p value of counts against expected counts, rare cells joined to their neighbours."""
    order = np.cumsum(expected)
    groups = np.searchsorted(np.arange(10.0, order[-1] - 10.0, 10.0), order)
    observed, expected = np.bincount(groups, observed), np.bincount(groups, expected)
    kept = expected > 0
    return stats.chisquare(observed[kept], expected[kept] * observed.sum() / expected.sum()).pvalue


def degrees_of(indptr, targets, n_target):
    return np.diff(indptr), np.bincount(targets, minlength=n_target)


def check_binomial(counts, trials, p):
    support = np.arange(trials + 1)
    observed = np.bincount(counts, minlength=trials + 1).astype(float)
    assert chi_square(observed, counts.size * stats.binom.pmf(support, trials, p)) > SMALLEST_P


@pytest.mark.parametrize(
    ("n", "m", "p"), [(4000, 300, 0.1), (4000, 100, 0.9), (3000, 3000, 0.002), (5000, 3, 0.5)]
)
def test_bernoulli_degrees_are_binomial(n, m, p):
    rows = Bernoulli(p).bind(n, m, 11, 0)
    out, into = degrees_of(*materialise(rows), m)
    assert rows.expected_synapses == pytest.approx(n * m * p)
    check_binomial(out, m, p)
    if m > 200:
        check_binomial(into, n, p)
    assert stats.chisquare(into).pvalue > SMALLEST_P or p > 0.5


def test_bernoulli_without_self_connections():
    rows = Bernoulli(0.3, self_connections=False).bind(800, 800, 1, 0)
    indptr, targets = materialise(rows)
    assert rows.expected_synapses == pytest.approx(800 * 799 * 0.3)
    assert not np.any(targets == np.repeat(np.arange(800), np.diff(indptr)))
    check_binomial(np.diff(indptr), 799, 0.3)


def test_bernoulli_pairs_are_independent():
    """All 16 patterns of the 2 x 2 pairs, over many seeds."""
    patterns = np.zeros(16)
    for seed in range(4000):
        rows = Bernoulli(0.4).bind(2, 2, seed, 0)
        patterns[sum(1 << (2 * i + t) for i in range(2) for t in rows.row(i))] += 1
    ones = np.array([bin(i).count("1") for i in range(16)])
    assert chi_square(patterns, 4000 * 0.4**ones * 0.6 ** (4 - ones)) > SMALLEST_P


@pytest.mark.parametrize(("p", "degree"), [(0.0, 0), (1.0, 7)])
def test_bernoulli_at_its_limits(p, degree):
    assert Bernoulli(p).bind(5, 7, 0, 0).degrees(0, 5).tolist() == [degree] * 5


@pytest.mark.parametrize(
    ("n", "p"), [(1, 0.5), (10, 0.3), (77_169, 0.1), (10**9, 1e-7), (10**6, 0.999), (50, 1e-12)]
)
def test_binomial_table(n, p):
    low, table = binomial_table(n, p)
    counts = low + np.arange(table.size)
    np.testing.assert_allclose(table, stats.binom.cdf(counts, n, p), atol=1e-10)
    assert table[-1] == 1.0
    assert np.all(np.diff(table) >= 0)
    assert low <= max(0, n * p - WIDTH * np.sqrt(n * p * (1 - p)))


def test_thresholds():
    assert word_threshold(0.0) == 0
    assert word_threshold(1.0) == 2**32
    assert word_threshold(0.25) == 2**30


@pytest.mark.parametrize("multapses", [True, False])
@pytest.mark.parametrize("k", [3, 30, 97])
def test_fixed_out_degree_targets_are_uniform(multapses, k):
    n, m = 2000, 100
    indptr, targets = materialise(FixedOutDegree(k, multapses).bind(n, m, 2, 0))
    out, into = degrees_of(indptr, targets, m)
    assert np.all(out == k)
    check_binomial_spread(into, n * k, m, 1.0 if multapses else (m - k) / (m - 1))
    repeated = np.any(np.diff(targets.reshape(n, k), axis=1) == 0)
    assert repeated == multapses


def check_binomial_spread(into, total, m, finite):
    """The variance of uniform counts is total / m (1 - 1/m), times a finite-population factor without multapses."""
    variance = total / m * (1 - 1 / m) * finite
    assert stats.chi2.sf(np.sum((into - total / m) ** 2) / variance * (1 - 1 / m), m - 1) > SMALLEST_P
    assert stats.chi2.cdf(np.sum((into - total / m) ** 2) / variance * (1 - 1 / m), m - 1) > SMALLEST_P


def test_every_set_of_targets_is_equally_likely():
    counts = np.zeros((6, 6, 6))
    rows = FixedOutDegree(3, multapses=False).bind(20_000, 6, 3, 0)
    for a, b, c in materialise(rows)[1].reshape(-1, 3):
        counts[a, b, c] += 1
    observed = counts[counts > 0]
    assert observed.size == 20
    assert stats.chisquare(observed).pvalue > SMALLEST_P


@pytest.mark.parametrize("multapses", [True, False])
@pytest.mark.parametrize("self_connections", [True, False])
def test_fixed_in_degree(multapses, self_connections):
    n, k = 400, 30
    rows = FixedInDegree(k, multapses, self_connections).bind(n, n, 4, 0)
    indptr, targets = materialise(rows)
    out, into = degrees_of(indptr, targets, n)
    sources = np.repeat(np.arange(n), out)
    assert rows.expected_synapses == targets.size
    assert np.all(into == k)
    assert np.any(sources == targets) == self_connections
    pairs = np.unique(sources * n + targets).size
    assert (pairs < targets.size) == multapses
    choices = n - (not self_connections)
    # Without multapses each of n - 1 (or n) targets has a given source with probability k / choices.
    trials, p = (n * k, 1 / n) if multapses else (n - (not self_connections), k / choices)
    check_binomial(out, trials, p)


def test_slots_of_the_in_degree_are_shared_out_evenly():
    """Three targets with two slots among two sources: all 64 assignments are equally likely."""
    counts = np.zeros((3, 3, 3))
    for seed in range(6000):
        row = FixedInDegree(2).bind(2, 3, seed, 0).row(0)
        counts[tuple(np.bincount(row, minlength=3))] += 1
    weights = np.array([1, 2, 1]) / 4
    expected = 6000 * np.einsum("i,j,k->ijk", weights, weights, weights)
    assert stats.chisquare(counts.ravel(), expected.ravel()).pvalue > SMALLEST_P


def test_in_degree_with_one_slot_is_a_random_map():
    counts = np.zeros((4, 4))
    for seed in range(3000):
        indptr, targets = materialise(FixedInDegree(1).bind(4, 4, seed, 0))
        counts[np.repeat(np.arange(4), np.diff(indptr)), targets] += 1
    assert stats.chisquare(counts.ravel()).pvalue > SMALLEST_P


def test_fixed_total_number():
    n, m, total = 500, 700, 200_000
    rows = FixedTotalNumber(total).bind(n, m, 9, 0)
    out, into = degrees_of(*materialise(rows), m)
    assert out.sum() == rows.expected_synapses == total
    assert stats.chisquare(out).pvalue > SMALLEST_P
    assert stats.chisquare(into).pvalue > SMALLEST_P
    assert np.var(out) > 0.5 * total / n


def test_no_synapses_at_all():
    for rule in (FixedTotalNumber(0), FixedOutDegree(0), FixedInDegree(0), FixedInDegree(0, False)):
        indptr, targets = materialise(rule.bind(3, 4, 0, 0))
        assert indptr.tolist() == [0, 0, 0, 0]
        assert targets.size == 0


SPATIAL = [
    DistanceDependent((200,), "gaussian", 8.0, 0.7), DistanceDependent((15, 20), "exponential", 2.5, 0.9),
    DistanceDependent((200,), "exponential", 5.0, 0.5, periodic=False),
    DistanceDependent((14, 20), "gaussian", 3.0, 0.8, periodic=False, max_distance=5.0),
]  # fmt: skip


@pytest.mark.parametrize("rule", SPATIAL, ids=str)
def test_connection_probability_follows_distance(rule):
    n = int(np.prod(rule.shape))
    position = np.array(np.unravel_index(np.arange(n), rule.shape)).T
    offset = np.abs(position[:, None] - position[None])
    if rule.periodic:
        offset = np.minimum(offset, np.array(rule.shape) - offset)
    p = rule.probabilities(np.sqrt((offset**2).sum(axis=2).astype(float)))
    rows = [rule.bind(n, n, seed, 0) for seed in range(20)]
    assert rows[0].expected_synapses == pytest.approx(p.sum(), rel=1e-6)
    connected = np.zeros((n, n))
    for each in rows:
        indptr, targets = materialise(each)
        connected[np.repeat(np.arange(n), np.diff(indptr)), targets] += 1
    z = (connected - 20 * p) / np.sqrt(np.maximum(20 * p * (1 - p), 1e-12))
    rings = [(p >= low) & (p < high) for low, high in ((1e-3, 0.01), (0.01, 0.1), (0.1, 0.3), (0.3, 1.0))]
    rings = [ring for ring in rings if ring.any()]
    assert len(rings) >= 2
    for ring in rings:
        assert abs(z[ring].mean()) < 4.5 / np.sqrt(ring.sum())
    assert np.all(connected[p == 0.0] == 0)


def test_disc_and_torus_by_hand():
    rows = DistanceDependent((4, 5), "disc", 1.0).bind(20, 20, 0, 0)
    assert rows.row(0).tolist() == [0, 1, 4, 5, 15]
    assert rows.row(12).tolist() == [7, 11, 12, 13, 17]
    rows = DistanceDependent((4, 5), "disc", 1.5, periodic=False, self_connections=False).bind(20, 20, 0, 0)
    assert rows.row(0).tolist() == [1, 5, 6]
    assert rows.row(19).tolist() == [13, 14, 18]
    rows = DistanceDependent((6,), "disc", 10.0, max_distance=2.0).bind(6, 6, 0, 0)
    assert rows.row(5).tolist() == [0, 1, 3, 4, 5]


def test_certain_connections_reach_every_neuron_once():
    for shape in ((6,), (7,), (2, 3), (1, 1), (4, 4)):
        n = int(np.prod(shape))
        for periodic in (True, False):
            rows = DistanceDependent(shape, "disc", 100.0, periodic=periodic).bind(n, n, 0, 0)
            assert all(rows.row(i).tolist() == list(range(n)) for i in range(n))
            assert rows.expected_synapses == n * n


def test_kernels():
    distance = np.array([0.0, 1.0, 2.0, 3.0])
    gaussian = DistanceDependent((9,), "gaussian", 2.0, 0.5)
    np.testing.assert_allclose(gaussian.probabilities(distance), 0.5 * np.exp(-(distance**2) / 8))
    exponential = DistanceDependent((9,), "exponential", 2.0, max_distance=2.5)
    np.testing.assert_allclose(exponential.probabilities(distance), np.exp(-distance / 2) * (distance <= 2.5))
    disc = DistanceDependent((9,), "disc", 2.0)
    assert disc.probabilities(distance).tolist() == [1.0, 1.0, 1.0, 0.0]
    assert DistanceDependent((9,), "gaussian", 2.0, 0.0).reach() == 0.0
