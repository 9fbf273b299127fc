"""Numbers in fixed point: whole multiples of a unit, which is a power of two, in few bits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Fixed:
    """Whole multiples of `unit` in `bits` bits, 8 or 16.

    Numbers are rounded to the nearest multiple, halves to the even one, and what is beyond the largest becomes the
    largest. The most negative whole number stands for what is not finite.
    """

    bits: int
    unit: float

    @property
    def dtype(self) -> np.dtype[Any]:
        """The integer type."""
        return np.dtype(f"int{self.bits}")

    @property
    def largest(self) -> int:
        """The largest whole number; the least is its negative."""
        return int(2 ** (self.bits - 1) - 1)

    @property
    def broken(self) -> int:
        """What stands for a number that is not finite."""
        return -self.largest - 1

    def to_whole(self, values: Any) -> NDArray[Any]:
        """The whole numbers of float32 or float64 values, any shape."""
        values = np.asarray(values)
        finite = np.isfinite(values)
        with np.errstate(over="ignore"):  # beyond the largest float is beyond the largest whole number
            scaled = np.where(finite, values, 0) * values.dtype.type(1.0 / self.unit)
        whole = np.clip(np.rint(scaled), -self.largest, self.largest)
        return np.where(finite, whole, self.broken).astype(self.dtype)

    def to_real(self, whole: Any, real: Any) -> Any:
        """The numbers that whole numbers stand for, in a floating-point type."""
        whole = np.asarray(whole)
        values = whole.astype(real) * np.asarray(self.unit, dtype=real)
        return np.where(whole == self.broken, np.asarray(np.nan, dtype=real), values)[()]


def fixed_for(low: float, high: float, bits: int) -> Fixed:
    """The finest fixed point of so many bits that holds low to high."""
    largest = max(abs(low), abs(high))
    return Fixed(bits, math.ldexp(1.0, math.ceil(math.log2(largest)) - bits + 1))
