"""Modules that are linear between neurons, as matrices [values, values before] with a constant and a shape."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from torch import Tensor, nn

from treplica.errors import InvalidValue
from treplica.learning.exchange.signal import Numbers, Signal, diagonal
from treplica.learning.layers.delay import Delay, within
from treplica.learning.layers.delayed_linear import DelayedLinear
from treplica.learning.layers.scale import Scale

#: One-hot inputs that a convolution or pooling sees at once.
BATCH = 256

Shape = tuple[int, ...]
Map = tuple[csr_array, Numbers, Shape]


def dense_map(module: nn.Linear, shape: Shape) -> Map:
    """A linear layer with all its weights, zeros too; one that meets several axes acts on the last."""
    if shape[-1:] != (module.in_features,):
        what = f"Linear({module.in_features}, {module.out_features}): what reaches it"
        raise InvalidValue(what, shape, f"({module.in_features},)")
    if len(shape) > 1:
        return spatial_map(module, shape)
    return csr_of(_numbers(module.weight)), _bias(module.bias, module.out_features), (module.out_features,)


def spatial_map(module: nn.Module, shape: Shape) -> Map:
    """A convolution, a pooling and the like, from what it makes of each single spike."""
    twin: Any = copy.deepcopy(module).cpu().double().eval()
    size = math.prod(shape)
    rows = []
    with torch.no_grad():
        nothing = _called(twin, torch.zeros(1, 1, *shape, dtype=torch.float64), module)
        for part in twin.modules():
            if isinstance(getattr(part, "bias", None), nn.Parameter):
                part.bias = None
        for first in range(0, size, BATCH):
            count = min(BATCH, size - first)
            ones = torch.zeros(count, size, dtype=torch.float64)
            ones[torch.arange(count), first + torch.arange(count)] = 1.0
            result = _called(twin, ones.reshape(1, count, *shape), module)[0]
            rows.append(csr_array(result.flatten(1).numpy()))
    return csr_array(vstack(rows).T), nothing.flatten().numpy(), tuple(nothing.shape[2:])


def shape_after(module: nn.Module, shape: Shape) -> Shape:
    """The shape that a module gives which changes nothing else."""
    return tuple(_called(module, torch.zeros(1, 1, *shape), module).shape[2:])


def _called(twin: nn.Module, x: Tensor, module: nn.Module) -> Tensor:
    try:
        result: Tensor = twin(x)
    except (RuntimeError, ValueError, IndexError) as error:
        if isinstance(error, InvalidValue):
            raise
        said = str(error).splitlines()[0]
        what = f"{type(module).__name__}: what reaches it"
        raise InvalidValue(what, tuple(x.shape[2:]), f"what it takes ({said})") from None
    if result.shape[:2] != x.shape[:2]:
        what = f"{type(module).__name__}: what it gives for [T, B, {', '.join(map(str, x.shape[2:]))}]"
        raise InvalidValue(what, list(result.shape), "[T, B, ...]")
    return result


def norm_map(module: Any, shape: Shape) -> Map:
    """Batch normalisation with its running statistics: a factor and a constant for each channel."""
    if module.running_var is None:
        advice = "Give it track_running_stats=True."
        raise InvalidValue(f"{type(module).__name__}: running statistics", None, "kept", advice)
    with torch.no_grad():
        factor = 1.0 / torch.sqrt(module.running_var.double() + module.eps)
        factor = factor if module.weight is None else factor * module.weight.double()
        constant = -module.running_mean.double() * factor
        constant = constant if module.bias is None else constant + module.bias.double()
    each = math.prod(shape[1:])
    return diagonal(np.repeat(factor.numpy(), each)), np.repeat(constant.numpy(), each), shape


def scale_map(module: Scale, shape: Shape) -> Map:
    """A factor for each value."""
    factors = np.broadcast_to(_numbers(module.scale), shape).ravel()
    return diagonal(factors), np.zeros(factors.size), shape


def delayed(module: Delay, signal: Signal) -> Signal:
    """What a `Delay` gives in `eval` mode: delays that are learned, rounded to whole steps."""
    steps = module.steps.detach()
    whole = within(steps, module.longest).round().long() if module.learn else steps
    if tuple(whole.shape) != signal.shape[: whole.ndim]:
        raise InvalidValue("Delay: what reaches it", signal.shape, f"({tuple(whole.shape)}, ...)")
    spread = whole.reshape(*whole.shape, *(1 for _ in signal.shape[whole.ndim :])).expand(signal.shape)
    return signal.later(spread.flatten().numpy())


def delayed_sum(module: DelayedLinear, signal: Signal) -> Signal:
    """What a `DelayedLinear` gives in `eval` mode: every weight at its nearest whole step."""
    if signal.shape != (module.inputs,):
        what = f"DelayedLinear({module.inputs}, {module.outputs}): what reaches it"
        raise InvalidValue(what, signal.shape, f"({module.inputs},)")
    steps = within(module.delay.detach(), module.longest).round().long().numpy()
    weight, shape = _numbers(module.weight), (module.outputs,)
    total = None
    for each in np.unique(steps).tolist():
        matrix = csr_of(weight, steps == each)
        part = signal.through(matrix, np.zeros(module.outputs), shape).later(each)
        total = part if total is None else total.plus(part)
    assert total is not None
    return total.raised(_bias(module.bias, module.outputs))


def csr_of(weight: Numbers, which: NDArray[np.bool_] | None = None) -> csr_array:
    """A matrix with all its entries, zeros too, or those of a mask."""
    there = np.ones(weight.shape, np.bool_) if which is None else which
    indptr = np.concatenate([[0], np.cumsum(there.sum(1))])
    return csr_array((weight[there], np.nonzero(there)[1], indptr), shape=weight.shape)


def _numbers(parameter: Tensor) -> Numbers:
    found: Numbers = parameter.detach().cpu().double().numpy()
    return found


def _bias(bias: Tensor | None, size: int) -> Numbers:
    return np.zeros(size) if bias is None else _numbers(bias).copy()
