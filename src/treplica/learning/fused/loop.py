"""The compiled loop of a layer: what it takes and gives by name, and the calls of its kernels.

Names: of what is taken, the keys of the cell's quantities; of what is made, `out <key>` at every step [T, ...],
`last <key>` after the last [...], `kept <key>` at the beginning of segments [segments - 1, ...].
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treplica.engines.cpu.compile import load, module_text
from treplica.learning.cell import Cell, Relaxation
from treplica.learning.fused.rows import Layout, Shape, row_kernels
from treplica.learning.native.launch import BLOCK, launch
from treplica.learning.native.threads import threads_for
from treplica.model.lowering import Precision

Tensors = Mapping[str, Tensor]
PRECISIONS: dict[torch.dtype, Precision] = {torch.float32: "float32", torch.float64: "float64"}


@dataclass(frozen=True)
class Plan:
    """What is computed: a cell and how it is differentiated, for which shape, in which precision.

    segment: steps between two kept states.
    """

    cell: Cell
    relaxation: Relaxation
    shape: Shape
    dtype: torch.dtype
    segment: int


class Loop:
    """T steps of a cell for all columns, forward and back.

    takes: names of tensors: series [T, ...], constants that are one number [], those that are one for each column
    [...], states before the first step [...]. gives: names of results. makes: of these and of what is kept for the
    backward pass. needs: of what the backward pass needs.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self.shape = plan, plan.shape
        self.size: int = plan.dtype.itemsize
        self.states = [q.key for q in plan.cell.states]
        constants = [q.key for q in plan.cell.of_role("constant", "dt")] + list(plan.relaxation.values())
        self.scalars = [k for k in constants if k not in self.shape.columns]
        self.columns = [k for k in constants if k in self.shape.columns]
        self.takes: tuple[str, ...] = (*self.shape.series, *self.scalars, *self.columns, *self.states)
        self.gives = tuple([f"out {k}" for k in self.shape.recorded] + [f"last {k}" for k in self.states])
        self.kept = [f"kept {k}" for k in self.states]
        self.makes: tuple[str, ...] = (*self.gives, *self.kept)
        self.needs: tuple[str, ...] = (*self.takes, *self.kept)
        self.step, self.layout = self._compiled(self.shape, backward=False)
        self._backs: dict[Shape, tuple[Any, Layout]] = {}

    @property
    def title(self) -> str:
        """The models, and what tells loops apart."""
        models = " + ".join(i.model.name for i in self.plan.cell.parts.values())
        return f"{models} {self.step.__name__}"

    def empty(self, steps: int, given: Tensors, keep: bool) -> dict[str, Tensor]:
        """What `forward` fills, in the order of `makes`; what is kept is empty without `keep`."""
        where = self.columns_of(given)
        rows = -(-steps // self.plan.segment) - 1 if keep else 0
        made = {f"out {k}": where.new_empty((steps, *where.shape)) for k in self.shape.recorded}
        made |= {f"last {k}": torch.empty_like(given[k]) for k in self.states}
        return made | {name: where.new_empty((rows, *where.shape)) for name in self.kept}

    def forward(self, steps: int, given: Tensors, keep: bool) -> dict[str, Tensor]:
        """What is made of what is taken; everything contiguous."""
        from treplica.learning.fused import kernels_unroll

        made, columns = self.empty(steps, given, keep), self.columns_of(given).numel()
        frame, _numbers = self.frame(self.layout, {**given, **made})
        values = self.values(steps) | dict(COLUMNS=columns, STEP=self.step.step.address)
        launch(
            kernels_unroll, "forward", self.size, values, threads_for(math.ceil(columns / BLOCK)),
            frame, dict(NOW=self.area(2)), self.forward_states(given, made),
        )  # fmt: skip
        return made

    def saved(self, given: Tensors, made: Tensors) -> list[Tensor]:
        """What the backward pass needs, in the order of `needs`."""
        return [given[k] if k in given else made[k] for k in self.needs]

    def backward(self, steps: int, kept: Tensors, ends: Tensors, wanted: frozenset[str]) -> dict[str, Tensor]:
        """Gradients of what is wanted of `takes`.

        kept: by name as in `needs`. ends: cotangents of what is given, those that there are; [...] for an output whose
        cotangent is the same at every step.
        """
        from treplica.learning.fused import kernels_unroll

        where = self.columns_of(kept)
        outputs = {k.removeprefix("out "): t for k, t in ends.items() if k.startswith("out ")}
        steady = frozenset(k for k, t in outputs.items() if t.ndim == where.ndim)
        inner = frozenset(wanted & {*self.shape.series, *self.scalars, *self.columns})
        again, layout = self.back(frozenset(outputs), steady, inner)
        made = {k: torch.empty_like(kept[k]) for k in self.shape.series if k in wanted}
        made |= self.zeros(where, wanted)
        before = self.before(kept, wanted)
        frame, _numbers = self.frame(layout, {**kept, **cotangents(made, outputs)})
        columns = where.numel()
        values = self.values(steps) | dict(COLUMNS=columns, STEP=again.again.address, BACK=again.back.address)
        launch(
            kernels_unroll, "backward", self.size, values, threads_for(math.ceil(columns / BLOCK)), frame,
            dict(NOW=self.area(1 + self.rows(steps))), self.backward_states(kept, ends, before),
        )  # fmt: skip
        return self.summed(made) | before

    def columns_of(self, given: Tensors) -> Tensor:
        """A tensor [...] with an item for every column."""
        return given[self.states[0]] if self.states else given[self.shape.series[0]][0]

    def rows(self, steps: int) -> int:
        """How many steps of a segment there are."""
        return min(steps, self.plan.segment)

    def area(self, rows: int, width: int = 1) -> int:
        """Bytes of so many rows of all states, for so many columns in blocks."""
        block = self.shape.block
        return -(-width // block) * block * self.size * len(self.states) * rows

    def values(self, steps: int) -> dict[str, Any]:
        """What stands in the table of every loop."""
        return dict(STEPS=steps, SEGMENT=self.plan.segment, STATES=len(self.states))

    def forward_states(self, given: Tensors, made: Tensors) -> list[Tensor | None]:
        """For every state: before the first step, after the last, kept."""
        return [t for k in self.states for t in (given[k], made[f"last {k}"], made[f"kept {k}"])]

    def backward_states(self, kept: Tensors, ends: Tensors, before: Tensors) -> list[Tensor | None]:
        """For every state: before the first step, kept, and the cotangents after the last and before the first."""
        found = ((kept[k], kept[f"kept {k}"], ends.get(f"last {k}"), before.get(k)) for k in self.states)
        return [t for group in found for t in group]

    def before(self, kept: Tensors, wanted: Iterable[str]) -> dict[str, Tensor]:
        """Room for the gradients of states before the first step."""
        return {k: torch.empty_like(kept[k]) for k in self.states if k in wanted}

    def zeros(self, where: Tensor, wanted: Iterable[str]) -> dict[str, Tensor]:
        """Room for the gradients of constants, to which every step is added; a number for each column."""
        return {k: torch.zeros_like(where) for k in (*self.scalars, *self.columns) if k in wanted}

    def summed(self, made: Tensors) -> dict[str, Tensor]:
        """Gradients with those of numbers that all columns share in one."""
        return {k: t.sum() if k in self.scalars else t for k, t in made.items()}

    def back(
        self, given: frozenset[str], steady: frozenset[str], wanted: frozenset[str]
    ) -> tuple[Any, Layout]:
        """The kernels `again` and `back` for what is given and wanted, and the layout of their frame; see `Shape`."""
        shape = replace(self.shape, given=given, steady=steady, wanted=wanted)
        if shape not in self._backs:
            self._backs[shape] = self._compiled(shape, backward=True)
        return self._backs[shape]

    def _compiled(self, shape: Shape, *, backward: bool) -> tuple[Any, Layout]:
        plan, precision = self.plan, PRECISIONS[self.plan.dtype]
        tree, layout = row_kernels(plan.cell, plan.relaxation, shape, precision, backward=backward)
        what = "back" if backward else "step"
        models = " + ".join(i.model.name for i in plan.cell.parts.values())
        return load(module_text(tree, precision, f"A layer of {models}, {what}"), f"layer_{what}"), layout

    def frame(self, layout: Layout, tensors: Tensors) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The frame, and the numbers in it, which must live as long."""
        numbers = np.array([float(tensors[k]) for k in layout.scalars] or [0.0])
        items = [numbers.ctypes.data, *(tensors[i].data_ptr() for i in layout.items)]
        return np.array(items, np.int64), numbers


def cotangents(made: Tensors, outputs: Tensors) -> dict[str, Tensor]:
    """Gradients that are made and cotangents that are given, by the items of a layout."""
    return {**{f"d {k}": t for k, t in made.items()}, **{f"d out {k}": t for k, t in outputs.items()}}
