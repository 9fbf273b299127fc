"""Connections and spike drives in whole units.

A port's unit is the smallest power of two with which no sum of arrivals can leave the accumulator and every stored
weight fits its width. The bound: a synapse delivers at most once per step, so a sum is at most the sum of the
magnitudes of the weights onto a neuron, times the largest graded spike, plus what drives can add.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.connectivity import FromArray, materialise
from treplica.engines.composition import Port
from treplica.engines.grid import steps_of
from treplica.engines.plan import Injection, Plan, PoissonPlan, Synapses
from treplica.errors import InvalidValue
from treplica.model import Draw
from treplica.model.vocabulary import exp
from treplica.network import Network, PoissonInput, Projection, SpikeInput, Stimulus, View
from treplica.numerics.philox import stream_id

#: Sums may reach this many times the bound at build time, for spikes that are fed in later.
HEADROOM = 4.0
LONGEST_DELAY = 2**16 - 1


@dataclass
class _Load:
    """What a port must bear: the bound on one neuron's sum, the largest weight, and the largest stored weight."""

    total: NDArray[np.float64]
    largest: float = 0.0
    stored: float = 0.0


@dataclass
class _Loads:
    by_port: dict[tuple[int, int], _Load] = field(default_factory=dict)

    def at(self, plan: Plan, population: int, port: int) -> _Load:
        size = plan.populations[population].size
        return self.by_port.setdefault((population, port), _Load(np.zeros(size)))


def resolve_connections(network: Network, plan: Plan) -> None:
    """Materialise projections and spike drives into the plan, in units of the ports they reach."""
    loads = _Loads()
    real_weights = [_projection(plan, p, loads) for p in network.projections]
    drives = [s for s in network.stimuli if isinstance(s.drive, (PoissonInput, SpikeInput))]
    tables = [_drive_load(plan, s, loads) for s in drives]
    for index, population in enumerate(plan.populations):
        ports = population.composition.ports
        for j, port in enumerate(ports):
            ports[j] = Port(port.name, _unit(plan, port.name, loads.at(plan, index, j)))
    for synapses, weights in zip(plan.synapses, real_weights, strict=True):
        synapses.weights = _quantised(plan, synapses.target, synapses.port, weights, synapses.name)
    for stimulus, table in zip(drives, tables, strict=True):
        _drive(plan, stimulus, table)


def _port_index(plan: Plan, view: View, port: str) -> tuple[int, int]:
    population = plan.index(view.population)
    names = [p.name for p in plan.populations[population].composition.ports]
    return population, names.index(f"{view.population}.{port}")


def _projection(plan: Plan, projection: Projection, loads: _Loads) -> Any:
    """Append the synapses, weights still to come; the weights as real numbers."""
    source, target, name = projection.source, projection.target, projection.name
    rows = projection.rule.bind(len(source), len(target), plan.seed, int(stream_id(f"{name}/rule")))
    indptr, targets = materialise(rows)
    weights = _drawn(projection.weight, indptr, plan.seed, f"{name}/weight")
    delays = _steps(projection, _drawn(projection.delay, indptr, plan.seed, f"{name}/delay"), plan.dt)
    first, indptr = _rows_by_id(source, indptr)
    population, port = _port_index(plan, target, projection.port)
    targets = _target_ids(target, targets)
    from_index = plan.index(source.population)
    plan.synapses.append(Synapses(name, from_index, population, port, first, indptr, targets, 0, delays))
    _bear(loads.at(plan, population, port), targets, weights, plan.populations[from_index].graded)
    return weights


@np.errstate(over="ignore")  # `_unit` refuses sums that are infinite
def _bear(load: _Load, targets: NDArray[np.int32], weights: float | NDArray[np.float64], graded: int) -> None:
    if isinstance(weights, float):
        load.total += graded * abs(weights) * np.bincount(targets, minlength=load.total.size)
        load.largest = max(load.largest, abs(weights))
    elif weights.size:
        magnitudes = np.abs(weights)
        load.total += graded * np.bincount(targets, weights=magnitudes, minlength=load.total.size)
        load.stored = max(load.stored, float(magnitudes.max()))
        load.largest = max(load.largest, load.stored)


def _drawn(draw: float | Draw, indptr: NDArray[np.int64], seed: int, stream: str) -> Any:
    if not isinstance(draw, Draw):
        return float(draw)
    if isinstance(draw, FromArray):
        draw.check_count(int(indptr[-1]))
    values = draw.values(0, indptr.size - 1, indptr, seed, int(stream_id(stream)))
    return float(values) if np.ndim(values) == 0 else values


def _steps(projection: Projection, delays: float | NDArray[np.float64], dt: float) -> int | NDArray[Any]:
    """Delays in whole steps. Given ones must be multiples of dt; drawn ones are rounded to the nearest step."""
    what = f"{projection.name}: delay"
    if isinstance(delays, float):
        steps = steps_of(what, delays, dt, least=1)
        _check_longest(what, steps * dt, steps, dt)
        return steps
    whole = np.rint(delays / dt)
    if not whole.size:
        return 1
    off = np.abs(whole * dt - delays) > 1e-6 * dt + 1e-9 * delays
    if isinstance(projection.delay, FromArray) and off.any():
        steps_of(what, float(delays[np.argmax(off)]), dt, least=1)
    if whole.min() < 1:
        advice = "Draw delays with low=dt at least, or use a smaller dt."
        raise InvalidValue(what, float(delays.min()), f"at least one step of {dt:g} ms", advice)
    _check_longest(what, float(delays.max()), int(whole.max()), dt)
    return whole.astype(np.uint8 if whole.max() < 256 else np.uint16)


def _check_longest(what: str, delay: float, steps: int, dt: float) -> None:
    if steps > LONGEST_DELAY:
        allowed = f"at most {LONGEST_DELAY} steps ({LONGEST_DELAY * dt:g} ms)"
        raise InvalidValue(what, delay, allowed, "Use a larger dt or a chain of populations.")


def _rows_by_id(source: View, indptr: NDArray[np.int64]) -> tuple[int, NDArray[np.int64]]:
    """The row pointer over ids from the first to the last of a view; ids in between have empty rows."""
    ids = source.ids()
    first, last = int(ids[0]), int(ids[-1])
    if last - first + 1 == ids.size:
        return first, indptr
    degrees = np.zeros(last - first + 2, dtype=np.int64)
    degrees[ids - first + 1] = np.diff(indptr)
    return first, np.cumsum(degrees)


def _target_ids(target: View, local: NDArray[np.int32]) -> NDArray[np.int32]:
    ids = target.ids()
    if int(ids[-1]) - int(ids[0]) + 1 == ids.size:
        return local + np.int32(ids[0]) if ids[0] else local
    return ids.astype(np.int32)[local]


def _unit(plan: Plan, port: str, load: _Load) -> float:
    """The unit of a port; InvalidValue where sums or the unit are beyond the normal numbers of the working type."""
    form, limits = plan.format, np.finfo(plan.format.real)
    low, high = float(limits.smallest_normal) * 2.0**form.total_bits, float(limits.max)
    bound = max(HEADROOM * float(load.total.max()), 64.0 * load.largest)
    if load.largest == 0.0:
        bound = 1024.0  # nothing reaches the port yet: room for a thousand unit spikes in one step
    if not low <= bound <= high:
        allowed = f"of a size whose sums {form.name} can hold ({low:.0e} to {high:.0e} with headroom)"
        advice = "Give the model other units" + (", or use float64." if form.name == "float32" else ".")
        raise InvalidValue(f"the largest weight onto {port}", load.largest, allowed, advice)
    exponent = math.ceil(math.log2(bound / (2.0**form.total_bits - 1.0)))
    if load.stored > 0.0:
        exponent = max(exponent, math.ceil(math.log2(load.stored / (2.0**form.weight_bits - 1.0))))
    return math.ldexp(1.0, exponent)


def _quantised(plan: Plan, population: int, port: int, weights: Any, name: str) -> Any:
    """Weights in units, rounded to nearest; the largest error goes into the plan's report."""
    unit = plan.populations[population].composition.ports[port].unit
    whole = np.rint(np.asarray(weights) / unit)
    scale = float(np.max(np.abs(weights), initial=0.0))
    error = float(np.max(np.abs(whole * unit - weights), initial=0.0))
    plan.quantisation[name] = error / scale if scale else 0.0
    if isinstance(weights, float):
        return int(whole)
    return whole.astype(plan.format.weight)


def _drive_load(plan: Plan, stimulus: Stimulus, loads: _Loads) -> Any:
    """Add a drive to the load of its port; the Poisson tables, or the counts that are injected."""
    population, port = _port_index(plan, stimulus.target, stimulus.port)
    load = loads.at(plan, population, port)
    drive, ids = stimulus.drive, stimulus.target.ids()
    load.largest = max(load.largest, abs(float(drive.weight)))  # type: ignore[union-attr]
    if isinstance(drive, PoissonInput):
        classes, tables = _poisson_tables(stimulus.name, drive, ids, load.total.size, plan.dt)
        load.total[ids] += abs(drive.weight) * tables.shape[1]
        return classes, tables
    assert isinstance(drive, SpikeInput)
    counts = drive.trains.values
    most = 1 if counts is None or not len(counts) else int(np.abs(counts).max())
    load.total[ids] += abs(drive.weight) * most
    return None


def _poisson_tables(
    name: str, drive: PoissonInput, ids: NDArray[np.int64], size: int, dt: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    rates, inverse = np.unique(np.atleast_1d(np.asarray(drive.rate, dtype=np.float64)), return_inverse=True)
    if rates.size > 255:
        advice = "Use a population of PoissonSource neurons for a rate of its own for each neuron."
        raise InvalidValue(f"{name}: PoissonInput.rate", rates.size, "at most 255 different rates", advice)
    tables = [_poisson_table(name, float(r) * dt / 1000.0) for r in rates]
    width = max((len(t) for t in tables), default=0) or 1
    padded = np.full((rates.size + 1, width), 2**32 - 1, dtype=np.uint64)
    for row, table in enumerate(tables, start=1):
        padded[row, : len(table)] = table
    classes = np.zeros(size, dtype=np.uint8)
    classes[ids] = np.broadcast_to(inverse + 1, ids.size)
    return classes, padded.astype(np.uint32)


def _poisson_table(name: str, mean: float) -> list[int]:
    """Cumulative probabilities of 0, 1, 2, ... spikes times 2^32, less 1, until the rest is below 2^-32."""
    if mean > 100.0:
        advice = "Use a smaller dt, or a GaussianCurrent with the same mean and variance."
        raise InvalidValue(f"{name}: spikes per step and neuron", mean, "at most 100", advice)
    term = total = float(exp(-mean))
    table, k = [], 0
    while total < 1.0 - 2.0**-32 and k < 1000:
        table.append(min(max(round(total * 2.0**32) - 1, 0), 2**32 - 1))
        k += 1
        term *= mean / k
        total += term
    return table


def _drive(plan: Plan, stimulus: Stimulus, table: Any) -> None:
    population, port = _port_index(plan, stimulus.target, stimulus.port)
    drive, ids = stimulus.drive, stimulus.target.ids()
    weight = _quantised(plan, population, port, float(drive.weight), stimulus.name)  # type: ignore[union-attr]
    if isinstance(drive, PoissonInput):
        stream = int(stream_id(f"{stimulus.name}/poisson"))
        classes, tables = table
        plan.poisson.append(PoissonPlan(stimulus.name, population, port, stream, classes, tables, weight))
        return
    assert isinstance(drive, SpikeInput)
    factor = steps_of(f"{stimulus.name}: dt of SpikeInput.trains", drive.trains.dt, plan.dt, least=1)
    values = drive.trains.values
    counts = np.ones(len(drive.trains), np.int64) if values is None else values.astype(np.int64)
    reached = ids[drive.trains.ids].astype(np.int32)
    plan.injections.append(Injection(population, port, drive.trains.steps * factor, reached, counts * weight))
