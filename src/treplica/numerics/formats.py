"""Number formats of a simulation: working type of the neurons, integers of weights and sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from treplica.errors import UnknownName

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
