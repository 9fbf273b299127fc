"""Short names for the pieces of syntax trees that generated kernels are made of."""

from __future__ import annotations

import ast


def var(identifier: str) -> ast.Name:
    """A variable."""
    return ast.Name(identifier, ast.Load())


def call(function: str, *arguments: ast.expr | int | str) -> ast.Call:
    """A call of a function by its name."""
    return ast.Call(var(function), [expr(a) for a in arguments], [])


def expr(value: ast.expr | int | str) -> ast.expr:
    """A variable or a number, unless it is an expression already."""
    if isinstance(value, str):
        return var(value)
    return ast.Constant(value) if isinstance(value, int) else value


def entry(array: str, index: int | str) -> ast.Subscript:
    """An item of an array."""
    return ast.Subscript(var(array), expr(index), ast.Load())


def assign(target: str | ast.Subscript, value: ast.expr | int | str) -> ast.Assign:
    """An assignment to a variable or an item."""
    goal: ast.expr = ast.Name(target, ast.Store()) if isinstance(target, str) else target
    if isinstance(goal, ast.Subscript):
        goal = ast.Subscript(goal.value, goal.slice, ast.Store())
    return ast.Assign([goal], expr(value))


def plus(left: ast.expr, right: ast.expr) -> ast.BinOp:
    """A sum."""
    return ast.BinOp(left, ast.Add(), right)
