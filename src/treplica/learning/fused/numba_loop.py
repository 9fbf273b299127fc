"""The loop of a layer on a CPU: the calls of its compiled kernels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treplica.engines.cpu.compile import load, module_text
from treplica.learning.fused.loop import PRECISIONS, Loop, Plan, Tensors, cotangents, recorded_ends
from treplica.learning.fused.rows import ARRAYS, Layout, Shape, row_kernels
from treplica.learning.native.launch import BLOCK, launch
from treplica.learning.native.threads import threads_for


class NumbaLoop(Loop):
    """See `Loop`; columns are shared out to the threads of PyTorch."""

    block = BLOCK

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.size: int = plan.dtype.itemsize
        self.step, self.layout = self._compiled(self.shape, backward=False)
        self._backs: dict[Shape, tuple[Any, Layout]] = {}

    @property
    def title(self) -> str:
        """See `Loop.title`."""
        return f"{self.models} {self.step.__name__}"

    def forward(self, steps: int, given: Tensors, keep: bool) -> dict[str, Tensor]:
        """See `Loop.forward`."""
        from treplica.learning.fused import kernels_unroll

        made, columns = self.empty(steps, given, keep), self.columns_of(given).numel()
        frame, _numbers = self.frame(self.layout, {**given, **made}, columns)
        values = self.values(steps) | dict(COLUMNS=columns, STEP=self.step.step.address)
        launch(
            kernels_unroll, "forward", self.size, values, threads_for(math.ceil(columns / BLOCK)),
            frame, dict(NOW=self.area(2)), self.forward_states(given, made),
        )  # fmt: skip
        return made

    def backward(self, steps: int, kept: Tensors, ends: Tensors, wanted: frozenset[str]) -> dict[str, Tensor]:
        """See `Loop.backward`."""
        from treplica.learning.fused import kernels_unroll

        where = self.columns_of(kept)
        outputs = recorded_ends(ends)
        again, layout = self.back(self.back_shape(outputs, where, wanted))
        made = {k: torch.empty_like(kept[k]) for k in self.shape.series if k in wanted}
        made |= self.zeros(where, wanted)
        before = self.before(kept, wanted)
        columns = where.numel()
        frame, _numbers = self.frame(layout, {**kept, **cotangents(made, outputs)}, columns)
        values = self.values(steps) | dict(COLUMNS=columns, STEP=again.again.address, BACK=again.back.address)
        launch(
            kernels_unroll, "backward", self.size, values, threads_for(math.ceil(columns / BLOCK)), frame,
            dict(NOW=self.area(1 + self.rows(steps))), self.backward_states(kept, ends, before),
        )  # fmt: skip
        return self.summed(made) | before

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

    def back(self, shape: Shape) -> tuple[Any, Layout]:
        """The kernels `again` and `back`, and the layout of their frame."""
        if shape not in self._backs:
            self._backs[shape] = self._compiled(shape, backward=True)
        return self._backs[shape]

    def _compiled(self, shape: Shape, *, backward: bool) -> tuple[Any, Layout]:
        plan, precision = self.plan, PRECISIONS[self.plan.dtype]
        tree, layout = row_kernels(plan.cell, plan.relaxation, shape, precision, backward=backward)
        what = "back" if backward else "step"
        return load(
            module_text(tree, precision, f"A layer of {self.models}, {what}"), f"layer_{what}"
        ), layout

    def frame(
        self, layout: Layout, tensors: Tensors, columns: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The frame, and the numbers in it, which must live as long."""
        numbers = np.array([float(tensors[k]) for k in layout.scalars] or [0.0])
        items = [numbers.ctypes.data, columns, *(tensors[i].data_ptr() for i in layout.items)]
        assert len(items) == ARRAYS + len(layout.items)
        return np.array(items, np.int64), numbers
