"""The words a model function may use. Ordinary Python, so that the function runs as it stands.

Plain numbers and numpy scalars are computed as they are; numpy arrays elementwise. Engines rebind
these names: numba to compiled code, PyTorch to differentiable operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from treplica.model.literals import with_literals
from treplica.numerics import elementary
from treplica.numerics.elementary import ELEMENTARY
from treplica.numerics.primitives import absolute, floor, sqrt, where

__all__ = [
    "absolute",
    "atan",
    "erf",
    "exp",
    "expm1",
    "floor",
    "graded",
    "hold",
    "log",
    "maximum",
    "minimum",
    "spike",
    "sqrt",
    "tanh",
    "where",
]


def spike(x: Any) -> Any:
    """1 where x >= 0, else 0: the Heaviside function. Training replaces its derivative by a surrogate."""
    if isinstance(x, np.ndarray):
        return (x >= 0.0).astype(x.dtype)
    kind = type(x) if isinstance(x, np.floating) else float
    return kind(1.0) if x >= 0.0 else kind(0.0)


def graded(x: Any) -> Any:
    """The number of whole spikes in x: floor(x) where x > 0, else 0. Training replaces its derivative, like spike's."""
    if isinstance(x, np.ndarray):
        return np.where(x > 0.0, np.floor(x), x.dtype.type(0))
    return floor(x) if x > 0.0 else type(x)(0.0)


def hold(x: Any) -> Any:
    """`x` itself; training passes no gradient through it."""
    return x


def minimum(a: Any, b: Any) -> Any:
    """The smaller of two; `b` where they do not compare (NaN)."""
    return where(a < b, a, b)


def maximum(a: Any, b: Any) -> Any:
    """The larger of two; `b` where they do not compare (NaN)."""
    return where(a > b, a, b)


def _in_float32() -> dict[str, Any]:
    """The float32 definitions with float32 literals: a bare Python number would be computed in float64."""
    space: dict[str, Any] = dict(vars(elementary))
    for _, definition in ELEMENTARY.values():
        space[definition.__name__] = with_literals(definition, space, np.float32)
        space[definition.__name__].__globals__.update(space)
    return {word: space[definition.__name__] for word, (_, definition) in ELEMENTARY.items()}


_FLOAT32 = _in_float32()


def _elementary(word: str, x: Any) -> Any:
    definition = _FLOAT32[word] if getattr(x, "dtype", None) == np.float32 else ELEMENTARY[word][0]
    # Where a result is one of the definition's constants, a numpy number would come back as Python's.
    return type(x)(definition(x)) if isinstance(x, np.floating) else definition(x)


def exp(x: Any) -> Any:
    """Exponential."""
    return _elementary("exp", x)


def log(x: Any) -> Any:
    """Natural logarithm; -inf at 0, NaN below."""
    return _elementary("log", x)


def expm1(x: Any) -> Any:
    """exp(x) - 1 without cancellation near 0."""
    return _elementary("expm1", x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return _elementary("tanh", x)


def atan(x: Any) -> Any:
    """Arc tangent."""
    return _elementary("atan", x)


def erf(x: Any) -> Any:
    """Error function."""
    return _elementary("erf", x)
