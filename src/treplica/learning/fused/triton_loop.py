"""The loop of a layer on a GPU: the calls of its Triton kernels.

Like PyTorch's own operations, kernels run in the order of the current stream, and nothing waits for them. The states of
a segment that is computed again lie in memory that is freed after the backward pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from treplica.engines.cpu.compile import load
from treplica.learning.fused.loop import Loop, Plan, Tensors, cotangents, recorded_ends
from treplica.learning.fused.rows import Shape
from treplica.learning.fused.triton_code import Source, backward_source, forward_source


class TritonLoop(Loop):
    """See `Loop`; a program computes a block of columns. Gradients of shared constants are summed by PyTorch."""

    block = 128

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.source = forward_source(plan)
        self._forward = compiled(self.source)
        self._backs: dict[Shape, tuple[Source, Any]] = {}

    @property
    def title(self) -> str:
        """See `Loop.title`."""
        return f"{self.models} on a GPU"

    def forward(self, steps: int, given: Tensors, keep: bool) -> dict[str, Tensor]:
        """See `Loop.forward`."""
        made = self.empty(steps, given, keep)
        self._launch(
            self.source, self._forward, steps, {**given, **{k: t for k, t in made.items() if t.numel()}}
        )
        return made

    def backward(self, steps: int, kept: Tensors, ends: Tensors, wanted: frozenset[str]) -> dict[str, Tensor]:
        """See `Loop.backward`."""
        where, outputs = self.columns_of(kept), recorded_ends(ends)
        shape = self.back_shape(outputs, where, wanted)
        if shape not in self._backs:
            source = backward_source(self.plan, shape)
            self._backs[shape] = source, compiled(source)
        made = {k: torch.empty_like(kept[k]) for k in self.shape.series if k in wanted}
        made |= self.zeros(where, wanted)
        before = self.before(kept, wanted)
        tensors = {**kept, **cotangents({**made, **before}, outputs)}
        tensors |= {f"d {k}": t for k, t in ends.items() if k.startswith("last ")}
        for state in self.states:
            # Row 0 is read, though not used, also in a segment of one step. What is kept is not read in the only one.
            tensors[f"rows {state}"] = where.new_empty((max(1, self.rows(steps) - 1), *where.shape))
            if steps <= self.plan.segment:
                tensors[f"kept {state}"] = kept[state]
        self._launch(*self._backs[shape], steps, tensors)
        return self.summed(made) | before

    def _launch(self, source: Source, kernel: Any, steps: int, tensors: Tensors) -> None:
        """Run a kernel. An item that there is not is None to it, and costs nothing."""
        where = self.columns_of(tensors)
        columns, items = where.numel(), [tensors.get(i) for i in source.items]
        if not columns:
            return
        with torch.cuda.device_of(where):
            programs = (-(-columns // self.block),)
            kernel[programs](*items, steps, columns, num_warps=4, enable_fp_fusion=False)


def compiled(source: Source) -> Any:
    """A kernel, compiled by Triton when it is first launched with arguments of a kind."""
    import triton

    module = load(source.text, f"layer_triton_{source.name}")
    return triton.jit(getattr(module, source.name), do_not_specialize=["steps"])
