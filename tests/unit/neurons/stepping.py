"""A model's function as it stands, called by CPython in float64, one step after another."""

from __future__ import annotations

from typing import Any

from treplica.model import Instance


class Stepper:
    """One neuron or receptor. `state` is read and set by name; `steps` counts."""

    def __init__(self, instance: Instance, dt: float) -> None:
        model = self.model = instance.model
        self.dt, self.steps = dt, 0
        known: dict[str, Any] = {n: instance.value(n) for n in model.of_kind("param")} | {"dt": dt}
        if model.derive_checked:
            checked = model.derive_checked.source
            known |= checked.function(**{a: known[a] for a in checked.arguments})
        self.constants = known
        self.state = {n: instance.value(n) for n in model.of_kind("state")}
        self.inputs = dict.fromkeys(model.of_kind("current", "arrival", "noise", "sees"), 0.0)

    def step(self, **inputs: float) -> float:
        """Advance by one step; the spike (neuron) or the current (receptor). Inputs not given are 0."""
        assert inputs.keys() <= self.inputs.keys()
        known = {**self.constants, **self.state, **self.inputs, **inputs}
        result = self.model.step(**{a: known[a] for a in self.model.arguments})
        output = result.pop("spike" if self.model.kind == "neuron" else "current")
        self.state = result
        self.steps += 1
        return float(output)

    def spikes(self, steps: int, **inputs: float) -> list[int]:
        """The steps, counted from 1, in which it fires under constant inputs."""
        return [self.steps for _ in range(steps) if self.step(**inputs)]
