"""Connections and spike drives in whole units.

The unit of a port is a power of two. Where weights onto it are drawn, the largest that can come gets `weight_bits`
bits with its sign, so that a synapse fits a narrow word; else the largest gets `Format.constant_bits`. It depends on
the description alone: an engine may keep the weights as it likes.
"""

from __future__ import annotations

import math

import numpy as np

from treplica.connectivity import FromArray
from treplica.connectivity.base import row_bounds
from treplica.engines.arrivals import arrival_times
from treplica.engines.binding import bind, port_index
from treplica.engines.composition import Port
from treplica.engines.connections import Connections
from treplica.engines.plan import Injection, Plan, Rounding
from treplica.engines.poisson import poisson_drive
from treplica.errors import InvalidValue
from treplica.model import Draw
from treplica.network import Network, PoissonInput, SpikeInput, Stimulus
from treplica.numerics.formats import weight_bits
from treplica.numerics.units import unit_for

#: No sum of arrivals may leave this range.
MOST_UNITS = 2**62
#: Synapses whose rounding is looked at, at most, from the first row on.
SAMPLE = 1 << 18


class _Port:
    """What reaches a port: the largest weight that can come, and the bits that drawn weights ask for."""

    def __init__(self) -> None:
        self.largest = 0.0
        self.bits = 0


def resolve_connections(network: Network, plan: Plan, weights: str) -> None:
    """Put connections and spike drives into the plan, in units of the ports they reach."""
    ports: dict[tuple[int, int], _Port] = {}
    real = []
    for projection in network.projections:
        connections = bind(plan, projection)
        connections.rounded = weights == "float32"
        plan.connections.append(connections)
        weight = projection.weight
        real.append(weight if isinstance(weight, Draw) else float(weight))
        _bear(ports.setdefault((connections.target, connections.port), _Port()), real[-1], weights)
    weight_bits(weights, False)  # an unknown name is refused, also where nothing is drawn
    drives = [s for s in network.stimuli if isinstance(s.drive, (PoissonInput, SpikeInput))]
    for stimulus in drives:
        if isinstance(stimulus.drive, SpikeInput):
            reached = ports.setdefault(port_index(plan, stimulus.target, stimulus.port), _Port())
            _bear(reached, float(stimulus.drive.weight), weights)
    for index, population in enumerate(plan.populations):
        known = population.composition.ports
        for j, port in enumerate(known):
            known[j] = Port(port.name, _unit(plan, port.name, ports.get((index, j), _Port())))
    for connections, weight in zip(plan.connections, real, strict=True):
        _quantise(plan, connections, weight, ports[connections.target, connections.port].bits)
    for stimulus in drives:
        _drive(plan, stimulus)


def _bear(port: _Port, weight: float | Draw, weights: str) -> None:
    if not isinstance(weight, Draw):
        port.largest = max(port.largest, abs(weight))
        return
    low, high = weight.bounds()
    port.largest = max(port.largest, abs(low), abs(high))
    port.bits = max(port.bits, weight_bits(weights, isinstance(weight, FromArray)))


def _unit(plan: Plan, name: str, port: _Port) -> float:
    """The unit of a port; InvalidValue where it or its sums are beyond the normal numbers of the working type."""
    form, limits = plan.format, np.finfo(plan.format.real)
    bits = port.bits - 1 if port.bits else form.constant_bits
    low, high = float(limits.smallest_normal) * 2.0**bits, float(limits.max) * 2.0**-24
    if not port.largest:
        return math.ldexp(1.0, 4 - bits)  # nothing reaches it yet
    if not low <= port.largest <= high:
        allowed = f"of a size whose sums {form.name} can hold ({low:.0e} to {high:.0e})"
        advice = "Give the model other units" + (", or use float64." if form.name == "float32" else ".")
        raise InvalidValue(f"the largest weight onto {name}", port.largest, allowed, advice)
    return unit_for(port.largest, bits + 1)


def _quantise(plan: Plan, connections: Connections, weight: float | Draw, bits: int) -> None:
    """Give weights their unit; how much that changes them goes into the plan's report."""
    unit = plan.populations[connections.target].composition.ports[connections.port].unit
    connections.unit = unit
    if not isinstance(weight, Draw):
        connections.weight = round(weight / unit)
        connections.weight_bits = connections.weight.bit_length() + 1
        rounding = _of_one(weight, connections.weight * unit)
    else:
        connections.weight, connections.weight_bits = weight, bits
        rounding = _of_sample(connections)
    if rounding.largest >= 1.0:
        advice = "Take weights='int16' or 'float32', or another port for weights that are so much larger."
        allowed = f"at least half the unit {unit:.3g} of its port, so that weights do not all become 0"
        raise InvalidValue(f"{connections.name}: weight", weight, allowed, advice)
    plan.rounding[connections.name] = rounding


def _of_one(weight: float, kept: float) -> Rounding:
    error = abs(kept - weight) / abs(weight) if weight else 0.0
    return Rounding(error, error)


def _of_sample(connections: Connections) -> Rounding:
    """What rounding does to the first SAMPLE synapses."""
    bounds = row_bounds(connections.indptr, SAMPLE)
    last = int(bounds[1]) if bounds.size > 1 else 0
    if not connections.indptr[last]:
        return Rounding()
    real = np.broadcast_to(connections.real_weights(0, last), int(connections.indptr[last]))
    kept = np.broadcast_to(connections.read(0, last).weights, real.shape) * connections.unit
    scale, variance = float(np.abs(real).max()), float(real.var())
    if not scale:
        return Rounding()
    mean = abs(float(np.mean(kept - real))) / float(np.abs(real).mean())
    spread = abs(float(kept.var()) - variance) / variance if variance > 1e-24 * scale**2 else 0.0
    return Rounding(float(np.abs(kept - real).max()) / scale, mean, spread)


def _drive(plan: Plan, stimulus: Stimulus) -> None:
    """Put spikes from outside into the plan: Poisson ones are drawn with the neurons, given ones arrive."""
    population, port = port_index(plan, stimulus.target, stimulus.port)
    drive, ids = stimulus.drive, stimulus.target.ids()
    composition, size = plan.populations[population].composition, plan.populations[population].size
    plan.format.check_range(f"{stimulus.name}: weight", float(drive.weight))  # type: ignore[union-attr]
    if isinstance(drive, PoissonInput):
        composition.drives.append(poisson_drive(stimulus.name, drive, port, ids, size, plan.dt))
        return
    assert isinstance(drive, SpikeInput)
    unit, weight = composition.ports[port].unit, float(drive.weight)
    whole = round(weight / unit)
    plan.rounding[stimulus.name] = _of_one(weight, whole * unit)
    steps, times = arrival_times(plan, f"{stimulus.name}: SpikeInput.trains", drive.trains)
    values = drive.trains.values
    counts = np.ones(len(drive.trains), np.int64) if values is None else values.astype(np.int64)
    reached = ids[drive.trains.ids].astype(np.int32)
    plan.injections.append(Injection(population, port, steps, reached, counts * whole, times))
