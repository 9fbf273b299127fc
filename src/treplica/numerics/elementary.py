"""exp, log, expm1 and tanh from IEEE operations alone, once for every target.

A C library, numpy, LLVM and PyTorch round these functions differently, so a network that uses them would give
other spikes on each. Here they are sums, products, comparisons and exact changes of the exponent; those are
rounded the same everywhere, and loops over them vectorise. The functions below are in the model language: CPython
runs them as they stand, numba compiles them, PyTorch runs them with `where`, `floor`, `pow2`, `mantissa` and
`exponent` rebound.

Errors, measured by the tests, in units in the last place: exp and log below 1, expm1 below 2, tanh below 3.
Limits at 0 and infinity are exact.
Method: Cody & Waite, "Software Manual for the Elementary Functions", 1980, argument reduction; Taylor and atanh series.
"""

from __future__ import annotations

from typing import Any

from treplica.numerics.primitives import absolute, exponent, floor, mantissa, pow2, where

INFINITY = float("inf")
NAN = float("nan")


def exp64(x: Any) -> Any:
    """Exponential in float64."""
    y = where(x > 710.0, 710.0, where(x < -746.0, -746.0, x))
    k = floor(y * 1.4426950408889634 + 0.5)
    r = (y - k * 0.6931471803691238) - k * 1.9082149292705877e-10
    p = 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    p = 1.0 + (r + r * r * p)
    half = floor(k * 0.5)
    return p * pow2(half) * pow2(k - half)


def exp32(x: Any) -> Any:
    """Exponential in float32."""
    y = where(x > 89.0, 89.0, where(x < -104.0, -104.0, x))
    k = floor(y * 1.4426950408889634 + 0.5)
    r = (y - k * 0.693359375) - k * -2.12194440e-4
    p = 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    p = 1.0 + (r + r * r * p)
    half = floor(k * 0.5)
    return p * pow2(half) * pow2(k - half)


def log64(x: Any) -> Any:
    """Natural logarithm in float64; -inf at 0, NaN below."""
    safe = where((x > 0.0) & (x < INFINITY), x, 1.0)
    small = safe < 2.2250738585072014e-308
    y = where(small, where(small, safe, 1.0) * 18014398509481984.0, safe)
    m = mantissa(y)
    e = exponent(y) - where(small, 54.0, 0.0)
    low = m < 0.7071067811865476
    m = where(low, m * 2.0, m)
    e = where(low, e - 1.0, e)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    p = 0.08695652173913043
    p = p * z + 0.09523809523809523
    p = p * z + 0.10526315789473684
    p = p * z + 0.11764705882352941
    p = p * z + 0.13333333333333333
    p = p * z + 0.15384615384615385
    p = p * z + 0.18181818181818182
    p = p * z + 0.2222222222222222
    p = p * z + 0.2857142857142857
    p = p * z + 0.4
    p = p * z + 0.6666666666666666
    h = 0.5 * f * f
    value = e * 0.6931471803691238 - ((h - (s * (h + z * p) + e * 1.9082149292705877e-10)) - f)
    return where(x > 0.0, where(x < INFINITY, value, x), where(x < 0.0, NAN, where(x == 0.0, -INFINITY, x)))


def log32(x: Any) -> Any:
    """Natural logarithm in float32; -inf at 0, NaN below."""
    safe = where((x > 0.0) & (x < INFINITY), x, 1.0)
    small = safe < 1.1754943508222875e-38
    y = where(small, where(small, safe, 1.0) * 16777216.0, safe)
    m = mantissa(y)
    e = exponent(y) - where(small, 24.0, 0.0)
    low = m < 0.7071067811865476
    m = where(low, m * 2.0, m)
    e = where(low, e - 1.0, e)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    p = 0.2222222222222222
    p = p * z + 0.2857142857142857
    p = p * z + 0.4
    p = p * z + 0.6666666666666666
    h = 0.5 * f * f
    value = e * 0.693359375 - ((h - (s * (h + z * p) + e * -2.12194440e-4)) - f)
    return where(x > 0.0, where(x < INFINITY, value, x), where(x < 0.0, NAN, where(x == 0.0, -INFINITY, x)))


def expm1_64(x: Any) -> Any:
    """exp(x) - 1 without cancellation near 0, in float64."""
    near = absolute(x) < 0.5
    r = where(near, x, 0.0)
    p = 4.779477332387385e-14
    p = p * r + 7.647163731819816e-13
    p = p * r + 1.1470745597729725e-11
    p = p * r + 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    return where(near, r + r * r * p, exp64(x) - 1.0)


def expm1_32(x: Any) -> Any:
    """exp(x) - 1 without cancellation near 0, in float32."""
    near = absolute(x) < 0.5
    r = where(near, x, 0.0)
    p = 2.48015873015873e-05
    p = p * r + 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    return where(near, r + r * r * p, exp32(x) - 1.0)


def tanh64(x: Any) -> Any:
    """Hyperbolic tangent in float64."""
    e = expm1_64(2.0 * where(x > 20.0, 20.0, where(x < -20.0, -20.0, x)))
    return e / (e + 2.0)


def tanh32(x: Any) -> Any:
    """Hyperbolic tangent in float32."""
    e = expm1_32(2.0 * where(x > 10.0, 10.0, where(x < -10.0, -10.0, x)))
    return e / (e + 2.0)


#: vocabulary name -> (definition in float64, definition in float32)
ELEMENTARY = {
    "exp": (exp64, exp32),
    "log": (log64, log32),
    "expm1": (expm1_64, expm1_32),
    "tanh": (tanh64, tanh32),
}
