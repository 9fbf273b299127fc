"""What `from_torch` gives: the network of a module, and how to compare the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from treplica.coding import SpikeTrains
from treplica.errors import InvalidValue
from treplica.learning.exchange.reading import INPUT
from treplica.learning.layers.over_time import check_layout
from treplica.learning.spikes import SpikeTensor
from treplica.network import Network
from treplica.simulation import Simulation

#: Of the numbers that a module takes, in units.
LARGEST = 255


@dataclass(frozen=True)
class Deployment:
    """A module as a network.

    - `network`: its populations are named after the paths of the module's layers (`0.neurons` is `layer_0_neurons`);
      spikes that the module takes are those of the population `input`
    - `dt`: ms
    - `offsets`: how many steps later than the module a population does the same, because a spike takes a step to the
      next layer in a simulation
    - `shapes`: of each population, without time and samples
    - `states`: the state that is read of a population, where the output of the layer is not its spikes
    - `exact`: whether nothing is rounded on the way to a population, neither by the module in float64 nor by weights on
      the grid of a simulation; where it is so for all, every spike is the module's
    - `output`: the population that does what the module gives
    - `unit`: None where the module takes spikes; otherwise what the numbers that it takes are whole multiples of
    """

    network: Network
    dt: float
    offsets: Mapping[str, int]
    shapes: Mapping[str, tuple[int, ...]]
    states: Mapping[str, str]
    exact: Mapping[str, bool]
    output: str
    unit: float | None = None

    def simulate(self, x: Tensor | SpikeTensor, **settings: Any) -> dict[str, Tensor]:
        """What every population does for x [T, B, ...], each in the time of the module: [T, B, ...], by name.

        x are spikes, 0 and 1, or multiples of `unit`; what is found are spikes, of populations in `states` the state,
        of the input multiples. Every sample is a simulation of its own. settings: of `Simulation`, such as
        engine="cpu", precision="float32" or weights="int8".

        Raises InvalidValue for x that is not so, or not of the shape of the input.
        """
        x = x.dense() if isinstance(x, SpikeTensor) else x
        check_layout("simulate(x)", x, *self.shapes[INPUT])
        x = self._whole(x.detach().cpu().double())
        network = self.network.copy()
        probes = {
            name: network.record(network.population(name), self.states.get(name, "spikes")).name
            for name in self.offsets
        }
        raster = x.flatten(2).numpy()
        samples = [self._sample(network, probes, raster[:, b], settings) for b in range(x.shape[1])]
        return {
            name: torch.from_numpy(np.stack([sample[name] for sample in samples], 1)).unflatten(2, shape)
            for name, shape in self.shapes.items()
        }

    def _whole(self, x: Tensor) -> Tensor:
        """How many units x is."""
        if self.unit is None:
            if bool(((x == 0) | (x == 1)).all()):
                return x
            advice = "Encode numbers as spikes, or say from_torch(unit=) what they are multiples of."
            raise InvalidValue("simulate(x)", float(x.max()), "spikes: 0 or 1", advice)
        found, most = torch.round(x / self.unit), LARGEST
        wrong = (found * self.unit).to(torch.float32) != x.to(torch.float32)
        wrong |= ~(found.abs() <= most)
        if bool(wrong.any()):
            allowed = f"whole multiples of the unit {self.unit:g}, {-most} to {most} times"
            advice = 'Encode pictures with encode(..., "direct", bits=8) and take unit=2**-8.'
            raise InvalidValue("simulate(x)", float(x[wrong][0]), allowed, advice)
        return found

    def _sample(
        self, network: Network, probes: Mapping[str, str], raster: np.ndarray[Any, Any], settings: Any
    ) -> dict[str, np.ndarray[Any, Any]]:
        """What every population does for one sample [T, n]."""
        steps = len(raster)
        with Simulation(network, dt=self.dt, **{"quiet": True, **settings}) as sim:
            given = raster > 0 if self.unit is None else raster.astype(np.int32)
            sim.feed(network.population(INPUT), SpikeTrains.from_dense(given, self.dt))
            sim.run((steps + max(self.offsets.values())) * self.dt)
            found = {}
            for name, probe in probes.items():
                recorded = sim[probe]
                spikes = isinstance(recorded, SpikeTrains)
                values = recorded.on_grid().to_dense() if spikes else recorded.values
                found[name] = values[self.offsets[name] :][:steps].astype(np.float64)
        return found
