"""NIR's nodes without a membrane as modules and back."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from treplica.errors import InvalidValue
from treplica.io import nir
from treplica.io.nir.fields import spread
from treplica.io.nir.steps import delay_steps
from treplica.learning.layers.convolution import Conv1d, Conv2d
from treplica.learning.layers.delay import Delay
from treplica.learning.layers.linear import Linear
from treplica.learning.layers.over_time import check_layout
from treplica.learning.layers.pooling import AvgPool2d, Flatten, SumPool2d
from treplica.learning.layers.scale import Scale

Array = NDArray[Any]


class Stacked(nn.Module):
    """A matrix for each place of the leading axes: [T, B, ..., inputs] -> [T, B, ..., outputs].

    weight: [..., outputs, inputs]; bias: [..., outputs].
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = None if bias is None else nn.Parameter(bias)

    def forward(self, x: Tensor) -> Tensor:
        """The weighted sums."""
        check_layout("input of Stacked", x, *self.weight.shape[:-2], self.weight.shape[-1])
        found = torch.matmul(self.weight, x.unsqueeze(-1)).squeeze(-1)
        return found if self.bias is None else found + self.bias


def part_of(node: nir.Node, dt: float, dtype: torch.dtype) -> nn.Module:
    """The module of a node. dt: s."""
    match node:
        case nir.Linear() | nir.Affine():
            return _matrix(node, dtype)
        case nir.Conv1d() | nir.Conv2d():
            return _convolution(node, dtype)
        case nir.SumPool2d() | nir.AvgPool2d():
            window: Any = [spread(each, 2) for each in (node.kernel_size, node.stride, node.padding)]
            return SumPool2d(*window) if isinstance(node, nir.SumPool2d) else AvgPool2d(*window)
        case nir.Flatten():
            first, last = (int(each) for each in (node.start_dim, node.end_dim))
            return Flatten(*(each + 2 if each >= 0 else each for each in (first, last)))
        case nir.Scale():
            return Scale(tensor(node.scale, dtype))
        case nir.Delay():
            return Delay(torch.from_numpy(delay_steps(node, dt)))
    return nn.Identity()


def _matrix(node: nir.Linear | nir.Affine, dtype: torch.dtype) -> nn.Module:
    weight = tensor(node.weight, dtype)
    bias = tensor(node.bias, dtype) if isinstance(node, nir.Affine) else None
    if weight.ndim > 2:
        return Stacked(weight, bias)
    return filled(Linear(weight.shape[1], weight.shape[0], bias is not None, dtype=dtype), weight, bias)


def _convolution(node: nir.Conv1d | nir.Conv2d, dtype: torch.dtype) -> nn.Module:
    axes = node.AXES
    padding = node.padding if isinstance(node.padding, str) else spread(node.padding, axes)
    channels = node.weight.shape[1] * int(node.groups), node.weight.shape[0]
    how: Any = [node.weight.shape[2:], spread(node.stride, axes), padding, spread(node.dilation, axes)]
    made = (Conv1d if axes == 1 else Conv2d)(*channels, *how, int(node.groups), dtype=dtype)
    return filled(made, tensor(node.weight, dtype), tensor(node.bias, dtype))


def filled(module: nn.Module, weight: Tensor, bias: Tensor | None) -> nn.Module:
    """The module with these values in its parameters."""
    with torch.no_grad():
        module.get_parameter("weight").copy_(weight)
        if bias is not None:
            module.get_parameter("bias").copy_(bias)
    return module


def tensor(values: Array, dtype: torch.dtype) -> Tensor:
    """Values of a field as a tensor."""
    return torch.tensor(np.asarray(values, np.float64), dtype=dtype)


def array(values: Tensor) -> Array:
    """A tensor as values of a field."""
    found: Array = values.detach().cpu().contiguous().numpy().copy()
    return found


def node_of_part(module: nn.Module, shape: tuple[int, ...], dt: float | None) -> nir.Node:
    """The node of a module that `shape` reaches. dt: s, for delays.

    Raises InvalidValue for what NIR's nodes cannot hold.
    """
    what = type(module).__name__
    match module:
        case nn.Linear() | Stacked():
            weight = array(module.weight)
            if len(shape) != weight.ndim - 1:
                raise InvalidValue(
                    f"{what}: what reaches it", shape, f"of {weight.ndim - 1} axis", "Flatten it before."
                )
            return nir.Linear(weight) if module.bias is None else nir.Affine(weight, array(module.bias))
        case Conv1d() | Conv2d():
            return _node_of_convolution(module, shape)
        case AvgPool2d() | SumPool2d():
            return _node_of_pooling(module)
        case Flatten():
            given = [int(each) for each in (module.start_dim, module.end_dim)]
            first, last = (each - 2 if each >= 0 else each for each in given)
            return nir.Flatten(np.array(shape, np.int64), first, last)
        case Scale():
            return nir.Scale(array(module.scale))
        case Delay():
            return _node_of_delay(module, shape, dt)
    raise InvalidValue(f"to_nir: {what}", what, "a module that has a node of NIR")


def _node_of_convolution(module: Conv1d | Conv2d, shape: tuple[int, ...]) -> nir.Node:
    what = type(module).__name__
    if module.padding_mode != "zeros":
        raise InvalidValue(f"{what}: padding_mode", module.padding_mode, "'zeros' to be written as NIR")
    weight = array(module.weight)
    bias = np.zeros(weight.shape[0], weight.dtype) if module.bias is None else array(module.bias)
    size = np.array(shape[1] if weight.ndim == 3 else shape[1:], np.int64)
    padding: Any = module.padding if isinstance(module.padding, str) else _axes(module.padding)
    kind = nir.Conv1d if weight.ndim == 3 else nir.Conv2d
    groups = np.array(module.groups)
    return kind(size, weight, _axes(module.stride), padding, _axes(module.dilation), groups, bias)


def _axes(value: Any) -> Array:
    """One number, or one for each axis; one axis has a number."""
    whole = np.array(value, np.int64)
    return whole.reshape(()) if whole.size == 1 else whole


def _node_of_pooling(module: AvgPool2d | SumPool2d) -> nir.Node:
    if isinstance(module, AvgPool2d):
        told = {"ceil_mode": False, "count_include_pad": True, "divisor_override": None}
        for name, wanted in told.items():
            if getattr(module, name) != wanted:
                raise InvalidValue(
                    f"AvgPool2d: {name}", getattr(module, name), f"{wanted} to be written as NIR"
                )
    kind = nir.AvgPool2d if isinstance(module, AvgPool2d) else nir.SumPool2d
    return kind(*(np.array(each, np.int64) for each in (module.kernel_size, module.stride, module.padding)))


def _node_of_delay(module: Delay, shape: tuple[int, ...], dt: float | None) -> nir.Node:
    steps = array(module.steps)
    if (steps != np.rint(steps)).any():
        raise InvalidValue(
            "Delay: steps", float(steps.max()), "whole to be written as NIR", "Call round_ first."
        )
    if dt is None:
        raise InvalidValue(
            "to_nir: dt", None, "told by neurons where there is a Delay", "Delays of NIR are in seconds."
        )
    leading = steps.astype(np.float64).reshape(steps.shape + (1,) * (len(shape) - steps.ndim))
    return nir.Delay(np.broadcast_to(leading, shape) * dt)


def like(node: nir.Node, before: nir.Node, dt: float | None) -> nir.Node:
    """A node in the types of the one that its module was made from; that one's own fields where they mean the same.

    A type is kept where it holds the values without loss.
    """
    if type(node) is not type(before):
        return node
    if isinstance(node, nir.Delay) and isinstance(before, nir.Delay) and dt is not None:
        return before if np.array_equal(delay_steps(node, dt), delay_steps(before, dt)) else node
    values: dict[str, Any] = {}
    for name in type(node).field_names():
        new, old = getattr(node, name), getattr(before, name)
        if isinstance(new, np.ndarray) and isinstance(old, np.ndarray) and new.dtype.kind == "f":
            with np.errstate(all="ignore"):
                cast = new.astype(old.dtype)
            values[name] = cast if np.array_equal(cast.astype(new.dtype), new) else new
            if values[name].tobytes() == old.tobytes():
                values[name] = old
        else:
            values[name] = old
    return dataclasses.replace(before, **values)
