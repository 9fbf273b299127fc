"""Checks that the pieces of a description share."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.errors import InvalidValue, UnknownName
from treplica.model import Draw

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


def check_name(what: str, name: object) -> str:
    """A name that can stand in files and expressions."""
    if not isinstance(name, str) or not NAME.match(name):
        raise InvalidValue(what, name, "a letter followed by letters, digits or _")
    return name


def check_known(kind: str, name: object, known: Collection[str]) -> str:
    """One of the known names; UnknownName suggests the nearest."""
    if not isinstance(name, str):
        raise InvalidValue(kind, name, f"a name: {', '.join(known) or 'there is none'}")
    if name not in known:
        raise UnknownName(kind, name, known)
    return name


def check_count(what: str, value: object, low: int, high: int) -> int:
    """A whole number in a range."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not low <= int(value) <= high:
        raise InvalidValue(what, value, f"a whole number from {low} to {high}")
    return int(value)


def check_number(what: str, value: object, allowed: str = "a finite number", advice: str = "") -> float:
    """A finite number."""
    if not isinstance(value, bool) and isinstance(value, numbers.Real):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise InvalidValue(what, value, allowed, advice)


def check_numbers(what: str, value: Any, allowed: str = "finite numbers") -> NDArray[np.float64]:
    """A read-only copy of an array of finite numbers, of any shape."""
    try:
        array = np.array(value)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise InvalidValue(what, value, allowed)
    array = array.astype(np.float64)
    array.setflags(write=False)
    return array


def check_synaptic(what: str, value: Any) -> float | Draw:
    """A number for every synapse, or a draw that gives each its own."""
    if isinstance(value, Draw):
        return value
    advice = "Values of single synapses: FromArray(...), or FromArrays(...).in_row_order(...)."
    return check_number(what, value, "a finite number or a draw", "" if np.isscalar(value) else advice)
