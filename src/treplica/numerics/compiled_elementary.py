"""Elementary functions for compiled code, made from their one definition in `treplica.numerics.elementary`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic, overload

from treplica.numerics import elementary, primitives

_FRACTION, _BIAS = np.int64(52), np.int64(1023)
_LOW, _HALF = np.int64((1 << 52) - 1), np.int64(1022 << 52)


@overload(primitives.where, strict=False)
def _where(condition: Any, a: Any, b: Any) -> Callable[..., Any]:
    return lambda condition, a, b: a if condition else b


@overload(primitives.floor, strict=False)
def _floor(x: Any) -> Callable[..., Any]:
    return lambda x: np.floor(x)


def _same_bits(given: Any, wanted: Any) -> Any:
    """An intrinsic that takes a value of one type for one of another with the same bits."""

    def cast(typing_context: Any, x: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], context.get_value_type(wanted))

        return wanted(given), generate

    return intrinsic(cast)


bits_double = _same_bits(types.int64, types.float64)
double_bits = _same_bits(types.float64, types.int64)


@overload(primitives.pow2, strict=False)
def _pow2(k: Any) -> Callable[..., Any] | None:
    if k != types.float64:
        return None
    return lambda k: bits_double((np.int64(k) + _BIAS) << _FRACTION) if k == k else k


@overload(primitives.absolute, strict=False)
def _absolute(x: Any) -> Callable[..., Any]:
    return lambda x: abs(x)


@overload(primitives.mantissa, strict=False)
def _mantissa(x: Any) -> Callable[..., Any] | None:
    return (lambda x: bits_double((double_bits(x) & _LOW) | _HALF)) if x == types.float64 else None


@overload(primitives.exponent, strict=False)
def _exponent(x: Any) -> Callable[..., Any] | None:
    if x != types.float64:
        return None
    return lambda x: np.float64((double_bits(x) >> _FRACTION) - (_BIAS - np.int64(1)))


@overload(elementary.exp64, strict=False)
def _exp64(x: Any) -> Callable[..., Any]:
    return elementary.exp64


#: Functions of one float64; in a loop over an array they are inlined and vectorised.
exp64: Any = njit(error_model="numpy", forceinline=True)(elementary.exp64)
log64: Any = njit(error_model="numpy", forceinline=True)(elementary.log64)
expm1_64: Any = njit(error_model="numpy", forceinline=True)(elementary.expm1_64)
