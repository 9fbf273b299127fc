"""What stands for a module of `torch.nn` in a network over time."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from treplica.errors import InvalidValue
from treplica.learning.exchange.grid import fold_
from treplica.learning.layers.convolution import Conv1d, Conv2d
from treplica.learning.layers.linear import Linear
from treplica.learning.layers.normalisation import BatchNorm1d, BatchNorm2d
from treplica.learning.layers.over_time import OverTime
from treplica.learning.layers.pooling import AvgPool2d, CountMaxPool1d, CountMaxPool2d, Flatten

Shape = tuple[int, ...]
Connection = Linear | Conv1d | Conv2d
CONNECTIONS = (Linear, Conv1d, Conv2d)
NORMS = {nn.BatchNorm1d: BatchNorm1d, nn.BatchNorm2d: BatchNorm2d}
#: What takes means of neighbours, also within `OverTime`.
AVERAGES = (nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
#: What does nothing once training is over.
SILENT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Identity)


def twin(module: Any, given: Shape, what: str) -> nn.Module:
    """The module over time for one that `given` reaches; what: how errors call it."""
    make = _TWINS.get(type(module))
    if make is None:
        raise InvalidValue(what, type(module).__name__, _ALLOWED, _advice(module))
    return make(module, given, what)


def norm_twin(module: Any, what: str) -> Any:
    """The normalisation over time with the statistics of training, in eval mode."""
    if module.running_mean is None:
        advice = "Train with track_running_stats=True: those of a batch change from batch to batch."
        raise InvalidValue(f"{what}: running_mean", None, "the statistics of training", advice)
    how = dict(eps=module.eps, affine=module.affine, device=module.running_mean.device)
    norm: Any = NORMS[type(module)](module.num_features, **how, dtype=module.running_mean.dtype)
    norm.load_state_dict(module.state_dict())
    return norm.eval()


def folded(connection: Connection, norm: nn.Module) -> None:
    """Fold a normalisation into the connection before it, in place."""
    fold_(nn.Sequential(connection, norm))


def unit_connection(channels: int, given: Shape, like: torch.Tensor) -> Connection:
    """A connection that gives each channel as it is: what a normalisation of its own is folded into."""
    how: dict[str, Any] = dict(bias=False, device=like.device, dtype=like.dtype)
    if len(given) == 1:
        connection: Any = Linear(channels, channels, **how)
        one = torch.eye(channels)
    else:
        connection = (Conv1d, Conv2d)[len(given) - 2](channels, channels, 1, groups=channels, **how)
        one = torch.ones(connection.weight.shape)
    with torch.no_grad():
        connection.weight.copy_(one)
    made: Connection = connection
    return made


def _linear(module: nn.Linear, given: Shape, what: str) -> nn.Module:
    if len(given) != 1:
        allowed = f"({module.in_features},): one axis of features"
        raise InvalidValue(f"{what}: what reaches Linear", given, allowed, "Put nn.Flatten() before it.")
    return _same_parameters(Linear(module.in_features, module.out_features, **_how(module)), module)


def _convolution(module: Any, given: Shape, what: str) -> nn.Module:
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")
    how: dict[str, Any] = {name: getattr(module, name) for name in (*names, "padding_mode")}
    kind = Conv1d if isinstance(module, nn.Conv1d) else Conv2d
    return _same_parameters(kind(**how, **_how(module)), module)


def _how(module: Any) -> dict[str, Any]:
    weight = module.weight
    return dict(bias=module.bias is not None, device=weight.device, dtype=weight.dtype)


def _same_parameters(made: nn.Module, module: nn.Module) -> nn.Module:
    made.load_state_dict(module.state_dict())
    return made


def _average(module: nn.AvgPool2d, given: Shape, what: str) -> nn.Module:
    names = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
    return AvgPool2d(**{name: getattr(module, name) for name in names})


def _adaptive(module: nn.AdaptiveAvgPool2d, given: Shape, what: str) -> nn.Module:
    """Average pooling with one window where the output divides the input."""
    asked, before = module.output_size, given[1:]
    asked = (asked, asked) if isinstance(asked, int) else asked
    after = [n if size is None else size for n, size in zip(before, asked, strict=False)]
    if len(before) == 2 and all(n % size == 0 for n, size in zip(before, after, strict=True)):
        window: Any = tuple(n // size for n, size in zip(before, after, strict=True))
        return AvgPool2d(window)
    return _over_time(module, given, what)


def _greatest(module: Any, given: Shape, what: str) -> nn.Module:
    if module.return_indices:
        raise InvalidValue(f"{what}: return_indices", True, "False: a layer gives one tensor")
    kind = CountMaxPool1d if isinstance(module, nn.MaxPool1d) else CountMaxPool2d
    names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
    return kind(**{name: getattr(module, name) for name in names})


def _flatten(module: nn.Flatten, given: Shape, what: str) -> nn.Module:
    if module.start_dim == 0:
        raise InvalidValue(f"{what}: start_dim", 0, "1 or more: samples stay apart")
    first, last = (each + 1 if each >= 0 else each for each in (module.start_dim, module.end_dim))
    return Flatten(first, last)


def _over_time(module: nn.Module, given: Shape, what: str) -> nn.Module:
    return OverTime(copy.deepcopy(module))


_TWINS: dict[type[nn.Module], Callable[[Any, Shape, str], nn.Module]] = {
    nn.Linear: _linear,
    nn.Conv1d: _convolution,
    nn.Conv2d: _convolution,
    nn.AvgPool2d: _average,
    nn.AvgPool1d: _over_time,
    nn.AdaptiveAvgPool1d: _over_time,
    nn.AdaptiveAvgPool2d: _adaptive,
    nn.MaxPool1d: _greatest,
    nn.MaxPool2d: _greatest,
    nn.Flatten: _flatten,
}
_ALLOWED = (
    "nn.Sequential, Linear, Conv1d, Conv2d, ReLU, AvgPool, MaxPool, BatchNorm1d, BatchNorm2d, Flatten, Dropout or "
    "Identity of torch.nn itself"
)
_ADVICE: dict[tuple[type[nn.Module], ...], str] = {
    (
        nn.ReLU6,
        nn.LeakyReLU,
        nn.PReLU,
        nn.ELU,
        nn.GELU,
        nn.SiLU,
        nn.Softplus,
        nn.Sigmoid,
        nn.Tanh,
        nn.Hardtanh,
    ): ("The rate of a spiking neuron is a ReLU of its input: train with nn.ReLU()."),
    (nn.Softmax, nn.LogSoftmax, nn.Softmax2d): (
        "Take it away, and apply it to what the converted network gives: it gives logits."
    ),
    (nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm1d, nn.InstanceNorm2d): (
        "It depends on all neurons of a sample at once: train with batch normalisation, which is folded into weights."
    ),
}


def _advice(module: nn.Module) -> str:
    for kinds, advice in _ADVICE.items():
        if isinstance(module, kinds):
            return advice
    return "Write the network as nn.Sequential of these; what a forward of its own computes cannot be seen."
