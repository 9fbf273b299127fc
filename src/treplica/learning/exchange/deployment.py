"""`from_torch`: a module as a network description, spike for spike what the module does."""

from __future__ import annotations

import math

from torch import nn

from treplica.errors import InvalidValue
from treplica.learning.exchange.deployed import Deployment
from treplica.learning.exchange.described import check_layer, connect, held_exactly, offsets_of, population_of
from treplica.learning.exchange.from_network import NetworkModule
from treplica.learning.exchange.nir_module import NIRModule
from treplica.learning.exchange.reading import INPUT, OUTPUT, Reached, Reading
from treplica.learning.exchange.signal import BIAS, Signal
from treplica.learning.neurons import Neurons
from treplica.network import Network, Population
from treplica.neurons import LeakyIntegrator, RegularSource, SpikeSource


def from_torch(
    module: nn.Module, inputs: int | tuple[int, ...] | None = None, *, seed: int = 0
) -> Deployment:
    """The network of a module whose input are spikes [T, B, *inputs], as it is in `eval` mode.

    It holds the module's own neurons with all their values, its weights and delays as they are, normalisation folded
    into them, and constants as spikes of a clock. Weights that lie on a grid (see `snap_`) are simulated exactly; then
    the spikes of every engine that works in steps are those of the module in float64. Where the module ends with
    connections, the population `output` has what they give as its v.

    inputs: not needed for what `from_nir` made. seed: of the network, where nothing is random.

    Raises InvalidValue for what has no counterpart: a module that is not linear between neurons, a cycle with less
    delay than it has layers, neurons that do not rest before their input arrives, and noise; and for values that are
    not finite.
    """
    if isinstance(module, NetworkModule):
        advice = "Its method trained() gives the network."
        raise InvalidValue("from_torch(module)", "a NetworkModule", "a module of layers", advice)
    for name, parameter in module.named_parameters():
        if not bool(parameter.isfinite().all()):
            advice = "Look where training went wrong."
            raise InvalidValue(f"{name}: values", "NaN or infinite", "finite", advice)
    shape = _shape(module, inputs)
    dt = _dt(module)
    reading = Reading(dt)
    end = reading.read(module, Signal.of(INPUT, shape), "")
    if not reading.layers:
        raise InvalidValue("from_torch(module)", type(module).__name__, "a module with Neurons")
    output = end.population
    if not output:
        output = OUTPUT
        reading.layers[OUTPUT] = Reached(OUTPUT, _summing(dt), end)
    for name, reached in reading.layers.items():
        check_layer(name, reached.layer)
    offsets = offsets_of(reading.layers)
    return Deployment(
        _network(reading, shape, offsets, seed),
        dt,
        offsets,
        {INPUT: shape} | {name: reached.signal.shape for name, reached in reading.layers.items()},
        {name: r.layer.output for name, r in reading.layers.items() if r.layer.output != "spike"},
        {name: held_exactly(reached) for name, reached in reading.layers.items()},
        output,
    )


def _shape(module: nn.Module, inputs: int | tuple[int, ...] | None) -> tuple[int, ...]:
    if inputs is not None:
        return (inputs,) if isinstance(inputs, int) else tuple(inputs)
    if isinstance(module, NIRModule):
        return module.plan.shapes[module.graph.port("Input")].output
    raise InvalidValue("from_torch(inputs)", None, "the shape of the module's input without T and B")


def _dt(module: nn.Module) -> float:
    steps = {path: part.dt for path, part in module.named_modules() if isinstance(part, Neurons)}
    if not steps:
        raise InvalidValue("from_torch(module)", type(module).__name__, "a module with Neurons")
    if len(set(steps.values())) > 1:
        raise InvalidValue("dt of the layers", steps, "one for all")
    return next(iter(steps.values()))


def _summing(dt: float) -> Neurons:
    """Neurons whose v is what arrived in the step: their time constant is so short that nothing is left."""
    return Neurons(LeakyIntegrator(tau=dt / 1024.0, v=0.0, v_rest=0.0), dt=dt, output="v")


def _network(reading: Reading, shape: tuple[int, ...], offsets: dict[str, int], seed: int) -> Network:
    network = Network(seed)
    network.add(Population(INPUT, math.prod(shape), SpikeSource()))
    for reached in reading.layers.values():
        network.add(population_of(reached))
    if any(s.population == BIAS for r in reading.layers.values() for s in r.signal.terms):
        network.add(Population(BIAS, 1, RegularSource(interval=reading.dt)))
    for reached in reading.layers.values():
        connect(network, reached, offsets, reading.dt)
    return network
