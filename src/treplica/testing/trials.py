"""A trial of a model: random parameters, states, inputs and noise for some neurons and steps, from a seed.

Nobody knows here which currents make a given model fire. So the neurons of a trial get inputs of many magnitudes,
from a tenth to thousands of units, and a neuron that leaves the finite numbers gets a quarter of its input until it
stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.model import Draw, Field, Instance, Model
from treplica.model.check import WORDS
from treplica.model.rebind import rebind
from treplica.numerics import noise
from treplica.numerics.formats import Format
from treplica.numerics.philox import stream_id

#: One count of an arrival, in the unit of its port.
UNIT = 2.0**-10
SMALLEST, LARGEST = -1.0, 3.5  # powers of ten of the inputs
BEYOND = 1e30
PATIENCE = 20

Numbers = NDArray[Any]


@dataclass
class Trial:
    """What goes into a model: n neurons for T steps.

    constants: parameters and derived constants that the step reads, a number for all or one each. initial: states
    before the first step [n]. inputs: currents and states that a receptor sees, in the working type [T, n]. counts:
    what arrives, in whole UNITs [T, n]. streams: noise by its random stream.
    """

    model: Model
    format: Format
    dt: float
    seed: int
    shape: tuple[int, int]
    constants: dict[str, float | Numbers]
    initial: dict[str, Numbers]
    inputs: dict[str, Numbers]
    counts: dict[str, NDArray[np.int64]]
    streams: dict[str, int] = field(default_factory=dict)

    def drawn(self, step: int) -> dict[str, Numbers]:
        """The noise of a step (1, 2, ...), in the working type [n]."""
        laws = {"normal": noise.normal, "uniform": noise.uniform}
        return {
            name: laws[self.model.fields[name].law](self.seed, stream, step, 0, self.shape[1]).astype(
                self.format.real
            )
            for name, stream in self.streams.items()
        }

    def arriving(self, row: int) -> dict[str, Numbers]:
        """What arrives in a step, in the working type [n]."""
        real = self.format.to_real
        return {n: real(counts[row]) * real(UNIT) for n, counts in self.counts.items()}

    def given(self, row: int) -> dict[str, Numbers]:
        """Everything that the step at a row (0, 1, ...) reads but the states, each [n]."""
        known: dict[str, Any] = {"dt": self.format.to_real(self.dt)}
        known |= {n: self.format.to_real(v) for n, v in self.constants.items()}
        known |= {n: values[row] for n, values in self.inputs.items()}
        known |= self.arriving(row) | self.drawn(row + 1)
        wanted = [n for n in self.model.arguments if n not in self.initial]
        return {n: np.broadcast_to(known[n], self.shape[1]) for n in wanted}


def function_of(model: Model, form: Format) -> Callable[..., dict[str, Any]]:
    """The specification: the function itself in float64, the same with float32 literals in float32."""
    if form.name == "float64":
        return model.step
    return rebind(model.step_checked, WORDS, form.to_real)


def draw_trial(
    instance: Instance, form: Format, dt: float, size: int, steps: int, seed: int, each: bool
) -> Trial:
    """A trial in which every neuron stays finite. each: parameters differ from neuron to neuron."""
    rng = np.random.default_rng(seed)
    model = instance.model
    count = size if each else 1
    parameters = {n: _parameter(f, instance.value(n), rng, count) for n, f in model.of_kind("param").items()}
    initial = {
        n: (_start(instance.value(n)) * rng.uniform(0.9, 1.1, size)).astype(form.real)
        for n, f in model.of_kind("state").items()
    }
    constants = _constants(model, parameters, dt, count)
    trial = Trial(
        model, form, dt, seed, (steps, size),
        {n: v.astype(form.real) if each else float(v[0]) for n, v in constants.items()},
        initial, {}, {}, {n: int(stream_id(n)) for n in model.of_kind("noise")},
    )  # fmt: skip
    _inputs(trial, rng, 10.0 ** np.linspace(SMALLEST, LARGEST, size))
    _calm(trial)
    return trial


def _start(value: Any) -> float:
    return 0.0 if isinstance(value, Draw) else float(np.asarray(value).flat[0])


def _parameter(declared: Field, value: Any, rng: np.random.Generator, count: int) -> Numbers:
    """Values near the given one; near an arbitrary one where that is 0. What is not allowed stays as given."""
    base = _start(value)
    if base:
        near = base * rng.uniform(0.95, 1.05, count)
    else:
        near = rng.uniform(0.0 if declared.low == 0.0 else -1.0, 1.0, count) * rng.integers(0, 2, count)
    return np.where(declared.admits(near), near, base)


def _constants(model: Model, parameters: Mapping[str, Numbers], dt: float, count: int) -> dict[str, Numbers]:
    """What the step reads of parameters and derived constants, float64 [count], derived neuron by neuron."""
    known = dict(parameters)
    if model.derive_checked:
        derive = model.derive_checked.source
        rows = [
            derive.function(**{a: dt if a == "dt" else float(parameters[a][k]) for a in derive.arguments})
            for k in range(count)
        ]
        known |= {n: np.array([row[n] for row in rows], dtype=np.float64) for n in model.derived}
    return {n: v for n, v in known.items() if n in model.arguments}


def _inputs(trial: Trial, rng: np.random.Generator, scale: NDArray[np.float64]) -> None:
    """Fill inputs and counts: neuron k gets what is of the magnitude scale[k]; a quarter is inhibited."""
    model, shape = trial.model, trial.shape
    for name in model.of_kind("current"):
        trial.inputs[name] = (scale * rng.uniform(-0.5, 1.5, shape)).astype(trial.format.real)
    for name in model.of_kind("sees"):
        trial.inputs[name] = rng.uniform(-80.0, 20.0, shape).astype(trial.format.real)
    sign = np.where(np.arange(shape[1]) % 4 == 3, -1.0, 1.0)
    for name in model.of_kind("arrival"):
        amount = rng.uniform(0.0, 1.0, shape) * (rng.uniform(size=shape) < 0.2)
        trial.counts[name] = np.rint(amount * scale * sign / UNIT).astype(np.int64)


def _calm(trial: Trial) -> None:
    """Weaken the input of neurons that would not stay finite."""
    for _ in range(PATIENCE):
        wild = np.zeros(trial.shape[1], dtype=np.bool_)
        for values in on_arrays(trial).values():
            wild |= ~(np.abs(values) < BEYOND).all(axis=0)
        if not wild.any():
            return
        for name in trial.model.of_kind("current"):
            trial.inputs[name][:, wild] /= 4
        for counts in trial.counts.values():
            counts[:, wild] = np.rint(counts[:, wild] / 4)
    raise AssertionError(f"{trial.model.name} leaves the finite numbers with hardly any input")


def on_arrays(trial: Trial) -> dict[str, Numbers]:
    """The specification on arrays, all neurons at once: every state and the spike or current, [T, n] each."""
    step = rebind(trial.model.step_checked, WORDS, trial.format.to_real)
    values = {n: np.empty(trial.shape, trial.format.real) for n in outputs(trial.model)}
    states = trial.initial
    with np.errstate(all="ignore"):
        for row in range(trial.shape[0]):
            result = step(**states, **trial.given(row))
            states = {n: np.broadcast_to(result[n], trial.shape[1]) for n in states}
            for name in values:
                values[name][row] = result[name]
    return values


def outputs(model: Model) -> list[str]:
    """The names of what a step returns."""
    return [*model.of_kind("state"), "spike" if model.kind == "neuron" else "current"]


def scalar(values: Numbers, k: int) -> Any:
    """Item k as the specification takes it: a Python number in float64, a numpy number in float32."""
    return float(values[k]) if values.dtype == np.float64 else values[k]
