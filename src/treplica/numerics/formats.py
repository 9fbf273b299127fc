"""Number formats of a simulation: working type of the neurons, integers of weights and sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from treplica.errors import InvalidValue, UnknownName

Precision = Literal["float64", "float32"]


@dataclass(frozen=True)
class Format:
    """How numbers are kept.

    real: states and arithmetic of neurons. weight: weights where they differ from synapse to synapse, integers of
    `weight_bits` magnitude bits. total: accumulators; sums of at most `total_bits` bits are exact in `real` for
    float64 and rounded once, to nearest, for float32.
    """

    name: Precision
    real: DTypeLike
    weight: DTypeLike
    weight_bits: int
    total: DTypeLike
    total_bits: int

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
    "float64": Format("float64", np.float64, np.int32, 31, np.int64, 53),
    "float32": Format("float32", np.float32, np.int16, 15, np.int32, 31),
}


def format_of(name: str) -> Format:
    """The format of that name."""
    if name not in FORMATS:
        raise UnknownName("precision", name, FORMATS)
    return FORMATS[name]
