"""One inhomogeneous input for every comparison: current steps, and excitatory and inhibitory spikes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from treplica.coding import SpikeTrains
from treplica.model import Instance
from treplica.network import Network, Population, SpikeInput, StepCurrent
from treplica.simulation import Simulation

DT = 0.1
DURATION = 1000.0
NEURONS = 3


@dataclass(frozen=True)
class Drive:
    """currents: times [k] and amplitudes [k, n]. trains: port -> n arrays of times in ms. weights: port -> weight.

    Two drives of one port have a + and a - behind its name.
    """

    times: NDArray[np.float64]
    amplitudes: NDArray[np.float64]
    trains: dict[str, list[NDArray[np.float64]]]
    weights: dict[str, float]


def make_drive(mean: float, std: float, weights: dict[str, float], rates: dict[str, float]) -> Drive:
    """Currents that change every 40 ms around `mean`, and Poisson trains whose rates (Hz) rise and fall."""
    random = np.random.default_rng(20240611)
    times = np.arange(10.0, DURATION, 40.0)
    amplitudes = np.rint(random.normal(mean, std, (times.size, NEURONS)) * 16.0) / 16.0
    t = np.arange(20.0, DURATION - 1.0, DT)
    modulation = 1.0 + np.sin(2.0 * np.pi * t / 250.0)
    trains = {
        port: [t[random.random(t.size) < rate * DT / 1000.0 * modulation] for _ in range(NEURONS)]
        for port, rate in rates.items()
    }
    return Drive(times, amplitudes, trains, weights)


def run_treplica(neuron: Instance, drive: Drive) -> tuple[list[NDArray[np.int64]], NDArray[np.float64]]:
    """Spike steps of each neuron and v [steps, neurons]."""
    net = Network(seed=1)
    cells = net.add(Population("cells", NEURONS, neuron))
    net.stimulate(cells, StepCurrent(drive.times, drive.amplitudes))
    for port, trains in drive.trains.items():
        given = SpikeTrains.from_lists(trains, DT, DURATION)
        net.stimulate(cells, SpikeInput(given, weight=drive.weights[port]), port=port.rstrip("+-"))
    spikes, v = net.record(cells, "spikes"), net.record(cells, "v")
    with Simulation(net, dt=DT, engine="cpu", quiet=True) as sim:
        sim.run(DURATION)
        recorded = sim[spikes]
        return [recorded.steps[recorded.ids == j] for j in range(NEURONS)], sim[v].values
