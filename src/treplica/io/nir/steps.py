"""What each node of a graph does in one step: the specification of every other way to compute a graph.

A step function takes the input [B, ...] and gives the output [B, ...]. Constants are computed in float64 and rounded to
the type of the run; sums and products follow the order in which they are written here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from treplica.errors import InvalidValue
from treplica.io.nir import neurons, nodes
from treplica.io.nir.fields import Array, Shape, spread
from treplica.io.nir.node import Node
from treplica.io.nir.semantics import Semantics

Step = Callable[[Array], Array]


def stateless(node: Node, dtype: Any) -> Step:
    """Return what a node without state does."""
    match node:
        case nodes.Input() | nodes.Output() | nodes.Identity():
            return lambda x: x
        case nodes.Affine():
            product, bias = _matrix(node.weight.astype(dtype)), node.bias.astype(dtype)
            return lambda x: product(x) + bias
        case nodes.Linear():
            return _matrix(node.weight.astype(dtype))
        case neurons.Scale():
            scale = node.scale.astype(dtype)
            return lambda x: x * scale
        case neurons.Threshold():
            threshold = node.threshold.astype(dtype)
            return lambda x: (x > threshold).astype(dtype)
        case nodes.Flatten():
            return lambda x: x.reshape(x.shape[0], *node.gives(x.shape[1:]))
        case nodes.Conv1d() | nodes.Conv2d():
            return _convolution(node, dtype)
        case nodes.SumPool2d() | nodes.AvgPool2d():
            return _pooling(node)
    raise TypeError(f"no step for {type(node).__name__}")


def _matrix(weight: Array) -> Step:
    if weight.ndim == 2:
        return lambda x: x @ weight.T
    return lambda x: np.matmul(weight, x[..., None])[..., 0]


def _views(
    x: Array, margins: tuple[tuple[int, int], ...], kernel: Shape, stride: Shape, dilation: Shape
) -> Array:
    """Windows of x [B, C, sizes...] as [B, C, windows..., kernel...]."""
    axes = tuple(range(2, x.ndim))
    padded = np.pad(x, ((0, 0), (0, 0), *margins))
    reach = tuple(gap * (width - 1) + 1 for width, gap in zip(kernel, dilation, strict=True))
    views = sliding_window_view(padded, reach, axes)
    chosen = [slice(None), slice(None), *(slice(None, None, step) for step in (*stride, *dilation))]
    found: Array = views[tuple(chosen)]
    return found


def _convolution(node: nodes.Conv1d | nodes.Conv2d, dtype: Any) -> Step:
    axes, groups = node.AXES, int(node.groups)
    stride, dilation = spread(node.stride, axes), spread(node.dilation, axes)
    weights = np.split(node.weight.astype(dtype), groups)
    bias = node.bias.astype(dtype).reshape(-1, *(1,) * axes)
    kernel_axes = list(range(-axes, 0))

    def step(x: Array) -> Array:
        views = _views(x, node.margins, node.weight.shape[2:], stride, dilation)
        parts = [
            np.tensordot(part, weight, ([1, *kernel_axes], [1, *range(2, 2 + axes)]))
            for part, weight in zip(np.split(views, groups, axis=1), weights, strict=True)
        ]
        found: Array = np.moveaxis(np.concatenate(parts, axis=-1), -1, 1) + bias
        return found

    return step


def _pooling(node: nodes.SumPool2d | nodes.AvgPool2d) -> Step:
    kernel, stride = spread(node.kernel_size, 2), spread(node.stride, 2)
    margins = tuple((each, each) for each in spread(node.padding, 2))
    size = kernel[0] * kernel[1] if isinstance(node, nodes.AvgPool2d) else 1

    def step(x: Array) -> Array:
        total = _views(x, margins, kernel, stride, (1, 1)).sum((-2, -1))
        found: Array = total / total.dtype.type(size)
        return found

    return step


class Neurons:
    """The state of a layer of neurons or integrators, which start at 0. Calling it makes one step.

    In a step: the synaptic current takes in x; the potential takes in the new current (or x); where the potential is
    above threshold the output is 1 and the potential is reset.
    """

    def __init__(self, node: Node, semantics: Semantics, batch: int, dtype: Any) -> None:
        shape = node.gives(tuple(each for each in node.takes or () if each is not None))
        self.dtype = dtype
        self.reset, self.exact = semantics.reset, semantics.integration == "exact"
        self.state = {"v": np.zeros((batch, *shape), dtype)}
        given = {name: np.asarray(getattr(node, name), np.float64) for name in type(node).field_names()}
        for name in ("tau", "tau_mem", "tau_syn"):
            if name in given and not (given[name] > 0).all():
                raise InvalidValue(
                    f"{type(node).__name__}.{name}", float(given[name].min()), "> 0 s to be computed"
                )
        self.synaptic, self.firing = "tau_syn" in given, "v_threshold" in given
        dt = float(semantics.dt or 0.0)
        constants = dict(given)
        tau = given.get("tau", given.get("tau_mem"))
        self.leaky = tau is not None
        constants["gain"] = dt * given["r"] if tau is None else _approach(dt / tau, self.exact)
        if self.synaptic:
            self.state["i"] = np.zeros((batch, *shape), dtype)
            constants["syn"] = _approach(dt / given["tau_syn"], self.exact)
            constants["cross"] = _cross(dt / given["tau_syn"], dt / given["tau_mem"])
        self.constants = {name: value.astype(dtype) for name, value in constants.items()}

    def __call__(self, x: Array) -> Array:
        """Make a step with the input x [B, ...]."""
        self.state["v"] = self._potential(x)
        return self._fired() if self.firing else self.state["v"]

    def _potential(self, x: Array) -> Array:
        own, v = self.constants, self.state["v"]
        after: Array
        if not self.leaky:
            after = v + own["gain"] * x
        elif not self.synaptic:
            after = v + own["gain"] * ((own["v_leak"] - v) + own["r"] * x)
        else:
            before, aim = self.state["i"], own["w_in"] * x
            current = self.state["i"] = before + own["syn"] * (aim - before)
            drive = aim if self.exact else current
            after = v + own["gain"] * ((own["v_leak"] - v) + own["r"] * drive)
            if self.exact:
                after = after + own["cross"] * (own["r"] * (before - aim))
        return after

    def _fired(self) -> Array:
        own, v = self.constants, self.state["v"]
        fired = v > own["v_threshold"]
        after = own["v_reset"] if self.reset == "zero" else v - (own["v_threshold"] - own["v_reset"])
        self.state["v"] = np.where(fired, after, v)
        return fired.astype(self.dtype)


def _approach(steps: Array, exact: bool) -> Array:
    """Part of the way to its aim that a variable goes in `steps` time constants: by Euler, or exactly."""
    part: Array = -np.expm1(-steps) if exact else steps
    return part


def _cross(synapse: Array, membrane: Array) -> Array:
    """What is left in the membrane at the end of a step, of a current that was 1 at its beginning and decays.

    With a = exp(-synapse), b = exp(-membrane), where both are dt over the time constant, it is
    membrane (a - b) / (membrane - synapse), written so that equal time constants are no exception.
    """
    apart = np.abs(membrane - synapse)
    ratio = np.divide(-np.expm1(-apart), apart, out=np.ones_like(apart), where=apart > 0)
    left: Array = membrane * np.exp(-np.minimum(membrane, synapse)) * ratio
    return left


class Delays:
    """What went into a Delay until now; before the first step that was 0."""

    def __init__(self, node: neurons.Delay, dt: float, steps: int, batch: int, dtype: Any) -> None:
        self.delay = delay_steps(node, dt)
        self.past = np.zeros((steps, batch, *node.delay.shape), dtype)
        self.now = 0

    def put(self, x: Array) -> None:
        """Take in the input of this step."""
        self.past[self.now] = x

    def get(self) -> Array:
        """Give the output of this step, which needs the input only where the delay is 0."""
        when = np.broadcast_to(self.now - self.delay, self.past.shape[1:])
        units = np.indices(self.past.shape[1:], sparse=True)
        found = self.past[(np.maximum(when, 0), *units)]
        late: Array = np.where(when >= 0, found, self.past.dtype.type(0))
        return late


def delay_steps(node: neurons.Delay, dt: float) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the delays in steps of `dt` s; raises `InvalidValue` where one is not a whole number of them."""
    exact = node.delay.astype(np.float64) / dt
    steps = np.rint(exact)
    off = (
        ~(np.abs(exact - steps) <= 1e-5 * np.maximum(steps, 1.0))
        | (exact > 2**53)
        | ((steps == 0) & (exact > 0))
    )
    if off.any():
        worst = float(node.delay[off].flat[0])
        raise InvalidValue(
            "Delay.delay", worst, f"a whole number of steps of {dt:g} s", "Round it, or change dt."
        )
    whole: np.ndarray[Any, np.dtype[np.int64]] = steps.astype(np.int64)
    return whole
