"""Networks whose every number can be counted by hand."""

from typing import Any

import treplica as tr
from treplica.model import arrival, current, neuron, state

ENGINES = ("plain", "cpu")


@neuron(x=state("1"), i=current("1"), arrived=arrival("1"), late=arrival("1"))
def Tally(x, i, arrived, late):
    """Adds up whatever reaches it, and never spikes; what arrives late counts a thousandfold."""
    return dict(x=x + i + arrived + 1000.0 * late, spike=0.0)


def tallies(size: int = 4, seed: int = 1) -> tuple[tr.Network, tr.Population]:
    """A network of tallies; probe `x` records them in every step."""
    net = tr.Network(seed=seed)
    population = net.add(tr.Population("tally", size, Tally()))
    net.record(population, "x", name="x")
    return net, population


def relays(size: int = 4, seed: int = 1) -> tuple[tr.Network, tr.Population]:
    """A network of neurons that spike in the step in which something arrives; probe `spikes` records them."""
    net = tr.Network(seed=seed)
    population = net.add(tr.Population("relay", size, tr.SpikeSource()))
    net.record(population, name="spikes")
    return net, population


def simulate(net: tr.Network, duration: float, **settings: Any) -> tr.Simulation:
    """Run from the start."""
    sim = tr.Simulation(net, **{"dt": 1.0, "quiet": True, "engine": "plain", **settings})
    sim.run(duration)
    return sim


def trains(*lists: list[float], dt: float = 1.0, duration: float = 20.0) -> tr.SpikeTrains:
    """One list of times for each neuron."""
    return tr.SpikeTrains.from_lists(lists, dt=dt, duration=duration)


def listed(spikes: tr.SpikeTrains) -> list[list[float]]:
    """The times of each neuron, rounded to the picosecond."""
    return [[round(float(t), 9) for t in spikes.of(j)] for j in range(spikes.size)]
