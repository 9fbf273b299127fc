"""A network of ReLUs as stages: what is linear between two layers of ReLUs, as modules over time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from treplica.errors import InvalidValue
from treplica.learning.conversion.twins import (
    AVERAGES,
    CONNECTIONS,
    NORMS,
    SILENT,
    folded,
    norm_twin,
    twin,
    unit_connection,
)
from treplica.learning.layers.over_time import OverTime
from treplica.learning.layers.sequential import Sequential


@dataclass
class Part:
    """A module over time, the path of the one it stands for, and the shape that reaches it, without T and B."""

    path: str
    module: nn.Module
    given: tuple[int, ...]


@dataclass
class Stage:
    """What is linear up to a layer of ReLUs, or up to the end of the network.

    values: what the ReLUs gave, or the network, for the calibration [N, ...]. relu: their path; None at the end.
    """

    values: Tensor
    parts: list[Part] = field(default_factory=list)
    relu: str | None = None

    @property
    def connections(self) -> list[Any]:
        """The modules that have weights, in order."""
        return [part.module for part in self.parts if isinstance(part.module, CONNECTIONS)]

    @property
    def averages(self) -> bool:
        """Whether average pooling comes first."""
        first = self.parts[0].module if self.parts else None
        return isinstance(first.module if isinstance(first, OverTime) else first, AVERAGES)


def stages(network: nn.Module, calibration: Tensor) -> Iterator[Stage]:
    """The stages of a network in order, each with what it gave for the calibration; the network is not changed.

    Batch normalisation is folded into the connection before it, or is a connection of its own. Dropout is left out, and
    so are ReLUs of what is not negative. Raises InvalidValue for modules that cannot be converted.
    """
    stage, neurons = Stage(calibration), 0
    for path, module in modules(copy.deepcopy(network).eval(), ""):
        if type(module) is not nn.ReLU:
            _advance(stage, path, module)
            continue
        stage.values = torch.relu(stage.values)
        if stage.connections:
            stage.relu = path
            yield stage
            stage, neurons = Stage(stage.values), neurons + 1
        elif not neurons:
            advice = "Take it away where inputs are not negative, or put a connection before it."
            raise InvalidValue(f"module {path!r}: ReLU", "of the input", "after a connection", advice)
    if not neurons:
        advice = "Neurons stand for nn.ReLU: a network without one has nothing to convert."
        raise InvalidValue("convert(network)", type(network).__name__, "a network with nn.ReLU", advice)
    yield stage


def modules(module: nn.Module, path: str) -> Iterator[tuple[str, nn.Module]]:
    """The modules of nested `nn.Sequential`s in order, with their paths; one that is there twice comes twice."""
    if type(module) not in (nn.Sequential, Sequential):
        yield path, module
        return
    for name, part in module._modules.items():
        assert part is not None
        yield from modules(part, f"{path}.{name}" if path else name)


def _advance(stage: Stage, path: str, module: nn.Module) -> None:
    """Let a module act on the values of a stage, and add what stands for it."""
    if type(module) in SILENT:
        return
    given, what = tuple(stage.values.shape[1:]), f"module {path!r}"
    if type(module) in NORMS:
        before = stage.parts[-1].module if stage.parts else None
        norm = norm_twin(module, what)
        if not isinstance(before, CONNECTIONS):
            before = unit_connection(norm.num_features, given, norm.running_mean)
            stage.parts.append(Part(path, before, given))
        folded(before, norm)
    else:
        stage.parts.append(Part(path, twin(module, given, what), given))
    try:
        with torch.no_grad():
            stage.values = module(stage.values)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        allowed = f"a shape that {type(module).__name__} takes"
        raise InvalidValue(f"{what}: what reaches it (without samples)", given, allowed, reason) from None
    if not stage.values.isfinite().all():
        raise InvalidValue(
            f"{what}: what it gives", "NaN or infinite values", "finite", "Look at its weights."
        )
