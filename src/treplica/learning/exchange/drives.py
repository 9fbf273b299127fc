"""What drives a population from outside, step by step: the numbers of the simulator as tensors."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from treplica.engines.composition import Composition, PoissonDrive, ScatteredDrive
from treplica.engines.plan import Plan
from treplica.engines.poisson import scattered
from treplica.numerics import noise


class Drives:
    """Stimuli of one population of a plan. Series are float64 [T, 1, n], for steps first + 1 to first + T."""

    def __init__(self, plan: Plan, index: int) -> None:
        self.plan, self.index = plan, index
        self.size = plan.populations[index].size
        self.composition: Composition = plan.populations[index].composition

    def arrivals(self, port: int, first: int, steps: int) -> list[Tensor]:
        """What is added to the arrivals at a port, in the order in which the simulator adds it."""
        found = []
        given = np.zeros((steps, self.size))
        for injection in self.plan.injections:
            if (injection.population, injection.port) == (self.index, port):
                inside = (injection.steps > first) & (injection.steps <= first + steps)
                at = injection.steps[inside] - first - 1, injection.ids[inside]
                np.add.at(given, at, injection.amounts[inside] * self.composition.ports[port].unit)
        if given.any():
            found.append(given)
        for drive in self.composition.drives:
            if drive.port == port:
                counts = np.stack([self._counts(drive, first + t + 1) for t in range(steps)])
                found.append(counts * drive.weight)
        return [torch.from_numpy(series).unsqueeze(1) for series in found]

    def current(self, name: str, first: int, steps: int) -> Tensor | None:
        """A current that is given from outside, if one is."""
        if name not in self.composition.external:
            return None
        series = np.zeros((steps, self.size))
        for current in self.plan.currents:
            if (current.population, current.current) == (self.index, name):
                row = (
                    np.searchsorted(current.steps, np.arange(first + 1, first + steps + 1), side="right") - 1
                )
                series[np.ix_(row >= 0, current.ids)] += current.values[row[row >= 0]]
        return torch.from_numpy(series).unsqueeze(1)

    def noise(self, part: str, name: str, first: int, steps: int) -> Tensor:
        """The random numbers of a part."""
        (found,) = [p for p in self.composition.parts if p.label == part]
        law = {"normal": noise.normal, "uniform": noise.uniform}[found.model.fields[name].law]
        stream, seed = found.streams[name], self.plan.seed
        rows = [law(seed, stream, first + t + 1, 0, self.size) for t in range(steps)]
        return torch.from_numpy(np.stack(rows).astype(np.float64)).unsqueeze(1)

    def _counts(self, drive: PoissonDrive | ScatteredDrive, step: int) -> np.ndarray:
        """How many spikes of a drive reach each neuron in a step."""
        if isinstance(drive, ScatteredDrive):
            return np.bincount(scattered(drive, self.plan.seed, step), minlength=self.size)
        words = noise.words(self.plan.seed, drive.stream, step, 0, self.size)
        counts: np.ndarray = (drive.tables[drive.classes] < words[:, None]).sum(axis=1)
        return counts
