"""Thresholds put into weights, so that every neuron has the threshold 1."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from treplica.learning.conversion.reading import Part
from treplica.learning.conversion.twins import CONNECTIONS, Connection
from treplica.learning.layers.linear import Linear
from treplica.learning.layers.pooling import Flatten


def balance(parts: list[Part], incoming: Tensor | None, outgoing: Tensor | None) -> None:
    """Let a stage take spikes worth `incoming` and give inputs in units of `outgoing`, in place.

    incoming: thresholds of the neurons before, [C, 1, ...]; outgoing: of those after, [C].
    """
    connections: list[Any] = [part.module for part in parts if isinstance(part.module, CONNECTIONS)]
    if incoming is not None:
        for part in parts:
            if part.module is connections[0]:
                break
            if isinstance(part.module, Flatten):
                spread = incoming.expand(part.given)
                incoming = part.module(spread[None, None])[0, 0]
        _scale_inputs(connections[0], incoming)
    if outgoing is not None:
        _scale_outputs(connections[-1], 1.0 / outgoing)


def _scale_inputs(connection: Connection, factors: Tensor) -> None:
    """Multiply what comes from each input by its factor, [C, ...]: all of a channel have the same."""
    weight = connection.weight
    if isinstance(connection, Linear):
        by_input = factors.flatten()
    else:
        channels = factors.flatten(1)[:, 0].reshape(connection.groups, -1)
        by_input = channels.repeat_interleave(weight.shape[0] // connection.groups, 0)
        by_input = by_input.reshape(*by_input.shape, *[1] * (weight.ndim - 2))
    with torch.no_grad():
        weight.copy_(weight.double() * by_input)


def _scale_outputs(connection: Connection, factors: Tensor) -> None:
    weight, bias = connection.weight, connection.bias
    with torch.no_grad():
        weight.copy_(weight.double() * factors.reshape(-1, *[1] * (weight.ndim - 1)))
        if bias is not None:
            bias.copy_(bias.double() * factors)
