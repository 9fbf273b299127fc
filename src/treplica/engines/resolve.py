"""From a description to a plan: values become arrays, delays become steps, weights become whole units."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.connectivity import FromArray
from treplica.engines.composition import Composition, Number, Part, Port
from treplica.engines.grid import check_dt, steps_of
from treplica.engines.plan import CurrentPlan, Plan, PopulationPlan
from treplica.engines.units import resolve_connections
from treplica.errors import InvalidValue
from treplica.model import Draw, Field, Instance, Model
from treplica.network import Network, Population, StepCurrent, Stimulus
from treplica.numerics.fixed import Fixed, fixed_for
from treplica.numerics.formats import Format, format_of
from treplica.numerics.philox import stream_id


def resolve(
    network: Network, dt: float, seed: int, precision: str, weights: str = "auto", continuous: bool = False
) -> Plan:
    """The plan of a network; InvalidValue for what does not fit the grid or its declaration.

    weights: how drawn weights are kept, see `numerics.formats.weight_bits`. continuous: see `Plan`.
    """
    check_dt(dt)
    if not network.populations:
        raise InvalidValue(
            "network", "no populations", "one with at least one population", "Add one: net.add(...)."
        )
    form = format_of(precision)
    populations = [_population(network, p, float(dt), seed, form) for p in network.populations]
    plan = Plan(float(dt), seed, form, populations, continuous=continuous)
    for stimulus in network.stimuli:
        if isinstance(stimulus.drive, StepCurrent):
            plan.currents.append(_step_current(plan, stimulus, stimulus.drive))
    resolve_connections(network, plan, weights)
    return plan


def _population(
    network: Network, population: Population, dt: float, seed: int, form: Format
) -> PopulationPlan:
    stimuli = [s for s in network.stimuli if s.target.population == population.name]
    ports: list[Port] = []
    parts = []
    labelled: list[tuple[str, Instance, Stimulus | None]] = [
        (n, r, None) for n, r in population.receptors.items()
    ]
    labelled += [(s.name, s.drive, s) for s in stimuli if isinstance(s.drive, Instance)]
    currents = list(population.neuron.model.of_kind("current"))
    for label, instance, stimulus in [*labelled, ("", population.neuron, None)]:
        part = _part(population, label, instance, dt, seed, form)
        if label:
            part.feeds = stimulus.current if stimulus else instance.feeds or currents[0]
        if stimulus and not stimulus.target.is_whole:
            part.mask = np.zeros(population.size, dtype=np.bool_)
            part.mask[stimulus.target.ids()] = True
        parts.append(part)
    for name in population.ports:
        label, _, field = name.partition(".") if "." in name else ("", "", name)
        for part in parts:
            arrivals = list(part.model.of_kind("arrival"))
            if part.label == name and len(arrivals) == 1:
                part.ports[arrivals[0]] = len(ports)
            elif part.label == label and field in arrivals:
                part.ports[field] = len(ports)
        ports.append(Port(f"{population.name}.{name}", 1.0))
    driven = {s.current for s in stimuli if isinstance(s.drive, StepCurrent)}
    external = {c: np.zeros(population.size, dtype=form.real) for c in currents if c in driven}
    composition = Composition(parts, ports, tuple(external), rest=population.sleep_within)
    return PopulationPlan(population.name, population.size, composition, external)


def _part(population: Population, label: str, instance: Instance, dt: float, seed: int, form: Format) -> Part:
    model = instance.model
    where = f"{population.name}.{label + '.' if label else ''}"

    def value(name: str, declared: Field) -> Number:
        given = instance.value(name)
        if isinstance(given, Draw):
            if isinstance(given, FromArray):
                given.check_count(population.size)
            stream = int(stream_id(f"{where}{name}"))
            drawn = given.values(0, population.size, np.arange(population.size + 1), seed, stream)
            return np.asarray(
                declared.check(f"{where}{name} (drawn)", np.broadcast_to(drawn, population.size))
            )
        return given

    initial = {n: value(n, f) for n, f in model.of_kind("state").items()}
    parameters = {n: value(n, f) for n, f in model.of_kind("param").items()}
    constants = {n: v for n, v in parameters.items() if n in model.arguments}
    constants |= {n: v for n, v in _derived(instance, parameters, dt, where).items() if n in model.arguments}
    for name, number in {**initial, **constants}.items():
        form.check_range(f"{where}{name}", number)
    fixed = {n: _fixed(model, n, f, initial[n], form) for n, f in model.of_kind("state").items() if form.bits}
    states = {n: np.full(population.size, v, dtype=form.real) for n, v in initial.items()}
    states |= {n: f.to_whole(states[n]) for n, f in fixed.items()}
    streams = {n: int(stream_id(f"{where}{n}")) for n in model.of_kind("noise")}
    arrays = {
        n: np.ascontiguousarray(v, dtype=form.real) for n, v in constants.items() if isinstance(v, np.ndarray)
    }
    return Part(
        label, model, {**constants, **arrays}, states, streams=streams, fixed=fixed, parameters=parameters
    )


def _fixed(model: Model, name: str, declared: Field, initial: Number, form: Format) -> Fixed:
    """How a state is kept in fixed point."""
    if declared.span is None:
        what = f"{model.name}.{name}"
        allowed = f"float64 or float32: {what} does not declare a span that fixed point must hold"
        advice = f"Or declare it: {name}=state(..., span=(low, high))."
        raise InvalidValue("precision", form.name, allowed, advice)
    low, high = declared.span
    outside = (np.asarray(initial) < low) | (np.asarray(initial) > high)
    if outside.any():
        value = float(np.broadcast_to(initial, outside.shape)[outside].flat[0])
        raise InvalidValue(f"{model.name}.{name}", value, f"from {low:g} to {high:g} for {form.name}")
    return Fixed(16, 1.0) if declared.whole else fixed_for(low, high, form.bits)


def _derived(instance: Instance, parameters: dict[str, Number], dt: float, where: str) -> dict[str, Number]:
    """What `derive=` computes, in float64."""
    checked = instance.model.derive_checked
    if checked is None:
        return {}
    known: dict[str, Any] = {**parameters, "dt": dt}
    try:
        with np.errstate(all="ignore"):
            result = checked.source.function(**{a: known[a] for a in checked.source.arguments})
    except (ZeroDivisionError, OverflowError):
        result = dict.fromkeys(checked.outputs, math.nan)
    for name, given in result.items():
        if not np.isfinite(given).all():
            advice = "Look at the parameters it is computed from, and at dt."
            raise InvalidValue(f"{where}{name} (derived by {instance.model.name})", given, "finite", advice)
    return {n: v if isinstance(v, np.ndarray) else float(v) for n, v in result.items()}


def _step_current(plan: Plan, stimulus: Stimulus, drive: StepCurrent) -> CurrentPlan:
    """A value given for time t acts in the steps that end after t."""
    steps = [steps_of(f"{stimulus.name}: StepCurrent time", float(t), plan.dt) + 1 for t in drive.times]
    ids = stimulus.target.ids()
    values: NDArray[np.float64] = drive.amplitudes
    if values.ndim == 1:
        values = np.broadcast_to(values[:, None], (values.size, ids.size))
    plan.format.check_range(f"{stimulus.name}: StepCurrent amplitude", values)
    index = plan.index(stimulus.target.population)
    return CurrentPlan(index, stimulus.current, np.array(steps, dtype=np.int64), ids, values)
