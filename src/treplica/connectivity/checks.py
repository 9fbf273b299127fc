"""Checks that the rules and draws share."""

from __future__ import annotations

import math
import numbers

from treplica.errors import InvalidValue


def whole_number(quantity: str, value: object, low: int, high: int | None = None) -> int:
    """Return `value` as an int; `InvalidValue` unless it is a whole number within low..high."""
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        number = int(value)
        if low <= number and (high is None or number <= high):
            return number
    allowed = f"a whole number >= {low}" if high is None else f"a whole number from {low} to {high}"
    raise InvalidValue(quantity, value, allowed)


def real_number(quantity: str, value: object, allowed: str = "a finite number") -> float:
    """Return `value` as a float; `InvalidValue` (saying what is `allowed`) unless it is a finite number."""
    if isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(float(value)):
        return float(value)
    raise InvalidValue(quantity, value, allowed)


def positive(quantity: str, value: object) -> float:
    """Return `value` as a float; `InvalidValue` unless it is finite and above 0."""
    number = real_number(quantity, value, "a finite number > 0")
    if number > 0.0:
        return number
    raise InvalidValue(quantity, value, "a finite number > 0")


def probability(quantity: str, value: object) -> float:
    """Return `value` as a float; `InvalidValue` unless it lies in 0..1."""
    number = real_number(quantity, value, "a number from 0 to 1")
    if 0.0 <= number <= 1.0:
        return number
    raise InvalidValue(quantity, value, "a number from 0 to 1")


def flag(quantity: str, value: object) -> bool:
    """Return `value`; `InvalidValue` unless it is True or False."""
    if isinstance(value, bool):
        return value
    raise InvalidValue(quantity, value, "True or False")


def same_size(quantity: str, n_source: int, n_target: int, advice: str) -> None:
    """Raise `InvalidValue` unless both sides of a connection have as many neurons."""
    if n_source != n_target:
        allowed = "between two equally large sets of neurons"
        raise InvalidValue(quantity, (n_source, n_target), allowed, advice)
