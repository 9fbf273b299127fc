"""The same code object with other words: how CPython in float32 and PyTorch run a model."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from treplica.model.check import Checked


def rebind(
    checked: Checked, words: Mapping[str, Callable[..., Any]], literal: Callable[[float], Any]
) -> FunctionType:
    """The checked function with the vocabulary replaced by `words` and every number passed through `literal`.

    Formulas are rebound in the same way. The result takes and returns what the original does.
    """
    function = checked.source.function
    space: dict[str, Any] = {"__builtins__": builtins}
    space |= {name: words[word] for name, word in checked.words.items()}
    space |= {name: literal(value) for name, value in checked.constants.items()}
    space |= {name: rebind(f.checked, words, literal) for name, f in checked.formulas.items()}
    return rebind_code(function, space, literal)


def rebind_code(
    function: Callable[..., Any], space: Mapping[str, Any], literal: Callable[[float], Any]
) -> FunctionType:
    """A function with new globals and its number literals passed through `literal`."""
    assert isinstance(function, FunctionType)
    code = function.__code__
    constants = tuple(
        literal(c) if isinstance(c, (int, float)) and not isinstance(c, bool) else c for c in code.co_consts
    )
    cells = tuple(CellType(space[name]) for name in code.co_freevars)
    return FunctionType(
        code.replace(co_consts=constants),
        dict(space),
        function.__name__,
        function.__defaults__,
        cells or None,
    )
