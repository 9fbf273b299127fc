"""Nodes of a cycle, computed step by step."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from treplica.io.nir.cycles import STATEFUL
from treplica.io.nir.neurons import Delay as DelayNode
from treplica.learning.exchange.nir_plan import Plan
from treplica.learning.layers.delay import Delay
from treplica.learning.layers.recurrent import Recurrent
from treplica.learning.neurons import Neurons


def step_through(
    plan: Plan,
    names: tuple[str, ...],
    parts: Mapping[str, nn.Module],
    values: dict[str, Tensor],
    steps: int,
    batch: int,
) -> None:
    """Add what the nodes `names` give at all steps, [T, B, ...], to `values`.

    Edges that close a cycle carry the value of the step before; before the first step, what a node gives when all that
    have a state give 0.
    """
    like = next(iter(values.values()))
    inside = _Inside(plan, parts, like)
    made: dict[str, list[Tensor]] = {name: [] for name in names}
    before = at_rest(plan, parts, like, batch)
    for t in range(steps):
        moment = _Moment(plan, made, values, before, t)
        now: dict[str, Tensor] = {}
        for name in names:
            if name in plan.order.early:
                now[name] = inside.early(name, t)
            else:
                now[name] = inside.step(name, moment.total(name, now), t)
        for name in plan.order.early.intersection(names):
            inside.past[name].append(moment.total(name, now))
        before = now
        for name, value in now.items():
            made[name].append(value)
    values.update({name: torch.stack(each) for name, each in made.items()})


@dataclass
class _Moment:
    """What reaches nodes at a step: from nodes of the cycle, now or at the step before, and from others."""

    plan: Plan
    inside: Container[str]
    values: Mapping[str, Tensor]
    before: Mapping[str, Tensor]
    t: int

    def total(self, name: str, now: Mapping[str, Tensor]) -> Tensor:
        """The sum [B, ...] that reaches a node."""
        given = []
        for source in self.plan.sources[name]:
            if (source, name) in self.plan.order.closing:
                given.append(self.before[source])
            else:
                given.append(now[source] if source in self.inside else self.values[source][self.t])
        return reduce(torch.add, given)


class _Inside:
    """Modules that go on from step to step."""

    def __init__(self, plan: Plan, parts: Mapping[str, nn.Module], like: Tensor) -> None:
        self.plan, self.parts, self.like = plan, parts, like
        self.states: dict[str, Any] = {}
        self.past: dict[str, list[Tensor]] = {
            name: [] for name, node in plan.nodes.items() if isinstance(node, DelayNode)
        }

    def step(self, name: str, x: Tensor, t: int) -> Tensor:
        """What a node gives for x [B, ...]."""
        part = self.parts.get(name)
        if isinstance(part, (Neurons, Recurrent)):
            run = part.run(x.unsqueeze(0), self.states.get(name))
            self.states[name] = run.state
            return run.output[0]
        if isinstance(part, Delay):
            self.past[name].append(x)
            return self._delayed(name, part, t, x)
        found: Tensor = x if part is None else part(x.unsqueeze(0))[0]
        return found

    def early(self, name: str, t: int) -> Tensor:
        """What a Delay gives before it has this step's input."""
        part, past = self.parts[name], self.past[name]
        assert isinstance(part, Delay)
        batch = self.like.shape[1]
        shape = (batch, *self.plan.shapes[name].output)
        return self._delayed(name, part, t, past[-1] if past else self.like.new_zeros(shape))

    def _delayed(self, name: str, part: Delay, t: int, like: Tensor) -> Tensor:
        found = torch.zeros_like(like)
        for steps in torch.unique(part.steps).tolist():
            if steps <= t:
                here = (
                    part.steps.reshape(part.steps.shape + (1,) * (like.ndim - 1 - part.steps.ndim)) == steps
                )
                found = torch.where(here, self.past[name][t - steps], found)
        return found


def at_rest(plan: Plan, parts: Mapping[str, nn.Module], like: Tensor, batch: int) -> dict[str, Tensor]:
    """What every node gives when the inputs and all nodes with a state give 0, [B, ...]."""
    found: dict[str, Tensor] = {}
    for name in plan.order.rest:
        node, sources = plan.nodes[name], plan.sources[name]
        if not sources or isinstance(node, (*STATEFUL, DelayNode)):
            found[name] = like.new_zeros((batch, *plan.shapes[name].output))
            continue
        total = reduce(torch.add, [found[source] for source in sources])
        part = parts.get(name)
        found[name] = total if part is None else part(total.unsqueeze(0))[0]
    return found
