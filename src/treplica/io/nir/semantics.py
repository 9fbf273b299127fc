"""What a NIR graph leaves open and a run must know: the step, integration, reset and recurrence."""

from __future__ import annotations

import dataclasses
import math
import numbers
from dataclasses import dataclass
from typing import Any

from treplica.errors import InvalidValue
from treplica.io.nir import neurons
from treplica.io.nir.cycles import Flat
from treplica.io.nir.fields import within
from treplica.io.nir.graph import NIRGraph

TIMED = (neurons.Delay, neurons.I, neurons.IF, neurons.LI, neurons.LIF, neurons.CubaLI, neurons.CubaLIF)
LEAKY = (neurons.LI, neurons.LIF, neurons.CubaLI, neurons.CubaLIF)
FIRING = (neurons.IF, neurons.LIF, neurons.CubaLIF)

MEANING = {
    "dt": "the length of a step in seconds (the graphs of the NIR paper: 1e-4)",
    "reset": "'zero' (to v_reset) or 'subtract' (by v_threshold - v_reset)",
    "integration": "'euler' or 'exact'",
    "recurrence": "'least' or 'added'",
}
WORDS = {"reset": ("zero", "subtract"), "integration": ("euler", "exact"), "recurrence": ("least", "added")}


@dataclass(frozen=True)
class Semantics:
    """What a graph means in steps of time. A field that is None is not told.

    - `dt`: length of a step, s. An integrator without leak (IF) adds r x dt in a step, so graphs that count input
      without a unit of time, as those of Sinabs do, have dt = 1
    - `reset`: after a spike "zero" sets v to v_reset, "subtract" takes v_threshold - v_reset from it; both act in
      the step of the spike
    - `integration`: of leaky membranes and synapses over a step in which the input is constant: "euler" (forward, the
      synaptic current first, the membrane with the new one) or "exact" (the solution of the linear equations)
    - `recurrence`: an edge that closes a cycle carries the value of the step before. "least": not where a Delay of the
      cycle already takes a step or more, so that a cycle takes as long as its delays say, at least one step.
      "added": always, so that it takes one step more than its delays

    In files they are metadata of the outermost graph, under the same names; `of` reads them, `added_to` writes them.
    """

    dt: float | None = None
    reset: str | None = None
    integration: str | None = None
    recurrence: str | None = None

    def __post_init__(self) -> None:
        dt: Any = self.dt
        if dt is not None:
            real = isinstance(dt, numbers.Real) and not isinstance(dt, bool)
            if not real or not math.isfinite(dt) or dt <= 0:
                raise InvalidValue("Semantics.dt", dt, "a number > 0, in seconds")
            object.__setattr__(self, "dt", float(dt))
        for name, words in WORDS.items():
            value = getattr(self, name)
            if value is not None and not (isinstance(value, str) and value in words):
                raise InvalidValue(f"Semantics.{name}", value, MEANING[name])

    @classmethod
    def of(cls, graph: NIRGraph) -> Semantics:
        """Return what the metadata of a graph tell; raises `InvalidValue` for what they cannot mean."""
        return cls().completed_by(graph)

    def completed_by(self, graph: NIRGraph) -> Semantics:
        """Return these semantics, with the fields that are not told here from the metadata of a graph."""
        missing = [name for name in MEANING if getattr(self, name) is None and name in graph.metadata]
        with within("the graph's metadata"):
            return dataclasses.replace(self, **{name: graph.metadata[name] for name in missing})

    def added_to(self, graph: NIRGraph) -> NIRGraph:
        """Return the graph with what is told here in its metadata."""
        told = {name: value for name in MEANING if (value := getattr(self, name)) is not None}
        return dataclasses.replace(graph, metadata={**graph.metadata, **told})

    def check_for(self, flat: Flat) -> None:
        """Raise `InvalidValue` with the argument to give for a field that this graph needs and that is not told."""
        for name, reason in self._needed(flat).items():
            if getattr(self, name) is None:
                advice = f"{reason}, and its metadata do not tell; give nir.Semantics({name}=...)."
                raise InvalidValue(f"Semantics.{name}", None, MEANING[name], advice)

    def _needed(self, flat: Flat) -> dict[str, str]:
        needed = {}
        for name, kinds in {"dt": TIMED, "reset": FIRING, "integration": LEAKY}.items():
            for path, node in flat.nodes.items():
                if isinstance(node, kinds):
                    needed[name] = f"The graph has a {type(node).__name__} ({path!r})"
                    break
        if flat.cyclic:
            needed["recurrence"] = "The graph has a cycle"
        return needed
