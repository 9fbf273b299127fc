"""The same trial through every target: CPython, the compiled kernel of the cpu engine, PyTorch."""

from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass
from typing import Any

import numpy as np

from treplica.engines.composition import Composition, Part, Port
from treplica.engines.cpu.engine import CpuEngine
from treplica.engines.plan import Injection, Plan, PopulationPlan
from treplica.model import Model, current, neuron, state
from treplica.testing.trials import UNIT, Numbers, Trial, function_of, on_arrays, outputs, scalar


@dataclass
class Course:
    """What came out: every state and the spike or current, [T, n] each in the working type."""

    target: str
    values: dict[str, Numbers]


def _empty(target: str, trial: Trial) -> Course:
    return Course(target, {n: np.empty(trial.shape, trial.format.real) for n in outputs(trial.model)})


def run_plain(trial: Trial) -> Course:
    """The specification, one neuron after the other.

    numpy's single numbers are slow: in float32 that is every 16th neuron, and the others come from arrays.
    """
    course = Course("plain", on_arrays(trial))
    step = function_of(trial.model, trial.format)
    rows = [trial.given(row) for row in range(trial.shape[0])]
    for k in range(0, trial.shape[1], 1 if trial.format.name == "float64" else 16):
        states = {n: scalar(v, k) for n, v in trial.initial.items()}
        with np.errstate(all="ignore"):
            for row, given in enumerate(rows):
                result = step(**states, **{n: scalar(v, k) for n, v in given.items()})
                states = {n: result[n] for n in states}
                for name, values in course.values.items():
                    values[row, k] = result[name]
    return course


def run_torch(trial: Trial) -> Course:
    """The rebound function on tensors; MissingExtra where PyTorch is absent."""
    from treplica.learning.rebound import array_step

    course = _empty("torch", trial)
    step = array_step(trial.model)
    states = trial.initial
    for row in range(trial.shape[0]):
        result = step(**states, **trial.given(row))
        states = {n: result[n] for n in states}
        for name, values in course.values.items():
            values[row] = result[name]
    return course


def run_cpu(trial: Trial) -> Course:
    """The kernel that the cpu engine compiles, one step at a time."""
    course = _empty("cpu", trial)
    plan = _plan(trial)
    engine = CpuEngine(plan, [], [0], 1)
    label = "" if trial.model.kind == "neuron" else "part."
    everyone = np.arange(trial.shape[1])
    for row in range(trial.shape[0]):
        for name, values in trial.inputs.items():
            if trial.model.fields[name].kind == "current":
                engine.set_external(0, name, everyone, values[row])
            else:
                engine.write(0, name, values[row])
        spikes = engine.advance(1).spikes[0]
        for name in trial.initial:
            course.values[name][row] = engine.read(0, f"{label}{name}")
        if trial.model.kind == "neuron":
            course.values["spike"][row] = 0
            course.values["spike"][row, spikes.ids] = 1 if spikes.values is None else spikes.values
        else:
            course.values["current"][row] = engine.read(0, "received")
    engine.close()
    return course


def _plan(trial: Trial) -> Plan:
    """A population of one part, or of a receptor and a neuron that writes down its current."""
    model, size, real = trial.model, trial.shape[1], trial.format.real
    states = {n: values.copy() for n, values in trial.initial.items()}
    ports = {n: j for j, n in enumerate(trial.counts)}
    part = Part("", model, dict(trial.constants), states, ports, dict(trial.streams))
    parts, external = [part], {n: np.zeros(size, real) for n in model.of_kind("current")}
    if model.kind == "receptor":
        part.label, part.feeds = "part", "received_now"
        names = [*model.of_kind("sees"), "received"]
        parts.append(Part("", _host(names), {}, {n: np.zeros(size, real) for n in names}))
    composition = Composition(parts, [Port(n, UNIT) for n in ports], tuple(external))
    population = PopulationPlan(model.name, size, composition, external)
    injections = [_injection(ports[n], counts) for n, counts in trial.counts.items()]
    return Plan(trial.dt, trial.seed, trial.format, [population], injections=injections)


def _injection(port: int, counts: Numbers) -> Injection:
    rows, ids = np.nonzero(counts)
    return Injection(0, port, rows + 1, ids.astype(np.int32), counts[rows, ids])


def _host(names: list[str]) -> Model:
    """A neuron with the states that a receptor sees, and one that takes the current it supplies."""
    kept = "".join(f"{n}={n}, " for n in names[:-1])
    text = f"def Host({', '.join(names)}, received_now):\n"
    text += f"    return dict({kept}received=received_now, spike=0.0)\n"
    file = f"<host with {', '.join(names)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space: dict[str, Any] = {}
    exec(compile(ast.parse(text), file, "exec"), space)
    fields: dict[str, Any] = {n: state("1") for n in names} | {"received_now": current("1")}
    return neuron(**fields)(space["Host"])
