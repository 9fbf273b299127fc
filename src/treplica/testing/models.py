"""Is a model inside the contract? The same random trial must come out of every target bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from treplica.errors import InvalidValue, MissingExtra, TreplicaError, UnknownName
from treplica.model import Instance, Model
from treplica.model.tape import Tape
from treplica.numerics.formats import Precision, format_of
from treplica.testing.targets import Course, run_cpu, run_plain, run_torch
from treplica.testing.trials import Trial, draw_trial, scalar

#: Enough neurons for the vectorised part of a compiled loop and a rest.
SIZE, STEPS = 67, 120


@dataclass(frozen=True)
class Conformance:
    """What was compared: the targets, neurons and steps for each precision, and how many spikes there were."""

    model: str
    targets: tuple[str, ...]
    neurons: int
    steps: int
    spikes: int


def check_neuron(model: Model | Instance, **settings: object) -> Conformance:
    """`check_model` for a neuron."""
    return _check_kind("neuron", model, settings)


def check_receptor(model: Model | Instance, **settings: object) -> Conformance:
    """`check_model` for a receptor or a stimulus."""
    return _check_kind("receptor", model, settings)


def _check_kind(kind: str, model: Model | Instance, settings: dict[str, object]) -> Conformance:
    found = (model.model if isinstance(model, Instance) else model).kind
    if found != kind:
        raise InvalidValue(f"check_{kind}(model)", model, f"a {kind} model", f"Use check_{found}.")
    return check_model(model, **settings)  # type: ignore[arg-type]


def check_model(
    model: Model | Instance,
    *,
    dt: float = 0.1,
    seed: int = 1,
    size: int = SIZE,
    steps: int = STEPS,
    precisions: Sequence[Precision] = ("float64", "float32"),
) -> Conformance:
    """Run a model through every target and compare all states and spikes (or currents) bit for bit.

    Targets: the function called by CPython, the kernel that the cpu engine compiles, and PyTorch where it is
    installed; in float64 and float32. Parameters, states, inputs and noise are random, from `seed`; parameters are
    near the defaults, or near the values of an instance. Every value that a declaration does not allow must be
    refused.

    Raises AssertionError where targets differ, with step, neuron and inputs; where a state is not finite or a spike
    not a whole number that the model declares; and where nothing was tested: no neuron fired, or every one always,
    or no current flowed.
    """
    instance = model if isinstance(model, Instance) else model()
    check_refusals(instance.model)
    fired = 0
    targets: list[str] = []
    for precision in precisions:
        form = format_of(precision)
        trial = draw_trial(instance, form, dt, size, steps, seed, each=precision == "float64")
        plain = run_plain(trial)
        courses = [run_cpu(trial)]
        with suppress(MissingExtra):  # the report says which targets there were
            courses.append(run_torch(trial))
        for course in courses:
            compare(trial, plain, course)
        fired += check_outcome(trial, plain)
        targets = [plain.target, *(c.target for c in courses)]
    return Conformance(instance.model.name, tuple(targets), size, steps, fired)


def check_refusals(model: Model) -> None:
    """Every invalid example of every declaration, and unknown names, are refused before anything runs."""
    for name, declared in model.of_kind("param", "state").items():
        for value in declared.invalid_examples():
            _refused(model, name, value, InvalidValue, "quantity", f"{model.name}.{name}")
    _refused(model, "no_such_quantity", 1.0, UnknownName, "name", "no_such_quantity")


def _refused(
    model: Model, name: str, value: float, kind: type[TreplicaError], field: str, expected: str
) -> None:
    named = None
    try:
        model(**{name: value})
    except kind as error:
        named = getattr(error, field)
    assert named == expected, f"{model.name}({name}={value}) was not refused by name"


def compare(trial: Trial, a: Course, b: Course) -> None:
    """AssertionError at the first step and neuron where two courses differ in a bit."""
    bits = np.int64 if trial.format.name == "float64" else np.int32
    first: tuple[int, int, str] | None = None
    for name, values in a.values.items():
        zero = 0.0 if name == "spike" else -0.0  # adding it makes -0.0 and 0.0 one: spikes travel as integers
        different = np.argwhere((values + zero).view(bits) != (b.values[name] + zero).view(bits))
        if different.size:
            row, neuron = (int(x) for x in different[0])
            first = min(first or (row, neuron, name), (row, neuron, name))
    if first is None:
        return
    row, neuron, name = first
    raise AssertionError(
        f"{trial.model.name} in {trial.format.name}: {a.target} and {b.target} differ in {name} of neuron "
        f"{neuron} at step {row + 1}: {a.values[name][row, neuron]!r} and {b.values[name][row, neuron]!r}. "
        f"The step was given {_given(trial, a, row, neuron)}."
    )


def _given(trial: Trial, course: Course, row: int, neuron: int) -> str:
    """The arguments of one call, for a message that can be pasted into Python."""
    known = {n: scalar(v, neuron) for n, v in trial.given(row).items()}
    for name, start in trial.initial.items():
        known[name] = scalar(course.values[name][row - 1] if row else start, neuron)
    return ", ".join(f"{n}={known[n]!r}" for n in trial.model.arguments)


def check_outcome(trial: Trial, course: Course) -> int:
    """The trial tested something: finite numbers, whole spikes, neither silence nor only spikes. How many spikes."""
    model = trial.model
    for name, values in course.values.items():
        assert np.isfinite(values).all(), f"{model.name}: {name} is not finite"
    if model.kind == "receptor":
        assert np.any(course.values["current"]), f"{model.name}: no current flowed"
        return 0
    spikes = course.values["spike"]
    largest = float(np.abs(spikes).max())
    assert (spikes == np.floor(spikes)).all(), f"{model.name}: a spike is a whole number"
    assert largest <= model.graded, f"{model.name}: a spike of {largest:g}, but graded={model.graded}"
    if _is_silent(model):
        return 0
    assert spikes.any(), f"{model.name} never fired: give the instance values with which it does"
    assert not spikes.all(), f"{model.name} fired in every step of every neuron"
    return int(np.count_nonzero(spikes))


def _is_silent(model: Model) -> bool:
    """Whether a neuron has no spikes by definition: integrators that are read."""
    result = Tape(model.arguments).inline(model.step_checked, {a: a for a in model.arguments})
    return isinstance(result, dict) and result["spike"] == 0.0
