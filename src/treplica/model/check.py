"""The model language: what a model function may contain, checked on its syntax tree before anything runs.

Allowed: assignments to names, + - * /, unary minus, one comparison at a time, comparisons joined by & and |, calls
of the vocabulary and of formulas, numbers. Everything else is refused with file, line and a way out. A number and a
truth value are different kinds: arithmetic on a truth value means different things to different targets.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from treplica.errors import ModelError
from treplica.model import vocabulary
from treplica.model.source import Source
from treplica.numerics import primitives

Sort = Literal["number", "truth"]

WORDS = {name: getattr(vocabulary, name) for name in vocabulary.__all__}
#: What only the elementary functions may use: exact changes of a float's exponent.
EXACT_WORDS = {name: getattr(primitives, name) for name in ("pow2", "mantissa", "exponent")}
ARITY = {"where": 3, "minimum": 2, "maximum": 2}
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div)
LOGIC = (ast.BitAnd, ast.BitOr)
ADVICE = {
    ast.Pow: "Write powers as products: v * v * v.",
    ast.If: "Use where(condition, a, b).",
    ast.IfExp: "Use where(condition, a, b).",
    ast.BoolOp: "Join comparisons with & and |, each in parentheses.",
    ast.For: "A model has no loops; write the terms out or use a formula.",
    ast.While: "A model has no loops; write the terms out or use a formula.",
    ast.AugAssign: "Write x = x + y.",
    ast.FloorDiv: "Use floor(a / b).",
    ast.Mod: "Use a - b * floor(a / b).",
    ast.Not: "Write the opposite comparison.",
    ast.Invert: "Write the opposite comparison.",
    ast.Subscript: "A model sees one neuron: it has no arrays.",
    ast.Attribute: "Import the word by its name: from treplica.model import exp.",
    ast.Lambda: "Define a formula with @formula.",
}


@dataclass(frozen=True)
class Checked:
    """A function that is inside the language, with what its free names stand for."""

    source: Source
    words: dict[str, str]  # name in the function -> name in the vocabulary
    formulas: dict[str, Any]  # name in the function -> Formula
    constants: dict[str, float]  # name in the function -> number
    outputs: tuple[str, ...]  # keys of the returned dict(...), empty for a formula
    width: int  # how many numbers a formula returns, 0 otherwise


@dataclass
class _Reader:
    source: Source
    is_formula: bool
    sorts: dict[str, Sort]
    vocabulary: Mapping[str, Any]
    helpers: Mapping[Any, Any]  # plain function -> the formula it stands for
    words: dict[str, str] = field(default_factory=dict)
    formulas: dict[str, Any] = field(default_factory=dict)
    constants: dict[str, float] = field(default_factory=dict)

    def refuse(self, node: ast.AST, what: str) -> ModelError:
        kind = getattr(node, "op", node)
        advice = ADVICE.get(type(kind), ADVICE.get(type(node), ""))
        return self.source.error(node, what, advice)

    def number(self, node: ast.expr) -> None:
        if self.sort(node) != "number":
            advice = "Use where(condition, 1.0, 0.0) to make it a number."
            raise self.source.error(node, "a truth value stands where a number is needed", advice)

    def truth(self, node: ast.expr) -> None:
        if self.sort(node) != "truth":
            advice = "Compare it: x > 0.0."
            raise self.source.error(node, "a number stands where a truth value is needed", advice)

    def sort(self, node: ast.expr) -> Sort:
        """The sort of an expression; refuses what is outside the language."""
        match node:
            case ast.Constant(value=bool() | str() | None):
                raise self.refuse(node, f"{node.value!r} is not a number")
            case ast.Constant(value=int() | float() as value):
                if abs(value) > sys.float_info.max and isinstance(value, int):
                    raise self.refuse(node, "a whole number beyond float64")
                return "number"
            case ast.Name():
                return self.name(node)
            case ast.BinOp(op=op) if isinstance(op, ARITHMETIC):
                self.number(node.left)
                self.number(node.right)
                return "number"
            case ast.BinOp(op=op) if isinstance(op, LOGIC):
                self.truth(node.left)
                self.truth(node.right)
                return "truth"
            case ast.UnaryOp(op=ast.USub()):
                self.number(node.operand)
                return "number"
            case ast.Compare() if len(node.ops) == 1 and not isinstance(
                node.ops[0], (ast.In, ast.NotIn, ast.Is, ast.IsNot)
            ):
                self.number(node.left)
                self.number(node.comparators[0])
                return "truth"
            case ast.Compare() if len(node.ops) > 1:
                raise self.source.error(node, "a chain of comparisons", "Write (a < b) & (b < c).")
            case ast.Call():
                return self.call(node)
        raise self.refuse(node, f"{ast.unparse(node)!r} is not in the model language")

    def name(self, node: ast.Name) -> Sort:
        if node.id in self.sorts:
            return self.sorts[node.id]
        value = self.meaning(node)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            self.constants[node.id] = value
            return "number"
        raise self.source.error(
            node, f"{node.id!r} is not a number", "Only declared quantities and numbers are read."
        )

    def meaning(self, node: ast.Name) -> Any:
        try:
            return self.source.lookup(node.id)
        except KeyError:
            advice = "Declare it as a field, or assign it before."
            raise self.source.error(node, f"{node.id!r} is not defined", advice) from None

    def call(self, node: ast.Call) -> Sort:
        width = self.called(node)
        if width > 1:
            raise self.source.error(
                node, f"a formula that returns {width} numbers", "Assign it: a, b = formula(...)."
            )
        return "number" if width else self.sort(node.args[1])

    def called(self, node: ast.Call) -> int:
        """Check a call; how many numbers it gives, 0 for `where`, whose sort is that of its branches."""
        if not isinstance(node.func, ast.Name) or node.func.id in self.sorts:
            raise self.refuse(node.func, f"{ast.unparse(node.func)!r} cannot be called in a model")
        name, meaning = node.func.id, self.meaning(node.func)
        meaning = self.helpers.get(meaning, meaning)
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise self.source.error(
                node, f"{name} is called with keywords or *", "Give the arguments by position."
            )
        word = next((w for w, f in self.vocabulary.items() if f is meaning), None)
        wanted = ARITY.get(word, 1) if word else len(getattr(meaning, "arguments", ()))
        if word is None and not hasattr(meaning, "is_formula"):
            known = ", ".join(WORDS)
            raise self.source.error(
                node, f"{name} is not in the vocabulary", f"Known: {known}, and @formula functions."
            )
        if len(node.args) != wanted:
            raise self.source.error(node, f"{name} takes {wanted} arguments, got {len(node.args)}")
        if word == "where":
            self.truth(node.args[0])
            if self.sort(node.args[1]) != self.sort(node.args[2]):
                raise self.source.error(
                    node, "where(...) with a number on one side and a truth value on the other"
                )
        else:
            for argument in node.args:
                self.number(argument)
        if word:
            self.words[name] = word
            return 0 if word == "where" else 1
        self.formulas[name] = meaning
        return int(meaning.width)

    def bind(self, target: ast.Name, sort: Sort) -> None:
        """Make a name a local. Python makes it one in the whole function, so it had no meaning before."""
        if target.id in {**self.words, **self.formulas, **self.constants}:
            problem = f"{target.id!r} is assigned after it was read"
            raise self.source.error(target, problem, "Choose another name.")
        self.sorts[target.id] = sort

    def assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if len(node.targets) == 1 and isinstance(target, ast.Name):
            self.bind(target, self.sort(node.value))
        elif len(node.targets) == 1 and isinstance(target, ast.Tuple) and isinstance(node.value, ast.Call):
            width = self.called(node.value)
            if width < 2:
                raise self.source.error(node, "a tuple of names for one number", "Write x = ...")
            names = [t for t in target.elts if isinstance(t, ast.Name)]
            if not width == len(target.elts) == len(names):
                raise self.source.error(node, f"{len(names)} names for {width} numbers")
            for name in names:
                self.bind(name, "number")
        else:
            raise self.source.error(node, "only names are assigned to", "Write one assignment for each name.")

    def returned(self, node: ast.Return) -> tuple[tuple[str, ...], int]:
        value = node.value
        if self.is_formula:
            parts = value.elts if isinstance(value, ast.Tuple) else [value] if value else []
            if not parts or (isinstance(value, ast.Tuple) and len(parts) < 2):
                problem = "a formula returns one number, or a tuple of several"
                raise self.source.error(node, problem, "Write return x, or return x, y.")
            for part in parts:
                self.number(part)
            return (), len(parts)
        if not (isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict"):
            raise self.source.error(
                node, "the result is not dict(name=...)", "End with return dict(v=..., spike=...)."
            )
        if value.args or any(k.arg is None for k in value.keywords):
            raise self.source.error(node, "dict(...) takes names only", "Write dict(v=v1, spike=s).")
        for keyword in value.keywords:
            self.number(keyword.value)
        return tuple(str(k.arg) for k in value.keywords), 0


def check(
    source: Source,
    *,
    is_formula: bool = False,
    exact_words: bool = False,
    helpers: Mapping[Any, Any] = MappingProxyType({}),
) -> Checked:
    """Check a function against the language and collect what its names stand for; ModelError otherwise.

    exact_words and helpers are for the elementary functions: they change exponents and call each other.
    """
    args = source.tree.args
    if args.vararg or args.kwarg or args.kwonlyargs or args.posonlyargs or args.defaults:
        raise source.error(
            source.tree, "a model takes plain arguments", "Defaults belong to the field declarations."
        )
    words = WORDS | EXACT_WORDS if exact_words else WORDS
    reader = _Reader(source, is_formula, dict.fromkeys(source.arguments, "number"), words, helpers)
    body = list(source.tree.body)
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    if not body or not isinstance(body[-1], ast.Return):
        raise source.error(source.tree, f"{source.tree.name} does not end with return")
    for statement in body[:-1]:
        if not isinstance(statement, ast.Assign):
            raise reader.refuse(statement, f"{type(statement).__name__.lower()} is not in the model language")
        reader.assign(statement)
    outputs, width = reader.returned(body[-1])
    return Checked(source, reader.words, reader.formulas, reader.constants, outputs, width)
