"""A network as a module, described again."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from treplica.connectivity import FromArrays
from treplica.learning.exchange.described import acting, one_or_each
from treplica.learning.exchange.synapses import Synapses
from treplica.learning.neurons import Neurons
from treplica.model import Instance
from treplica.network import Network, Population, Projection

if TYPE_CHECKING:
    from treplica.learning.exchange.from_network import NetworkModule


def trained(module: NetworkModule) -> Network:
    """The network of a `NetworkModule` with weights and learned parameters as they are."""
    before, dt = module.network, module.plan.dt
    network = Network(before.seed)
    learned: dict[str, dict[str, Instance]] = {}
    for population in before.populations:
        layer: Any = module.populations[population.name]
        learned[population.name] = _learned(layer, population)
        network.add(_population(population, learned[population.name]))
    for projection in before.projections:
        synapses: Any = module.projections[projection.name]
        _connect(network, projection, synapses, dt)
    for stimulus in before.stimuli:
        drive = learned[stimulus.target.population].get(stimulus.name, stimulus.drive)
        network.stimulate(
            stimulus.target,
            drive,
            name=stimulus.name,
            port=stimulus.port or None,
            current=stimulus.current or None,
        )
    for probe in before.probes:
        network.record(probe.target, probe.variable, interval=probe.interval, name=probe.name)
    return network


def _learned(layer: Neurons, population: Population) -> dict[str, Instance]:
    """The parts of which something is learned; the others stay as they were described."""
    changed = {key.rpartition(".")[0] for key in layer.constants.learned}
    parts = acting(layer, (population.size,))
    return {part: parts[part] for part in parts if part in changed}


def _population(population: Population, learned: dict[str, Instance]) -> Population:
    receptors = {name: learned.get(name, each) for name, each in population.receptors.items()}
    return dataclasses.replace(population, neuron=learned.get("", population.neuron), receptors=receptors)


def _connect(network: Network, projection: Projection, synapses: Synapses, dt: float) -> None:
    source, target = (network.population(v.population) for v in (projection.source, projection.target))
    if not synapses.weight.numel():
        network.connect(
            projection.source, projection.target, projection.rule,
            weight=projection.weight, delay=projection.delay, port=projection.port, name=projection.name,
        )  # fmt: skip
        return
    rule = FromArrays(synapses.sources.cpu().numpy(), synapses.targets.cpu().numpy())
    weights = synapses.weight.detach().double().cpu().numpy()
    delays = synapses.delay.cpu().numpy().astype(np.float64) * dt
    network.connect(
        source, target, rule,
        weight=one_or_each(rule, weights), delay=one_or_each(rule, delays),
        port=projection.port, name=projection.name,
    )  # fmt: skip
