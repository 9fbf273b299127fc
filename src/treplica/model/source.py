"""The text of a model function, its syntax tree, and what the names in it stand for."""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from treplica.errors import ModelError


@dataclass(frozen=True)
class Source:
    """A function with its text: `tree` has the line numbers of `file`."""

    function: FunctionType
    file: str
    text: str
    tree: ast.FunctionDef

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the function's arguments, in order."""
        return tuple(a.arg for a in self.tree.args.args)

    def lookup(self, name: str) -> Any:
        """What a name that is neither argument nor local stands for; KeyError if nothing."""
        code = self.function.__code__
        if name in code.co_freevars and self.function.__closure__:
            try:
                return self.function.__closure__[code.co_freevars.index(name)].cell_contents
            except ValueError:  # the enclosing function has not assigned it yet
                raise KeyError(name) from None
        return self.function.__globals__[name]

    def error(self, node: ast.AST, problem: str, advice: str = "") -> ModelError:
        """A ModelError at the line of `node`."""
        return ModelError(self.file, getattr(node, "lineno", self.tree.lineno), problem, advice)


def bare(tree: ast.FunctionDef) -> ast.FunctionDef:
    """The function without what Python would evaluate when it is defined: decorators and annotations."""
    arguments = [ast.arg(a.arg) for a in tree.args.args]
    function = ast.FunctionDef(
        name=tree.name,
        args=ast.arguments([], arguments, None, [], [], None, []),
        body=copy.deepcopy(tree.body),
        decorator_list=[],
    )
    return ast.fix_missing_locations(ast.copy_location(function, tree))


def read_source(function: Callable[..., Any]) -> Source:
    """The source of a function defined in a file, a notebook cell or a loaded description."""
    if not isinstance(function, FunctionType):
        raise ModelError("<model>", 0, f"{function!r} is not a function", "Define the model with `def`.")
    file = function.__code__.co_filename
    if hasattr(function, "__wrapped__"):
        problem = f"{function.__name__} has another decorator"
        advice = "It would run something else than its source says; remove it."
        raise ModelError(file, function.__code__.co_firstlineno, problem, advice)
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        problem = f"the source of {function.__name__} cannot be read"
        raise ModelError(file, 0, problem, "Define the model in a file or a notebook cell.") from None
    text = textwrap.dedent("".join(lines))
    try:
        parsed = ast.parse(text)
    except SyntaxError as error:
        line = first + (error.lineno or 1) - 1
        raise ModelError(file, line, f"the source of {function.__name__} cannot be parsed") from None
    tree = parsed.body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise ModelError(file, first, "a model is a function", "Define it with `def`, not `lambda`.")
    ast.increment_lineno(tree, first - 1)
    return Source(function, file, _without_decorators(text, tree, first), tree)


def _without_decorators(text: str, tree: ast.FunctionDef, first: int) -> str:
    """The text from the line of `def` on."""
    return "\n".join(text.splitlines()[tree.lineno - first :]) + "\n"
