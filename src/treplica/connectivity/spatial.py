"""Connections that become rarer with distance, on a ring or a sheet of neurons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from treplica.connectivity.base import LARGEST_SIZE, AbstractRule, Indices, Rows, Targets
from treplica.connectivity.calls import RowCall, packed
from treplica.connectivity.checks import flag, positive, probability, whole_number
from treplica.connectivity.probabilities import word_thresholds
from treplica.errors import InvalidValue, UnknownName
from treplica.numerics.elementary import exp64
from treplica.numerics.philox import key

Reals = npt.NDArray[np.float64]

KERNELS = ("gaussian", "exponential", "disc")
BITS = 33 * math.log(2.0)  # probabilities below 2**-33 are rounded to 0


@dataclass(frozen=True)
class DistanceDependent(AbstractRule):
    """Every pair is connected independently with probability p_max * f(distance / scale).

    shape: (n,) for neurons on a line, (rows, columns) for a sheet, where neuron i sits in row i //
    columns; the distance of neighbours is 1. kernel: f(x) = exp(-x**2 / 2) "gaussian", exp(-x)
    "exponential", or 1 up to x = 1 and 0 beyond "disc". periodic: whether the line closes to a ring and
    the sheet to a torus. max_distance: no synapses beyond it. self_connections: False leaves out neuron i
    to neuron i.

    Probabilities below 2**-33 count as 0. The cost of a row is the number of neurons in the square around
    it where the probability is larger.
    """

    shape: tuple[int, ...]
    kernel: Literal["gaussian", "exponential", "disc"]
    scale: float
    p_max: float = 1.0
    periodic: bool = True
    max_distance: float | None = None
    self_connections: bool = True

    def __post_init__(self) -> None:
        """Check the fields; raises `InvalidValue`, or `UnknownName` for the kernel."""
        name = "DistanceDependent"
        if (
            not isinstance(self.shape, Sequence)
            or isinstance(self.shape, str)
            or len(self.shape) not in (1, 2)
        ):
            raise InvalidValue(f"{name}.shape", self.shape, "(n,) for a line or (rows, columns) for a sheet")
        shape = tuple(
            whole_number(f"{name}.shape[{i}]", n, 1, LARGEST_SIZE) for i, n in enumerate(self.shape)
        )
        object.__setattr__(self, "shape", shape)
        if self.kernel not in KERNELS:
            raise UnknownName(f"{name}.kernel", str(self.kernel), KERNELS)
        object.__setattr__(self, "scale", positive(f"{name}.scale", self.scale))
        object.__setattr__(self, "p_max", probability(f"{name}.p_max", self.p_max))
        flag(f"{name}.periodic", self.periodic)
        flag(f"{name}.self_connections", self.self_connections)
        if self.max_distance is not None:
            object.__setattr__(self, "max_distance", positive(f"{name}.max_distance", self.max_distance))

    def _check_sizes(self, n_source: int, n_target: int) -> None:
        if not n_source == n_target == math.prod(self.shape):
            allowed = (
                f"between {math.prod(self.shape)} neurons and themselves, as DistanceDependent.shape says"
            )
            raise InvalidValue(
                "DistanceDependent", (n_source, n_target), allowed, f"Its shape is {self.shape}."
            )

    def _expected(self, n_source: int, n_target: int) -> float:
        return _SpatialRows(self, 0, 0).expected_synapses

    def _bind(self, n_source: int, n_target: int, seed: int, stream: int) -> Rows:
        return _SpatialRows(self, seed, stream)

    def probabilities(self, distance: Reals) -> Reals:
        """Return the probability of a synapse at each distance (same shape)."""
        x = distance / self.scale
        if self.kernel == "disc":
            value = np.where(x <= 1.0, 1.0, 0.0)
        else:
            value = exp64(-0.5 * x * x if self.kernel == "gaussian" else -x)
        beyond = math.inf if self.max_distance is None else self.max_distance
        return np.asarray(np.where(distance <= beyond, self.p_max * value, 0.0))

    def reach(self) -> float:
        """Return the distance beyond which no synapse is drawn."""
        decades = max(0.0, BITS + math.log(self.p_max)) if self.p_max > 0.0 else 0.0
        longest = {"disc": 1.0, "exponential": decades, "gaussian": math.sqrt(2.0 * decades)}[self.kernel]
        return min(longest * self.scale, math.inf if self.max_distance is None else self.max_distance)


class _SpatialRows(Rows):
    def __init__(self, rule: DistanceDependent, seed: int, stream: int) -> None:
        rows, columns = rule.shape if len(rule.shape) == 2 else (1, rule.shape[0])
        dy, dx = (_offsets(size, rule.reach(), rule.periodic) for size in (rows, columns))
        distance = np.sqrt((dy * dy)[:, None].astype(np.float64) + (dx * dx)[None, :])
        p = rule.probabilities(distance)
        if not rule.self_connections:
            p[-dy[0], -dx[0]] = 0.0
        copies_y, copies_x = (
            np.full(d.size, size) if rule.periodic else size - np.abs(d)
            for d, size in ((dy, rows), (dx, columns))
        )
        super().__init__(rows * columns, rows * columns, float(copies_y @ p @ copies_x))
        self._settings = (rows, columns, rule.periodic, word_thresholds(p), int(dy[0]), int(dx[0]))
        self._random = (*key(seed), np.uint32(stream))

    def call(self, longest: int) -> RowCall:
        from treplica.connectivity.kernels_calls import spatial_call
        from treplica.connectivity.kernels_spatial import line_words

        *sheet, limits, low_y, low_x = self._settings
        drawn = (*self._random, *sheet, limits, *limits.shape, low_y, low_x)
        return RowCall(spatial_call, packed(*drawn), 4 * int(line_words(limits.shape[1])), limits.size)

    def _degrees(self, first: int, last: int, out: Indices) -> None:
        from treplica.connectivity.kernels_spatial import spatial_rows

        nowhere = np.empty(0, dtype=np.int32)
        spatial_rows(*self._random, *self._settings, first, last, True, out, nowhere)

    def _fill(self, first: int, last: int, indptr: Indices, targets: Targets) -> None:
        from treplica.connectivity.kernels_spatial import spatial_rows

        spatial_rows(*self._random, *self._settings, first, last, False, indptr, targets)


def _offsets(size: int, reach: float, periodic: bool) -> npt.NDArray[np.int64]:
    """Return the offsets along one axis that can lead to a target; on a ring every target has just one."""
    low, high = ((size - 1) // 2, size // 2) if periodic else (size - 1, size - 1)
    return np.arange(-int(min(low, reach)), int(min(high, reach)) + 1)
