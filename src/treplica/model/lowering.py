"""From the checked syntax tree of a model to the tree of compiled code.

Numbers become `real(number)`, since one bare literal turns a float32 loop into float64; words keep their
vocabulary names, and locals make way for them; formulas and elementary functions become functions of their own,
listed before their callers; `dict(a=x)` is returned as a tuple in a given order. Types, loops and arrays do not
occur here.
"""

from __future__ import annotations

import ast
import copy
import operator
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Literal

from treplica.model.check import EXACT_WORDS, WORDS, Checked, check
from treplica.model.definition import Formula
from treplica.model.source import read_source
from treplica.model.tape import Ref, Tape
from treplica.numerics.elementary import ELEMENTARY

Precision = Literal["float64", "float32"]

_FOLD: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


#: Names that the lowered functions use, whatever the model calls its quantities.
_TAKEN = {"real", *WORDS, *EXACT_WORDS}


@cache
def elementary_formulas(precision: Precision) -> dict[str, Formula]:
    """The elementary functions of a working type as formulas, by vocabulary name."""
    index = 0 if precision == "float64" else 1
    known: dict[Any, Formula] = {}
    result = {}
    for word, definitions in ELEMENTARY.items():
        function = definitions[index]
        result[word] = known[function] = Formula(
            check(read_source(function), is_formula=True, exact_words=True, helpers=known)
        )
    return result


class _Lowering(ast.NodeTransformer):
    """Rewrites one function body."""

    def __init__(self, checked: Checked, callees: dict[str, str], order: Sequence[str]) -> None:
        self.checked, self.callees, self.order = checked, callees, order

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, (int, float)):
            return _real(float(node.value))
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if isinstance(node.operand, ast.Constant):
            return _real(-float(node.operand.value))  # type: ignore[arg-type]
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        folded = _folded(node)
        return _real(folded) if folded is not None else self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.checked.constants:
            return _real(self.checked.constants[node.id])
        return ast.Name(_local(node.id), node.ctx)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        assert isinstance(node.func, ast.Name)
        node.func = ast.Name(self.callees[node.func.id], ast.Load())
        node.args = [self.visit(a) for a in node.args]
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if not self.order:
            return self.generic_visit(node)
        assert isinstance(node.value, ast.Call)
        by_name = {k.arg: self.visit(k.value) for k in node.value.keywords}
        return ast.Return(ast.Tuple([by_name[n] for n in self.order], ast.Load()))


def _local(name: str) -> str:
    """The name of an argument or local in the lowered function."""
    return f"{name}__own" if name in _TAKEN else name


def _real(value: float) -> ast.expr:
    return ast.Call(ast.Name("real", ast.Load()), [ast.Constant(float(value))], [])


def _folded(node: ast.expr) -> float | None:
    """The value of an expression of literals alone, computed in float64 as CPython's compiler does."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.UnaryOp(op=ast.USub()):
            inner = _folded(node.operand)
            return None if inner is None else -inner
        case ast.BinOp(op=op) if type(op) in _FOLD:
            left, right = _folded(node.left), _folded(node.right)
            if left is not None and right is not None and not (isinstance(op, ast.Div) and right == 0.0):
                return float(_FOLD[type(op)](left, right))
    return None


def lower(
    checked: Checked, name: str, precision: Precision, order: Sequence[str] = ()
) -> Iterator[ast.FunctionDef]:
    """The functions that compute `checked`, callees first; the last one is called `name`.

    order: the returned dict becomes a tuple of these entries (empty for formulas, which return tuples already).
    Every callee is called `<name>__<what it was called>`, so that functions of several models share a module.
    """
    callees: dict[str, str] = {}
    for local, helper in _helpers(checked, precision).items():
        callees[local] = f"{name}__{local}"
        yield from lower(helper.checked, callees[local], precision)
    callees |= {local: word for local, word in checked.words.items() if local not in callees}
    tree = copy.deepcopy(checked.source.tree)
    body = tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
    rewrite = _Lowering(checked, callees, order)
    function = ast.FunctionDef(
        name=name,
        args=ast.arguments(
            [], [ast.arg(_local(a)) for a in checked.source.arguments], None, [], [], None, []
        ),
        body=[rewrite.visit(statement) for statement in body],
        decorator_list=[ast.Name("inlined", ast.Load())],
    )
    yield ast.fix_missing_locations(function)


def flattened(checked: Checked, precision: Precision) -> tuple[Tape, dict[str, Ref]]:
    """A function as a tape with elementary functions written out, so that every word is exact, and its outputs."""
    whole = Tape(checked.source.arguments)
    outputs = whole.inline(checked, {a: a for a in checked.source.arguments})
    assert isinstance(outputs, dict)
    elementary = elementary_formulas(precision)
    result = Tape(whole.inputs)
    known: dict[Ref, Ref] = {a: a for a in whole.inputs}
    for operation in whole.needed(outputs.values()):
        of = [known.get(a, a) for a in operation.of]
        if operation.word in elementary:
            (known[operation.name],) = result.call(elementary[operation.word], *of)
        else:
            known[operation.name] = result.add(operation.word, *of)
    return result, {n: known.get(r, r) for n, r in outputs.items()}


def _helpers(checked: Checked, precision: Precision) -> dict[str, Formula]:
    elementary = elementary_formulas(precision)
    helpers: dict[str, Formula] = dict(checked.formulas)
    helpers |= {local: elementary[word] for local, word in checked.words.items() if word in elementary}
    return helpers
