"""Rules without chance: one to one, all to all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from treplica.connectivity.base import AbstractRule, Indices, Rows, Targets
from treplica.connectivity.calls import RowCall, packed
from treplica.connectivity.checks import flag, same_size


@dataclass(frozen=True)
class OneToOne(AbstractRule):
    """Neuron i to neuron i; both sides must be equally large."""

    def _check_sizes(self, n_source: int, n_target: int) -> None:
        same_size(
            "OneToOne", n_source, n_target, "Select as many neurons on both sides, or use another rule."
        )

    def _expected(self, n_source: int, n_target: int) -> float:
        return n_source

    def _bind(self, n_source: int, n_target: int, seed: int, stream: int) -> Rows:
        return _IdentityRows(n_source, n_target, n_source)


class _IdentityRows(Rows):
    def call(self, longest: int) -> RowCall:
        from treplica.connectivity.kernels_calls import range_call

        return RowCall(range_call, packed(0), 0, 1)

    def _degrees(self, first: int, last: int, out: Indices) -> None:
        out[:] = 1

    def _fill(self, first: int, last: int, indptr: Indices, targets: Targets) -> None:
        targets[: last - first] = np.arange(first, last, dtype=np.int32)


@dataclass(frozen=True)
class AllToAll(AbstractRule):
    """Every neuron to every neuron.

    self_connections: False leaves out neuron i to neuron i, and then both sides must be equally large.
    """

    self_connections: bool = True

    def __post_init__(self) -> None:
        """Check the field; raises `InvalidValue`."""
        flag("AllToAll.self_connections", self.self_connections)

    def _check_sizes(self, n_source: int, n_target: int) -> None:
        check_self_connections("AllToAll", self.self_connections, n_source, n_target)

    def _expected(self, n_source: int, n_target: int) -> float:
        return n_source * (n_target - (not self.self_connections))

    def _bind(self, n_source: int, n_target: int, seed: int, stream: int) -> Rows:
        return _FullRows(n_source, n_target, self.self_connections)


class _FullRows(Rows):
    def __init__(self, n_source: int, n_target: int, self_connections: bool) -> None:
        self._degree = n_target - (not self_connections)
        super().__init__(n_source, n_target, n_source * self._degree)

    def call(self, longest: int) -> RowCall:
        from treplica.connectivity.kernels_calls import range_call

        return RowCall(range_call, packed(1 if self._degree == self.n_target else 2), 0, self.n_source)

    def _degrees(self, first: int, last: int, out: Indices) -> None:
        out[:] = self._degree

    def _fill(self, first: int, last: int, indptr: Indices, targets: Targets) -> None:
        rows = targets[: indptr[-1]].reshape(last - first, self._degree)
        rows[:] = np.arange(self._degree, dtype=np.int32)
        if self._degree < self.n_target:
            rows += rows >= np.arange(first, last, dtype=np.int32)[:, None]


def check_self_connections(rule: str, allowed: bool, n_source: int, n_target: int) -> None:
    """Raise `InvalidValue` where connections to oneself are to be left out between unequal sides."""
    if not allowed:
        advice = "Without self-connections a rule connects a population, or a part of it, to itself."
        same_size(f"{rule} with self_connections=False", n_source, n_target, advice)
