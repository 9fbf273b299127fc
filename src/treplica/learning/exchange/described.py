"""What was read of a module as the pieces of a network description."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treplica.connectivity import FromArrays
from treplica.errors import InvalidValue
from treplica.learning.exchange.reading import INPUT, Reached
from treplica.learning.exchange.signal import BIAS, Source, unit_of
from treplica.learning.neurons import Neurons
from treplica.model import Draw, Instance
from treplica.network import Network, Population
from treplica.numerics.formats import GIVEN_BITS
from treplica.numerics.units import unit_for
from treplica.synapses import Pulse

#: The receptor through which spikes feed a current of neurons, step by step.
PULSE = "pulse"


def offsets_of(layers: Mapping[str, Reached]) -> dict[str, int]:
    """The least offsets with which every spike travels a step at least; InvalidValue where there are none."""
    offsets = {INPUT: 0, BIAS: 0} | dict.fromkeys(layers, 0)
    edges = [(source, name) for name, reached in layers.items() for source in reached.signal.terms]
    late: list[str] = []
    for _ in range(len(offsets) + 1):
        late = []
        for source, target in edges:
            least = offsets[source.population] + 1 - source.delay
            if offsets[target] < least:
                offsets[target] = least
                late.append(target)
        if not late:
            del offsets[BIAS]
            return offsets
    allowed = "a step of delay for every layer of a cycle, as a spike takes one to each"
    advice = "Give the connections that close the cycle a longer delay."
    raise InvalidValue("a cycle with too little delay", sorted(set(late)), allowed, advice)


def acting(layer: Neurons, shape: tuple[int, ...]) -> dict[str, Instance]:
    """The parts of a layer with the parameters that are learned as they act; "" is the neuron."""
    instances = {}
    for part, instance in layer.cell.parts.items():
        values: dict[str, Any] = dict(instance.values)
        for key in layer.constants.learned:
            (prefix, _, own) = key.rpartition(".")
            if prefix == part:
                values[own] = _spread(layer.constants.parameter(key).detach(), shape)
        instances[part] = Instance(instance.model, instance.model.validate(values), instance.feeds)
    return instances


def population_of(reached: Reached) -> Population:
    """The layer as a population."""
    layer, shape = reached.layer, reached.signal.shape
    receptors = acting(layer, shape)
    neuron = receptors.pop("")
    if layer.port in neuron.model.of_kind("current"):
        # What reaches a current from outside comes first in its sum.
        receptors = {_label(receptors): Pulse().into(layer.port), **receptors}
    return Population(reached.name, math.prod(shape), neuron, receptors=receptors)


def _label(receptors: Mapping[str, Instance]) -> str:
    return PULSE if PULSE not in receptors else f"{PULSE}_of_input"


def _spread(values: Tensor, shape: tuple[int, ...]) -> float | NDArray[np.float64]:
    return float(values) if not values.ndim else values.expand(shape).flatten().numpy().copy()


def connect(network: Network, reached: Reached, offsets: Mapping[str, int], dt: float) -> None:
    """Projections from every source, synapses with the delays that they have in the module and the offsets."""
    target = network.population(reached.name)
    sources: dict[str, list[Source]] = {}
    for source in reached.signal.terms:
        sources.setdefault(source.population, []).append(source)
    for name, of_one in sources.items():
        entries = [reached.signal.terms[source].tocoo() for source in of_one]
        counts = [each.nnz for each in entries]
        if not sum(counts):
            continue
        rule = FromArrays(
            np.concatenate([each.col for each in entries]).astype(np.int32),
            np.concatenate([each.row for each in entries]).astype(np.int32),
        )
        begin = offsets[reached.name] - offsets.get(name, 0)
        delays = np.array([source.delay + begin for source in of_one]) * dt
        network.connect(
            network.population(name),
            target,
            rule,
            weight=rule.in_row_order(np.concatenate([each.data for each in entries])),
            delay=one_or_each(rule, np.repeat(delays, counts)),
            port=_port(target, reached.layer),
            name=f"{name}_{reached.name}",
        )


def one_or_each(rule: FromArrays, values: NDArray[np.float64]) -> float | Draw:
    """One number where all edges have the same."""
    return float(values[0]) if (values == values[0]).all() else rule.in_row_order(values)


def _port(target: Population, layer: Neurons) -> str:
    """The port of the population that the layer's input feeds."""
    key = layer.port
    if key in layer.neuron.model.of_kind("current"):
        return _label({name: r for name, r in layer.cell.parts.items() if name})
    part = key.rpartition(".")[0]
    (found,) = [port for port in target.ports if port in (key, part)]
    return found


def held_exactly(reached: Reached) -> bool:
    """Whether what reaches a layer is the same in float64 and in whole units, whatever the order of its sums."""
    entries = [m.data for m in reached.signal.terms.values() if m.nnz]
    largest = max((float(abs(each).max()) for each in entries), default=0.0)
    if not largest:
        return reached.signal.exact
    return reached.signal.exact and min(unit_of(each) for each in entries) >= unit_for(largest, GIVEN_BITS)


def check_layer(name: str, layer: Neurons) -> None:
    """InvalidValue for layers that a simulation cannot follow."""
    if layer.smooth:
        advice = "Make the layer without smooth=True."
        raise InvalidValue(f"{name}: smooth", True, "False: smooth spikes cannot travel", advice)
    noise = [quantity.key for quantity in layer.cell.of_role("noise")]
    if noise:
        advice = (
            "Describe the network, and make a module of it with to_torch: both draw the same numbers then."
        )
        raise InvalidValue(f"{name}: noise", ", ".join(noise), "none: PyTorch draws other numbers", advice)
    if not layer.port:
        allowed = "neurons with an arrival or a current"
        raise InvalidValue(f"{name}: {layer.neuron.model.name}", "nothing can reach it", allowed)
    _check_rest(name, layer)


def _check_rest(name: str, layer: Neurons) -> None:
    """Whether the neurons stay as they are before anything arrives."""
    x = torch.zeros(1, 1, *(layer.size or (1,)), dtype=torch.float64)
    with torch.no_grad():
        run = layer.run(x)
        first = layer.initial_state(x[0])
    advice = (
        "In a simulation a layer waits for its first input, a step for each layer before it: begin at rest."
    )
    for key, value in run.state.items():
        moved = value != first[key]
        if bool(moved.any()):
            begin, then = float(first[key][moved][0]), float(value[moved][0])
            allowed = f"values that stay as they are without input (after a step it is {then:g})"
            raise InvalidValue(f"{name}: initial {key}", begin, allowed, advice)
    if layer.output == "spike" and bool(run.output.any()):
        raise InvalidValue(f"{name}: spikes without input", True, "silent before its input arrives", advice)
