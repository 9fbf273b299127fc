"""The compiled loop of neurons that reach one another: tables for the kernels, and the calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from treplica.learning.fused.loop import Loop, address_of, segment
from treplica.learning.fused.rows import BLOCK
from treplica.learning.fused.threads import run, threads_for
from treplica.learning.sparse.op import linear_back

#: What gradients are of besides the keys of a cell, which have no spaces.
CONNECTIONS = WEIGHTS, BEFORE, BIAS = "recurrent weights", "spikes before", "recurrent bias"
#: Samples of a chunk: each row of weights meets so many while it is in the first-level cache.
SAMPLES = 8
_LINE = 64  # bytes of a cache line


class Recurrence:
    """T steps of neurons [B, N] whose spikes come back to a port, forward and back.

    loop: that of the neurons by themselves; it records spikes. port: the series that spikes reach.
    """

    def __init__(self, loop: Loop, port: str) -> None:
        self.loop, self.port = loop, port
        self.at = loop.shape.series.index(port)
        self.spikes = loop.shape.recorded.index("spike")

    def forward(
        self,
        steps: int,
        delay: int,
        series: Sequence[Tensor],
        scalars: Sequence[Tensor],
        columns: Sequence[Tensor],
        first: Sequence[Tensor],
        recurrent: tuple[Tensor, Tensor | None, Tensor],
        keep: bool,
    ) -> list[Tensor]:
        """As `Loop.forward`, then what reached the port [T, B, N], empty unless it is kept.

        recurrent: weights [sources, targets], bias [targets], and spikes that have not arrived [delay, B, N].
        """
        loop, (weights, bias, before) = self.loop, recurrent
        outside = series[self.at]
        made = [torch.empty_like(outside) for _ in loop.shape.recorded]
        last = [torch.empty_like(s) for s in first]
        kept = [outside.new_empty((loop.kept_rows(steps) if keep else 0, *s.shape)) for s in first]
        total = torch.empty_like(outside) if keep else outside.new_empty(0)
        named = {f"out {k}": t for k, t in zip(loop.shape.recorded, made, strict=True)}
        tensors = named | dict(zip(loop.shape.series, series, strict=True))
        frame, held = loop.frame(loop.layout, tensors, scalars, columns)
        given = dict(WEIGHTS=weights, BIAS=bias, BEFORE=before, INPUT=outside, TOTAL=total)
        given |= dict(SPIKES=made[self.spikes], STEP=loop.step.step.address)
        given |= dict(DELAY=delay, MOVING=1 + loop.layout.items.index(self.port))
        states = [address_of(t) for group in zip(first, last, kept, strict=True) for t in group]
        self._run("forward", outside.shape, given, frame, states, 2 * len(first), held)
        return [*made, *last, *kept, total]

    def backward(
        self,
        steps: int,
        delay: int,
        series: Sequence[Tensor],
        scalars: Sequence[Tensor],
        columns: Sequence[Tensor],
        first: Sequence[Tensor],
        kept: Sequence[Tensor],
        recurrent: tuple[Tensor, Tensor, Tensor],
        outputs: Mapping[str, Tensor],
        last: Sequence[Tensor | None],
        wanted: frozenset[str],
    ) -> dict[str, Tensor]:
        """Gradients by key as in `Loop.backward`, and of `CONNECTIONS`, those that are wanted.

        series: with what reached the port in place of the input. recurrent: weights [sources, targets], the spikes
        [T, B, N] and those before the first step [delay, B, N].
        """
        loop, (weights, spikes, before) = self.loop, recurrent
        total, (of_scalars, of_columns) = series[self.at], loop.constants
        inner = (wanted & {*loop.shape.series, *of_scalars, *of_columns}) | {self.port}
        shape = replace(loop.shape, given=frozenset(outputs) | {"spike"}, wanted=inner)
        module, layout = loop.back(shape)
        made = {k: torch.empty_like(total) for k in loop.shape.series if k in inner}
        made |= {k: torch.zeros_like(total[0]) for k in (*of_scalars, *of_columns) if k in inner}
        ends = [torch.empty_like(s) if k in wanted else None for k, s in zip(loop.states, first, strict=True)]
        tensors = {f"d {k}": t for k, t in made.items()} | {"d out spike": total}
        tensors |= {f"d out {k}": t for k, t in outputs.items()}
        tensors |= dict(zip(loop.shape.series, series, strict=True))
        frame, held = loop.frame(layout, tensors, scalars, columns)
        by_target = weights.t().contiguous()
        given = dict(WEIGHTS=by_target, GIVEN=outputs.get("spike"), GRADIENT=made[self.port])
        given |= dict(STEP=module.again.address, BACK=module.back.address)
        given |= dict(DELAY=delay, MOVING=1 + layout.items.index("d out spike"))
        states = [address_of(t) for group in zip(first, kept, last, ends, strict=True) for t in group]
        rows = (1 + min(steps, segment())) * len(first)
        self._run("backward", total.shape, given, frame, states, rows, held)
        made |= {k: made[k].sum() for k in of_scalars if k in wanted}
        made |= {k: t for k, t in zip(loop.states, ends, strict=True) if t is not None}
        return made | self._of_connections(delay, made[self.port], weights, spikes, before, wanted)

    @staticmethod
    def _of_connections(
        delay: int, gradient: Tensor, weights: Tensor, spikes: Tensor, before: Tensor, wanted: frozenset[str]
    ) -> dict[str, Tensor]:
        """Gradients of what the spikes meet, from that of the input."""
        found = {}
        early, late = gradient[:delay].flatten(0, 1), gradient[delay:].flatten(0, 1)
        if WEIGHTS in wanted:
            found[WEIGHTS] = linear_back(before[: gradient.shape[0]].flatten(0, 1), early)
            if len(late):
                found[WEIGHTS] += linear_back(spikes[: len(gradient) - delay].flatten(0, 1), late)
        if BIAS in wanted:
            found[BIAS] = gradient.sum((0, 1))
        if BEFORE in wanted:
            found[BEFORE] = torch.zeros_like(before)
            found[BEFORE][: len(gradient)] = gradient[:delay] @ weights.t()
        return found

    def _run(
        self,
        name: str,
        shape: torch.Size,
        given: Mapping[str, Any],
        frame: np.ndarray[Any, np.dtype[np.int64]],
        states: list[int],
        rows: int,
        held: list[Any],
    ) -> None:
        """Fill the table and run it; rows: of states in the scratch of each thread. held: lives as long."""
        from treplica.learning.fused import kernels_recurrent as kernels

        steps, batch, neurons = shape
        samples = max(1, min(SAMPLES, batch // threads_for(batch)))
        threads = threads_for(-(-batch // samples))
        size, width = self.loop.size, samples * neurons
        states_area = -(-width // BLOCK) * BLOCK * size * rows
        parts = dict(INDEX=4 * neurons, VALUES=size * neurons, SUM=size * neurons, ROW=size * width)
        table, share = np.zeros(kernels.Slot.END, np.int64), 8 * len(frame)
        for key, many in {**parts, "NOW": states_area}.items():
            share = -(-share // _LINE) * _LINE
            table[kernels.Slot[key]] = share
            share += many
        share = -(-share // _LINE) * _LINE + _LINE
        scratch = np.empty(threads * share + _LINE, np.uint8)
        base = -(-scratch.ctypes.data // _LINE) * _LINE
        given = dict(STEPS=steps, BATCH=batch, NEURONS=neurons, SAMPLES=samples) | dict(given)
        given |= dict(STATES=len(self.loop.states), FRAME=frame.ctypes.data, ITEMS=len(frame))
        given |= dict(SCRATCH=base, SHARE=share)
        for key, value in given.items():
            table[kernels.Slot[key]] = value if isinstance(value, int) else address_of(value)
        run(kernels.kernel_of(name, size).address, np.array([*table, *states], np.int64), threads)
