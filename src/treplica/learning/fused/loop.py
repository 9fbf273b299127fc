"""The compiled loop of a layer: what it takes and gives by name.

Names: of what is taken, the keys of the cell's quantities; of what is made, `out <key>` at every step [T, ...],
`last <key>` after the last [...], `kept <key>` at the beginning of segments [segments - 1, ...].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from treplica.learning.cell import Cell, Relaxation
from treplica.learning.fused.rows import Shape
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


class Loop(ABC):
    """T steps of a cell for all columns, forward and back.

    takes: names of tensors: series [T, ...], constants that are one number [], those that are one for each column
    [...], states before the first step [...]. gives: names of results. makes: of these and of what is kept for the
    backward pass. needs: of what the backward pass needs.
    """

    #: `Shape.block` of the plans that it takes.
    block: ClassVar[int]

    def __init__(self, plan: Plan) -> None:
        self.plan, self.shape = plan, plan.shape
        self.states = [q.key for q in plan.cell.states]
        constants = [q.key for q in plan.cell.of_role("constant", "dt")] + list(plan.relaxation.values())
        self.scalars = [k for k in constants if k not in self.shape.columns]
        self.columns = [k for k in constants if k in self.shape.columns]
        self.takes: tuple[str, ...] = (*self.shape.series, *self.scalars, *self.columns, *self.states)
        self.gives = tuple([f"out {k}" for k in self.shape.recorded] + [f"last {k}" for k in self.states])
        self.kept = [f"kept {k}" for k in self.states]
        self.makes: tuple[str, ...] = (*self.gives, *self.kept)
        self.needs: tuple[str, ...] = (*self.takes, *self.kept)

    @property
    def models(self) -> str:
        """The names of the models."""
        return " + ".join(i.model.name for i in self.plan.cell.parts.values())

    @property
    @abstractmethod
    def title(self) -> str:
        """The models, and what tells loops apart."""

    @abstractmethod
    def forward(self, steps: int, given: Tensors, keep: bool) -> dict[str, Tensor]:
        """What is made of what is taken; everything contiguous."""

    @abstractmethod
    def backward(self, steps: int, kept: Tensors, ends: Tensors, wanted: frozenset[str]) -> dict[str, Tensor]:
        """Gradients of what is wanted of `takes`.

        kept: by name as in `needs`. ends: cotangents of what is given, those that there are; [...] for an output whose
        cotangent is the same at every step.
        """

    def empty(self, steps: int, given: Tensors, keep: bool) -> dict[str, Tensor]:
        """What `forward` fills, in the order of `makes`; what is kept is empty without `keep`."""
        where = self.columns_of(given)
        rows = -(-steps // self.plan.segment) - 1 if keep else 0
        made = {f"out {k}": where.new_empty((steps, *where.shape)) for k in self.shape.recorded}
        made |= {f"last {k}": torch.empty_like(given[k]) for k in self.states}
        return made | {name: where.new_empty((rows, *where.shape)) for name in self.kept}

    def saved(self, given: Tensors, made: Tensors) -> list[Tensor]:
        """What the backward pass needs, in the order of `needs`."""
        return [given[k] if k in given else made[k] for k in self.needs]

    def columns_of(self, given: Tensors) -> Tensor:
        """A tensor [...] with an item for every column."""
        return given[self.states[0]] if self.states else given[self.shape.series[0]][0]

    def rows(self, steps: int) -> int:
        """How many steps of a segment there are."""
        return min(steps, self.plan.segment)

    def back_shape(self, outputs: Tensors, where: Tensor, wanted: frozenset[str]) -> Shape:
        """What a backward pass is compiled for.

        outputs: cotangents of what is recorded, by key. where: see `columns_of`.
        """
        steady = frozenset(k for k, t in outputs.items() if t.ndim == where.ndim)
        inner = frozenset(wanted & {*self.shape.series, *self.scalars, *self.columns})
        return replace(self.shape, given=frozenset(outputs), steady=steady, wanted=inner)

    def before(self, kept: Tensors, wanted: Iterable[str]) -> dict[str, Tensor]:
        """Room for the gradients of states before the first step."""
        return {k: torch.empty_like(kept[k]) for k in self.states if k in wanted}

    def zeros(self, where: Tensor, wanted: Iterable[str]) -> dict[str, Tensor]:
        """Room for the gradients of constants, to which every step is added; a number for each column."""
        return {k: torch.zeros_like(where) for k in (*self.scalars, *self.columns) if k in wanted}

    def summed(self, made: Tensors) -> dict[str, Tensor]:
        """Gradients with those of numbers that all columns share in one."""
        return {k: t.sum() if k in self.scalars else t for k, t in made.items()}


def recorded_ends(ends: Tensors) -> dict[str, Tensor]:
    """Cotangents of what is recorded, by key, among those of what a loop gives."""
    return {k.removeprefix("out "): t for k, t in ends.items() if k.startswith("out ")}


def cotangents(made: Tensors, outputs: Tensors) -> dict[str, Tensor]:
    """Gradients that are made and cotangents that are given, by the items of a layout."""
    return {**{f"d {k}": t for k, t in made.items()}, **{f"d out {k}": t for k, t in outputs.items()}}
