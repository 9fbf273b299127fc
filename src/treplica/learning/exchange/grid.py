"""Weights on the grid of a simulation: sums of them are exact in any order."""

from __future__ import annotations

import math

import torch
from torch import nn

from treplica.errors import InvalidValue
from treplica.learning.exchange.nir_parts import Stacked
from treplica.learning.exchange.synapses import Synapses
from treplica.learning.layers.delayed_linear import DelayedLinear
from treplica.learning.layers.normalisation import BatchNorm1d, BatchNorm2d
from treplica.learning.layers.residual import Residual
from treplica.numerics.formats import Weights, weight_bits
from treplica.numerics.units import unit_for

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)


def snap_(module: nn.Module, weights: Weights = "auto", spare: int | None = None) -> float:
    """Round weights and biases of a module in place to the grid on which a simulation keeps them; the largest change.

    The grid is that of the whole module: 2^-31 of a power of two that no weight exceeds, so a weight of float32 moves
    only where it is 2^-8 of the largest or less. On it float64 computes sums exactly, whatever their order, so that the
    module and its network (`from_torch`) have the same spikes. Normalisation must be folded into weights before (see
    `fold_`). Raises InvalidValue where it is not, and UnknownName for other weights.

    weights: those of the `Simulation` that is meant: "int8" is the grid of 7 bits and a sign instead of 31, on which
    the module is, spike for spike, what is simulated with weights="int8". spare: bits that are left for what lies
    between weights and neurons: 2 for means of 4, 1 for sums of weights of the same source. Default: as the largest
    mean of the module needs, and one more where there is a `Residual`.
    """
    parameters, bits = _weights(module), weight_bits(weights, given=True)
    for name, part in module.named_modules():
        if isinstance(part, (nn.BatchNorm1d, nn.BatchNorm2d)):
            raise InvalidValue(
                f"module {name!r}", type(part).__name__, "folded into weights", "Call fold_ first."
            )
    left = _spare(module) if spare is None else spare
    if isinstance(left, bool) or not isinstance(left, int) or not 0 <= left < bits - 1:
        raise InvalidValue("snap_(spare)", left, f"a whole number of bits from 0 to {bits - 2}")
    largest = max((float(w.detach().abs().max()) for w in parameters if w.numel()), default=0.0)
    if not largest:
        return 0.0
    unit = unit_for(largest, bits) * 2.0**left
    moved = 0.0
    with torch.no_grad():
        for weight in parameters:
            exact = weight.double()
            rounded = torch.round(exact / unit) * unit
            moved = max(moved, float((rounded - exact).abs().max()))
            weight.copy_(rounded)
    return moved


def _spare(module: nn.Module) -> int:
    means = [p.kernel_size for p in module.modules() if isinstance(p, (nn.AvgPool1d, nn.AvgPool2d))]
    areas = [math.prod(size) if isinstance(size, tuple) else int(size) ** 2 for size in means]
    sums = any(isinstance(part, Residual) for part in module.modules())
    return math.ceil(math.log2(max(areas, default=1))) + sums


def _weights(module: nn.Module) -> list[nn.Parameter]:
    """Weights and biases of connections."""
    found: list[nn.Parameter] = []
    for part in module.modules():
        if isinstance(part, (nn.Linear, DelayedLinear, Stacked, *_CONVOLUTIONS)):
            found += [p for p in (part.weight, part.bias) if isinstance(p, nn.Parameter)]
        elif isinstance(part, Synapses):
            found.append(part.weight)
    return list(dict.fromkeys(found))


def fold_(module: nn.Module) -> nn.Module:
    """Fold every batch normalisation of `nn.Sequential`s into the connection before it, in place; the module.

    The result computes, in eval mode, what the module did, up to rounding. Raises InvalidValue for a normalisation that
    does not follow a `Linear` or a convolution.
    """
    for path, part in [("", module), *module.named_modules()]:
        if not isinstance(part, nn.Sequential):
            continue
        children = list(part.named_children())
        for (_, before), (name, norm) in zip([("", None), *children], children, strict=False):
            if isinstance(norm, (BatchNorm1d, BatchNorm2d)):
                if not isinstance(before, (nn.Linear, nn.Conv1d, nn.Conv2d)):
                    where, kind = f"{path}.{name}".strip("."), type(before).__name__
                    raise InvalidValue(f"module {where!r} follows", kind, "a Linear or a convolution")
                _fold(before, norm)
                part._modules[name] = nn.Identity()
    return module


def _fold(connection: nn.Linear | nn.Conv1d | nn.Conv2d, norm: BatchNorm1d | BatchNorm2d) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        factor = 1.0 / torch.sqrt(norm.running_var.double() + norm.eps)
        factor = factor if norm.weight is None else factor * norm.weight.double()
        constant = -norm.running_mean.double() * factor
        constant = constant if norm.bias is None else constant + norm.bias.double()
        weight = connection.weight
        weight.copy_(weight.double() * factor.reshape(-1, *[1] * (weight.ndim - 1)))
        if connection.bias is not None:
            constant = constant + connection.bias.double() * factor
        connection.bias = nn.Parameter(constant.to(weight.dtype))
