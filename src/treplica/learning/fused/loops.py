"""The loop of a layer by what it computes, made once for all layers with the same step."""

from __future__ import annotations

from collections.abc import Collection
from importlib.util import find_spec
from typing import Protocol

import torch
import torch._dynamo

from treplica.errors import InvalidValue, MissingExtra
from treplica.learning.cell import Cell, Relaxation
from treplica.learning.fused.fed import Fed
from treplica.learning.fused.loop import Loop, Plan
from treplica.learning.fused.numba_loop import NumbaLoop
from treplica.learning.fused.op import registered
from treplica.learning.fused.recurrence import Recurrence
from treplica.learning.fused.rows import Shape
from treplica.learning.fused.triton_loop import TritonLoop
from treplica.learning.native.launch import BLOCK, OUTPUTS

#: The loop of neurons by themselves, by type of device.
LOOPS: dict[str, type[Loop]] = {"cpu": NumbaLoop, "cuda": TritonLoop}
#: The types of device for which nothing is missing here.
HERE = frozenset({"cpu", "cuda"} if find_spec("triton") else {"cpu"})

#: Operations of a step from which on `backend="auto"` takes no kernel on a GPU: Triton compiles for minutes then.
LARGE = 500


class Layer(Protocol):
    """What a loop is made from."""

    cell: Cell
    backend: str
    recompute: int

    @property
    def relaxation(self) -> Relaxation:
        """How the step is differentiated."""


def has_loop(layer: Layer, x: torch.Tensor, devices: Collection[str] = tuple(LOOPS)) -> bool:
    """Whether a compiled loop computes an input of a layer.

    devices: types of device that there is one for. Raises InvalidValue or MissingExtra where the layer's backend is
    "fused" and there is none.
    """
    there_is_one = x.device.type in devices and x.dtype in (torch.float32, torch.float64)
    here = x.device.type in HERE
    if layer.backend == "auto":
        slow = x.device.type == "cuda" and len(layer.cell.tape.operations) > LARGE
        return there_is_one and here and not slow
    if layer.backend == "steps":
        return False
    if not there_is_one:
        names = " or ".join("a GPU" if d == "cuda" else "a CPU" for d in devices)
        allowed = f"float32 or float64 on {names} for backend='fused'"
        advice = "Take backend='auto' or 'steps'."
        raise InvalidValue("input", f"{x.dtype} on {x.device}", allowed, advice)
    if not here:
        raise MissingExtra("triton", "gpu", "backend='fused' on a GPU")
    return True


def _plan(
    layer: Layer,
    series: tuple[str, ...],
    columns: frozenset[str],
    recorded: tuple[str, ...],
    dtype: str,
    block: int,
    gain: bool = False,
    moving: Collection[str] = (),
) -> Plan:
    shape = Shape(block, series, columns, recorded, gain, moving=frozenset(moving))
    return Plan(layer.cell, layer.relaxation, shape, getattr(torch, dtype), layer.recompute)


@torch._dynamo.assume_constant_result
def loop_for(
    layer: Layer,
    series: tuple[str, ...],
    columns: frozenset[str],
    recorded: tuple[str, ...],
    dtype: str,
    device: str,
) -> str:
    """The name of the loop of a layer for these inputs, constants by column, records, precision and type of device."""
    kind = LOOPS[device]
    plan = _plan(layer, series, columns, recorded, dtype, kind.block)
    return registered((plan, kind), lambda: kind(plan))


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
    plan = _plan(layer, series, columns, recorded, dtype, BLOCK, moving=(port,))
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
    plan = _plan(layer, (port,), columns, recorded, dtype, OUTPUTS, gain, moving=(port, f"d {port}"))
    return registered((plan, "fed", biased, dense), lambda: Fed(plan, biased=biased, dense=dense))
