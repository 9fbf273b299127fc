"""Each random rule against its definition in plain Python: the same random words, sets instead of fast tricks."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treplica.connectivity import (
    Bernoulli,
    DistanceDependent,
    FixedInDegree,
    FixedOutDegree,
    FixedTotalNumber,
    WattsStrogatz,
    base,
    materialise,
)
from treplica.connectivity import kernels_sampling as sampling
from treplica.connectivity import kernels_words as kernels
from treplica.connectivity.kernels_words import CHOOSE, COUNT, DECIDE
from treplica.numerics import key, noise

SEEDS = st.integers(0, 2**64 - 1)
STREAMS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=25, deadline=None)


def word(seed, stream, source, purpose, slot, attempt=0):
    step = source | ((purpose << 24 | attempt) << 32)
    return int(noise.words(seed, stream, step, slot, slot + 1)[0])


def attempts_below(seed, stream, source, purpose, slot, n):
    """Yield the numbers below n of a slot, attempt by attempt; rejected words give nothing."""
    attempt = 0
    while True:
        product = word(seed, stream, source, purpose, slot, attempt) * n
        if product % 2**32 >= 2**32 % n:
            yield product >> 32
        attempt += 1


def slot_below(seed, stream, source, slot, n, purpose=CHOOSE):
    return next(attempts_below(seed, stream, source, purpose, slot, n))


def rows_of(rule, n_source, n_target, seed, stream):
    rows = rule.bind(n_source, n_target, seed, stream)
    return [rows.row(i).tolist() for i in range(n_source)]


@given(
    seed=SEEDS, stream=STREAMS, source=st.integers(0, 2**31), slot=st.integers(0, 2**30),
    n=st.sampled_from([1, 2, 7, 3 << 30, (1 << 31) + 1, 2**31 - 1]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_slots_are_lemire_numbers(seed, stream, source, slot, n):
    k0, k1 = key(seed)
    first = kernels.row_word(k0, k1, stream, source, CHOOSE, 0, slot)
    assert first == word(seed, stream, source, CHOOSE, slot)
    got = kernels.slot_below(k0, k1, stream, source, CHOOSE, slot, first, n, kernels.rejected_below(n))
    assert got == slot_below(seed, stream, source, slot, n)


@given(values=st.lists(st.integers(0, 10**6 - 1), max_size=200))
@settings(max_examples=40, deadline=None)
def test_sorting_sorts_anything(values):
    array = np.array(values, dtype=np.int32)
    scratch, starts = np.empty(array.size, np.int32), np.empty(array.size + 1, np.int64)
    sampling.sort_uniform(array, 10**6, scratch, starts)
    assert array.tolist() == sorted(values)


def small_world(n, k, p, seed, stream):
    """networkx's watts_strogatz_graph, with words in place of its generator."""
    neighbours = [set() for _ in range(n)]
    for u in range(n):
        for j in range(1, k // 2 + 1):
            neighbours[u].add((u + j) % n)
            neighbours[(u + j) % n].add(u)
    for j in range(1, k // 2 + 1):
        for u in range(n):
            v = (u + j) % n
            if word(seed, stream, j, DECIDE, u) >= round(p * 2**32) or len(neighbours[u]) >= n - 1:
                continue
            choices = attempts_below(seed, stream, j, CHOOSE, u, n)
            w = next(w for w in choices if w != u and w not in neighbours[u])
            neighbours[u].remove(v)
            neighbours[v].remove(u)
            neighbours[u].add(w)
            neighbours[w].add(u)
    return [sorted(row) for row in neighbours]


@given(
    seed=SEEDS, stream=STREAMS, n=st.integers(3, 40), half=st.integers(1, 19),
    p=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
)  # fmt: skip
@FEW
def test_small_world_is_the_networkx_procedure(seed, stream, n, half, p):
    k = 2 * min(half, (n - 1) // 2)
    assert rows_of(WattsStrogatz(k, p), n, n, seed, stream) == small_world(n, k, p, seed, stream)


def directed_row(n, k, p, seed, stream, u):
    row = [(u + o) % n for o in range(-k // 2, k // 2 + 1) if o]
    for i in range(k):
        if k < n - 1 and word(seed, stream, u, DECIDE, i) < round(p * 2**32):
            choices = attempts_below(seed, stream, u, CHOOSE, i, n)
            row[i] = next(w for w in choices if w != u and w not in row)
    return sorted(row)


@given(
    seed=SEEDS, stream=STREAMS, n=st.integers(3, 40), half=st.integers(1, 19),
    p=st.sampled_from([0.0, 0.1, 1.0]),
)  # fmt: skip
@FEW
def test_directed_small_world(seed, stream, n, half, p):
    k = 2 * min(half, (n - 1) // 2)
    expected = [directed_row(n, k, p, seed, stream, u) for u in range(n)]
    assert rows_of(WattsStrogatz(k, p, directed=True), n, n, seed, stream) == expected


def uniform_row(seed, stream, source, n, k, multapses):
    """The first k slots, or the first k different ones; long rows are what a short row leaves out."""
    if multapses:
        return sorted(slot_below(seed, stream, source, i, n) for i in range(k))
    if 2 * k > n:
        return sorted(set(range(n)) - set(uniform_row(seed, stream, source, n, n - k, False)))
    row, slot = set(), 0
    while len(row) < k:
        row.add(slot_below(seed, stream, source, slot, n))
        slot += 1
    return sorted(row)


@given(
    seed=SEEDS, stream=STREAMS, n=st.integers(1, 150), fraction=st.floats(0, 1), multapses=st.booleans(),
    others=st.booleans(),
)  # fmt: skip
@FEW
def test_fixed_out_degree(seed, stream, n, fraction, multapses, others):
    others = others and n > 1
    choices = n - others
    k = round(fraction * choices)
    rows = FixedOutDegree(k, multapses, not others).bind(n, n, seed, stream)
    for source in {0, n // 2, n - 1}:
        row = uniform_row(seed, stream, source, choices, k, multapses)
        expected = [t + (others and t >= source) for t in row]
        assert rows.row(source).tolist() == expected


@given(seed=SEEDS, stream=STREAMS, n=st.integers(1, 150), p=st.floats(0, 1), others=st.booleans())
@FEW
def test_bernoulli(seed, stream, n, p, others):
    others = others and n > 1
    rows = Bernoulli(p, not others).bind(n, n, seed, stream)
    for source in {0, n - 1}:
        degree = int(rows.degrees(source, source + 1)[0])
        row = uniform_row(seed, stream, source, n - others, degree, False)
        assert rows.row(source).tolist() == [t + (others and t >= source) for t in row]


@given(seed=SEEDS, stream=STREAMS, n=st.integers(1, 20), m=st.integers(1, 20), total=st.integers(0, 100))
@FEW
def test_fixed_total_number(seed, stream, n, m, total):
    rows = FixedTotalNumber(total).bind(n, m, seed, stream)
    sources = [slot_below(seed, stream, 0, i, n, COUNT) for i in range(total)]
    assert rows.degrees(0, n).tolist() == [sources.count(i) for i in range(n)]
    source = max(range(n), key=sources.count)
    expected = uniform_row(seed, stream, source, m, sources.count(source), True)
    assert rows.row(source).tolist() == expected


@given(
    seed=SEEDS, stream=STREAMS, rows=st.integers(1, 7), columns=st.integers(1, 9),
    kernel=st.sampled_from(["gaussian", "exponential", "disc"]), scale=st.floats(0.1, 20),
    p_max=st.floats(0, 1), periodic=st.booleans(), line=st.booleans(), limit=st.sampled_from([None, 1.0, 3.5]),
    self_connections=st.booleans(),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_distance_dependent(
    seed, stream, rows, columns, kernel, scale, p_max, periodic, line, limit, self_connections
):
    shape = (rows * columns,) if line else (rows, columns)
    size = rows * columns
    rule = DistanceDependent(shape, kernel, scale, p_max, periodic, limit, self_connections)
    position = np.array(np.unravel_index(np.arange(size), shape)).T
    got = rows_of(rule, size, size, seed, stream)
    for source in range(size):
        offset = np.abs(position - position[source])
        if periodic:
            offset = np.minimum(offset, np.array(shape) - offset)
        p = rule.probabilities(np.sqrt((offset**2).sum(axis=1).astype(float)))
        if not self_connections:
            p[source] = 0.0
        words = noise.words(seed, stream, source | (DECIDE << 56), 0, size)
        assert got[source] == np.flatnonzero(words < np.rint(p * 2.0**32)).tolist()


RULES = [
    WattsStrogatz(4, 0.3), WattsStrogatz(4, 0.3, directed=True), Bernoulli(0.2), Bernoulli(0.8, False),
    FixedOutDegree(7), FixedInDegree(6), FixedInDegree(6, multapses=False), FixedInDegree(6, True, False),
    FixedTotalNumber(321), DistanceDependent((5, 11), "gaussian", 2.0),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=repr)
@given(seed=SEEDS, stream=STREAMS, cuts=st.lists(st.integers(0, 55), max_size=4))
@settings(max_examples=12, deadline=None)
def test_rows_do_not_depend_on_the_range_or_the_threads(rule, seed, stream, cuts):
    rows = rule.bind(55, 55, seed, stream)
    indptr, targets = materialise(rows, threads=1)
    np.testing.assert_array_equal(np.diff(indptr), rows.degrees(0, 55))
    for first, last in reversed(list(zip([0, *sorted(cuts)], [*sorted(cuts), 55], strict=True))):
        part = indptr[first : last + 1] - indptr[first]
        np.testing.assert_array_equal(np.diff(part), rows.degrees(first, last))
        got = np.full(part[-1] + 1, -1, dtype=np.int32)
        rows.fill(first, last, part, got)
        np.testing.assert_array_equal(got[:-1], targets[indptr[first] : indptr[last]])
        assert got[-1] == -1
    with mock.patch.multiple(base, ROWS_AT_ONCE=8, SYNAPSES_AT_ONCE=16):
        again = materialise(rule.bind(55, 55, seed, stream), threads=3)
    np.testing.assert_array_equal(again[0], indptr)
    np.testing.assert_array_equal(again[1], targets)
    assert all(np.all(np.diff(targets[indptr[i] : indptr[i + 1]]) >= 0) for i in range(55))
    assert not np.array_equal(materialise(rule.bind(55, 55, seed ^ 1, stream))[1], targets)
    assert not np.array_equal(materialise(rule.bind(55, 55, seed, stream ^ 1))[1], targets)
