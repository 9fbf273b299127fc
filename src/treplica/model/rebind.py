"""The same function with other words: how CPython in float32 and PyTorch run a model."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from treplica.model.check import Checked
from treplica.model.literals import with_literals
from treplica.model.source import bare


class _Floats(ast.NodeTransformer):
    """Whole numbers become floats: Python keeps small ones where their value cannot be exchanged."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            return ast.copy_location(ast.Constant(float(node.value)), node)
        return node


def rebind(
    checked: Checked, words: Mapping[str, Callable[..., Any]], literal: Callable[[float], Any]
) -> FunctionType:
    """The checked function with the vocabulary replaced by `words` and every number passed through `literal`.

    Formulas are rebound in the same way. The result takes and returns what the original does.
    """
    space: dict[str, Any] = {"__builtins__": builtins}
    space |= {name: words[word] for name, word in checked.words.items()}
    space |= {name: literal(value) for name, value in checked.constants.items()}
    space |= {name: rebind(f.checked, words, literal) for name, f in checked.formulas.items()}
    tree = _Floats().visit(bare(checked.source.tree))
    defined: dict[str, Any] = {}
    exec(compile(ast.Module([tree], []), checked.source.file, "exec", dont_inherit=True), {}, defined)
    return with_literals(defined[tree.name], space, literal)
