"""Distributions of weights, delays and parameters: one value for every synapse, or for every neuron.

A value is a pure function of (seed, stream, source, index within the row): it does not depend on the
range that is asked for, nor on threads. Values outside low..high are drawn again, so the distribution is
truncated, not piled up at its limits.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from treplica.connectivity.base import Indices, row_bounds
from treplica.connectivity.checks import real_number
from treplica.connectivity.parallel import run_ranges
from treplica.errors import InvalidValue
from treplica.numerics.elementary import log64
from treplica.numerics.noise import LARGEST_NORMAL
from treplica.numerics.philox import key

Values = npt.NDArray[np.float64]
#: Mean, standard deviation, limits in standard deviations, limits, whether it is exponentiated.
NormalLaw = tuple[float, float, float, float, float, float, bool]

AT_ONCE = 1 << 15  # values of one range: its temporary arrays stay in the cache
SMALLEST_ACCEPTANCE = 1e-3


@dataclass(frozen=True)
class Constant:
    """The same value for all."""

    value: float

    def __post_init__(self) -> None:
        """Check the field; raises `InvalidValue`."""
        object.__setattr__(self, "value", real_number("Constant.value", self.value))

    def values(self, first: int, last: int, indptr: Indices, seed: int, stream: int) -> Values:
        """Return the value as an array without dimensions, which stands for any number of synapses."""
        return np.asarray(self.value)

    def bounds(self) -> tuple[float, float]:
        """Return the value, twice."""
        return self.value, self.value


@dataclass(frozen=True)
class Normal:
    """Normal distribution of a mean and a standard deviation (before truncation to low..high)."""

    mean: float
    std: float
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        """Check the fields; raises `InvalidValue`, also where under 1/1000 of all values lie in low..high."""
        _check_moments(self)
        _check_interval(self, *_standardised(self.mean, self.std, self.low, self.high))

    def values(self, first: int, last: int, indptr: Indices, seed: int, stream: int) -> Values:
        """Return the values of the synapses of the sources first..last-1.

        indptr: int64, shape (last - first + 1,), bounds of the rows; only their differences matter. Returns
        float64, shape (indptr[-1] - indptr[0],), row after row.
        """
        return _filled(self.law(), first, indptr, seed, stream)

    def law(self) -> NormalLaw:
        """Return what compiled code needs; see `kernels_draws.normal_row`."""
        limits = _standardised(self.mean, self.std, self.low, self.high)
        return self.mean, self.std, *limits, self.low, self.high, False

    def bounds(self) -> tuple[float, float]:
        """Return limits that no value exceeds, finite: a random number is at most LARGEST_NORMAL away from 0."""
        reach = LARGEST_NORMAL * self.std
        return max(self.low, self.mean - reach), min(self.high, self.mean + reach)


@dataclass(frozen=True)
class LogNormal:
    """Log-normal distribution; mean and standard deviation are its own, before truncation to low..high."""

    mean: float
    std: float
    low: float = 0.0
    high: float = math.inf

    def __post_init__(self) -> None:
        """Check the fields; raises `InvalidValue`, also where under 1/1000 of all values lie in low..high."""
        _check_moments(self)
        if self.mean <= 0.0:
            raise InvalidValue("LogNormal.mean", self.mean, "a finite number > 0")
        _check_interval(self, *self._standard_limits())

    def values(self, first: int, last: int, indptr: Indices, seed: int, stream: int) -> Values:
        """Return the values of the synapses of the sources first..last-1; see `Normal.values`."""
        return _filled(self.law(), first, indptr, seed, stream)

    def law(self) -> NormalLaw:
        """Return what compiled code needs; see `kernels_draws.normal_row`."""
        return *self._parameters(), *self._standard_limits(), self.low, self.high, True

    def bounds(self) -> tuple[float, float]:
        """Return limits that no value exceeds; see `Normal.bounds`."""
        mu, sigma = self._parameters()
        low, high = (math.exp(mu + sign * LARGEST_NORMAL * sigma) for sign in (-1.0, 1.0))
        return max(self.low, low * (1.0 - 1e-12)), min(self.high, high * (1.0 + 1e-12))

    def _parameters(self) -> tuple[float, float]:
        """Return mean and standard deviation of the logarithm."""
        variance = float(log64(1.0 + (self.std / self.mean) ** 2))
        return float(log64(self.mean)) - 0.5 * variance, math.sqrt(variance)

    def _standard_limits(self) -> tuple[float, float]:
        low = float(log64(self.low)) if self.low > 0.0 else -math.inf
        high = (
            float(log64(self.high))
            if 0.0 < self.high < math.inf
            else math.inf
            if self.high > 0.0
            else -math.inf
        )
        return _standardised(*self._parameters(), low, high)


@dataclass(frozen=True)
class Uniform:
    """Uniform distribution between two limits."""

    low: float
    high: float

    def __post_init__(self) -> None:
        """Check the fields; raises `InvalidValue`."""
        object.__setattr__(self, "low", real_number("Uniform.low", self.low))
        object.__setattr__(self, "high", real_number("Uniform.high", self.high))
        if self.high < self.low:
            raise InvalidValue("Uniform.high", self.high, f"at least Uniform.low, {self.low}")

    def values(self, first: int, last: int, indptr: Indices, seed: int, stream: int) -> Values:
        """Return the values of the synapses of the sources first..last-1; see `Normal.values`."""
        return _filled(self.law(), first, indptr, seed, stream)

    def law(self) -> tuple[float, float]:
        """Return what compiled code needs; see `kernels_draws.uniform_row`."""
        return self.low, self.high

    def bounds(self) -> tuple[float, float]:
        """Return the limits."""
        return self.low, self.high


@dataclass(frozen=True, eq=False)
class FromArray:
    """Given values, one for every synapse of the projection, row after row (or for every neuron)."""

    array: Values

    def __post_init__(self) -> None:
        """Check and copy the values; raises `InvalidValue`."""
        array = np.asarray(self.array)
        if array.ndim != 1 or array.dtype.kind not in "iuf" or not np.all(np.isfinite(array)):
            raise InvalidValue("FromArray.array", self.array, "a one-dimensional array of finite numbers")
        copy = array.astype(np.float64)
        copy.setflags(write=False)
        object.__setattr__(self, "array", copy)

    def values(self, first: int, last: int, indptr: Indices, seed: int, stream: int) -> Values:
        """Return the values of the synapses indptr[0]..indptr[-1]-1, counted from the projection's first row.

        Raises `InvalidValue` where there are too few. `check_count` also finds too many.
        """
        if indptr[-1] > self.array.size:
            self.check_count(int(indptr[-1]))
        return self.array[indptr[0] : indptr[-1]]

    def bounds(self) -> tuple[float, float]:
        """Return the smallest and the largest value (0 where there is none)."""
        return (float(self.array.min()), float(self.array.max())) if self.array.size else (0.0, 0.0)

    def check_count(self, count: int) -> None:
        """Raise `InvalidValue` unless there are exactly `count` values."""
        if count != self.array.size:
            advice = "FromArrays.in_row_order sorts values of edges as the rows are sorted."
            raise InvalidValue(
                "the length of FromArray.array", self.array.size, f"{count}, one for each", advice
            )

    def __eq__(self, other: object) -> bool:
        """Whether the values are equal."""
        return np.array_equal(self.array, other.array) if isinstance(other, FromArray) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


def _filled(law: tuple[Any, ...], first: int, indptr: Indices, seed: int, stream: int) -> Values:
    """Return the values that a law gives the rows from `first` on, whose bounds are `indptr`."""
    from treplica.connectivity.kernels_draws import drawn_values

    out, random = np.empty(int(indptr[-1] - indptr[0])), (*key(seed), np.uint32(stream))

    def fill(begin: int, end: int) -> None:
        part = indptr[begin : end + 1]
        target = out[part[0] - indptr[0] : part[-1] - indptr[0]]
        drawn_values(*random, first + begin, first + end, part, law, target)

    run_ranges(fill, row_bounds(indptr - indptr[0], AT_ONCE))
    return out


def _check_moments(draw: Normal | LogNormal) -> None:
    """Check mean, std, low and high of a draw; whole numbers become floats."""
    name = type(draw).__name__
    object.__setattr__(draw, "mean", real_number(f"{name}.mean", draw.mean))
    std = real_number(f"{name}.std", draw.std, "a finite number >= 0")
    if std < 0.0:
        raise InvalidValue(f"{name}.std", draw.std, "a finite number >= 0")
    object.__setattr__(draw, "std", std)
    for limit in ("low", "high"):
        value = getattr(draw, limit)
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or math.isnan(float(value)):
            raise InvalidValue(f"{name}.{limit}", value, "a number or infinity")
        object.__setattr__(draw, limit, float(value))


def _standardised(mean: float, std: float, low: float, high: float) -> tuple[float, float]:
    """Return the limits in standard deviations from the mean."""
    if std > 0.0:
        return (low - mean) / std, (high - mean) / std
    return (-math.inf if low <= mean else math.inf), (math.inf if mean <= high else -math.inf)


def _check_interval(draw: Normal | LogNormal, z_low: float, z_high: float) -> None:
    """Raise `InvalidValue` where hardly any standard normal number lies in z_low..z_high."""
    if z_low > 0.0:  # the difference of small upper tails is more exact than that of numbers near 1
        z_low, z_high = -z_high, -z_low
    accepted = 0.5 * (math.erfc(-z_high / math.sqrt(2.0)) - math.erfc(-z_low / math.sqrt(2.0)))
    if not accepted >= SMALLEST_ACCEPTANCE:
        name = type(draw).__name__
        allowed = f"an interval that holds at least {SMALLEST_ACCEPTANCE:g} of all values"
        advice = f"Widen it, or move the mean {draw.mean:g} into it: values outside are drawn again."
        raise InvalidValue(f"{name}.low to {name}.high", (draw.low, draw.high), allowed, advice)
