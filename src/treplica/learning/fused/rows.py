"""What a layer computes for a row of columns in one step, forward and back, as syntax trees.

    step(frame, at, lo, n, source, target)    states at `source` -> states at `target`, outputs
    again(frame, at, lo, n, source, target)   the same without outputs
    back(frame, at, lo, n, source, carry)     states before the step, cotangents of those after it -> of those before it

A row is columns lo to lo + n; `at` is the row's first item in an array [T, columns]. States lie one row of `block`
items after the other. `frame` is the address of an int64 array: the address of the scalars (float64), the number of
columns, then the addresses of arrays, in the order of `Layout`. Rows of arrays [T, columns] lie far apart, so a step
asks for those of the next one.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from treplica.engines.cpu.syntax import assign, call, entry, plus, var
from treplica.learning.cell import Cell, Quantity, Relaxation, identifiers, step_of, vjp_of
from treplica.model.check import Checked
from treplica.model.lowering import Precision, lower

#: Where the addresses of arrays begin in a frame.
ARRAYS = 2


@dataclass(frozen=True)
class Shape:
    """What is compiled for. Keys are those of the cell's quantities.

    block: items from a state to the next, as many as a row has at most. series: inputs given at every step.
    columns: constants with one number for each column; the others have one for all. recorded: outputs of every
    step, `spike` or states. gain: whether recorded spikes are multiplied by a number for each column. given:
    those among them whose cotangent is given; steady: those of them whose cotangent is the same at every step.
    wanted: series and constants whose gradient is asked for. moving: items of the layout that lie in cache, whose
    address changes from step to step.
    """

    block: int
    series: tuple[str, ...]
    columns: frozenset[str] = frozenset()
    recorded: tuple[str, ...] = ("spike",)
    gain: bool = False
    given: frozenset[str] = frozenset()
    steady: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()
    moving: frozenset[str] = frozenset()


@dataclass
class Layout:
    """What the items of a frame are, after the first `ARRAYS`, and what the scalars are.

    items: `<key>` of a series or of columns, `out <key>`, `d out <key>`, `d <key>`, `gain of spikes`.
    """

    items: list[str] = field(default_factory=list)
    scalars: list[str] = field(default_factory=list)

    def item(self, name: str) -> ast.expr:
        """The address kept under a name."""
        if name not in self.items:
            self.items.append(name)
        return entry("slots", self.place(name))

    def place(self, name: str) -> int:
        """Where in a frame the address kept under a name is."""
        return ARRAYS + self.items.index(name)

    def scalar(self, name: str) -> ast.expr:
        """The number kept under a name."""
        if name not in self.scalars:
            self.scalars.append(name)
        return entry("numbers", self.scalars.index(name))


class _Row:
    """Collects what is bound before the loop over a row; `read` has the expression for each argument in it."""

    def __init__(
        self,
        cell: Cell,
        relaxation: Relaxation,
        shape: Shape,
        precision: Precision,
        layout: Layout,
        ahead: ast.expr,
    ) -> None:
        self.cell, self.shape, self.precision, self.layout, self.ahead = cell, shape, precision, layout, ahead
        self.head: list[ast.stmt] = []
        self.read: dict[str, ast.expr] = {}
        for index, state in enumerate(cell.states):
            self.bind_row(state.identifier, "source", index)
        for quantity in cell.of_role("constant", "dt"):
            self.constant(quantity)
        for name in relaxation.values():
            self.head.append(assign(name, call("real", layout.scalar(name))))
            self.read[name] = var(name)
        for quantity in cell.of_role("input", "noise"):
            if quantity.key in shape.series:
                self.bind(quantity.identifier, quantity.key, "at")
            else:
                self.read[quantity.identifier] = call("real", ast.Constant(0.0))

    def bind(self, local: str, item: str, first: str) -> None:
        """Bind the row of an array, and ask for the next one of those that have one for every step."""
        if first == "at" and item not in self.shape.moving:
            fetch = call(f"fetch_{self.precision}", self.layout.item(item), plus(var("at"), self.ahead), "n")
            self.head.append(ast.Expr(fetch))
        self.head.append(assign(local, call(f"slice_{self.precision}", self.layout.item(item), first, "n")))
        self.read[local] = entry(local, "k")

    def bind_row(self, local: str, base: str, index: int) -> None:
        """Bind a row of states."""
        row = call(f"slice_{self.precision}", base, ast.Constant(index * self.shape.block), "n")
        self.head.append(assign(local, row))
        self.read[local] = entry(local, "k")

    def scaled(self, spike: ast.expr) -> ast.expr:
        """A spike times the gain of its column."""
        self.head.append(
            assign("gain", call(f"slice_{self.precision}", self.layout.item("gain of spikes"), "lo", "n"))
        )
        return ast.BinOp(spike, ast.Mult(), entry("gain", "k"))

    def constant(self, quantity: Quantity) -> None:
        """Bind one number, or one for each column."""
        if quantity.key in self.shape.columns:
            self.bind(quantity.identifier, quantity.key, "lo")
        else:
            self.head.append(assign(quantity.identifier, call("real", self.layout.scalar(quantity.key))))
            self.read[quantity.identifier] = var(quantity.identifier)

    def function(
        self, name: str, last: str, checked: Checked, results: list[str], stores: list[ast.stmt]
    ) -> ast.stmt:
        """The kernel: `results` of the lowered function, then what is stored of them."""
        arguments = [self.read[a] for a in checked.source.arguments]
        goal = ast.Tuple([ast.Name(r, ast.Store()) for r in results], ast.Store())
        body = [ast.Assign([goal], call(f"cell_{name}", *arguments)), *stores]
        head: list[ast.stmt] = [
            assign("slots", call("view_i64", "frame", ARRAYS + len(self.layout.items))),
            assign("numbers", call("view_f64", entry("slots", 0), len(self.layout.scalars))),
            *self.head,
            ast.For(ast.Name("k", ast.Store()), call("range", "n"), body, []),
            ast.Return(ast.Constant(0)),
        ]
        names = [ast.arg(a) for a in ("frame", "at", "lo", "n", "source", last)]
        return ast.FunctionDef(name, ast.arguments([], names, None, [], [], None, []), head, [var("kernel")])


def _forward(
    row: _Row, name: str, checked: Checked, outputs: tuple[str, ...], precision: Precision
) -> list[ast.stmt]:
    keys = [*(q.key for q in row.cell.states), "spike"]
    order = list(identifiers(dict.fromkeys(keys, 0.0)))
    results = [f"new_{n}" for n in order]
    stores: list[ast.stmt] = []
    for index, (state, result) in enumerate(zip(row.cell.states, results, strict=False)):
        row.bind_row(f"to_{state.identifier}", "target", index)
        stores.append(assign(entry(f"to_{state.identifier}", "k"), var(result)))
    for key, result in zip(keys, results, strict=True):
        if key in outputs:
            row.bind(f"out_{result}", f"out {key}", "at")
            value: ast.expr = var(result)
            if key == "spike" and row.shape.gain:
                value = row.scaled(value)
            stores.append(assign(entry(f"out_{result}", "k"), value))
    functions = list(lower(checked, f"cell_{name}", precision, order))
    return [*functions, row.function(name, "target", checked, results, stores)]


def _back(row: _Row, relaxation: Relaxation, precision: Precision) -> list[ast.stmt]:
    cell, shape = row.cell, row.shape
    outputs = [q.key for q in cell.states] + (["spike"] if "spike" in shape.given else [])
    checked, _ = vjp_of(cell, relaxation, outputs)
    for index, state in enumerate(cell.states):
        carry = f"carry_{state.identifier}"
        row.bind_row(carry, "target", index)
        cotangent: ast.expr = entry(carry, "k")
        if state.key in shape.given:
            row.bind(f"d_out_{state.identifier}", f"d out {state.key}", _first(state.key, shape))
            cotangent = plus(cotangent, entry(f"d_out_{state.identifier}", "k"))
        row.read[f"d_{state.key.replace('.', '__')}"] = cotangent
    if "spike" in shape.given:
        row.bind("d_spike", "d out spike", _first("spike", shape))
        if shape.gain:
            row.read["d_spike"] = row.scaled(row.read["d_spike"])
    wanted = [q for q in cell.of_role("input", "noise", "constant", "dt") if q.key in shape.wanted]
    order = [f"d_{q.identifier}" for q in (*cell.states, *wanted)]
    results = [f"new_{n}" for n in order]
    stores: list[ast.stmt] = [
        assign(entry(f"carry_{q.identifier}", "k"), var(r))
        for q, r in zip(cell.states, results, strict=False)
    ]
    for quantity, result in zip(wanted, results[len(cell.states) :], strict=True):
        local, series = f"grad_{quantity.identifier}", quantity.key in shape.series
        row.bind(local, f"d {quantity.key}", "at" if series else "lo")
        value: ast.expr = var(result) if series else plus(entry(local, "k"), var(result))
        stores.append(assign(entry(local, "k"), value))
    functions = list(lower(checked, "cell_back", precision, order))
    function = row.function("back", "target", checked, results, stores)
    return [*functions, function]


def _first(output: str, shape: Shape) -> str:
    """Where the row of a cotangent begins: in an array [T, columns], or [columns]."""
    return "lo" if output in shape.steady else "at"


def row_kernels(
    cell: Cell, relaxation: Relaxation, shape: Shape, precision: Precision, *, backward: bool
) -> tuple[ast.Module, Layout]:
    """The module with `step`, or with `again` and `back`, and the layout of its frame."""
    layout = Layout()
    # A first pass fills the layout: how long a frame is stands at the top of each function.
    for _ in range(2):
        checked = step_of(cell, relaxation)
        onwards = entry("slots", 1)
        to_later = _Row(cell, relaxation, shape, precision, layout, onwards)
        to_earlier = _Row(cell, relaxation, shape, precision, layout, ast.UnaryOp(ast.USub(), onwards))
        if backward:
            body = _forward(to_later, "again", checked, (), precision)
            body += _back(to_earlier, relaxation, precision)
        else:
            body = _forward(to_later, "step", checked, shape.recorded, precision)
    return ast.fix_missing_locations(ast.Module(body, [])), layout
