"""The compiled loop of neurons that spikes reach through weights: tables for the kernels, and the calls."""

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
from treplica.learning.sparse.product import Entries

#: What gradients are of besides the keys of a cell, which have no spaces.
WEIGHTS, BIAS, INPUT = "weights to it", "bias to it", "its input"
_LINE = 64  # bytes of a cache line


class Fed:
    """T steps of neurons [B, N] whose only input are spikes [T, B, inputs] times weights, forward and back.

    loop: that of the neurons by themselves; its one series is the input.
    """

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        (self.port,) = loop.shape.series

    def forward(
        self,
        steps: int,
        spikes: Entries,
        weights: Tensor,
        bias: Tensor | None,
        scalars: Sequence[Tensor],
        columns: Sequence[Tensor],
        first: Sequence[Tensor],
        keep: bool,
    ) -> list[Tensor]:
        """As `Loop.forward`; for the series: entries of spikes by row (t, b), weights [inputs, N] and bias [N]."""
        loop, where = self.loop, first[0]
        made = [where.new_empty((steps, *where.shape)) for _ in loop.shape.recorded]
        last = [torch.empty_like(s) for s in first]
        kept = [where.new_empty((loop.kept_rows(steps) if keep else 0, *where.shape)) for _ in first]
        tensors = {f"out {k}": t for k, t in zip(loop.shape.recorded, made, strict=True)}
        frame, held = loop.frame(loop.layout, tensors | {self.port: weights}, scalars, columns)
        given = dict(WEIGHTS=weights, BIAS=bias, STEP=loop.step.step.address)
        given |= dict(REACHING=1 + loop.layout.items.index(self.port))
        states = [address_of(t) for group in zip(first, last, kept, strict=True) for t in group]
        self._run("forward", steps, where.shape, spikes, given, frame, states, 2 * len(first), held)
        return [*made, *last, *kept]

    def backward(
        self,
        steps: int,
        spikes: Entries,
        weights: Tensor,
        bias: Tensor | None,
        scalars: Sequence[Tensor],
        columns: Sequence[Tensor],
        first: Sequence[Tensor],
        kept: Sequence[Tensor],
        outputs: Mapping[str, Tensor],
        last: Sequence[Tensor | None],
        wanted: frozenset[str],
    ) -> dict[str, Tensor]:
        """Gradients by key as in `Loop.backward`, and of `WEIGHTS`, `BIAS`, `INPUT`, those that are wanted."""
        loop, where = self.loop, first[0]
        of_scalars, of_columns = loop.constants
        inner = (wanted & {*of_scalars, *of_columns}) | {self.port}
        steady = frozenset(k for k, g in outputs.items() if g.ndim == where.ndim)
        module, layout = loop.back(replace(loop.shape, given=frozenset(outputs), steady=steady, wanted=inner))
        made = {k: torch.zeros_like(where) for k in (*of_scalars, *of_columns) if k in inner}
        if WEIGHTS in wanted:
            made[WEIGHTS] = torch.empty_like(weights)
        if BIAS in wanted:
            made[BIAS] = weights.new_zeros(weights.shape[1])
        reached = where.new_empty((steps, *where.shape)) if INPUT in wanted else None
        ends = [torch.empty_like(s) if k in wanted else None for k, s in zip(loop.states, first, strict=True)]
        tensors = {f"d {k}": t for k, t in made.items()} | {f"d out {k}": t for k, t in outputs.items()}
        tensors |= {self.port: weights, f"d {self.port}": weights}  # their addresses change from step to step
        frame, held = loop.frame(layout, tensors, scalars, columns)
        given = dict(WEIGHTS=weights, BIAS=bias, STEP=module.again.address, BACK=module.back.address)
        given |= dict(OF_WEIGHTS=made.get(WEIGHTS), OF_BIAS=made.get(BIAS), OF_INPUT=reached)
        given |= dict(
            REACHING=1 + layout.items.index(self.port), GRADIENT=1 + layout.items.index(f"d {self.port}")
        )
        states = [address_of(t) for group in zip(first, kept, last, ends, strict=True) for t in group]
        rows = min(steps, segment()) * len(first)
        self._run("backward", steps, where.shape, spikes, given, frame, states, rows, held)
        made |= {k: made[k].sum() for k in of_scalars if k in wanted}
        made |= {k: t for k, t in zip(loop.states, ends, strict=True) if t is not None}
        if reached is not None:
            made[INPUT] = reached.flatten(0, 1) @ weights.t()
        return made

    def _run(
        self,
        name: str,
        steps: int,
        shape: torch.Size,
        spikes: Entries,
        given: Mapping[str, Any],
        frame: np.ndarray[Any, np.dtype[np.int64]],
        states: list[int],
        rows: int,
        held: list[Any],
    ) -> None:
        """Fill the table and run it; rows: of states in the scratch of each thread. held: lives as long."""
        from treplica.learning.fused import kernels_fed as kernels
        from treplica.learning.sparse.kernels_add import OUTPUTS

        (batch, neurons), size, count = shape, self.loop.size, len(self.loop.states)
        most = threads_for(neurons)
        width = min(OUTPUTS, (-(-neurons // most) + 15) // 16 * 16)
        blocks = -(-neurons // width)
        samples = max(1, batch // max(1, 4 * most // blocks)) if name == "forward" else batch
        threads = threads_for(blocks * -(-batch // samples))
        table, share = np.zeros(kernels.Slot.END, np.int64), 8 * len(frame)
        row = BLOCK * size
        parts = dict(SUMS=row * min(steps, segment()), ROW=row, CARRY=row * count, NOW=row * rows)
        for key, many in parts.items():
            share = -(-share // _LINE) * _LINE
            table[kernels.Slot[key]] = share
            share += many
        share = -(-share // _LINE) * _LINE + _LINE
        scratch = np.empty(threads * share + _LINE, np.uint8)
        base = -(-scratch.ctypes.data // _LINE) * _LINE
        numbers = dict(STEPS=steps, BATCH=batch, NEURONS=neurons, WIDTH=width, SAMPLES=samples, STATES=count)
        numbers |= dict(FRAME=frame.ctypes.data, ITEMS=len(frame), SCRATCH=base, SHARE=share)
        numbers |= dict(INPUTS=given["WEIGHTS"].shape[0])
        places = dict(STARTS=spikes.starts, COLUMNS=spikes.columns, VALUES=spikes.values)
        for key, value in {**numbers, **places, **given}.items():
            table[kernels.Slot[key]] = value if isinstance(value, int) else address_of(value)
        run(kernels.kernel_of(name, size).address, np.array([*table, *states], np.int64), threads)
