"""The compiled loop of neurons that spikes reach through weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from treplica.learning.fused.loop import Plan, Tensors, cotangents, recorded_ends
from treplica.learning.fused.numba_loop import NumbaLoop
from treplica.learning.native.launch import OUTPUTS, launch
from treplica.learning.native.threads import threads_for
from treplica.learning.sparse.product import Entries, by_column

#: What is taken in the place of the one series: weights [inputs, N], the entries of spikes by row (t, b), and maybe a
#: bias [N], numbers that recorded spikes are multiplied by [B, N], and the spikes as a tensor [T, B, inputs], where
#: these get a gradient. Keys of a cell have no spaces.
WEIGHTS, BIAS, INPUT = "weights to it", "bias to it", "its input"
GAIN = "gain of spikes"
ENTRIES = STARTS, COLUMNS, VALUES = "spike starts", "spike columns", "spike values"


class Fed(NumbaLoop):
    """T steps of neurons [B, N] whose only input are spikes [T, B, inputs] times weights, forward and back.

    plan: that of the neurons by themselves; its one series is the input.
    """

    def __init__(self, plan: Plan, *, biased: bool, dense: bool) -> None:
        super().__init__(plan)
        (self.port,) = self.shape.series
        more = [(BIAS, biased), (GAIN, self.shape.gain), (INPUT, dense)]
        self.takes = (
            *(k for k in self.takes if k != self.port),
            *ENTRIES,
            WEIGHTS,
            *(k for k, is_there in more if is_there),
        )
        self.needs = (*(k for k in self.takes if k != INPUT), *self.kept)

    def forward(self, steps: int, given: Tensors, keep: bool) -> dict[str, Tensor]:
        """See `Loop.forward`."""
        made = self.empty(steps, given, keep)
        columns = self.columns_of(given).numel()
        frame, _numbers = self.frame(self.layout, {**given, **made, self.port: given[WEIGHTS]}, columns)
        values = dict(STEP=self.step.step.address, REACHING=self.layout.place(self.port))
        self._launch("forward", steps, given, 2, values, frame, self.forward_states(given, made))
        return made

    def backward(self, steps: int, kept: Tensors, ends: Tensors, wanted: frozenset[str]) -> dict[str, Tensor]:
        """See `Loop.backward`."""
        where, weights, port = self.columns_of(kept), kept[WEIGHTS], self.port
        outputs = recorded_ends(ends)
        again, layout = self.back(self.back_shape(outputs, where, wanted | {port}))
        made = self.zeros(where, wanted)
        reached = where.new_empty((steps, *where.shape)) if INPUT in wanted else None
        of_weights = torch.empty_like(weights) if WEIGHTS in wanted else None
        of_bias = torch.zeros_like(kept[BIAS]) if BIAS in wanted else None
        before = self.before(kept, wanted)
        # The addresses of what reaches the neurons and of its gradient change from step to step.
        moving = {port: weights, f"d {port}": weights}
        frame, _numbers = self.frame(layout, {**kept, **cotangents(made, outputs), **moving}, where.numel())
        values = dict(STEP=again.again.address, BACK=again.back.address)
        values |= dict(OF_WEIGHTS=of_weights, OF_BIAS=of_bias, OF_INPUT=reached)
        values |= {s: layout.place(i) for s, i in zip(("REACHING", "GRADIENT"), moving, strict=True)}
        rows = self.rows(steps)
        tiles: dict[str, Any] = dict(GROUP=1, SPAN=rows)
        if of_weights is not None:
            entries = Entries(*(kept[k] for k in ENTRIES))
            tiles = by_column(entries, weights.shape[0], where.shape[0], rows).slots()
        states, tile = self.backward_states(kept, ends, before), tiles["GROUP"] * tiles["SPAN"]
        self._launch("backward", steps, kept, rows, values | tiles, frame, states, tile)
        of_input = None if reached is None else reached @ weights.t()
        found = {WEIGHTS: of_weights, BIAS: of_bias, INPUT: of_input}
        return self.summed(made) | before | {k: t for k, t in found.items() if t is not None}

    def _launch(
        self,
        name: str,
        steps: int,
        given: Tensors,
        rows: int,
        values: dict[str, Any],
        frame: Any,
        states: list[Any],
        tile: int = 0,
    ) -> None:
        """Run a kernel; rows, tile: of states and of gradients in the scratch of each thread."""
        from treplica.learning.fused import kernels_fed

        (batch, neurons), inputs = self.columns_of(given).shape, given[WEIGHTS].shape[0]
        most = threads_for(neurons)
        width = min(OUTPUTS, (-(-neurons // most) + 15) // 16 * 16)
        blocks = -(-neurons // width)
        samples = max(1, batch // max(1, 4 * most // blocks)) if name == "forward" else batch
        values = self.values(steps) | values
        values |= dict(BATCH=batch, NEURONS=neurons, INPUTS=inputs, WIDTH=width, SAMPLES=samples)
        values |= dict(STARTS=given[STARTS], COLUMNS=given[COLUMNS], VALUES=given[VALUES])
        values |= dict(WEIGHTS=given[WEIGHTS], BIAS=given.get(BIAS))
        row = OUTPUTS * self.size
        parts = dict(SUMS=row * self.rows(steps), ROW=row, TILE=row * tile)
        parts |= dict(CARRY=self.area(1), NOW=self.area(rows))
        threads = threads_for(blocks * -(-batch // samples))
        launch(kernels_fed, name, self.size, values, threads, frame, parts, states)
