"""Modules one after the other, with neurons and the connections before them in one loop."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from treplica.learning.fused.fed import BIAS, ENTRIES, GAIN, INPUT, WEIGHTS
from treplica.learning.fused.loops import fed_for
from treplica.learning.fused.op import unroll
from treplica.learning.layers.convolution import Conv1d, Conv2d
from treplica.learning.layers.linear import Linear
from treplica.learning.layers.normalisation import Dropout
from treplica.learning.neurons import Neurons, dtype_name
from treplica.learning.sparse.op import DENSEST
from treplica.learning.sparse.product import Entries, entries_of
from treplica.learning.spikes import SpikeTensor


class Sequential(nn.Sequential):
    """`nn.Sequential` that computes a `Linear` and the `Neurons` after it as one loop where few inputs are spikes.

    A `Dropout` after them is a part of that loop.

    The same numbers, parameters and names as `nn.Sequential`; what reaches the neurons is never kept, so such a pair
    takes less time and, with the backward pass, memory for its spikes alone. On CPUs, outside `torch.compile`; on a GPU
    the two are computed apart.

    recompute: where most inputs are not zero, `Linear` or a convolution and the `Neurons` after it keep their input
    alone, and are computed again in the backward pass: less memory for more time. Neurons with noise are left out.
    """

    def __init__(self, *modules: nn.Module | OrderedDict[str, nn.Module], recompute: bool = False) -> None:
        super().__init__(*modules)
        self.recompute = recompute

    def __getitem__(self, index: slice | int | str) -> Any:
        found = super().__getitem__(index)
        if isinstance(index, slice):
            found.recompute = self.recompute
        return found

    def forward(self, x: Tensor | SpikeTensor) -> Any:
        """What the last module gives."""
        parts = list(self)
        at = 0
        while at < len(parts):
            pair = parts[at : at + 2]
            spikes = _spikes(pair, x)
            if spikes is not None:
                dropped = _dropped(pair[1], parts[at + 2 : at + 3])
                x = _together(pair[0], pair[1], x, spikes, dropped)
                pair = parts[at : at + 2 + (dropped is not None)]
            elif self.recompute and isinstance(x, Tensor) and _again(pair):
                x = checkpoint(nn.Sequential(*pair), x, use_reentrant=False, preserve_rng_state=False)
            else:
                x = parts[at](x)
                pair = pair[:1]
            at += len(pair)
        return x


def _again(pair: list[nn.Module]) -> bool:
    """Whether a pair gives the same when it is computed again."""
    connected = len(pair) == 2 and isinstance(pair[0], (Linear, Conv1d, Conv2d))
    return connected and isinstance(pair[1], Neurons) and not pair[1].cell.of_role("noise")


def _spikes(pair: list[nn.Module], x: Tensor | SpikeTensor) -> Entries | None:
    """The entries of the input, if a pair is computed together."""
    if len(pair) < 2 or not isinstance(pair[0], Linear) or not isinstance(pair[1], Neurons):
        return None
    linear, layer = pair
    kind = linear.weight.dtype
    alone = not layer.cell.of_role("noise") and layer.backend != "steps" and layer.cell.states
    hooked = any(p._forward_hooks or p._forward_pre_hooks for p in pair)
    if (
        torch.compiler.is_compiling()
        or not alone
        or hooked
        or layer.size not in (None, (linear.out_features,))
    ):
        return None
    if linear.weight.device.type != "cpu" or kind not in (torch.float32, torch.float64):
        return None
    if x.ndim != 3 or x.shape[2] != linear.in_features or not x.shape[0] * x.shape[1]:
        return None
    if isinstance(x, SpikeTensor):
        return (x if x.dtype == kind else x.to(kind)).entries
    if x.dtype != kind or x.device.type != "cpu":
        return None
    return entries_of(x.detach().flatten(0, 1).contiguous(), DENSEST)


def _dropped(layer: nn.Module, after: list[nn.Module]) -> Dropout | None:
    """What drops spikes of a pair at once."""
    found = after[0] if after and isinstance(after[0], Dropout) else None
    if found is None or found._forward_hooks or found._forward_pre_hooks:
        return None
    return found if found.drops and isinstance(layer, Neurons) and layer.output == "spike" else None


def _together(
    linear: Linear, layer: Neurons, x: Tensor | SpikeTensor, spikes: Entries, dropped: Dropout | None
) -> Tensor:
    """The output of a pair, and of the dropout after it."""
    like = linear.weight.new_empty((x.shape[1], linear.out_features))
    constants, columns = layer.loop_constants(like)
    given = {**constants, **layer.initial_state(like), WEIGHTS: linear.weight.t()}
    given |= zip(ENTRIES, spikes, strict=True)
    biased, dense = linear.bias is not None, isinstance(x, Tensor) and x.requires_grad
    if biased:
        given[BIAS] = linear.bias
    if isinstance(x, Tensor) and dense:
        given[INPUT] = x
    if dropped is not None:
        given[GAIN] = dropped.mask(like)
    name = fed_for(
        layer, layer.port, columns, (layer.output,), dtype_name(like), biased, dense, GAIN in given
    )
    return unroll(name, x.shape[0], given)[f"out {layer.output}"]
