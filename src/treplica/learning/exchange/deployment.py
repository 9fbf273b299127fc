"""`from_torch`: a module as a network description, spike for spike what the module does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from treplica.connectivity import FromArrays
from treplica.errors import InvalidValue
from treplica.learning.exchange.reading import Reached, Reading
from treplica.learning.exchange.signal import Signal
from treplica.learning.neurons import Neurons
from treplica.model import Instance
from treplica.network import Network, Population
from treplica.neurons import RegularSource, SpikeSource

INPUT, BIAS = "input", "bias"


@dataclass(frozen=True)
class Deployment:
    """A module as a network.

    network: its populations are named after the paths of the module's layers (`0.neurons` is `layer_0_neurons`); spikes
    that the module takes are those of the population `input`. dt: ms. offsets: how many steps later than the module a
    population does the same, because a spike takes a step to the next layer in a simulation. shapes: of each layer.
    """

    network: Network
    dt: float
    offsets: Mapping[str, int]
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def from_torch(module: nn.Module, inputs: int | tuple[int, ...], *, seed: int = 0) -> Deployment:
    """The network of a module whose input are spikes [T, B, *inputs].

    It holds the module's own neurons with all their values, its weights as they are, normalisation folded into them,
    and constants as spikes of a clock. Weights that lie on a grid (see `snap_`) are simulated exactly; then the spikes
    of the `plain` engine are those of the module in float64.

    Raises InvalidValue for what has no counterpart: a module that is not linear between neurons, a cycle with less
    delay than it has layers, and neurons that do not rest before their input arrives.
    """
    shape = (inputs,) if isinstance(inputs, int) else tuple(inputs)
    reading = Reading(INPUT, shape)
    reading.read(module, Signal.of(INPUT, shape), "")
    if not reading.layers:
        raise InvalidValue("from_torch(module)", type(module).__name__, "a module with Neurons")
    dt = _dt(reading)
    offsets = _offsets(reading)
    network = Network(seed)
    network.add(Population(INPUT, int(np.prod(shape)), SpikeSource()))
    shapes = {INPUT: shape}
    for name, reached in reading.layers.items():
        _check_rest(name, reached.layer)
        network.add(_population(name, reached))
        shapes[name] = reached.signal.shape
    if any(reached.signal.bias.any() for reached in reading.layers.values()):
        network.add(Population(BIAS, 1, RegularSource(interval=dt)))
    for name, reached in reading.layers.items():
        _connect(network, name, reached, offsets, dt)
    return Deployment(network, dt, offsets, shapes)


def _dt(reading: Reading) -> float:
    steps = {name: r.layer.dt for name, r in reading.layers.items()}
    if len(set(steps.values())) > 1:
        raise InvalidValue("dt of the layers", steps, "one for all")
    return next(iter(steps.values()))


def _offsets(reading: Reading) -> dict[str, int]:
    """The least offsets with which every spike travels a step at least."""
    offsets = {INPUT: 0} | dict.fromkeys(reading.layers, 0)
    edges = [(s, name) for name, r in reading.layers.items() for s in r.signal.terms]
    for _ in range(len(offsets) + 1):
        changed = False
        for source, target in edges:
            least = offsets[source.population] + 1 - source.delay
            if offsets[target] < least:
                offsets[target], changed = least, True
        # A constant comes from a clock, which is a step away too.
        for name, reached in reading.layers.items():
            if reached.signal.bias.any() and offsets[name] < 1:
                offsets[name], changed = 1, True
        if not changed:
            return offsets
    advice = "Give the connections that close the cycle a longer delay."
    raise InvalidValue(
        "module", "a cycle with less delay than it has layers", "one step of delay a layer", advice
    )


def _population(name: str, reached: Reached) -> Population:
    """The layer as a population, with the parameters as they act."""
    layer = reached.layer
    size = int(np.prod(reached.signal.shape))
    instances = {}
    for part, instance in layer.cell.parts.items():
        values: dict[str, Any] = dict(instance.values)
        for key in layer.constants.learned:
            (prefix, _, own) = key.rpartition(".")
            if prefix == part:
                values[own] = _spread(layer.constants.parameter(key).detach(), reached.signal.shape)
        instances[part] = Instance(instance.model, instance.model.validate(values), instance.feeds)
    neuron = instances.pop("")
    return Population(name, size, neuron, receptors=instances)


def _spread(values: Tensor, shape: tuple[int, ...]) -> float | NDArray[np.float64]:
    return float(values) if not values.ndim else values.expand(shape).flatten().numpy().copy()


def _connect(network: Network, name: str, reached: Reached, offsets: Mapping[str, int], dt: float) -> None:
    target = network.population(name)
    port = _port(target, reached)
    for source, matrix in reached.signal.terms.items():
        delay = (source.delay + offsets[name] - offsets[source.population]) * dt
        entries = matrix.tocoo()
        rule = FromArrays(entries.col.astype(np.int32), entries.row.astype(np.int32))
        weight = rule.in_row_order(entries.data)
        label = f"{source.population}_{name}" + (f"_{source.delay}" if source.delay else "")
        network.connect(
            network.population(source.population),
            target,
            rule,
            weight=weight,
            delay=delay,
            port=port,
            name=label,
        )
    if reached.signal.bias.any():
        rule = FromArrays(np.zeros(len(target), np.int32), np.arange(len(target), dtype=np.int32))
        weight = rule.in_row_order(reached.signal.bias)
        delay = offsets[name] * dt
        network.connect(
            network.population(BIAS), target, rule, weight=weight, delay=delay, port=port, name=f"bias_{name}"
        )


def _port(target: Population, reached: Reached) -> str:
    """The port of the population that the layer's input feeds."""
    key = reached.layer.port
    part, _, own = key.rpartition(".")
    for port in target.ports:
        if port in (key, part) or port == own:
            return port
    allowed = f"an arrival: {', '.join(target.ports) or 'none'}"
    advice = "Spikes reach a population at an arrival; give the layer port=, or a receptor."
    raise InvalidValue(f"{reached.name}: port", key, allowed, advice)


def _check_rest(name: str, layer: Neurons) -> None:
    """Whether the neurons stay as they are before anything arrives."""
    x = torch.zeros(1, 1, *(layer.size or (1,)), dtype=torch.float64)
    with torch.no_grad():
        run = layer.run(x)
        first = layer.initial_state(x[0])
    for key, value in run.state.items():
        if not torch.equal(value, first[key]):
            allowed = "values that stay as they are without input"
            advice = "In a simulation a layer waits for its first input, a step for each layer before it."
            raise InvalidValue(f"{name}: initial {key}", float(first[key].flatten()[0]), allowed, advice)
    if bool(run.output.any()) and layer.output == "spike":
        raise InvalidValue(
            f"{name}", "spikes without input", "neurons that are silent before their input arrives"
        )
