"""Declarations of a model's quantities: each one names, once, its unit, default, range and meaning.

Validation, error messages, documentation and the invalid values that tests try all come from here.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from treplica.errors import InvalidValue

Kind = Literal["state", "param", "current", "arrival", "sees", "noise"]


@runtime_checkable
class Draw(Protocol):
    """A distribution that gives one value to each neuron (see `treplica.connectivity`)."""

    def values(
        self, first: int, last: int, indptr: NDArray[np.int64], seed: int, stream: int
    ) -> NDArray[np.float64]:
        """Values of items `first` to `last`."""

    def bounds(self) -> tuple[float, float]:
        """Finite limits that no value exceeds."""


Value = float | NDArray[np.float64] | Draw


@dataclass(frozen=True)
class Field:
    """One quantity of a model.

    kind: `state` (kept from step to step), `param` (constant), `current` (sum of what receptors and stimuli
    supply), `arrival` (sum of the weights of the spikes that arrive in this step), `sees` (a receptor reads a
    state of its neuron), `noise` (a fresh random number every step). `unit` is written in messages.
    `low`, `high`: inclusive range unless `low_open` / `high_open`. `span`: of a state, what numbers in fixed point
    must hold (None: they cannot be used); `whole`: it counts.
    """

    kind: Kind
    unit: str = "1"
    default: float = 0.0
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    doc: str = ""
    law: Literal["", "normal", "uniform"] = ""
    span: tuple[float, float] | None = None
    whole: bool = False

    @property
    def allowed(self) -> str:
        """The allowed values in words, as error messages print them."""
        words = "a finite number"
        bounds = []
        if self.low > -math.inf:
            bounds.append(f"{'>' if self.low_open else '>='} {self.low:g}")
        if self.high < math.inf:
            bounds.append(f"{'<' if self.high_open else '<='} {self.high:g}")
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{words}{' ' if bounds else ''}{' and '.join(bounds)}{unit}"

    @property
    def meaning(self) -> str:
        """What the quantity is, as a sentence for messages; empty where the declaration does not say."""
        return f"It means: {self.doc}." if self.doc else ""

    def admits(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of `values` (any shape) are allowed."""
        above = values > self.low if self.low_open else values >= self.low
        below = values < self.high if self.high_open else values <= self.high
        return np.isfinite(values) & above & below

    def check(self, quantity: str, value: Any) -> Value:
        """Return `value` as float, float64 array [n] or draw; refuse what the declaration does not allow."""
        if isinstance(value, Draw):
            return value
        if isinstance(value, bool) or not isinstance(value, (numbers.Real, np.ndarray, list, tuple)):
            raise InvalidValue(
                quantity, value, self.allowed, "Give a number, one number per neuron or a draw."
            )
        try:
            array = np.array(float(value) if isinstance(value, numbers.Real) else value)
        except (TypeError, ValueError, OverflowError):
            array = np.array(None)
        if array.dtype.kind not in "iuf":
            raise InvalidValue(quantity, value, self.allowed, "Give a number or one number per neuron.")
        array = array.astype(np.float64)
        if array.ndim > 1:
            raise InvalidValue(quantity, value, "a number or a one-dimensional array", "Flatten it to [n].")
        good = self.admits(array)
        if not good.all():
            if array.ndim == 0:
                raise InvalidValue(quantity, float(array), self.allowed, self.meaning)
            where = int(np.argmin(good))
            raise InvalidValue(f"{quantity}[{where}]", float(array[where]), self.allowed, self.meaning)
        if array.ndim == 0:
            return float(array)
        array.setflags(write=False)
        return array

    def invalid_examples(self) -> list[float]:
        """Values that `check` must refuse; tests try every one of them on every declared quantity."""
        bad = [math.nan, math.inf, -math.inf]
        if self.low > -math.inf:
            bad.append(self.low if self.low_open else self.low - 1.0)
        if self.high < math.inf:
            bad.append(self.high if self.high_open else self.high + 1.0)
        return bad


def state(
    unit: str,
    default: float = 0.0,
    *,
    span: tuple[float, float] | None = None,
    whole: bool = False,
    doc: str = "",
) -> Field:
    """A variable kept from step to step; `default` is its initial value.

    span: what it must be able to hold where states are kept in fixed point (`precision="int16"`); beyond it, it
    saturates. whole: it counts, so that its unit is 1 then.
    """
    return Field("state", unit, default, doc=doc, span=span, whole=whole)


def param(
    unit: str,
    default: float,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    low_open: bool = False,
    high_open: bool = False,
    doc: str = "",
) -> Field:
    """A constant, one for the population or one per neuron."""
    return Field("param", unit, default, low, high, low_open, high_open, doc)


def current(unit: str, *, doc: str = "") -> Field:
    """An input that holds during a step: the sum of what stimuli and receptors supply."""
    return Field("current", unit, doc=doc)


def arrival(unit: str, *, doc: str = "") -> Field:
    """A port for projections: the sum of the weights of the spikes that arrive in this step."""
    return Field("arrival", unit, doc=doc)


def sees(unit: str, *, doc: str = "") -> Field:
    """In a receptor: the state of that name of the neuron, as it was before the step."""
    return Field("sees", unit, doc=doc)


def normal(*, doc: str = "") -> Field:
    """A standard normal number, new for every neuron and step, from the counter-based generator."""
    return Field("noise", law="normal", doc=doc)


def uniform(*, doc: str = "") -> Field:
    """A uniform number in [0, 1], new for every neuron and step, from the counter-based generator."""
    return Field("noise", law="uniform", doc=doc)
