"""The unit in which weights are whole numbers."""

from __future__ import annotations

import math


def unit_for(largest: float, bits: int) -> float:
    """The least power of two of which a weight of size `largest` is a number of `bits` bits with its sign, at most."""
    return math.ldexp(1.0, math.ceil(math.log2(largest / (2.0 ** (bits - 1) - 1.0))))
