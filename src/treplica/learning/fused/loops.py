"""The loop of a layer by what it computes, made once for all layers with the same step."""

from __future__ import annotations

from typing import Protocol

import torch
import torch._dynamo

from treplica.learning.cell import Cell, Relaxation
from treplica.learning.fused.fed import Fed
from treplica.learning.fused.loop import Loop, Plan
from treplica.learning.fused.op import registered
from treplica.learning.fused.recurrence import Recurrence
from treplica.learning.fused.rows import Shape
from treplica.learning.native.launch import BLOCK, OUTPUTS


class Layer(Protocol):
    """What a loop is made from."""

    cell: Cell
    recompute: int

    @property
    def relaxation(self) -> Relaxation:
        """How the step is differentiated."""


def _plan(
    layer: Layer,
    series: tuple[str, ...],
    columns: frozenset[str],
    recorded: tuple[str, ...],
    dtype: str,
    block: int = BLOCK,
    gain: bool = False,
) -> Plan:
    shape = Shape(block, series, columns, recorded, gain)
    return Plan(layer.cell, layer.relaxation, shape, getattr(torch, dtype), layer.recompute)


@torch._dynamo.assume_constant_result
def loop_for(
    layer: Layer, series: tuple[str, ...], columns: frozenset[str], recorded: tuple[str, ...], dtype: str
) -> str:
    """The name of the loop of a layer for these inputs, constants by column, records and precision."""
    plan = _plan(layer, series, columns, recorded, dtype)
    return registered(plan, lambda: Loop(plan))


@torch._dynamo.assume_constant_result
def recurrence_for(
    layer: Layer,
    series: tuple[str, ...],
    columns: frozenset[str],
    recorded: tuple[str, ...],
    dtype: str,
    port: str,
    delay: int,
    biased: bool,
) -> str:
    """The name of the loop of a layer whose spikes reach a port of it; see `Recurrence`."""
    plan = _plan(layer, series, columns, recorded, dtype)
    return registered((plan, port, delay, biased), lambda: Recurrence(plan, port, delay, biased=biased))


def fed_for(
    layer: Layer,
    port: str,
    columns: frozenset[str],
    recorded: tuple[str, ...],
    dtype: str,
    biased: bool,
    dense: bool,
    gain: bool,
) -> str:
    """The name of the loop of a layer with the connections before it; see `Fed`."""
    plan = _plan(layer, (port,), columns, recorded, dtype, OUTPUTS, gain)
    return registered((plan, "fed", biased, dense), lambda: Fed(plan, biased=biased, dense=dense))
