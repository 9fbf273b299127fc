"""The loop over time as operations of PyTorch, one step after the other: the definition of what a layer does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from treplica.learning.cell import Cell, Relaxation, step_of
from treplica.learning.surrogates import Surrogate
from treplica.learning.words import Kind, literals, words
from treplica.model.rebind import rebind


def run_steps(
    some: Tensor,
    cell: Cell,
    relaxation: Relaxation,
    surrogate: Surrogate,
    inputs: Mapping[str, Tensor],
    constants: Mapping[str, Tensor],
    first: Mapping[str, Tensor],
    recorded: tuple[str, ...],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What is recorded at every step [T, ...] and the states after the last [...], by key.

    some: tells shape, dtype and device. inputs: [T, ...]; constants: [] or broadcast with a step; first: states before
    the first step [...].
    """
    kind = Kind(some.dtype, some.device)
    step = _bound(cell, relaxation, surrogate, kind)
    literal = literals(kind)
    fixed: dict[str, Any] = {cell.quantities[k].identifier: v for k, v in constants.items()}
    fixed |= {f"surrogate_{n}": literal(v) for n, v in surrogate.values}
    for quantity in cell.of_role("input", "noise"):
        if quantity.key not in inputs:
            fixed[quantity.identifier] = literal(0.0)
    states = dict(first)
    traces: dict[str, list[Tensor]] = {k: [] for k in recorded}
    for t in range(some.shape[0]):
        now = {cell.quantities[k].identifier: v for k, v in states.items()}
        now |= {cell.quantities[k].identifier: v[t] for k, v in inputs.items()}
        result = step(**fixed, **now)
        states = {k: result[k.replace(".", "__")].expand(some.shape[1:]) for k in states}
        for key, trace in traces.items():
            trace.append(result[key.replace(".", "__")].expand(some.shape[1:]))
    return {k: torch.stack(trace) for k, trace in traces.items()}, states


@lru_cache(maxsize=256)
def _bound(cell: Cell, relaxation: Relaxation, surrogate: Surrogate, kind: Kind) -> Any:
    return rebind(step_of(cell, relaxation), words(surrogate), literals(kind))
