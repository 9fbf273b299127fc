"""The nodes of NIR 1.0.8 that have no membrane: ports, linear maps, convolutions, pooling, delays.

Source: Pedersen et al. 2024, doi:10.1038/s41467-024-52259-9, and the package nir 1.0.8.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from treplica.errors import InvalidValue
from treplica.io.nir.fields import Array, OpenShape, Shape, spread
from treplica.io.nir.node import Node, check_shape, entered


@dataclass(frozen=True, eq=False, repr=False)
class _Port(Node):
    shape: Array

    @property
    def takes(self) -> OpenShape:
        return tuple(int(each) for each in self.shape)


@entered
class Input(_Port):
    """Where a signal enters a graph. `shape`: of the signal, without time and batch."""


@entered
class Output(_Port):
    """Where a signal leaves a graph. `shape`: of the signal, without time and batch."""


@entered
class Identity(_Port):
    """Hands on what it gets, of the given `shape`. NIR 1.0.8 has this node, but not in files."""


@dataclass(frozen=True, eq=False, repr=False)
class _Matrix(Node):
    weight: Array

    def _complete(self) -> None:
        if self.weight.ndim < 2:
            own = type(self).__name__
            raise InvalidValue(f"the shape of {own}.weight", self.weight.shape, "(..., outputs, inputs)")

    @property
    def takes(self) -> OpenShape:
        return (*self.weight.shape[:-2], self.weight.shape[-1])

    def gives(self, taken: Shape) -> Shape:
        self._check_taken(taken)
        return self.weight.shape[:-1]


@entered
class Linear(_Matrix):
    """y = W x. `weight`: [..., outputs, inputs]; further axes in front are shared by input and output."""


@entered
@dataclass(frozen=True, eq=False, repr=False)
class Affine(_Matrix):
    """y = W x + b. `weight`: [..., outputs, inputs]; `bias`: [..., outputs]."""

    bias: Array

    def _complete(self) -> None:
        super()._complete()
        check_shape("Affine", "bias", self.bias, self.weight.shape[:-1], "one number for each output")


@dataclass(frozen=True, eq=False, repr=False)
class _Convolution(Node):
    input_shape: Array | None
    weight: Array
    stride: Array
    padding: Array | str
    dilation: Array
    groups: Array
    bias: Array

    AXES: ClassVar[int] = 0
    WORDED: ClassVar[tuple[str, ...]] = ("padding",)
    INFERRED: ClassVar[tuple[str, ...]] = ("input_shape",)

    def _complete(self) -> None:
        own, axes = type(self).__name__, self.AXES
        if self.weight.ndim != axes + 2 or 0 in self.weight.shape:
            wanted = f"(channels out, channels in / groups{', kernel' * axes})"
            raise InvalidValue(f"the shape of {own}.weight", self.weight.shape, wanted)
        channels, groups = self.weight.shape[0], int(self.groups)
        if channels % groups:
            raise InvalidValue(f"{own}.groups", groups, f"a divisor of the {channels} channels out")
        check_shape(own, "bias", self.bias, (channels,), "one number for each channel out")
        _check_axes(self, ("input_shape", "stride", "padding", "dilation"), axes)
        if isinstance(self.padding, str) and self.padding == "same" and set(spread(self.stride, axes)) != {1}:
            advice = "What 'same' means with a longer stride is not defined; give numbers."
            raise InvalidValue(
                f"{own}.stride", spread(self.stride, axes), "1 where padding is 'same'", advice
            )

    @property
    def margins(self) -> tuple[tuple[int, int], ...]:
        """Zeros before and after each axis of the kernel; with padding 'same' the odd one goes after."""
        if isinstance(self.padding, np.ndarray):
            return tuple((each, each) for each in spread(self.padding, self.AXES))
        reach = [
            (size - 1) * step
            for size, step in zip(self.weight.shape[2:], spread(self.dilation, self.AXES), strict=True)
        ]
        return tuple((each // 2, each - each // 2) if self.padding == "same" else (0, 0) for each in reach)

    @property
    def takes(self) -> OpenShape:
        size = (None,) * self.AXES if self.input_shape is None else spread(self.input_shape, self.AXES)
        return (self.weight.shape[1] * int(self.groups), *size)

    def gives(self, taken: Shape) -> Shape:
        self._check_taken(taken)
        kernel = self.weight.shape[2:]
        sizes = windows(self, taken[1:], self.margins, kernel, self.stride, spread(self.dilation, self.AXES))
        return (self.weight.shape[0], *sizes)

    def filled(self, taken: Shape) -> Self:
        if self.input_shape is not None:
            return self
        size = np.array(taken[1] if self.AXES == 1 else taken[1:], np.int64)
        return dataclasses.replace(self, input_shape=size)


@entered
class Conv1d(_Convolution):
    """Convolution (cross-correlation, as in PyTorch) along one axis, of signals [channels, size].

    - `input_shape`: size of the input, or None where the graph tells it
    - `weight`: [channels out, channels in / groups, kernel]; `bias`: [channels out]
    - `stride`, `dilation`: whole numbers >= 1; `padding`: a whole number >= 0, "same" or "valid"
    - `groups`: a divisor of both numbers of channels
    """

    AXES = 1


@entered
class Conv2d(_Convolution):
    """Convolution (cross-correlation, as in PyTorch) along two axes, of signals [channels, height, width].

    - `input_shape`: height and width of the input, or None where the graph tells them
    - `weight`: [channels out, channels in / groups, height, width]; `bias`: [channels out]
    - `stride`, `dilation`: whole numbers >= 1; `padding`: whole numbers >= 0, "same" or "valid"; one for both axes
      or one for each
    - `groups`: a divisor of both numbers of channels
    """

    AXES = 2


@dataclass(frozen=True, eq=False, repr=False)
class _Pooling(Node):
    kernel_size: Array
    stride: Array
    padding: Array

    def _complete(self) -> None:
        _check_axes(self, ("kernel_size", "stride", "padding"), 2)

    @property
    def takes(self) -> OpenShape | None:
        return (None, None, None)

    def gives(self, taken: Shape) -> Shape:
        self._check_taken(taken)
        margins = tuple((each, each) for each in spread(self.padding, 2))
        return (
            taken[0],
            *windows(self, taken[1:], margins, spread(self.kernel_size, 2), self.stride, (1, 1)),
        )


@entered
class SumPool2d(_Pooling):
    """Sum over windows of signals [channels, height, width]. One number for both axes, or one for each."""


@entered
class AvgPool2d(_Pooling):
    """Mean over windows of signals [channels, height, width]; zeros of the padding count.

    One number for both axes, or one for each.
    """


@entered
@dataclass(frozen=True, eq=False, repr=False)
class Flatten(Node):
    """Join the axes from `start_dim` to `end_dim` into one; the batch is not counted.

    - `input_type`: shape of the input, or None where the graph tells it
    - `start_dim`, `end_dim`: first and last axis to join; negative ones count from the end
    """

    input_type: Array | None
    start_dim: Array | int = 1
    end_dim: Array | int = -1

    INFERRED: ClassVar[tuple[str, ...]] = ("input_type",)

    @property
    def takes(self) -> OpenShape | None:
        """Shape of the input where it is given."""
        return None if self.input_type is None else tuple(int(each) for each in self.input_type)

    def gives(self, taken: Shape) -> Shape:
        """Shape with the axes joined."""
        self._check_taken(taken)
        first, last = (int(each) for each in (self.start_dim, self.end_dim))
        first, last = (each + len(taken) if each < 0 else each for each in (first, last))
        if not 0 <= first <= last < len(taken):
            given = (int(self.start_dim), int(self.end_dim))
            allowed = f"the first and last of some of {len(taken)} axes"
            raise InvalidValue(
                "Flatten.start_dim and end_dim", given, allowed, f"The input has shape {taken}."
            )
        return (*taken[:first], math.prod(taken[first : last + 1]), *taken[last + 1 :])

    def filled(self, taken: Shape) -> Self:
        """Return the node with its input_type."""
        if self.input_type is not None:
            return self
        return dataclasses.replace(self, input_type=np.array(taken, np.int64))


def windows(
    node: Node,
    sizes: Shape,
    margins: tuple[tuple[int, int], ...],
    kernel: Shape,
    stride: Array,
    dilation: Shape,
) -> Shape:
    """Return how many windows there are along each axis; raises `InvalidValue` where there is none."""
    found = []
    steps = spread(stride, len(sizes))
    for size, (before, after), width, step, gap in zip(sizes, margins, kernel, steps, dilation, strict=True):
        room = size + before + after - (gap * (width - 1) + 1)
        if room < 0:
            allowed = (
                f"large enough for one window of {gap * (width - 1) + 1} with {before} + {after} zeros around"
            )
            raise InvalidValue(f"the input of {type(node).__name__}", sizes, allowed)
        found.append(room // step + 1)
    return tuple(found)


def _check_axes(node: Node, names: tuple[str, ...], axes: int) -> None:
    for name in names:
        value = getattr(node, name)
        if isinstance(value, np.ndarray) and value.shape not in ((), (axes,)):
            quantity = f"the shape of {type(node).__name__}.{name}"
            raise InvalidValue(quantity, value.shape, f"() or ({axes},): one number, or one for each axis")
