"""The reference: a graph computed step by step, in plain NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from treplica.errors import InvalidValue, NumericalError, UnknownName
from treplica.io.nir import neurons
from treplica.io.nir.cycles import STATEFUL, Flat, flatten, holds_back, order
from treplica.io.nir.fields import Array, within
from treplica.io.nir.graph import NIRGraph
from treplica.io.nir.nodes import Input, Output
from treplica.io.nir.semantics import Semantics
from treplica.io.nir.shapes import infer
from treplica.io.nir.steps import Delays, Neurons, Step, stateless


@dataclass(frozen=True)
class Run:
    """What came out of a graph.

    - `outputs`: [T, B, ...] by the name of the Output
    - `recorded`: for each recorded node "output" [T, B, ...], and of neurons "v" (after the reset) and, behind a
      synapse, "i"
    """

    outputs: dict[str, Array]
    recorded: dict[str, dict[str, Array]]

    @property
    def output(self) -> Array:
        """The only output [T, B, ...]; raises `InvalidValue` where there are several."""
        if len(self.outputs) != 1:
            raise InvalidValue(
                "the outputs of the graph", list(self.outputs), "a single one", "Use .outputs."
            )
        return next(iter(self.outputs.values()))


def run(
    graph: NIRGraph,
    inputs: Array | Mapping[str, Array],
    semantics: Semantics | None = None,
    *,
    record: Iterable[str] = (),
    dtype: DTypeLike = "float64",
) -> Run:
    """Compute a graph step by step: the specification, for small graphs and for comparisons.

    - `inputs`: [T, B, ...] (steps, batch, shape of the Input); a dictionary by name where there are several Inputs
    - `semantics`: what the graph's metadata do not tell or what shall hold instead, see `Semantics`
    - `record`: names of nodes to record; a node of a nested graph is `graph/node`
    - `dtype`: float64 or float32

    All states are 0 at first. Several edges into a node are summed in the order of the names they come from. An edge
    that closes a cycle carries the value of the step before, and in the first step what its source gives when nodes
    with a state give 0 (the bias of an Affine). Convolutions are cross-correlations and averages count the padding, as
    in PyTorch.

    Raises `InvalidValue` where semantics are needed and not told, for inputs of a wrong shape, time constants that are
    not > 0 and delays that are not whole steps; `UnknownName` for what to record; `NumericalError` where a state
    becomes infinite.
    """
    if not isinstance(graph, NIRGraph):
        raise InvalidValue("graph", graph, "a nir.NIRGraph")
    kind = np.dtype(dtype)
    if kind not in (np.float32, np.float64):
        raise InvalidValue("dtype", str(kind), "float64 or float32")
    flat = flatten(graph)
    chosen = (semantics or Semantics()).completed_by(graph)
    chosen.check_for(flat)
    given = _inputs(graph, inputs, kind)
    names = list(record)
    for name in names:
        if name not in flat.nodes:
            raise UnknownName("node", name, flat.nodes)
    with np.errstate(over="ignore", invalid="ignore"):
        return _Machine(graph, flat, chosen, given, names, kind).run()


def _inputs(graph: NIRGraph, inputs: Array | Mapping[str, Array], dtype: np.dtype[Any]) -> dict[str, Array]:
    """Check the inputs and return them by name."""
    ports = {name: node for name, node in graph.nodes.items() if type(node) is Input}
    given = dict(inputs) if isinstance(inputs, Mapping) else {graph.port("Input"): inputs}
    if given.keys() != ports.keys():
        raise InvalidValue("the names of the inputs", sorted(given), f"those of the graph, {sorted(ports)}")
    found: dict[str, Array] = {}
    for name, value in given.items():
        shape, array = graph.shapes[name].input, np.asarray(value)
        quantity = f"the input {name!r}"
        if array.dtype.kind not in "fiub":
            raise InvalidValue(quantity, array.dtype, "numbers")
        if array.ndim != len(shape) + 2 or array.shape[2:] != shape:
            wanted = "".join(f", {each}" for each in shape)
            raise InvalidValue(f"the shape of {quantity}", array.shape, f"(steps, batch{wanted})")
        found[name] = array.astype(dtype)
        if not np.isfinite(found[name]).all():
            raise InvalidValue(quantity, "a value that is not finite", f"finite numbers in {dtype}")
    if len({array.shape[:2] for array in found.values()}) > 1:
        shapes = {name: array.shape[:2] for name, array in found.items()}
        raise InvalidValue("steps and batch of the inputs", shapes, "equal")
    return found


class _Machine:
    """A flat graph with its states."""

    def __init__(
        self,
        graph: NIRGraph,
        flat: Flat,
        semantics: Semantics,
        inputs: dict[str, Array],
        record: list[str],
        dtype: np.dtype[Any],
    ) -> None:
        self.inputs, self.dtype, self.dt = inputs, dtype, semantics.dt or 0.0
        self.steps, self.batch = next(iter(inputs.values())).shape[:2]
        early = {name for name, node in flat.nodes.items() if holds_back(node)}
        self.order = order(flat, sorted(inputs), early if semantics.recurrence != "added" else ())
        self.sources: dict[str, list[str]] = {name: [] for name in flat.nodes}
        for source, target in sorted(flat.edges):
            self.sources[target].append(source)
        self.neurons: dict[str, Neurons] = {}
        self.delays: dict[str, Delays] = {}
        self.functions: dict[str, Step] = {}
        for name, node in flat.nodes.items():
            with within(f"node {name!r}"):
                if isinstance(node, STATEFUL):
                    self.neurons[name] = Neurons(node, semantics, self.batch, dtype)
                elif isinstance(node, neurons.Delay):
                    self.delays[name] = Delays(node, self.dt, self.steps, self.batch, dtype)
                else:
                    self.functions[name] = stateless(node, dtype)
        self.outputs = [name for name, node in graph.nodes.items() if type(node) is Output]
        self.shapes = {name: each.output for name, each in infer(flat.nodes, flat.edges).items()}
        self.record = record

    def run(self) -> Run:
        """Make all steps."""
        kept: dict[str, dict[str, Array]] = {
            name: {key: self._room(name) for key in ("output", *self._states(name))}
            for name in (*self.outputs, *self.record)
        }
        before = self._rest()
        for t in range(self.steps):
            before = self._step(t, before)
            for name, arrays in kept.items():
                for key, array in arrays.items():
                    array[t] = before[name] if key == "output" else self.neurons[name].state[key]
        outputs = {name: kept[name]["output"] for name in self.outputs}
        return Run(outputs, {name: kept[name] for name in self.record})

    def _step(self, t: int, before: dict[str, Array]) -> dict[str, Array]:
        now: dict[str, Array] = {}
        for name in self.order.names:
            if name in self.order.early:
                self.delays[name].now = t
                now[name] = self.delays[name].get()
                continue
            x = self.inputs[name][t] if name in self.inputs else self._sum(name, now, before)
            now[name] = self._compute(name, x, t)
        for name in self.order.early:
            self.delays[name].put(self._sum(name, now, before))
        return now

    def _compute(self, name: str, x: Array, t: int) -> Array:
        states: dict[str, Array] = {}
        if name in self.functions:
            found = self.functions[name](x)
        elif name in self.delays:
            delay = self.delays[name]
            delay.now = t
            delay.put(x)
            found = delay.get()
        else:
            found, states = self.neurons[name](x), self.neurons[name].state
        for variable, value in {**states, "output": found}.items():
            if not np.isfinite(value).all():
                unit = int(np.flatnonzero(~np.isfinite(value).all(0))[0])
                raise NumericalError(
                    name, unit, variable, float(value[~np.isfinite(value)][0]), t, self.dt * 1e3
                )
        return found

    def _sum(self, name: str, now: dict[str, Array], before: dict[str, Array]) -> Array:
        closing = self.order.closing
        values = [(before if (source, name) in closing else now)[source] for source in self.sources[name]]
        return reduce(np.add, values)

    def _rest(self) -> dict[str, Array]:
        """Return what every node gives when the inputs and all nodes with a state give 0."""
        found: dict[str, Array] = {}
        for name in self.order.rest:
            if name in self.functions and self.sources[name]:
                found[name] = self.functions[name](
                    reduce(np.add, [found[each] for each in self.sources[name]])
                )
            else:
                found[name] = np.zeros((self.batch, *self.shapes[name]), self.dtype)
        return found

    def _room(self, name: str) -> Array:
        return np.zeros((self.steps, self.batch, *self.shapes[name]), self.dtype)

    def _states(self, name: str) -> tuple[str, ...]:
        return tuple(self.neurons[name].state) if name in self.neurons else ()
