"""The exact operations under the elementary functions, for Python numbers, numpy scalars and numpy arrays.

Each keeps the type of its argument. Every compiled target supplies its own versions with the same meaning.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def where(condition: Any, a: Any, b: Any) -> Any:
    """`a` where `condition` holds, `b` elsewhere; both are evaluated."""
    if isinstance(condition, np.ndarray) or isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.where(condition, a, b)
    return a if condition else b


def floor(x: Any) -> Any:
    """Largest whole number not above `x`; NaN and infinities stay."""
    if type(x) is float:
        return float(math.floor(x)) if x != 0.0 and math.isfinite(x) else x  # -0.0 stays
    return np.floor(x)


def sqrt(x: Any) -> Any:
    """Square root, correctly rounded; NaN below 0."""
    if type(x) is float:
        return math.sqrt(x) if x >= 0.0 else math.nan
    return np.sqrt(x)


def absolute(x: Any) -> Any:
    """Absolute value."""
    return abs(x)


def pow2(k: Any) -> Any:
    """2**k for whole k inside the normal exponents of the type of `k`; NaN gives NaN."""
    if type(k) is float:
        return math.ldexp(1.0, int(k)) if k == k else k
    k = np.asarray(k)
    whole = np.where(np.isnan(k), k.dtype.type(0), k).astype(np.int32)
    return np.where(np.isnan(k), k, np.ldexp(k.dtype.type(1), whole))[()]


def mantissa(x: Any) -> Any:
    """The fraction m in [0.5, 1) of x = m * 2**e, for normal finite x > 0; anything for other x."""
    if type(x) is float:
        return math.frexp(x)[0]
    return np.frexp(x)[0]


def exponent(x: Any) -> Any:
    """The whole number e of x = m * 2**e with m in [0.5, 1), for normal finite x > 0; anything for other x."""
    if type(x) is float:
        return float(math.frexp(x)[1])
    return np.asarray(np.frexp(x)[1]).astype(np.asarray(x).dtype)[()]
