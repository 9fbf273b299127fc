"""The compiled loop of a layer: tables for the kernels, and the calls."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from treplica.engines.cpu.compile import load, module_text
from treplica.learning.cell import Cell, Relaxation
from treplica.learning.fused.rows import BLOCK, Layout, Shape, row_kernels
from treplica.learning.fused.threads import run, threads_for
from treplica.model.lowering import Precision

PRECISIONS: dict[torch.dtype, Precision] = {torch.float32: "float32", torch.float64: "float64"}
_LINE = 64  # bytes of a cache line


class Loop:
    """T steps of a cell for all columns, forward and back.

    shape: what is given and recorded; `given` and `wanted` of it are chosen with each backward pass.
    """

    def __init__(self, cell: Cell, relaxation: Relaxation, shape: Shape, dtype: torch.dtype) -> None:
        self.cell, self.relaxation, self.shape, self.dtype = cell, relaxation, shape, dtype
        self.precision = PRECISIONS[dtype]
        self.size = dtype.itemsize
        self.states = [q.key for q in cell.states]
        self.title = " + ".join(i.model.name for i in cell.parts.values())
        self.step, self.layout = self._compiled(shape, backward=False)
        self._backs: dict[Shape, tuple[Any, Layout]] = {}

    @property
    def key(self) -> str:
        """Tells loops apart."""
        return str(self.step.__name__)

    @staticmethod
    def kept_rows(steps: int) -> int:
        """How many times within so many steps states are kept."""
        return -(-steps // segment()) - 1

    @property
    def constants(self) -> tuple[list[str], list[str]]:
        """What is one number for all columns, and what is one for each, in the order in which calls take them."""
        keys = [q.key for q in self.cell.of_role("constant", "dt")] + list(self.relaxation.values())
        return [k for k in keys if k not in self.shape.columns], [k for k in keys if k in self.shape.columns]

    def forward(
        self,
        steps: int,
        series: Sequence[Tensor],
        scalars: Sequence[Tensor],
        columns: Sequence[Tensor],
        first: Sequence[Tensor],
        keep: bool,
    ) -> list[Tensor]:
        """What is recorded [T, ...], then each state after the last step [...], then the kept ones [segments - 1, ...].

        series: [T, ...] in the order of `shape.series`; scalars, columns ([...]): in the order of `constants`; first:
        states before the first step [...]. All contiguous.
        """
        where = first[0] if first else series[0][0]
        made = {f"out {k}": where.new_empty((steps, *where.shape)) for k in self.shape.recorded}
        last = [torch.empty_like(s) for s in first]
        kept = [where.new_empty((self.kept_rows(steps) if keep else 0, *where.shape)) for _ in first]
        tensors = made | dict(zip(self.shape.series, series, strict=True))
        frame, held = self.frame(self.layout, tensors, scalars, columns)
        states = [address_of(t) for group in zip(first, last, kept, strict=True) for t in group]
        addresses = (self.step.step.address, 0)
        self._run("forward", steps, where.numel(), frame, addresses, states, 2 * len(first), held)
        return [*made.values(), *last, *kept]

    def backward(
        self,
        steps: int,
        series: Sequence[Tensor],
        scalars: Sequence[Tensor],
        columns: Sequence[Tensor],
        first: Sequence[Tensor],
        kept: Sequence[Tensor],
        outputs: Mapping[str, Tensor],
        last: Sequence[Tensor | None],
        wanted: frozenset[str],
        want_first: bool,
    ) -> dict[str, Tensor]:
        """Gradients by key: of series [T, ...], of columns [...], of scalars [], and of states before the first step.

        kept: as `forward` gave it. outputs: cotangents of what was recorded [T, ...], or [...] if one for all steps.
        last: those of the states after the last step [...]. wanted: series and constants; want_first: the states too.
        """
        where = first[0] if first else series[0][0]
        steady = frozenset(k for k, g in outputs.items() if g.ndim == where.ndim)
        shape = replace(self.shape, given=frozenset(outputs), steady=steady, wanted=wanted)
        module, layout = self.back(shape)
        of_scalars, of_columns = self.constants
        made = {k: torch.empty_like(s) for k, s in zip(self.shape.series, series, strict=True) if k in wanted}
        made |= {k: torch.zeros_like(where) for k in (*of_scalars, *of_columns) if k in wanted}
        before = [torch.empty_like(s) if want_first else None for s in first]
        tensors = {f"d {k}": t for k, t in made.items()} | {f"d out {k}": t for k, t in outputs.items()}
        tensors |= dict(zip(self.shape.series, series, strict=True))
        frame, held = self.frame(layout, tensors, scalars, columns)
        groups = zip(first, kept, last, before, strict=True)
        states = [address_of(t) for group in groups for t in group]
        addresses = (module.again.address, module.back.address)
        rows = (1 + min(steps, segment())) * len(first)
        self._run("backward", steps, where.numel(), frame, addresses, states, rows, held)
        made |= {k: made[k].sum() for k in of_scalars if k in wanted}
        return made | {k: t for k, t in zip(self.states, before, strict=True) if t is not None}

    def back(self, shape: Shape) -> tuple[Any, Layout]:
        """The kernels `again` and `back` for what is given and wanted, and the layout of their frame."""
        if shape not in self._backs:
            self._backs[shape] = self._compiled(shape, backward=True)
        return self._backs[shape]

    def _compiled(self, shape: Shape, *, backward: bool) -> tuple[Any, Layout]:
        tree, layout = row_kernels(self.cell, self.relaxation, shape, self.precision, backward=backward)
        what = "back" if backward else "step"
        text = module_text(tree, self.precision, f"A layer of {self.title}, {what}")
        return load(text, f"layer_{what}"), layout

    def frame(
        self,
        layout: Layout,
        tensors: Mapping[str, Tensor],
        scalars: Sequence[Tensor],
        columns: Sequence[Tensor],
    ) -> tuple[np.ndarray[Any, np.dtype[np.int64]], list[Any]]:
        """The frame, and what must live as long as it."""
        of_scalars, of_columns = self.constants
        known = {k: float(t) for k, t in zip(of_scalars, scalars, strict=True)}
        tensors = {**tensors, **dict(zip(of_columns, columns, strict=True))}
        numbers = np.array([known[k] for k in layout.scalars] or [0.0])
        items = [numbers.ctypes.data, *(tensors[i].data_ptr() for i in layout.items)]
        return np.array(items, np.int64), [numbers, tensors]

    def _run(
        self,
        name: str,
        steps: int,
        columns: int,
        frame: np.ndarray[Any, np.dtype[np.int64]],
        kernels: tuple[int, int],
        states: list[int],
        rows: int,
        held: list[Any],
    ) -> None:
        """Fill the table of the loop and run it; rows: of scratch for each thread."""
        from treplica.learning.fused import kernels_unroll

        threads = threads_for(math.ceil(columns / BLOCK))
        share = (rows * BLOCK * self.size + _LINE) // _LINE * _LINE
        scratch = np.empty(threads * share + _LINE, np.uint8)
        base = -(-scratch.ctypes.data // _LINE) * _LINE
        table = [steps, columns, 0, 0, base, share, self.size, len(self.states), frame.ctypes.data, *kernels]
        filled = np.array(table + states, np.int64)
        run(getattr(kernels_unroll, name).address, filled, threads)


def segment() -> int:
    """Steps between two kept states."""
    from treplica.learning.fused.kernels_unroll import SEGMENT

    return SEGMENT


def address_of(tensor: Tensor | None) -> int:
    """Where its data are; 0 for none."""
    return tensor.data_ptr() if tensor is not None and tensor.numel() else 0
