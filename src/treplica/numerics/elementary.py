"""exp, log, expm1, tanh, atan and erf from IEEE operations alone, once for every target.

A C library, numpy, LLVM and PyTorch round these functions differently, so a network that uses them would give
other spikes on each. Here they are sums, products, comparisons and exact changes of the exponent; those are
rounded the same everywhere, and loops over them vectorise. The functions below are in the model language: CPython
runs them as they stand, numba compiles them, PyTorch runs them with `where`, `floor`, `pow2`, `mantissa` and
`exponent` rebound.

Errors, measured by the tests, in units in the last place: exp and log below 1, expm1, atan and erf below 2, tanh
below 3. Limits at 0 and infinity are exact; atan and erf are odd in every bit.
Method: Cody & Waite, "Software Manual for the Elementary Functions", 1980, argument reduction; Taylor and atanh series;
for atan and erf polynomials of least largest error (Remez's exchange), in float64 precise to 1e-18.
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


def atan64(x: Any) -> Any:
    """Arc tangent in float64."""
    a = absolute(x)
    y = where(a > 1e17, 1e17, a)
    near = y < 0.41421356237309503
    far = y > 2.414213562373095
    t = where(near, y, where(far, -1.0, y - 1.0)) / where(near, 1.0, where(far, y, y + 1.0))
    z = t * t
    p = -0.015207950616791664
    p = p * z + 0.03348704212603816
    p = p * z - 0.045040893731496584
    p = p * z + 0.05218537026537569
    p = p * z - 0.058770423796394196
    p = p * z + 0.06666228856721697
    p = p * z - 0.07692282900644473
    p = p * z + 0.09090908150798482
    p = p * z - 0.11111111088351247
    p = p * z + 0.14285714285390785
    p = p * z - 0.19999999999997692
    p = p * z + 0.33333333333333326
    high = where(far, 1.5707963267948966, 0.7853981633974483)
    low = where(far, 6.123233995736766e-17, 3.061616997868383e-17)
    value = high - ((t * (z * p) - low) - t)
    r = where(near, x, 0.0)
    return where(near, r + r * (0.0 - z * p), where(x < 0.0, -value, value))


def atan32(x: Any) -> Any:
    """Arc tangent in float32."""
    a = absolute(x)
    y = where(a > 1e9, 1e9, a)
    near = y < 0.41421356237309503
    far = y > 2.414213562373095
    t = where(near, y, where(far, -1.0, y - 1.0)) / where(near, 1.0, where(far, y, y + 1.0))
    z = t * t
    p = 0.06083347961835399
    p = p * z - 0.10596006979829822
    p = p * z + 0.14243857860398365
    p = p * z - 0.19998490491176213
    p = p * z + 0.3333331553270919
    high = where(far, 1.57079637050628662109375, 0.785398185253143310546875)
    low = where(far, -4.371139000186241e-08, -2.1855695000931207e-08)
    value = high - ((t * (z * p) - low) - t)
    r = where(near, x, 0.0)
    return where(near, r + r * (0.0 - z * p), where(x < 0.0, -value, value))


def erf64(x: Any) -> Any:
    """Error function in float64; beyond 1 it is 1 - exp(-y y) q with a polynomial q of (y - 2) / (y + 2)."""
    a = absolute(x)
    near = a < 1.0
    r = where(near, x, 0.0)
    z = r * r
    p = 5.960685338520971e-11
    p = p * z - 1.137495573607015e-09
    p = p * z + 1.466032872274226e-08
    p = p * z - 1.6350396222864617e-07
    p = p * z + 1.64610084778027e-06
    p = p * z - 1.4925595772180906e-05
    p = p * z + 0.0001205533113295582
    p = p * z - 0.0008548326981425542
    p = p * z + 0.005223977624828431
    p = p * z - 0.026866170645077875
    p = p * z + 0.11283791670954885
    p = p * z - 0.3761263890318375
    p = p * z + 0.1283791670955126
    y = where(a > 6.0, 6.0, a)
    t = (y - 2.0) / (y + 2.0)
    q = -1.2644162559461083e-05
    q = q * t - 2.6611563649044258e-05
    q = q * t + 2.7623152574695062e-05
    q = q * t + 0.00017428846856021508
    q = q * t + 4.353616216489018e-05
    q = q * t - 0.0009819764788967307
    q = q * t - 0.0008471425904927861
    q = q * t + 0.006997461785651129
    q = q * t + 0.0037328923985381944
    q = q * t - 0.07897858101641562
    q = q * t + 0.2416581942424688
    q = q * t - 0.4271858474139568
    q = q * t + 0.25539567631050575
    value = 1.0 - exp64(-(y * y)) * q
    return where(near, r + r * p, where(x < 0.0, -value, value))


def erf32(x: Any) -> Any:
    """Error function in float32."""
    a = absolute(x)
    near = a < 1.0
    r = where(near, x, 0.0)
    z = r * r
    p = 7.889119157487838e-05
    p = p * z - 0.0008020845698406905
    p = p * z + 0.005189536461939261
    p = p * z - 0.026854445581508075
    p = p * z + 0.11283600211815889
    p = p * z - 0.37612627140440547
    p = p * z + 0.12837916591465431
    y = where(a > 4.0, 4.0, a)
    t = (y - 2.0) / (y + 2.0)
    q = 0.00010390594424784272
    q = q * t + 0.007316508435456056
    q = q * t + 0.0037672575409568886
    q = q * t - 0.07898137240381863
    q = q * t + 0.2416574589658665
    q = q * t - 0.42718587504659167
    q = q * t + 0.25539567682634223
    value = 1.0 - exp32(-(y * y)) * q
    return where(near, r + r * p, where(x < 0.0, -value, value))


#: vocabulary name -> (definition in float64, definition in float32)
ELEMENTARY = {
    "exp": (exp64, exp32),
    "log": (log64, log32),
    "expm1": (expm1_64, expm1_32),
    "tanh": (tanh64, tanh32),
    "atan": (atan64, atan32),
    "erf": (erf64, erf32),
}
