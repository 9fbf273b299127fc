"""Networks computed from event to event in plain Python, by other means than the engine's.

Every neuron is advanced by the textbook formulas; when it fires is found by looking at a fine grid of times and
bisecting. Arrivals are in one sorted list, drawn out of which all that share an instant are summed.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: (time, neuron)
Spike = tuple[float, int]
#: Where it is looked whether a neuron has fired, ms.
FAR = 120.0
LOOKS = np.concatenate([[0.0], np.geomspace(1e-6, 0.05, 200), np.linspace(0.05, FAR, 6000)[1:]])


@dataclass
class Cell:
    """A leaky neuron with any number of exponential currents; port -1 moves v, port j current j."""

    tau: float
    c_m: float
    v_inf: float
    v_th: float
    v_reset: float
    refractory: float
    taus: tuple[float, ...]
    v: float
    currents: list[float] = field(default_factory=list)
    at: float = 0.0
    free: float = 0.0

    def later(self, h: Any) -> tuple[Any, list[Any]]:
        """v and currents h ms after `at`, or at many times; v is held until `free`."""
        held = np.minimum(max(self.free - self.at, 0.0), h)
        currents: list[Any] = [i * np.exp(-held / t) for i, t in zip(self.currents, self.taus, strict=True)]
        h = h - held
        v = self.v_inf + (self.v - self.v_inf) * np.exp(-h / self.tau)
        for i, t in zip(currents, self.taus, strict=True):
            if t == self.tau:
                v = v + i / self.c_m * h * np.exp(-h / t)
            else:
                v = v + i / self.c_m * self.tau * t / (self.tau - t) * (
                    np.exp(-h / self.tau) - np.exp(-h / t)
                )
        return v, [i * np.exp(-h / t) for i, t in zip(currents, self.taus, strict=True)]

    def crossing(self) -> float:
        """When it fires if nothing arrives; infinite beyond FAR ms."""
        looks = max(self.free - self.at, 0.0) + LOOKS
        above = self.later(looks)[0] >= self.v_th
        if not above.any():
            return math.inf
        low, high = looks[max(int(np.argmax(above)) - 1, 0)], looks[int(np.argmax(above))]
        for _ in range(100):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if self.later(middle)[0] >= self.v_th else (middle, high)
        return float(self.at + high)

    def advance(self, time: float) -> None:
        """Bring it to a time."""
        v, currents = self.later(time - self.at)
        self.v, self.currents = float(v), [float(i) for i in currents]
        self.at = time


def simulate(
    cells: list[Cell],
    synapses: list[list[tuple[int, int, float, float]]],
    given: list[tuple[float, int, int, float]],
    duration: float,
) -> list[Spike]:
    """Spikes up to a time in order. synapses: by source, (target, port, weight, delay). given: (time, neuron, port,
    weight).
    """
    queue = list(given)
    heapq.heapify(queue)
    due = [cell.crossing() for cell in cells]
    spikes = []
    while True:
        time = min(queue[0][0] if queue else math.inf, min(due))
        if time > duration:
            return spikes
        arrived: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        while queue and queue[0][0] == time:
            _, neuron, port, weight = heapq.heappop(queue)
            arrived[neuron][port] += weight
        crossed = {n for n, when in enumerate(due) if when == time}
        for n in sorted({*arrived, *crossed}):
            cell = cells[n]
            cell.advance(time)
            for port, weight in arrived[n].items():
                if port >= 0:
                    cell.currents[port] += weight
                elif time >= cell.free:
                    cell.v += weight
            if n in crossed or (time >= cell.free and cell.v >= cell.v_th):
                spikes.append((time, n))
                cell.v, cell.free = cell.v_reset, time + cell.refractory
                for target, port, weight, delay in synapses[n]:
                    heapq.heappush(queue, (time + delay, target, port, weight))
            due[n] = cell.crossing()
