"""Random connections without structure, row by row: by probability or by a fixed number per source."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np

from treplica.connectivity.base import LARGEST_SIZE, AbstractRule, Indices, Rows, Targets
from treplica.connectivity.calls import RowCall, packed
from treplica.connectivity.checks import flag, probability, whole_number
from treplica.connectivity.parallel import available_threads, even_bounds, run_ranges
from treplica.connectivity.probabilities import binomial_table
from treplica.connectivity.simple import check_self_connections
from treplica.errors import InvalidValue
from treplica.numerics.philox import key

LARGEST_TOTAL = 2**34  # as many draws as a stream has words for one purpose


@dataclass(frozen=True)
class Bernoulli(AbstractRule):
    """Every pair is connected with probability p, independently: the random graph of Erdos and Renyi.

    self_connections: False leaves out neuron i to neuron i, and then both sides must be equally large.
    """

    p: float
    self_connections: bool = True

    def __post_init__(self) -> None:
        """Check the fields; raises `InvalidValue`."""
        object.__setattr__(self, "p", probability("Bernoulli.p", self.p))
        flag("Bernoulli.self_connections", self.self_connections)

    def _check_sizes(self, n_source: int, n_target: int) -> None:
        check_self_connections("Bernoulli", self.self_connections, n_source, n_target)

    def _expected(self, n_source: int, n_target: int) -> float:
        return n_source * (n_target - (not self.self_connections)) * self.p

    def _bind(self, n_source: int, n_target: int, seed: int, stream: int) -> Rows:
        return _BernoulliRows(n_source, n_target, self.p, self.self_connections, seed, stream)


@dataclass(frozen=True)
class FixedOutDegree(AbstractRule):
    """Every source has k synapses to uniformly drawn targets.

    multapses: whether a source may have several synapses to one target. self_connections: False leaves
    out neuron i to neuron i, and then both sides must be equally large.
    """

    k: int
    multapses: bool = True
    self_connections: bool = True

    def __post_init__(self) -> None:
        """Check the fields; raises `InvalidValue`."""
        object.__setattr__(self, "k", whole_number("FixedOutDegree.k", self.k, 0, LARGEST_SIZE))
        flag("FixedOutDegree.multapses", self.multapses)
        flag("FixedOutDegree.self_connections", self.self_connections)

    def _check_sizes(self, n_source: int, n_target: int) -> None:
        check_self_connections("FixedOutDegree", self.self_connections, n_source, n_target)
        check_degree("FixedOutDegree.k", self.k, n_target, "target", self.multapses, self.self_connections)

    def _expected(self, n_source: int, n_target: int) -> float:
        return n_source * self.k

    def _bind(self, n_source: int, n_target: int, seed: int, stream: int) -> Rows:
        settings = (self.multapses, not self.self_connections, seed, stream)
        return _FixedRows(n_source, n_target, self.k, *settings)


@dataclass(frozen=True)
class FixedTotalNumber(AbstractRule):
    """n synapses in all, each from a uniformly drawn source to a uniformly drawn target.

    Multapses and self-connections are allowed, as in Potjans & Diesmann 2014, doi:10.1093/cercor/bhs358.
    """

    n: int

    def __post_init__(self) -> None:
        """Check the field; raises `InvalidValue`."""
        object.__setattr__(self, "n", whole_number("FixedTotalNumber.n", self.n, 0, LARGEST_TOTAL))

    def _expected(self, n_source: int, n_target: int) -> float:
        return self.n

    def _bind(self, n_source: int, n_target: int, seed: int, stream: int) -> Rows:
        return _CountedRows(n_source, n_target, self.n, seed, stream)


def check_degree(
    quantity: str, k: int, size: int, side: str, multapses: bool, self_connections: bool
) -> None:
    """Raise `InvalidValue` where k neurons cannot be drawn from `size`."""
    others = size - (not self_connections)
    if k and (not others or (not multapses and k > others)):
        allowed = f"a whole number from 0 to {others}, the number of possible {side}s"
        raise InvalidValue(quantity, k, allowed, "Use a smaller k, or allow multapses.")


class UniformRows(Rows):
    """Rows of uniformly drawn targets; what is below `_degrees` decides how many."""

    def __init__(
        self,
        n_source: int,
        n_target: int,
        expected: float,
        multapses: bool,
        skip_self: bool,
        seed: int,
        stream: int,
    ) -> None:
        super().__init__(n_source, n_target, expected)
        self._random = (*key(seed), np.uint32(stream))
        self._multapses, self._skip_self = multapses, skip_self

    def call(self, longest: int) -> RowCall:
        """Return the call; rows of different targets can be marked in a bitmap."""
        from treplica.connectivity.kernels_bits import MARKED
        from treplica.connectivity.kernels_calls import mark_call, uniform_call
        from treplica.connectivity.kernels_sampling import CHUNK, bitmap_words

        choices = self.n_target - self._skip_self
        words = int(bitmap_words(choices, self._multapses, self._skip_self, longest, MARKED))
        drawn = (*self._random, choices, self._multapses, self._skip_self, longest, words)
        scratch = 8 * CHUNK + 16 * longest + 8 + 8 * words
        # With multapses the number of synapses is fixed, and one target may have all of them.
        most = int(self.expected_synapses) if self._multapses else self.n_source
        return RowCall(uniform_call, packed(*drawn), scratch, most, mark_call if words else None)

    def _fill(self, first: int, last: int, indptr: Indices, targets: Targets) -> None:
        from treplica.connectivity.kernels_sampling import fill_uniform_rows

        choices = self.n_target - self._skip_self
        if indptr[-1]:
            settings = (choices, self._multapses, self._skip_self)
            fill_uniform_rows(*self._random, *settings, first, last, indptr, targets)


class _BernoulliRows(UniformRows):
    def __init__(
        self, n_source: int, n_target: int, p: float, self_connections: bool, seed: int, stream: int
    ) -> None:
        choices = n_target - (not self_connections)
        expected = n_source * choices * p
        super().__init__(n_source, n_target, expected, False, not self_connections, seed, stream)
        self._table = binomial_table(choices, p)

    def _degrees(self, first: int, last: int, out: Indices) -> None:
        from treplica.connectivity.kernels_sampling import binomial_degrees

        binomial_degrees(*self._random, *self._table, first, out)


class _FixedRows(UniformRows):
    def __init__(
        self, n_source: int, n_target: int, k: int, multapses: bool, skip_self: bool, seed: int, stream: int
    ) -> None:
        super().__init__(n_source, n_target, n_source * k, multapses, skip_self, seed, stream)
        self._k = k

    def _degrees(self, first: int, last: int, out: Indices) -> None:
        out[:] = self._k


class _CountedRows(UniformRows):
    """The numbers of synapses per source are drawn when the rule is bound, the targets row by row."""

    def __init__(self, n_source: int, n_target: int, total: int, seed: int, stream: int) -> None:
        super().__init__(n_source, n_target, total, True, False, seed, stream)
        self._counts = uniform_counts(n_source, total, self._random)

    def _degrees(self, first: int, last: int, out: Indices) -> None:
        out[:] = self._counts[first:last]


def uniform_counts(n: int, total: int, random: tuple[np.uint32, np.uint32, np.uint32]) -> Indices:
    """Return how often each of n neurons comes up in `total` uniform draws: int64, shape (n,)."""
    from treplica.connectivity.kernels_sampling import count_draws

    counts, lock = np.zeros(n, dtype=np.int64), Lock()

    def count(first: int, last: int) -> None:
        part = np.zeros(n, dtype=np.int64)
        count_draws(*random, n, first, last, part)
        with lock:
            np.add(counts, part, out=counts)

    step = max(-(-total // available_threads()) // 64 * 64, 1 << 16)
    run_ranges(count, even_bounds(total, step))
    return counts
