"""The same code object with other globals and other number literals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any


def with_literals(
    function: Callable[..., Any], space: Mapping[str, Any], literal: Callable[[float], Any]
) -> FunctionType:
    """A function with new globals and its number literals passed through `literal`."""
    assert isinstance(function, FunctionType)
    constants = tuple(_exchanged(c, literal) for c in function.__code__.co_consts)
    return FunctionType(function.__code__.replace(co_consts=constants), dict(space), function.__name__)


def _exchanged(constant: Any, literal: Callable[[float], Any]) -> Any:
    """A constant of the code; Python makes one of a tuple of numbers."""
    if isinstance(constant, tuple):
        return tuple(_exchanged(c, literal) for c in constant)
    return literal(constant) if isinstance(constant, float) else constant
