"""Small networks that hold everything an engine must do, for comparison with the plain engine.

A kind of population fixes what is compiled: its neuron, receptors and stimuli. Values are picked; so many different
networks need few kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from treplica.coding import SpikeTrains
from treplica.connectivity import (
    AbstractRule,
    AllToAll,
    Bernoulli,
    FixedInDegree,
    FixedOutDegree,
    FromArrays,
    Normal,
    OneToOne,
    Uniform,
    WattsStrogatz,
)
from treplica.model import Draw, absolute, arrival, current, floor, minimum, neuron, param, state, where
from treplica.network import Network, PoissonInput, Population, SpikeInput, StepCurrent
from treplica.neurons import LIF, Izhikevich, LIFExp, PoissonSource, SpikeSource
from treplica.synapses import Conductance, DirectCurrent, GaussianCurrent

#: A number between two others: from a random generator, or one that hypothesis chose.
Pick = Callable[[float, float], float]


@neuron(v=state("1"), i=current("1"), arrived=arrival("1"), keep=param("1", 0.9, low=0.0, high=1.0), graded=7)
def Levels(v: float, i: float, arrived: float, keep: float) -> dict[str, float]:
    """A spike is a whole number from -7 to 7: how many thresholds v has passed."""
    v1 = keep * v + i + arrived
    size = minimum(floor(absolute(v1)), 7.0)
    level = where(v1 < 0.0, -size, size)
    return dict(v=v1 - level, spike=level)


@dataclass(frozen=True)
class Kind:
    """A sort of population. add: puts one into a network. weights: by port, of what size a weight does something."""

    add: Callable[[Network, str, int, float, Pick], Population]
    weights: dict[str, float]


def _mesh(net: Network, name: str, size: int, dt: float, pick: Pick) -> Population:
    cell = Izhikevich(a=pick(0.02, 0.1), d=pick(2.0, 8.0), refractory=pick(0.0, 3.0))
    population = net.add(Population(name, size, cell))
    net.stimulate(population, GaussianCurrent(mean=pick(0.0, 15.0), std=pick(1.0, 10.0)))
    return population


def _leaky(net: Network, name: str, size: int, dt: float, pick: Pick) -> Population:
    threshold = np.linspace(-60.0, pick(-58.0, -50.0), size)
    population = net.add(Population(name, size, LIF(v_th=threshold, v=Normal(-65.0, 3.0))))
    amplitudes = np.array([pick(300.0, 900.0), pick(-200.0, 200.0), pick(300.0, 900.0)])
    net.stimulate(population, StepCurrent(dt * np.array([1, 8, 14]), amplitudes))
    some = np.array([[pick(0.0, 500.0), 0.0], [0.0, -100.0]])
    net.stimulate(population[:2], StepCurrent(dt * np.array([0, 5]), some))
    return population


def _two_ports(net: Network, name: str, size: int, dt: float, pick: Pick) -> Population:
    population = net.add(Population(name, size, LIFExp(refractory=pick(0.0, 2.0))))
    net.stimulate(population, PoissonInput(pick(500.0, 20_000.0), pick(20.0, 300.0)), port="ex")
    net.stimulate(population[::2], PoissonInput(pick(0.0, 2_000.0), -50.0), port="inh")
    return population


def _receptors(net: Network, name: str, size: int, dt: float, pick: Pick) -> Population:
    receptors = {
        "ampa": Conductance(tau=pick(1.0, 5.0)),
        "gaba": Conductance(tau=10.0, reversal=pick(-85.0, -70.0)),
    }
    population = net.add(Population(name, size, LIF(), receptors))
    net.stimulate(population[: size - 1], DirectCurrent(amplitude=pick(350.0, 900.0)))
    return population


def _graded(net: Network, name: str, size: int, dt: float, pick: Pick) -> Population:
    population = net.add(Population(name, size, Levels(keep=pick(0.5, 1.0))))
    net.stimulate(population, GaussianCurrent(std=pick(0.5, 3.0)))
    return population


def _relay(net: Network, name: str, size: int, dt: float, pick: Pick) -> Population:
    population = net.add(Population(name, size, SpikeSource()))
    dense = np.random.default_rng(int(pick(0.0, 1e6))).uniform(size=(40, size)) < 0.1
    net.stimulate(population, SpikeInput(SpikeTrains.from_dense(dense, dt)))
    return population


def _source(net: Network, name: str, size: int, dt: float, pick: Pick) -> Population:
    return net.add(Population(name, size, PoissonSource(rate=pick(10.0, 300.0))))


KINDS = {
    "mesh": Kind(_mesh, {"arrived": 10.0}),
    "leaky": Kind(_leaky, {"arrived": 5.0}),
    "two_ports": Kind(_two_ports, {"ex": 300.0, "inh": -300.0}),
    "receptors": Kind(_receptors, {"arrived": 5.0, "ampa": 10.0, "gaba": 10.0}),
    "graded": Kind(_graded, {"arrived": 0.5}),
    "relay": Kind(_relay, {"pending": 1.0}),
    "source": Kind(_source, {}),
}


def rules(n_source: int, n_target: int, same: bool, pick: Pick) -> dict[str, AbstractRule]:
    """Rules that fit two sizes; same: source and target are the same neurons."""
    edges = np.arange(2 * n_source, dtype=np.int32)
    fitting: dict[str, AbstractRule] = {
        "all": AllToAll(),
        "bernoulli": Bernoulli(p=pick(0.0, 0.5)),
        "in": FixedInDegree(1 + n_source // 4),
        "out": FixedOutDegree(1 + n_target // 4),
        "arrays": FromArrays(edges % np.int32(n_source), (7 * edges) % np.int32(n_target)),
    }
    if n_source == n_target:
        fitting["one"] = OneToOne()
    if same and n_source > 4:
        fitting["small world"] = WattsStrogatz(k=4, p=pick(0.0, 1.0))
    return fitting


def weights(size: float, pick: Pick) -> dict[str, float | Draw]:
    """Weights of about a size, one for all or drawn."""
    return {
        "one": size * pick(0.2, 1.0),
        "normal": Normal(size * pick(0.2, 1.0), abs(size) * pick(0.0, 0.5)),
        "uniform": Uniform(min(0.0, size), max(0.0, size)),
    }


def delays(dt: float, pick: Pick) -> dict[str, float | Draw]:
    """Delays of one step and more, one for all or drawn."""
    return {
        "step": dt,
        "one": dt * int(pick(2.0, 12.0)),
        "few": Uniform(dt, dt * int(pick(2.0, 12.0))),
        "many": Uniform(dt, 300.0 * dt),
    }


def sample_networks(seed: int = 1, dt: float = 0.5) -> list[Network]:
    """One network for each kind of population, driven by the kind before it, over each sort of rule and draw."""
    names = list(KINDS)
    networks = []
    for j, name in enumerate(names):
        rng = np.random.default_rng([seed, j])
        net = Network(seed=seed + j)
        before = names[j - 1]
        source = KINDS[before].add(net, before, 20 + 45 * (j % 2), dt, rng.uniform)
        target = KINDS[name].add(net, name, 70, dt, rng.uniform)
        for k, (port, size) in enumerate(KINDS[name].weights.items()):
            for view in (source[: 5 + 2 * j], target):
                rule = list(rules(len(view), 70, view is target, rng.uniform).values())
                weight, delay = (
                    list(weights(size, rng.uniform).values()),
                    list(delays(dt, rng.uniform).values()),
                )
                net.connect(
                    view, target, rule[(j + k) % len(rule)],
                    weight=weight[(j + k) % 3], delay=delay[(j + k + len(view)) % 4], port=port,
                )  # fmt: skip
        networks.append(net)
    return networks
