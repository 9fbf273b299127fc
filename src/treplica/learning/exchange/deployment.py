"""`from_torch`: a module as a network description, spike for spike what the module does."""

from __future__ import annotations

import math

import numpy as np
from torch import nn

from treplica.errors import InvalidValue
from treplica.learning.exchange.deployed import LARGEST, Deployment
from treplica.learning.exchange.described import check_layer, connect, held_exactly, offsets_of, population_of
from treplica.learning.exchange.from_network import NetworkModule
from treplica.learning.exchange.nir_module import NIRModule
from treplica.learning.exchange.reading import INPUT, OUTPUT, Reached, Reading
from treplica.learning.exchange.signal import BIAS, Signal, diagonal
from treplica.learning.neurons import Neurons
from treplica.network import Network, Population
from treplica.neurons import GradedSource, LeakyIntegrator, RegularSource, SpikeSource


def from_torch(
    module: nn.Module,
    inputs: int | tuple[int, ...] | None = None,
    *,
    unit: float | None = None,
    seed: int = 0,
) -> Deployment:
    """The network of a module whose input are spikes, or numbers, [T, B, *inputs], as it is in `eval` mode.

    It holds the module's own neurons with all their values, its weights and delays as they are, normalisation folded
    into them, and constants as spikes of a clock. Weights that lie on a grid (see `snap_`) are simulated exactly; then
    the spikes of every engine that works in steps are those of the module in float64. Where the module ends with
    connections, the population `output` has what they give as its v.

    inputs: not needed for what `from_nir` made. unit: where the module takes numbers instead of spikes, what all of
    them are whole multiples of, from -255 to 255 times: grey levels of a byte are such (`encode(..., "direct", bits=8)`
    gives multiples of 2**-8). They come as graded spikes; a power of two keeps sums exact, 2**-n with
    `snap_(module, spare=n)`. seed: of the network, where
    nothing is random.

    Raises InvalidValue for what has no counterpart: a module that is not linear between neurons, a cycle with less
    delay than it has layers, neurons that do not rest before their input arrives, and noise; and for values that are
    not finite.
    """
    if isinstance(module, NetworkModule):
        advice = "Its method trained() gives the network."
        raise InvalidValue("from_torch(module)", "a NetworkModule", "a module of layers", advice)
    if unit is not None and not (isinstance(unit, (int, float)) and 0.0 < unit < math.inf):
        advice = "Such as 2**-8 for grey levels over 256, or None for spikes."
        raise InvalidValue("from_torch(unit)", unit, "a finite number > 0", advice)
    for name, parameter in module.named_parameters():
        if not bool(parameter.isfinite().all()):
            advice = "Look where training went wrong."
            raise InvalidValue(f"{name}: values", "NaN or infinite", "finite", advice)
    shape = _shape(module, inputs)
    dt = _dt(module)
    reading = Reading(dt)
    given = Signal.of(INPUT, shape)
    if unit is not None:
        size = math.prod(shape)
        units = diagonal(np.full(size, float(unit)))
        given = Signal.of(INPUT, shape, LARGEST).through(units, np.zeros(size), shape)
    end = reading.read(module, given, "")
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
        _network(reading, shape, offsets, unit is not None, seed),
        dt,
        offsets,
        {INPUT: shape} | {name: reached.signal.shape for name, reached in reading.layers.items()},
        {name: r.layer.output for name, r in reading.layers.items() if r.layer.output != "spike"},
        {name: held_exactly(reached) for name, reached in reading.layers.items()},
        output,
        unit,
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


def _network(
    reading: Reading, shape: tuple[int, ...], offsets: dict[str, int], numbers: bool, seed: int
) -> Network:
    network = Network(seed)
    network.add(Population(INPUT, math.prod(shape), GradedSource() if numbers else SpikeSource()))
    for reached in reading.layers.values():
        network.add(population_of(reached))
    if any(s.population == BIAS for r in reading.layers.values() for s in r.signal.terms):
        network.add(Population(BIAS, 1, RegularSource(interval=reading.dt)))
    for reached in reading.layers.values():
        connect(network, reached, offsets, reading.dt)
    return network
