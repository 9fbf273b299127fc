"""A checked function as a flat list of operations: formulas inlined, every number literal or named.

Engines keep the function's own shape (see `lowering`). A tape is for what must look at each operation: the
derivative (`adjoint`) and joining receptors and a neuron into one function (`learning.cell`). It is written back
as a function of the model language, so that every target runs it as it runs a model.
"""

from __future__ import annotations

import ast
import linecache
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from treplica.model.check import WORDS, Checked, check
from treplica.model.definition import Formula
from treplica.model.source import Source

#: A variable of the tape, or a literal number.
Ref = str | float

ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
LOGIC: dict[type[ast.operator], str] = {ast.BitAnd: "&", ast.BitOr: "|"}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_FOLD = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
_INFIX = {word: kind for kinds in (ARITHMETIC, LOGIC) for kind, word in kinds.items()}
_COMPARED = {word: kind for kind, word in COMPARISONS.items()}


@dataclass(frozen=True)
class Operation:
    """`name = word(*of)`. Words: the vocabulary, operators by their sign, `neg`, `number` (a named one)."""

    name: str
    word: str
    of: tuple[Ref, ...]


class Tape:
    """Operations in order; asking twice for the same one gives the same variable."""

    def __init__(self, inputs: Iterable[str]) -> None:
        self.inputs = tuple(inputs)
        self.operations: list[Operation] = []
        self._known: dict[tuple[str, tuple[Ref, ...]], str] = {}

    def add(self, word: str, *of: Ref) -> Ref:
        """The result of an operation. Arithmetic of literals alone is done now, in float64, as CPython does."""
        literals = [a for a in of if not isinstance(a, str)]
        if len(literals) == len(of):
            if word == "neg":
                return -literals[0]
            if word in _FOLD and not (word == "/" and literals[1] == 0.0):
                return float(_FOLD[word](*literals))
        # 0.0 == -0.0: their texts differ.
        key = (word, tuple(a if isinstance(a, str) else repr(a) + " literal" for a in of))
        if key not in self._known:
            self._known[key] = f"t{len(self.operations)}"
            self.operations.append(Operation(self._known[key], word, of))
        return self._known[key]

    def inline(self, checked: Checked, arguments: Mapping[str, Ref]) -> dict[str, Ref] | tuple[Ref, ...]:
        """Append what a function computes; its entries by name, or the numbers of a formula."""
        return _Trace(self, checked, dict(arguments)).run()

    def call(self, formula: Formula, *arguments: Ref) -> tuple[Ref, ...]:
        """Append a formula; the numbers it returns."""
        result = self.inline(formula.checked, dict(zip(formula.arguments, arguments, strict=True)))
        assert isinstance(result, tuple)
        return result

    def needed(self, outputs: Iterable[Ref]) -> list[Operation]:
        """The operations on which `outputs` depend, in order."""
        wanted = {o for o in outputs if isinstance(o, str)}
        kept = []
        for operation in reversed(self.operations):
            if operation.name in wanted:
                kept.append(operation)
                wanted.update(a for a in operation.of if isinstance(a, str))
        return kept[::-1]


class _Trace:
    """Walks one function."""

    def __init__(self, tape: Tape, checked: Checked, known: dict[str, Ref]) -> None:
        self.tape, self.checked, self.known = tape, checked, known

    def run(self) -> dict[str, Ref] | tuple[Ref, ...]:
        tree = self.checked.source.tree
        for statement in tree.body[1 if ast.get_docstring(tree) is not None else 0 :]:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.known[name] = self.value(value)
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Call() as value):
                    results = self.called(value)
                    for target, result in zip(names, results, strict=True):
                        assert isinstance(target, ast.Name)
                        self.known[target.id] = result
                case ast.Return(value=ast.Call(keywords=keywords)) if self.checked.outputs:
                    return {str(k.arg): self.value(k.value) for k in keywords}
                case ast.Return(value=ast.Tuple(elts=parts)):
                    return tuple(self.value(part) for part in parts)
                case ast.Return(value=ast.expr() as part):
                    return (self.value(part),)
        raise AssertionError("a checked function ends with return")

    def value(self, node: ast.expr) -> Ref:
        match node:
            case ast.Constant(value=number):
                return float(number)  # type: ignore[arg-type]
            case ast.Name(id=name):
                if name in self.known:
                    return self.known[name]
                return self.tape.add("number", self.checked.constants[name])
            case ast.UnaryOp(operand=operand):
                return self.tape.add("neg", self.value(operand))
            case ast.BinOp(left=left, op=op, right=right):
                word = ARITHMETIC.get(type(op)) or LOGIC[type(op)]
                return self.tape.add(word, self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self.tape.add(COMPARISONS[type(op)], self.value(left), self.value(right))
            case ast.Call():
                return self.called(node)[0]
        raise AssertionError(f"{ast.unparse(node)} is in a checked function")

    def called(self, node: ast.Call) -> tuple[Ref, ...]:
        assert isinstance(node.func, ast.Name)
        arguments = [self.value(a) for a in node.args]
        name = node.func.id
        if name in self.checked.formulas:
            return self.tape.call(self.checked.formulas[name], *arguments)
        return (self.tape.add(self.checked.words[name], *arguments),)


def _expression(operation: Operation) -> ast.expr:
    of = [ast.Name(a, ast.Load()) if isinstance(a, str) else ast.Constant(a) for a in operation.of]
    word = operation.word
    if word in _INFIX:
        return ast.BinOp(of[0], _INFIX[word](), of[1])
    if word in _COMPARED:
        return ast.Compare(of[0], [_COMPARED[word]()], [of[1]])
    if word == "neg":
        return ast.UnaryOp(ast.USub(), of[0])
    return of[0] if word == "number" else ast.Call(ast.Name(word, ast.Load()), list(of), [])


def written(name: str, tape: Tape, outputs: Mapping[str, Ref], arguments: Sequence[str] = ()) -> Checked:
    """The tape as a function `name` of the model language, which returns `outputs`.

    arguments: what it takes (default: all inputs of the tape).
    """
    body: list[ast.stmt] = [
        ast.Assign([ast.Name(o.name, ast.Store())], _expression(o)) for o in tape.needed(outputs.values())
    ]
    entries = [
        ast.keyword(n, ast.Name(r, ast.Load()) if isinstance(r, str) else ast.Constant(r))
        for n, r in outputs.items()
    ]
    body.append(ast.Return(ast.Call(ast.Name("dict", ast.Load()), [], entries)))
    taken = [ast.arg(a) for a in arguments or tape.inputs]
    function = ast.FunctionDef(name, ast.arguments([], taken, None, [], [], None, []), body, [])
    return check(_source(name, ast.unparse(ast.fix_missing_locations(function))))


def _source(name: str, text: str) -> Source:
    """A function from its text, with the vocabulary as its globals."""
    file = f"<{name}, written from a tape>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space: dict[str, Any] = dict[str, Callable[..., Any]](WORDS)
    parsed = ast.parse(text, file)
    exec(compile(parsed, file, "exec", dont_inherit=True), space)
    tree = parsed.body[0]
    assert isinstance(tree, ast.FunctionDef)
    return Source(space[name], file, text, tree)
