"""The compiled loop of neurons that reach one another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from treplica.learning.fused.loop import Plan, Tensors, cotangents, recorded_ends
from treplica.learning.fused.numba_loop import NumbaLoop
from treplica.learning.native.launch import launch
from treplica.learning.native.threads import threads_for
from treplica.learning.sparse.op import linear_back

#: What is taken besides what a `Loop` takes: weights [sources, targets], spikes that have not arrived [delay, B, N],
#: and maybe a bias [targets]. Keys of a cell have no spaces.
WEIGHTS, BEFORE, BIAS = "recurrent weights", "spikes before", "recurrent bias"
#: What reached the port [T, B, N], kept in the place of its input.
TOTAL = "kept total"
#: Samples of a chunk: each row of weights meets so many while it is in the first-level cache.
SAMPLES = 8


class Recurrence(NumbaLoop):
    """T steps of neurons [B, N] whose spikes come back to a port `delay` steps later, forward and back.

    plan: that of the neurons by themselves, which records spikes. port: the series that spikes reach.
    """

    def __init__(self, plan: Plan, port: str, delay: int, *, biased: bool) -> None:
        super().__init__(plan)
        self.port, self.delay = port, delay
        self.takes = (*self.takes, WEIGHTS, BEFORE, *((BIAS,) if biased else ()))
        self.makes = (*self.makes, TOTAL)
        self.needs = (*self.takes, *self.kept, "out spike")

    def empty(self, steps: int, given: Tensors, keep: bool) -> dict[str, Tensor]:
        """See `Loop.empty`."""
        outside = given[self.port]
        total = torch.empty_like(outside) if keep else outside.new_empty(0)
        return super().empty(steps, given, keep) | {TOTAL: total}

    def forward(self, steps: int, given: Tensors, keep: bool) -> dict[str, Tensor]:
        """See `Loop.forward`."""
        made = self.empty(steps, given, keep)
        frame, _numbers = self.frame(self.layout, {**given, **made}, self.columns_of(given).numel())
        values = dict(WEIGHTS=given[WEIGHTS], BIAS=given.get(BIAS), BEFORE=given[BEFORE])
        values |= dict(INPUT=given[self.port], TOTAL=made[TOTAL], SPIKES=made["out spike"])
        values |= dict(STEP=self.step.step.address, MOVING=self.layout.place(self.port))
        self._launch("forward", given, 2, values, frame, self.forward_states(given, made))
        return made

    def saved(self, given: Tensors, made: Tensors) -> list[Tensor]:
        """See `Loop.saved`."""
        return super().saved({**given, self.port: made[TOTAL]}, made)

    def backward(self, steps: int, kept: Tensors, ends: Tensors, wanted: frozenset[str]) -> dict[str, Tensor]:
        """See `Loop.backward`."""
        total = kept[self.port]
        outputs = {k: t.expand_as(total).contiguous() for k, t in recorded_ends(ends).items()}
        # What comes back adds to the cotangent of spikes, at every step.
        shape = self.back_shape({"spike": total, **outputs}, total[0], wanted | {self.port})
        again, layout = self.back(replace(shape, moving=frozenset({"d out spike"})))
        made = {k: torch.empty_like(total) for k in shape.wanted if k in self.shape.series}
        made |= self.zeros(total[0], wanted)
        before = self.before(kept, wanted)
        given = {**kept, **cotangents(made, {"spike": total, **outputs})}
        frame, _numbers = self.frame(layout, given, total[0].numel())
        by_target = kept[WEIGHTS].t().contiguous()
        values = dict(WEIGHTS=by_target, GIVEN=outputs.get("spike"), GRADIENT=made[self.port])
        values |= dict(STEP=again.again.address, BACK=again.back.address)
        values |= dict(MOVING=layout.place("d out spike"))
        states = self.backward_states(kept, ends, before)
        self._launch("backward", kept, 1 + self.rows(steps), values, frame, states)
        return self.summed(made) | before | self._of_connections(made[self.port], kept, wanted)

    def _of_connections(self, gradient: Tensor, kept: Tensors, wanted: frozenset[str]) -> dict[str, Tensor]:
        """Gradients of what the spikes meet, from that of the input."""
        found, delay, before = {}, self.delay, kept[BEFORE]
        early, late = gradient[:delay].flatten(0, 1), gradient[delay:].flatten(0, 1)
        if WEIGHTS in wanted:
            found[WEIGHTS] = linear_back(before[: len(gradient)].flatten(0, 1), early)
            if len(late):
                found[WEIGHTS] += linear_back(kept["out spike"][: len(gradient) - delay].flatten(0, 1), late)
        if BIAS in wanted:
            found[BIAS] = gradient.sum((0, 1))
        if BEFORE in wanted:
            found[BEFORE] = torch.zeros_like(before)
            found[BEFORE][: len(gradient)] = gradient[:delay] @ kept[WEIGHTS].t()
        return found

    def _launch(
        self, name: str, given: Tensors, rows: int, values: dict[str, Any], frame: Any, states: list[Any]
    ) -> None:
        """Run a kernel; rows: of states in the scratch of each thread."""
        from treplica.learning.fused import kernels_recurrent

        steps, batch, neurons = given[self.port].shape
        samples = max(1, min(SAMPLES, batch // threads_for(batch)))
        width = samples * neurons
        values = self.values(steps) | values
        values |= dict(BATCH=batch, NEURONS=neurons, SAMPLES=samples, DELAY=self.delay)
        parts = dict(INDEX=4 * neurons, VALUES=self.size * neurons, SUM=self.size * neurons)
        parts |= dict(ROW=self.size * width, NOW=self.area(rows, width))
        threads = threads_for(-(-batch // samples))
        launch(kernels_recurrent, name, self.size, values, threads, frame, parts, states)
