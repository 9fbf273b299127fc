"""When the potential of a leaky membrane first reaches a level: none of its crossings can be missed.

    c_m dv/dt = (v_inf - v) c_m / tau + i_1 + i_2,    di_k/dt = -i_k / tau_k

v has at most two extrema to come, since g = exp(t / tau) dv/dt has a derivative of two exponentials, which is zero at
most once, at a time known in closed form. So v is followed from extremum to extremum; between them it is monotone,
and crosses the level where its ends say so. The time is found by Newton's method inside that bracket, by bisection
where that would leave it. Most searches end at once: v cannot rise above the larger of v and v_inf by more than each
current contributes at its peak.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from treplica.engines.event.kernels_clocks import COMPILED
from treplica.numerics.compiled_elementary import exp64 as exp
from treplica.numerics.compiled_elementary import expm1_64 as expm1
from treplica.numerics.compiled_elementary import log64 as log

#: Columns of the constants of a membrane: numbers of a class of neurons. The rest is for each current k: 1 / tau_k,
#: |1 / tau - 1 / tau_k|, what that does to v (mV per pA), whether the membrane is the slower one, the largest v per pA.
TAU, RATE, PER_PF, THRESHOLD, RESET, REFRACTORY, REST, CURRENTS = range(8)
SYNAPSE, PER_SYNAPSE = 8, 5
SYN_RATE, SYN_APART, SYN_GAIN, SYN_SLOW, SYN_PEAK = range(PER_SYNAPSE)
COLUMNS = SYNAPSE + 2 * PER_SYNAPSE
SECOND = SYNAPSE + PER_SYNAPSE
_INFINITY = np.inf
#: What has not come after so many ms does not come: the sign of what remains is that of rounding.
_LATE = 1e12
#: pA.
_NOTHING = 1e-250


@njit(**COMPILED)
def _response(k: Any, at: int, h: float, e: float) -> Any:
    """What 1 pA does to v after h ms, and what is left of it; e = exp(-h / tau)."""
    apart = k[at + SYN_APART]
    if apart == 0.0:
        return h * k[PER_PF] * e, e
    x = expm1(-h * apart)
    if k[at + SYN_SLOW] != 0.0:
        return -k[at + SYN_GAIN] * e * x, e + e * x
    left = exp(-h * k[at + SYN_RATE])
    return -k[at + SYN_GAIN] * left * x, left


@njit(**COMPILED)
def evolve(k: Any, h: float, v_inf: float, v: float, i1: float, i2: float) -> Any:
    """(v, i1, i2) after h ms; k: constants of the neuron."""
    e = exp(-h * k[RATE])
    v1 = v_inf + (v - v_inf) * e
    if i1 != 0.0:
        gain, left = _response(k, SYNAPSE, h, e)
        v1 += i1 * gain
        i1 *= left
    if i2 != 0.0:
        gain, left = _response(k, SECOND, h, e)
        v1 += i2 * gain
        i2 *= left
    return v1, i1, i2


@njit(**COMPILED)
def _slope(k: Any, v_inf: float, v: float, i1: float, i2: float) -> Any:
    """dv/dt."""
    return (v_inf - v) * k[RATE] + (i1 + i2) * k[PER_PF]


@njit(**COMPILED)
def _bend(k: Any, i1: float, i2: float) -> Any:
    """What changes dv/dt beside the leak: -d(i / c_m)/dt."""
    return (i1 * k[SYNAPSE + SYN_RATE] + i2 * k[SECOND + SYN_RATE]) * k[PER_PF]


@njit(**COMPILED)
def _fed(apart: float, most: float, h: float) -> Any:
    """(integral of exp(apart t) over h ms, exp(apart h)), both times exp(-most h); most >= 0, apart."""
    if apart > 0.0:
        left = exp(-(most - apart) * h)
        return -left * expm1(-apart * h) / apart, left
    left = exp(-most * h)
    if apart == 0.0:
        return left * h, left
    return left * expm1(apart * h) / apart, left * exp(apart * h)


@njit(**COMPILED)
def _growth(k: Any, h: float, v_inf: float, v: float, i1: float, i2: float) -> Any:
    """exp(h / tau) dv/dt after h ms and its slope, both times a positive number.

    It has the sign of dv/dt, and keeps it where v is so close to v_inf that rounding leaves nothing of the difference.
    """
    apart1, apart2 = k[RATE] - k[SYNAPSE + SYN_RATE], k[RATE] - k[SECOND + SYN_RATE]
    most = max(0.0, max(apart1, apart2))
    fed1, left1 = _fed(apart1, most, h)
    fed2, left2 = _fed(apart2, most, h)
    b1, b2 = _bend(k, i1, 0.0), _bend(k, 0.0, i2)
    return _slope(k, v_inf, v, i1, i2) * exp(-most * h) - b1 * fed1 - b2 * fed2, -b1 * left1 - b2 * left2


@njit(**COMPILED)
def _value(k: Any, order: int, level: float, h: float, v_inf: float, v: float, i1: float, i2: float) -> Any:
    """v - level and its slope after h ms (order 0), or the growth of v and its slope (order 1)."""
    if order == 1:
        return _growth(k, h, v_inf, v, i1, i2)
    v1, j1, j2 = evolve(k, h, v_inf, v, i1, i2)
    return v1 - level, _slope(k, v_inf, v1, j1, j2)


@njit(**COMPILED)
def _solve(
    k: Any,
    order: int,
    sign: float,
    level: float,
    low: float,
    high: float,
    v_inf: float,
    v: float,
    i1: float,
    i2: float,
) -> Any:
    """The h in (low, high] where sign times the value goes from below 0 to above."""
    h = low
    for _ in range(100):
        value, slope = _value(k, order, level, h, v_inf, v, i1, i2)
        if value == 0.0:
            return h
        if sign * value < 0.0:
            low = h
        else:
            high = h
        new = h - value / slope
        if not (low < new and new < high):
            new = 0.5 * (low + high)
        if abs(new - h) <= 1e-15 + 4e-16 * h or new in (low, high):
            return new
        h = new
    return h


@njit(**COMPILED)
def _far(
    k: Any, order: int, sign: float, level: float, low: float, v_inf: float, v: float, i1: float, i2: float
) -> Any:
    """A bracket (low, high) of the value's change of sign, which must come."""
    step = 1.0 / min(k[RATE], min(k[SYNAPSE + SYN_RATE], k[SECOND + SYN_RATE]))
    high = low + step
    while sign * _value(k, order, level, high, v_inf, v, i1, i2)[0] < 0.0:
        low, step = high, 2.0 * step
        high = low + step
        if step > _LATE:
            return low, _INFINITY
    return low, high


@njit(**COMPILED)
def _log_ratio(x: float) -> Any:
    """log(1 + x)."""
    if abs(x) < 1e-4:
        return x - x * x * (0.5 - x * (1.0 / 3.0 - 0.25 * x))
    return log(1.0 + x)


@njit(**COMPILED)
def _turn_of_one(slope: float, bend: float, apart: float) -> Any:
    """When dv/dt is 0 under one current, whose rate is slower by `apart` than the membrane's; infinite: never."""
    if not slope / bend > 0.0:
        return _INFINITY
    x = apart * slope / bend
    if x <= -1.0:
        return _INFINITY
    return _log_ratio(x) / apart if apart != 0.0 else slope / bend


@njit(**COMPILED)
def _turns_at_last(k: Any, sign: float, v_inf: float, v: float, i1: float, i2: float) -> Any:
    """Whether sign times the growth of v ends below 0, under two currents that do not decay alike."""
    apart1, apart2 = k[RATE] - k[SYNAPSE + SYN_RATE], k[RATE] - k[SECOND + SYN_RATE]
    b1, b2 = _bend(k, i1, 0.0), _bend(k, 0.0, i2)
    if max(apart1, apart2) >= 0.0:  # the slower current leaves nothing else
        return sign * (b1 if apart1 > apart2 else b2) > 0.0
    return sign * (_slope(k, v_inf, v, i1, i2) + b1 / apart1 + b2 / apart2) < 0.0


@njit(**COMPILED)
def _turn(k: Any, rising: bool, fresh: bool, v_inf: float, v: float, i1: float, i2: float) -> Any:
    """The time until v has its next extremum, infinite where there is none.

    fresh: v is not at an extremum now.
    """
    sign = 1.0 if rising else -1.0
    r1, r2 = k[SYNAPSE + SYN_RATE], k[SECOND + SYN_RATE]
    if i2 == 0.0 or i1 == 0.0 or r1 == r2:
        i, rate = (i1 + i2, r1) if i1 != 0.0 else (i2, r2)
        if not fresh or i == 0.0:
            return _INFINITY
        return _turn_of_one(_slope(k, v_inf, v, i1, i2), i * rate * k[PER_PF], k[RATE] - rate)
    between = _INFINITY  # when the growth has its extremum
    if (i1 < 0.0) != (i2 < 0.0):
        between = (log(abs(i2 * r2)) - log(abs(i1 * r1))) / (r2 - r1)
        if not between > 0.0:
            between = _INFINITY
    falling = sign * _bend(k, i1, i2) > 0.0 and fresh  # sign times the growth, at first
    low = 0.0
    if between < _INFINITY:
        if falling:
            if sign * _growth(k, between, v_inf, v, i1, i2)[0] < 0.0:
                return _solve(k, 1, -sign, 0.0, 0.0, between, v_inf, v, i1, i2)
            return _INFINITY
        low = between
    elif not falling:
        return _INFINITY
    if not _turns_at_last(k, sign, v_inf, v, i1, i2):
        return _INFINITY
    low, high = _far(k, 1, -sign, 0.0, low, v_inf, v, i1, i2)
    return _solve(k, 1, -sign, 0.0, low, high, v_inf, v, i1, i2) if high < _INFINITY else high


@njit(**COMPILED)
def _reach_by_leak(tau: float, level: float, v_inf: float, v: float) -> Any:
    """The time until v reaches a level above it without any current."""
    return tau * log((v_inf - v) / (v_inf - level)) if v < level and level < v_inf else _INFINITY


@njit(**COMPILED)
def _highest(k: Any, v_inf: float, v: float, i1: float, i2: float) -> Any:
    """What v cannot exceed."""
    top = max(v, v_inf)
    if i1 > 0.0:
        top += i1 * k[SYNAPSE + SYN_PEAK]
    if i2 > 0.0:
        top += i2 * k[SECOND + SYN_PEAK]
    return top


@njit(**COMPILED)
def _unless_nothing(i: float) -> Any:
    """A current, or 0 where it is what is left after a long silence: no sum notices it, and products vanish."""
    return i if abs(i) > _NOTHING else 0.0


@njit(**COMPILED)
def reach_at_least(k: Any, level: float, v_inf: float, v: float, i1: float, i2: float) -> Any:
    """A time in ms before which v, below `level`, does not reach it: cheap, and infinite where it never can.

    The leak lifts v by no more than now, nor does any current.
    """
    if not _highest(k, v_inf, v, i1, i2) >= level:
        return _INFINITY
    steepest = max(v_inf - v, 0.0) * k[RATE] + (max(i1, 0.0) + max(i2, 0.0)) * k[PER_PF]
    return (level - v) / steepest * (1.0 - 1e-12) if steepest > 0.0 else _INFINITY


@njit(**COMPILED)
def reach(k: Any, level: float, v_inf: float, v: float, i1: float, i2: float) -> Any:
    """The time in ms until v reaches `level` from below, infinite where it never does."""
    i1, i2 = _unless_nothing(i1), _unless_nothing(i2)
    if i1 == 0.0 and i2 == 0.0:
        return _reach_by_leak(k[TAU], level, v_inf, v)
    passed, fresh = 0.0, True
    slope = _slope(k, v_inf, v, i1, i2)
    rising = slope > 0.0 or (slope == 0.0 and _bend(k, i1, i2) < 0.0)
    for _ in range(4):
        if _highest(k, v_inf, v, i1, i2) < level:
            return _INFINITY
        turn = _turn(k, rising, fresh, v_inf, v, i1, i2)
        if turn == _INFINITY:
            if not rising or v >= level or v_inf <= level:
                return _INFINITY
            low, high = _far(k, 0, 1.0, level, 0.0, v_inf, v, i1, i2)
            return passed + _solve(k, 0, 1.0, level, low, high, v_inf, v, i1, i2)
        v1, j1, j2 = evolve(k, turn, v_inf, v, i1, i2)
        if rising and v < level and v1 >= level:
            return passed + _solve(k, 0, 1.0, level, 0.0, turn, v_inf, v, i1, i2)
        v, i1, i2 = v1, _unless_nothing(j1), _unless_nothing(j2)
        passed, fresh, rising = passed + turn, False, not rising
    return _INFINITY
