"""Elementary functions for compiled code, made from their one definition in `treplica.numerics.elementary`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic, overload

from treplica.numerics import elementary, primitives

_FRACTION, _BIAS = np.int64(52), np.int64(1023)


@overload(primitives.where, strict=False)
def _where(condition: Any, a: Any, b: Any) -> Callable[..., Any]:
    return lambda condition, a, b: a if condition else b


@overload(primitives.floor, strict=False)
def _floor(x: Any) -> Callable[..., Any]:
    return lambda x: np.floor(x)


def _bits_double(typing_context: Any, bits: Any) -> Any:
    """Return the float64 with these bits (an int64)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


bits_double: Any = intrinsic(_bits_double)


@overload(primitives.pow2, strict=False)
def _pow2(k: Any) -> Callable[..., Any] | None:
    if k != types.float64:
        return None
    return lambda k: bits_double((np.int64(k) + _BIAS) << _FRACTION) if k == k else k


#: exp64 of one float64; in a loop over an array it is inlined and vectorised.
exp64: Any = njit(error_model="numpy", forceinline=True)(elementary.exp64)
