"""A module walked from its input on: modules of this package, `nn.Sequential`, and what holds them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Generic, Protocol, Self, TypeVar

import torch
from torch import fx, nn

from treplica.errors import InvalidValue
from treplica.learning.layers.residual import Residual


class Line(Protocol):
    """What goes from module to module."""

    def plus(self, other: Any) -> Self:
        """The sum of two."""

    def later(self, steps: int) -> Self:
        """The same so many steps later."""


S = TypeVar("S", bound=Line)
#: What makes of a module and what reaches it what it gives: (walk, module, line, path) -> line; by types of modules.
Readers = tuple[tuple[Any, Callable[[Any, Any, Any, str], Any]], ...]


class Walk(Generic[S]):
    """Follows a line through modules. Subclasses say in `readers` what single modules do."""

    @property
    def readers(self) -> Readers:
        """By types of modules."""
        raise NotImplementedError

    def read(self, module: nn.Module, line: S, path: str) -> S:
        """What a module gives for a line; path: of the module in the whole."""
        for kinds, reader in (*self.readers, *_HOLDERS):
            if isinstance(module, kinds):
                found: S = reader(self, module, line, path)
                return found
        return self.traced(module, line, path)

    def residual(self, module: Residual, line: S, path: str) -> S:
        """Body and shortcut, added."""
        through = self.read(module.body, line, f"{path}.body".lstrip("."))
        beside = line
        if module.shortcut is not None:
            beside = self.read(module.shortcut, line, f"{path}.shortcut".lstrip("."))
        total = through.plus(beside.later(module.delay))
        return (
            total
            if module.neurons is None
            else self.read(module.neurons, total, f"{path}.neurons".lstrip("."))
        )

    def sequential(self, module: nn.Sequential, line: S, path: str) -> S:
        """One after the other."""
        for name, part in module.named_children():
            line = self.read(part, line, f"{path}.{name}" if path else name)
        return line

    def traced(self, module: nn.Module, line: S, path: str) -> S:
        """Any other module: its `forward` as a graph of modules and sums."""
        what = f"module {path!r}" if path else type(module).__name__
        try:
            graph = _Tracer().trace(module)
        except Exception as error:  # whatever its forward does with what is no tensor
            advice = "Use modules of treplica.learning, nn.Sequential and sums in its forward."
            raise InvalidValue(what, str(error), "a module whose forward can be read", advice) from None
        known: dict[Any, S] = {}
        for node in graph.nodes:
            if node.op == "placeholder" and not known:
                known[node] = line
            elif node.op == "call_module":
                part = module.get_submodule(str(node.target))
                known[node] = self.read(part, known[node.args[0]], f"{path}.{node.target}".lstrip("."))
            elif node.op == "call_function" and node.target in (operator.add, torch.add):
                known[node] = known[node.args[0]].plus(known[node.args[1]])
            elif node.op == "output":
                return known[node.args[0]]
            else:
                raise InvalidValue(
                    f"{what}: forward", f"calls {node.target}", "modules and sums of what they give"
                )
        raise AssertionError("a graph has an output")


class _Tracer(fx.Tracer):
    """Stops at every module: those are read themselves."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return True


_HOLDERS: Readers = ((Residual, Walk.residual), (nn.Sequential, Walk.sequential))
