"""What rules refuse, when they are made and when they meet the sizes, and what they say."""

import networkx as nx
import numpy as np
import pytest
import scipy.sparse

from treplica.connectivity import (
    AllToAll,
    Bernoulli,
    DistanceDependent,
    FixedInDegree,
    FixedOutDegree,
    FixedTotalNumber,
    FromArrays,
    OneToOne,
    WattsStrogatz,
)
from treplica.errors import InvalidValue, UnknownName

NAN, INF = float("nan"), float("inf")


def sheet(**changes):
    return DistanceDependent(**({"shape": (4, 5), "kernel": "disc", "scale": 1.0} | changes))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WattsStrogatz(3, 0.1), "WattsStrogatz.k must be an even integer >= 2, got 3"),
        (lambda: WattsStrogatz(0, 0.1), "WattsStrogatz.k must be a whole number >= 2, got 0"),
        (lambda: WattsStrogatz(2.0, 0.1), "WattsStrogatz.k must be a whole number >= 2, got 2.0"),
        (lambda: WattsStrogatz(4, 1.5), "WattsStrogatz.p must be a number from 0 to 1, got 1.5"),
        (lambda: WattsStrogatz(4, NAN), "WattsStrogatz.p must be a number from 0 to 1, got nan"),
        (lambda: WattsStrogatz(4, 0.1, 1), "WattsStrogatz.directed must be True or False, got 1"),
        (lambda: Bernoulli(-0.1), "Bernoulli.p must be a number from 0 to 1, got -0.1"),
        (lambda: Bernoulli(INF), "Bernoulli.p must be a number from 0 to 1, got inf"),
        (lambda: Bernoulli("0.1"), "Bernoulli.p must be a number from 0 to 1, got '0.1'"),
        (lambda: Bernoulli(True), "Bernoulli.p must be a number from 0 to 1, got True"),
        (lambda: Bernoulli(0.1, None), "Bernoulli.self_connections must be True or False, got None"),
        (lambda: AllToAll(0), "AllToAll.self_connections must be True or False, got 0"),
        (lambda: FixedOutDegree(-1), "FixedOutDegree.k must be a whole number from 0 to 2147483647, got -1"),
        (lambda: FixedOutDegree(1.5), "FixedOutDegree.k must be a whole number"),
        (lambda: FixedOutDegree(True), "FixedOutDegree.k must be a whole number"),
        (lambda: FixedOutDegree(1, 1), "FixedOutDegree.multapses must be True or False"),
        (lambda: FixedOutDegree(1, True, 1), "FixedOutDegree.self_connections must be True or False"),
        (lambda: FixedInDegree(2**31), "FixedInDegree.k must be a whole number from 0 to 2147483647"),
        (lambda: FixedInDegree(1, 1), "FixedInDegree.multapses must be True or False"),
        (lambda: FixedInDegree(1, True, 1), "FixedInDegree.self_connections must be True or False"),
        (
            lambda: FixedTotalNumber(-1),
            "FixedTotalNumber.n must be a whole number from 0 to 17179869184, got -1",
        ),
        (lambda: FixedTotalNumber(NAN), "FixedTotalNumber.n must be a whole number"),
        (
            lambda: FromArrays([0.5], [1]),
            "FromArrays.sources must be a one-dimensional array of whole numbers",
        ),
        (
            lambda: FromArrays([0], [[1]]),
            "FromArrays.targets must be a one-dimensional array of whole numbers",
        ),
        (lambda: FromArrays([0], [-1]), "FromArrays.targets must be within 0..2147483646, got -1"),
        (lambda: FromArrays([2**31], [0]), "FromArrays.sources must be within 0..2147483646, got 2147483648"),
        (
            lambda: FromArrays([0, 1], [0]),
            "the length of FromArrays.targets must be as long as FromArrays.sources (2)",
        ),
        (
            lambda: FromArrays.from_sparse(np.eye(2)),
            "from_sparse: matrix must be a two-dimensional scipy sparse",
        ),
        (lambda: FromArrays.from_sparse(scipy.sparse.coo_array([1.0])), "from_sparse: matrix"),
        (lambda: FromArrays.from_networkx([(0, 1)]), "from_networkx: graph must be a networkx graph"),
        (lambda: FromArrays.from_networkx(nx.Graph([("a", "b")])), "convert_node_labels_to_integers"),
        (
            lambda: FromArrays.from_networkx(nx.Graph([(1, 2)])),
            "from_networkx: the nodes must be 0..1, got [1, 2]",
        ),
        (
            lambda: FromArrays([0], [0]).in_row_order([1.0, 2.0]),
            "must be (1,), one number for each edge, got (2,)",
        ),
        (lambda: FromArrays([0], [0]).in_row_order([NAN]), "FromArray.array must be"),
        (
            lambda: sheet(shape=(1, 2, 3)),
            "DistanceDependent.shape must be (n,) for a line or (rows, columns)",
        ),
        (lambda: sheet(shape=20), "DistanceDependent.shape must be"),
        (lambda: sheet(shape=(4, 0)), "DistanceDependent.shape[1] must be a whole number from 1"),
        (lambda: sheet(scale=0.0), "DistanceDependent.scale must be a finite number > 0, got 0.0"),
        (lambda: sheet(scale=NAN), "DistanceDependent.scale must be a finite number > 0, got nan"),
        (lambda: sheet(p_max=2), "DistanceDependent.p_max must be a number from 0 to 1, got 2"),
        (lambda: sheet(periodic=1), "DistanceDependent.periodic must be True or False, got 1"),
        (
            lambda: sheet(max_distance=-1),
            "DistanceDependent.max_distance must be a finite number > 0, got -1",
        ),
        (lambda: sheet(self_connections=2), "DistanceDependent.self_connections must be True or False"),
    ],
)
def test_bad_fields_are_refused(make, message):
    with pytest.raises(InvalidValue) as error:
        make()
    assert message in str(error.value)


def test_unknown_kernels_are_refused_with_the_nearest():
    with pytest.raises(UnknownName, match=r"kernel 'gausian' is not known\. Did you mean 'gaussian'"):
        sheet(kernel="gausian")


@pytest.mark.parametrize(
    ("rule", "sizes", "message"),
    [
        (
            WattsStrogatz(12, 0.1), (10, 10),
            "WattsStrogatz.k must be an even integer from 2 to 8 (below the 10 neurons), got 12. Use a smaller k",
        ),
        (WattsStrogatz(10, 0.1), (10, 10), "from 2 to 8 (below the 10 neurons), got 10"),
        (WattsStrogatz(2, 0.1), (2, 2), "WattsStrogatz: the number of neurons must be at least 3, got 2"),
        (WattsStrogatz(2, 0.1), (5, 6), "WattsStrogatz must be between two equally large sets of neurons, got (5, 6)"),
        (OneToOne(), (5, 6), "OneToOne must be between two equally large sets of neurons, got (5, 6)"),
        (AllToAll(False), (5, 6), "AllToAll with self_connections=False must be between two equally large"),
        (Bernoulli(0.1, False), (5, 6), "Bernoulli with self_connections=False must be"),
        (FixedOutDegree(1, True, False), (5, 6), "FixedOutDegree with self_connections=False must be"),
        (FixedOutDegree(7, False), (5, 6), "FixedOutDegree.k must be a whole number from 0 to 6, the number of"),
        (FixedOutDegree(6, False, False), (6, 6), "FixedOutDegree.k must be a whole number from 0 to 5"),
        (FixedOutDegree(1, True, False), (1, 1), "FixedOutDegree.k must be a whole number from 0 to 0"),
        (FixedInDegree(1, True, False), (5, 6), "FixedInDegree with self_connections=False must be"),
        (FixedInDegree(6, False), (5, 6), "FixedInDegree.k must be a whole number from 0 to 5, the number of"),
        (FixedInDegree(2**30), (5, 60), "FixedInDegree.k must be at most 286331153 for 60 targets"),
        (FromArrays([0, 5], [0, 0]), (5, 6), "FromArrays.sources must be below the number of sources, 5, got 5"),
        (FromArrays([0, 0], [9, 0]), (5, 6), "FromArrays.targets must be below the number of targets, 6, got 9"),
        (sheet(), (20, 21), "DistanceDependent must be between 20 neurons and themselves"),
        (sheet(), (21, 21), "Its shape is (4, 5)."),
        (OneToOne(), (0, 0), "the number of sources must be a whole number from 1 to 2147483647, got 0"),
        (OneToOne(), (1, 2**31), "the number of targets must be a whole number from 1 to 2147483647"),
        (OneToOne(), (1.0, 1), "the number of sources must be a whole number"),
    ],
)  # fmt: skip
def test_unfit_sizes_are_refused(rule, sizes, message):
    for check in (lambda: rule.check_sizes(*sizes), lambda: rule.bind(*sizes, 0, 0)):
        with pytest.raises(InvalidValue) as error:
            check()
        assert message in str(error.value)


@pytest.mark.parametrize(("seed", "stream"), [(-1, 0), (2**64, 0), (0, -1), (0, 2**32), (0.5, 0), (0, None)])
def test_bad_seeds_and_streams_are_refused(seed, stream):
    with pytest.raises(InvalidValue, match=r"^(seed|stream) must be a whole number from 0"):
        OneToOne().bind(2, 2, seed, stream)


def test_numpy_numbers_are_accepted():
    rule = WattsStrogatz(np.int64(4), np.float32(0.5))
    assert rule == WattsStrogatz(4, 0.5)
    assert type(rule.k) is int
    assert type(rule.p) is float
    assert sheet(shape=[np.int32(4), 5]).shape == (4, 5)
    rule.bind(np.int64(9), np.int64(9), np.uint64(2**63), np.uint32(5))
