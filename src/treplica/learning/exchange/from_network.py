"""`to_torch`: a network description as a module, step for step what the simulator does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from treplica.engines.plan import Plan
from treplica.engines.resolve import resolve
from treplica.errors import InvalidValue, UnknownName
from treplica.learning.constants import Learned
from treplica.learning.exchange.drives import Drives
from treplica.learning.exchange.order import Block, schedule
from treplica.learning.exchange.synapses import Synapses, arriving
from treplica.learning.exchange.trained import trained
from treplica.learning.neurons import Neurons, ResetGradient
from treplica.learning.surrogate import Surrogate
from treplica.model import Instance
from treplica.network import Network

#: Entries of the weight matrix of one delay, at most: beyond, a simulation is the better tool.
LARGEST = 1 << 26


def to_torch(
    network: Network,
    dt: float,
    *,
    weights: str = "auto",
    surrogate: Surrogate | None = None,
    reset_gradient: ResetGradient = "detached",
    learn: Mapping[str, Iterable[str] | Learned] | None = None,
    dtype: torch.dtype = torch.float64,
) -> NetworkModule:
    """The module of a network: in float64 its spikes are exactly those of the `plain` engine.

    dt: ms. weights: how drawn weights become whole units, as for `Simulation`. surrogate, reset_gradient: as for
    `Neurons`. learn: parameters to train by population, such as {"hidden": ("tau",)}; weights are always parameters.
    dtype: of weights and learned parameters; in float32 weights are rounded to 24 bits.

    Raises InvalidValue for what a module cannot hold: stimuli of a model on a part of a population, and projections
    of more than 2^26 possible synapses.
    """
    plan = resolve(network, dt, network.seed, "float64", weights)
    for connections in plan.connections:
        pairs = plan.populations[connections.source].size * plan.populations[connections.target].size
        if pairs > LARGEST:
            advice = "Simulate it, or train a part of it."
            raise InvalidValue(f"{connections.name}: pairs of neurons", pairs, f"at most {LARGEST}", advice)
    for name in learn or {}:
        network.population(name)
    choices = dict(dt=dt, surrogate=surrogate, reset_gradient=reset_gradient)
    return NetworkModule(network, plan, choices, learn or {}, dtype)


class NetworkModule(nn.Module):
    """A network over time-major tensors: given arrivals by population -> spikes by population.

    populations: a `Neurons` each. projections: a `Synapses` each. Both by name, and both can be trained.
    """

    def __init__(
        self,
        network: Network,
        plan: Plan,
        choices: Mapping[str, Any],
        learn: Mapping[str, Iterable[str] | Learned],
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        self.network, self.plan = network, plan
        self.populations, self.projections = nn.ModuleDict(), nn.ModuleDict()
        names = [p.name for p in plan.populations]
        for index, name in enumerate(names):
            self.populations[name] = _neurons(plan, index, choices, learn.get(name, ()), network).to(dtype)
        for connections in plan.connections:
            source, target = plan.populations[connections.source], plan.populations[connections.target]
            unit = target.composition.ports[connections.port].unit
            self.projections[connections.name] = Synapses(connections, source.size, target.size, unit, dtype)
        edges = [(c.source, c.target, c.shortest) for c in plan.connections if c.rows.n_source]
        self.blocks = schedule(len(names), edges)

    def forward(
        self, inputs: Mapping[str, Tensor] | None = None, steps: int | None = None, batch: int = 1
    ) -> dict[str, Tensor]:
        """Spikes [T, B, n] by population, from step 1 on.

        inputs: what arrives from outside at each step, [T, B, n], by population (its first port) or
        `population.port`; for a `SpikeSource`, its spikes. steps, batch: T and B where there are no inputs.
        """
        given, steps, batch = self._given(inputs or {}, steps, batch)
        some = next(self.parameters(), None)
        like = torch.zeros((), dtype=torch.float64) if some is None else some
        made: dict[int, list[Tensor]] = {i: [] for i in range(len(self.populations))}
        matrices = {name: s.matrices() for name, s in self.projections.items()}
        states: dict[int, Any] = dict.fromkeys(made)
        for block in self.blocks:
            self._run_block(block, steps, batch, given, like, made, matrices, states)
        names = list(self.populations)
        return {names[i]: parts[0] if len(parts) == 1 else torch.cat(parts) for i, parts in made.items()}

    def trained(self) -> Network:
        """The network with weights and learned parameters as they are now; all else is as it was described.

        Synapses are given one by one, with the delays that they have. Simulated with the dt of the module, its spikes
        are those of the module in float64 as long as weights lie on the grid of a simulation (see `snap_`).
        """
        return trained(self)

    def _run_block(
        self,
        block: Block,
        steps: int,
        batch: int,
        given: Mapping[tuple[int, int], Tensor],
        like: Tensor,
        made: dict[int, list[Tensor]],
        matrices: Mapping[str, list[tuple[int, Tensor]]],
        states: dict[int, Any],
    ) -> None:
        """Compute populations that depend on each other, as many steps at once as no spike of theirs travels."""
        length = block.length or steps
        for start in range(0, steps, length):
            count = min(length, steps - start)
            for index in block.members:
                inputs = self._inputs(index, start, count, batch, given, like, made, matrices)
                layer = self.populations[self.plan.populations[index].name]
                run = layer.run(inputs, states[index])
                states[index] = run.state
                block.keep(index, run.output)
            block.append(made)

    def _inputs(
        self,
        index: int,
        start: int,
        count: int,
        batch: int,
        given: Mapping[tuple[int, int], Tensor],
        like: Tensor,
        made: Mapping[int, list[Tensor]],
        matrices: Mapping[str, list[tuple[int, Tensor]]],
    ) -> dict[str, Tensor]:
        """All that reaches a population in some steps, by key of its cell."""
        population = self.plan.populations[index]
        drives, zeros = Drives(self.plan, index), like.new_zeros((count, batch, population.size))
        inputs: dict[str, Tensor] = {}
        for part in population.composition.parts:
            for name, port in part.ports.items():
                total = zeros
                if (index, port) in given:
                    total = total + given[index, port][start : start + count]
                for connections in self.plan.connections:
                    if (connections.target, connections.port) == (index, port):
                        past = made[connections.source]
                        arrived = arriving(past, start, count, matrices[connections.name])
                        total = total if arrived is None else total + arrived
                for series in drives.arrivals(port, start, count):
                    total = total + series.to(like)
                inputs[part.key(name)] = total
            for name in part.streams:
                inputs[part.key(name)] = zeros + drives.noise(part.label, name, start, count).to(like)
        for name in population.composition.neuron.model.of_kind("current"):
            series = drives.current(name, start, count)
            if series is not None:
                inputs[name] = zeros + series.to(like)
        if not inputs:  # nothing reaches it: it runs on its own
            layer = self.populations[population.name]
            inputs[layer.port] = zeros
        return inputs

    def _given(
        self, inputs: Mapping[str, Tensor], steps: int | None, batch: int
    ) -> tuple[dict[tuple[int, int], Tensor], int, int]:
        """Given arrivals by population and port, and T and B."""
        found = {}
        for name, tensor in inputs.items():
            population, _, port = name.partition(".")
            described = self.network.population(population)
            if not described.ports:
                raise InvalidValue(
                    f"input {name!r}", population, "a population at which something can arrive"
                )
            if port and port not in described.ports:
                raise UnknownName(f"port of {population}", port, described.ports)
            size = described.size
            if tensor.ndim != 3 or tensor.shape[2] != size:
                raise InvalidValue(
                    f"input {name!r}: shape", list(tensor.shape), f"[T, B, {size}], time first"
                )
            found[self.plan.index(population), described.ports.index(port or described.ports[0])] = tensor
        shapes = {tuple(t.shape[:2]) for t in found.values()}
        if len(shapes) > 1:
            raise InvalidValue("inputs: [T, B]", sorted(shapes), "the same for all")
        if shapes:
            (steps, batch), *_ = shapes
        if not steps:
            raise InvalidValue("steps", steps, "at least 1", "Give inputs, or steps=.")
        return found, steps, batch


def _neurons(
    plan: Plan, index: int, choices: Mapping[str, Any], learn: Iterable[str] | Learned, network: Network
) -> Neurons:
    """The layer of a population, with the values that the plan drew."""
    composition = plan.populations[index].composition
    size, name = plan.populations[index].size, plan.populations[index].name
    if composition.rest is not None:
        advice = "Make a network whose populations have sleep_within=None."
        raise InvalidValue(
            f"{name}.sleep_within", composition.rest, "None: a module computes every step", advice
        )
    instances: dict[str, Instance] = {}
    for part in composition.parts:
        if part.mask is not None:
            allowed = "a stimulus on the whole population: a module has none on a part of one"
            advice = "Make the neurons that are driven a population of their own."
            raise InvalidValue(f"{name}: {part.label}", "acts on a part of the neurons", allowed, advice)
        values: dict[str, Any] = dict(part.parameters)
        values |= {n: _one_or_all(v) for n, v in part.states.items()}
        instances[part.label] = Instance(part.model, values, part.feeds or None)
    neuron = instances.pop("")
    return Neurons(neuron, size, receptors=instances, learn=learn, **choices)


def _one_or_all(values: np.ndarray) -> Any:
    """One number where all are equal: it is then not kept for each neuron."""
    first = float(values[0])
    return first if (values == first).all() else values.astype(np.float64)
