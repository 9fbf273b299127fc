"""What a neuron can receive in one step at most: the sum of the magnitudes of the weights onto it.

A synapse delivers one spike in a step at most, so no sum of arrivals can exceed it times the largest graded spike.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from treplica.engines.plan import Plan
from treplica.engines.units import MOST_UNITS
from treplica.errors import InvalidValue

#: Half of a 32-bit accumulator is left to spikes that are given from outside.
NARROW = 2**30


class Loads:
    """Bounds in units for every port, added up by several threads at once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.parts: dict[tuple[int, int, int], NDArray[np.float64]] = {}

    def of(self, population: int, port: int) -> NDArray[np.float64]:
        """What this thread has seen so far: float64[size], to be added to."""
        key = (threading.get_ident(), population, port)
        if key not in self.parts:
            self.parts[key] = np.zeros(self.plan.populations[population].size, dtype=np.float64)
        return self.parts[key]

    def width(self, graded: int) -> int:
        """Bytes of an accumulator in which no sum can overflow; InvalidValue where there is none."""
        bound = 0.0
        totals: dict[tuple[int, int], NDArray[np.float64]] = {}
        for (_, population, port), part in self.parts.items():
            total = totals.setdefault((population, port), np.zeros(part.size))
            total += part
        for (population, port), total in totals.items():
            most = float(total.max(initial=0.0)) * graded
            if most > MOST_UNITS:
                what = f"the sum of weights onto one neuron of {self.plan.populations[population].name}"
                unit = self.plan.populations[population].composition.ports[port].unit
                advice = "Use weights='int16' or fewer synapses on a neuron."
                raise InvalidValue(what, most * unit, f"at most {MOST_UNITS * unit:g}", advice)
            bound = max(bound, most)
        return 4 if bound <= NARROW else 8
