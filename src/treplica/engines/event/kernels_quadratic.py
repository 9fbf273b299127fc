"""The quadratic integrate-and-fire neuron between two events: dx/ds = x^2 + a, with x = v - middle and s in its units.

x(s) = (x + a T) / (1 - x T) with T = tan(r s) / r for a = r^2, tanh(r s) / r for a = -r^2, and s for a = 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from treplica.engines.event.kernels_clocks import COMPILED

_INFINITY = np.inf


@njit(**COMPILED)
def flow(x: float, a: float, s: float) -> Any:
    """x after s."""
    root = math.sqrt(abs(a))
    if a > 0.0:
        passed = math.tan(root * s) / root
    elif a < 0.0:
        passed = math.tanh(root * s) / root
    else:
        passed = s
    return (x + a * passed) / (1.0 - x * passed)


@njit(**COMPILED)
def reach_from(x: float, a: float, level: float) -> Any:
    """How long until x reaches a level above it, infinite where it never does."""
    if not x < level:
        return _INFINITY
    root = math.sqrt(abs(a))
    if a > 0.0:
        return math.atan2(root * (level - x), a + x * level) / root
    if a < 0.0:
        if not (x > root or level < -root):
            return _INFINITY
        return math.atanh(root * (level - x) / (a + x * level)) / root
    return (level - x) / (x * level) if x * level > 0.0 else _INFINITY
