"""A chain of neurons whose spikes handlers hear."""

import numpy as np

import treplica as tr

DT = 0.5


def chain(n: int = 5, delay: float = 1.0, events: tr.EventDispatcher | None = None) -> tr.Simulation:
    """Neuron i makes i + 1 fire, a delay later; the first fires when it is fed."""
    net = tr.Network(seed=1)
    cells = net.add(tr.Population("cells", n, tr.SpikeSource()))
    net.connect(cells[: n - 1], cells[1:], tr.OneToOne(), weight=1.0, delay=delay)
    return tr.Simulation(net, dt=DT, events=events, quiet=True)


def feed_first(sim: tr.Simulation) -> None:
    cells = sim.network.population("cells")
    sim.feed(cells[:1], tr.SpikeTrains.from_dense(np.ones((1, 1), dtype=bool), DT))
