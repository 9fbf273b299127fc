"""Number formats of a simulation: working type of the neurons, whole units of weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from treplica.errors import InvalidValue, UnknownName

Precision = Literal["float64", "float32", "int16", "int8"]
Weights = Literal["auto", "int8", "int14", "int16", "float32"]

#: Bits, with the sign, of the largest drawn weight; "float32" keeps 24 significant bits over a range of 2^20.
WEIGHT_BITS = {"int8": 8, "int14": 14, "int16": 16, "float32": 46}
#: The same for weights that "auto" chooses: random ones, and ones given synapse by synapse.
RANDOM_BITS, GIVEN_BITS = 14, 32


@dataclass(frozen=True)
class Format:
    """How numbers are kept.

    real: arithmetic of neurons, and their states unless `bits` says in how many bits of fixed point they are kept.
    constant_bits: where all weights onto a port are one for a projection, the bits of the largest. Sums are 32 or
    64-bit integers, whichever cannot overflow, and become `real` with one rounding, to nearest.
    """

    name: Precision
    real: DTypeLike
    constant_bits: int
    bits: int = 0

    @property
    def arithmetic(self) -> Literal["float64", "float32"]:
        """The name of the working type."""
        return "float64" if self.real == np.float64 else "float32"

    def check_range(self, what: str, values: Any) -> None:
        """Refuse finite float64 numbers that the working type would turn into infinity."""
        largest = float(np.finfo(self.real).max)
        beyond = np.abs(values) > largest
        if np.any(beyond):
            value = float(np.asarray(values)[beyond].flat[0]) if np.ndim(values) else float(values)
            allowed = f"at most {largest:g} in magnitude, the range of {self.name}"
            raise InvalidValue(what, value, allowed, "Use precision='float64'.")

    def to_real(self, value: Any) -> Any:
        """A number or array in the working type."""
        return np.asarray(value, dtype=self.real)[()]


FORMATS: dict[str, Format] = {
    "float64": Format("float64", np.float64, 36),
    "float32": Format("float32", np.float32, 18),
    "int16": Format("int16", np.float32, 18, bits=16),
    "int8": Format("int8", np.float32, 18, bits=8),
}


def format_of(name: str) -> Format:
    """The format of that name."""
    if name not in FORMATS:
        raise UnknownName("precision", name, FORMATS)
    return FORMATS[name]


def weight_bits(weights: str, given: bool) -> int:
    """Bits of the largest weight; given: one of the user's values for each synapse, not random ones."""
    if weights == "auto":
        return GIVEN_BITS if given else RANDOM_BITS
    if weights not in WEIGHT_BITS:
        raise UnknownName("weights", weights, ("auto", *WEIGHT_BITS))
    return WEIGHT_BITS[weights]
