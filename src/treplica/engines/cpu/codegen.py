"""The update kernel of a composition, as a syntax tree: the lowered models inside one loop over a block of neurons.

    update(frame, lo, hi, step, scratch, ids) -> number of spikes, plus NOT_FINITE if a state is not finite

`frame` is the address of an int64 array whose items are named by `Frame`; `scratch` has room for one block of flags
and noise; ids of the neurons that fired are written at `ids`. Sizes come with the frame: nothing is frozen.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from treplica.engines.composition import Composition, Part, PoissonDrive, ScatteredDrive
from treplica.engines.cpu.runtime import BLOCK
from treplica.model.lowering import Precision, lower

#: Where the buffers begin in the scratch of a block: after a flag and a value for each neuron.
FIRST_BUFFER = 9 * BLOCK
#: Longer heads of tables than this are searched instead of compared from registers.
WIDEST_HEAD = 12


@dataclass
class Frame:
    """The layout of a kernel's frame: what each item holds, and what each scalar is.

    items: ("scalars",), ("seed_lo",), ("seed_hi",), ("gap",), ("slots",), ("stride",), ("state", part, name),
    ("array", part, name), ("mask", part), ("external", current), ("arrivals", port), ("stream", part, name),
    ("stream of drive", drive), and so for
    classes, tables, width and counts. scalars: ("constant", part, name), ("dt",), ("limit",), ("unit", port),
    ("weight", drive), ("threshold", drive, k), ("state unit", part, name), ("units of state", part, name).
    """

    items: list[tuple[Any, ...]] = field(
        default_factory=lambda: [(n,) for n in ("scalars", "seed_lo", "seed_hi", "gap", "slots", "stride")]
    )
    scalars: list[tuple[Any, ...]] = field(default_factory=lambda: [("dt",), ("limit",)])

    def item(self, *what: Any) -> int:
        """The index of an item, new ones at the end."""
        if what not in self.items:
            self.items.append(what)
        return self.items.index(what)

    def scalar(self, *what: Any) -> int:
        """The index of a scalar, new ones at the end."""
        if what not in self.scalars:
            self.scalars.append(what)
        return self.scalars.index(what)


def _name(identifier: str) -> ast.Name:
    return ast.Name(identifier, ast.Load())


def _call(function: str, *arguments: ast.expr | int | str) -> ast.Call:
    return ast.Call(_name(function), [_expr(a) for a in arguments], [])


def _expr(value: ast.expr | int | str) -> ast.expr:
    if isinstance(value, str):
        return _name(value)
    return ast.Constant(value) if isinstance(value, int) else value


def _item(array: str, index: int | str) -> ast.Subscript:
    return ast.Subscript(_name(array), _expr(index), ast.Load())


def _set(target: str | ast.Subscript, value: ast.expr | int | str) -> ast.Assign:
    goal: ast.expr = ast.Name(target, ast.Store()) if isinstance(target, str) else target
    if isinstance(goal, ast.Subscript):
        goal = ast.Subscript(goal.value, goal.slice, ast.Store())
    return ast.Assign([goal], _expr(value))


def _add(left: ast.expr, right: ast.expr) -> ast.BinOp:
    return ast.BinOp(left, ast.Add(), right)


class _Kernel:
    """Collects the statements before the loop and inside it."""

    def __init__(self, composition: Composition, precision: Precision, width: int) -> None:
        self.composition, self.precision, self.width = composition, precision, width
        self.frame = Frame()
        self.head: list[ast.stmt] = []
        self.body: list[ast.stmt] = []
        self.tail: list[ast.stmt] = []
        self.buffers = 0

    def local(self, part: Part, name: str) -> str:
        """A variable name that no other part uses."""
        return f"p{self.composition.parts.index(part)}_{name}"

    def bind(self, name: str, value: ast.expr) -> None:
        self.head.append(_set(name, value))

    def array(self, name: str, *item: Any, precision: str = "") -> None:
        """Bind a variable to this block of a per-neuron array."""
        self.bind(
            name,
            _call(f"slice_{precision or self.precision}", _item("slots", self.frame.item(*item)), "lo", "n"),
        )

    def scalar(self, name: str, *what: Any) -> None:
        """Bind a variable to a scalar in the working type."""
        self.bind(name, _call("real", _item("scalars", self.frame.scalar(*what))))

    def prepare(self, part: Part) -> dict[str, ast.expr]:
        """Bind all that a part reads; the expression for each argument inside the loop."""
        index = self.composition.parts.index(part)
        read: dict[str, ast.expr] = {"dt": _name("dt")}
        for name in part.states:
            read[name] = self.state(part, name)
        for name, value in part.constants.items():
            local = self.local(part, name)
            if isinstance(value, float):
                self.scalar(local, "constant", index, name)
                read[name] = _name(local)
            else:
                self.array(local, "array", index, name)
                read[name] = _item(local, "k")
        for name in part.streams:
            read[name] = self.noise(part, name)
        for name, port in part.ports.items():
            read[name] = self.arrivals(self.local(part, name), port)
        return read

    def state(self, part: Part, name: str) -> ast.expr:
        """Bind a state; read one in the working type."""
        local, item = self.local(part, name), ("state", self.composition.parts.index(part), name)
        fixed = part.fixed.get(name)
        if fixed is None:
            self.array(local, *item)
            return _item(local, "k")
        self.bind(local, _call(f"slice_i{fixed.bits}", _item("slots", self.frame.item(*item)), "lo", "n"))
        self.scalar(f"{local}_unit", "state unit", *item[1:])
        self.scalar(f"{local}_units", "units of state", *item[1:])
        return ast.BinOp(_call("real", _item(local, "k")), ast.Mult(), _name(f"{local}_unit"))

    def stored(self, part: Part, name: str, result: str) -> ast.expr:
        """A new value of a state, as it is kept."""
        fixed = part.fixed.get(name)
        if fixed is None:
            return _name(result)
        return _call(f"whole_{fixed.bits}", result, f"{self.local(part, name)}_units")

    def noise(self, part: Part, name: str) -> ast.expr:
        """Fill a buffer with fresh numbers; the expression for one."""
        local = self.local(part, name)
        self.bind(local, _call("slice_float32", self.buffer(), 0, "n"))
        stream = _item("slots", self.frame.item("stream", self.composition.parts.index(part), name))
        law = part.model.fields[name].law
        fill = _call(f"fill_{law}", _item("slots", 1), _item("slots", 2), stream, "step", "lo", local)
        self.head.append(ast.Expr(fill))
        return _call("real", _item(local, "k"))

    def buffer(self) -> ast.expr:
        """The address of a fresh buffer of 4 bytes for each neuron of a block."""
        offset = FIRST_BUFFER + 4 * BLOCK * self.buffers
        self.buffers += 1
        return _add(_name("scratch"), ast.Constant(offset))

    def arrivals(self, local: str, port: int) -> ast.expr:
        """Bind this step's accumulators; read one in the port's unit, with its Poisson spikes, and clear it."""
        at = self.frame.item("arrivals", port)
        self.bind(local, _call(f"arrivals_{self.width}", "slots", at, "step", "lo", "n"))
        self.scalar(f"unit{port}", "unit", port)
        self.tail.append(_set(_item(local, "k"), 0))
        total: ast.expr = ast.BinOp(_call("real", _item(local, "k")), ast.Mult(), _name(f"unit{port}"))
        for index, drive in enumerate(self.composition.drives):
            if drive.port == port:
                self.scalar(f"weight{index}", "weight", index)
                rare = isinstance(drive, ScatteredDrive)
                counts = self.counted(index) if rare else self.poisson(index, drive)  # type: ignore[arg-type]
                count = _call("real", _item(counts, "k"))
                total = _add(total, ast.BinOp(count, ast.Mult(), _name(f"weight{index}")))
        return total

    def counted(self, index: int) -> str:
        """Bind the counts of a drive that another kernel has drawn; they are cleared after use."""
        counts = f"counts{index}"
        self.array(counts, "counts of drive", index, precision="float32")
        self.tail.append(_set(_item(counts, "k"), _call("float32", 0)))
        return counts

    def poisson(self, index: int, drive: PoissonDrive) -> str:
        """Draw how many spikes of a drive reach each neuron of the block; the buffer that holds it (float32).

        One word for each neuron; the count is how many thresholds of its table are below. Where all neurons have
        one table, its head is compared from registers, in a loop of its own that has as many lanes as words; the
        tail is looked at in the rare block that has a word beyond the head.
        """
        words, counts = f"words{index}", f"counts{index}"
        self.bind(words, _call("slice_u32", self.buffer(), 0, "n"))
        self.bind(counts, _call("slice_float32", self.buffer(), 0, "n"))
        stream = _item("slots", self.frame.item("stream of drive", index))
        fill = _call("fill_words", _item("slots", 1), _item("slots", 2), stream, "step", "lo", words)
        self.head.append(ast.Expr(fill))
        what = ("classes", "tables", "width")
        items = [_item("slots", self.frame.item(f"{w} of drive", index)) for w in what]
        search = ast.Expr(_call("count_spikes", words, *items, "lo", counts))
        head = drive.head(BLOCK)
        if not head or head > WIDEST_HEAD:
            self.head.append(search)
            return counts
        names = [f"threshold{index}_{k}" for k in range(head)]
        for k, name in enumerate(names):
            self.bind(name, _call("uint32", _item("scalars", self.frame.scalar("threshold", index, k))))
        self.bind(largest := f"largest{index}", _call("uint32", 0))
        word = _item(words, "k")
        total: ast.expr = _call("above", word, names[0])
        for name in names[1:]:  # numba adds in 64 bits unless every sum is cast back
            total = _call("uint32", _add(total, _call("above", word, name)))
        body = [
            _set(_item(counts, "k"), _call("float32", total)),
            _set(largest, _call("larger", largest, word)),
        ]
        self.head.append(ast.For(ast.Name("k", ast.Store()), _call("range", "n"), list(body), []))
        beyond = ast.Compare(_name(largest), [ast.Gt()], [_name(names[-1])])
        self.head.append(ast.If(beyond, [search], []))
        return counts

    def compute(self, part: Part, read: dict[str, ast.expr]) -> list[str]:
        """Call the lowered step of a part; the variables that hold its results."""
        results = [self.local(part, f"new_{name}") for name in part.result()]
        target = ast.Tuple([ast.Name(r, ast.Store()) for r in results], ast.Store())
        arguments = [read[a] for a in part.model.arguments]
        self.body.append(ast.Assign([target], _call(self.local(part, "step"), *arguments)))
        for state, result in zip(part.states, results, strict=False):
            self.tail.append(_set(_item(self.local(part, state), "k"), self.stored(part, state, result)))
        return results

    def components(self, neuron_reads: dict[str, ast.expr]) -> dict[str, list[ast.expr]]:
        """Compute receptors and stimuli; what each supplies, by the current it feeds."""
        supplied: dict[str, list[ast.expr]] = {}
        for index, part in enumerate(self.composition.parts[:-1]):
            read = self.prepare(part)
            read |= {name: neuron_reads[name] for name in part.model.of_kind("sees")}
            current: ast.expr = _name(self.compute(part, read)[-1])
            if part.mask is not None:
                mask = self.local(part, "mask")
                self.bind(mask, _call("slice_u8", _item("slots", self.frame.item("mask", index)), "lo", "n"))
                on = ast.Compare(_item(mask, "k"), [ast.NotEq()], [ast.Constant(0)])
                current = _call("where", on, current, _call("real", ast.Constant(0.0)))
            supplied.setdefault(part.feeds, []).append(current)
        return supplied

    def currents(self, supplied: dict[str, list[ast.expr]]) -> dict[str, ast.expr]:
        """The sum for every current of the neuron, from the left."""
        totals: dict[str, ast.expr] = {}
        for name in self.composition.neuron.model.of_kind("current"):
            terms = list(supplied.get(name, []))
            if name in self.composition.external:
                self.array(f"external_{name}", "external", name)
                terms.insert(0, _item(f"external_{name}", "k"))
            total = terms[0] if terms else _call("real", ast.Constant(0.0))
            for term in terms[1:]:
                total = _add(total, term)
            totals[name] = total
        return totals

    def finish(self, results: list[list[str]]) -> list[ast.stmt]:
        """Flag states that are not finite (x - x is 0 for finite x alone) and what fired."""
        checks = [ast.BinOp(_name(r), ast.Sub(), _name(r)) for states in results for r in states[:-1]]
        statements: list[ast.stmt] = []
        if checks:
            total: ast.expr = checks[0]
            for check in checks[1:]:
                total = _add(total, check)
            flag = ast.Compare(total, [ast.NotEq()], [_call("real", ast.Constant(0.0))])
            statements.append(ast.AugAssign(ast.Name("bad", ast.Store()), ast.BitOr(), flag))
        fired = results[-1][-1]
        if self.composition.neuron.model.graded > 1:
            statements.append(_set(_item("values", "k"), fired))
        else:
            on = ast.Compare(_name(fired), [ast.NotEq()], [_call("real", ast.Constant(0.0))])
            statements.append(_set(_item("fired", "k"), on))
            statements.append(ast.AugAssign(ast.Name("any_fired", ast.Store()), ast.BitOr(), on))
        return statements


def scratch_bytes(composition: Composition) -> int:
    """The scratch that a kernel needs: flags, values of spikes, buffers of noise and of Poisson spikes."""
    noise = sum(len(part.streams) for part in composition.parts)
    return FIRST_BUFFER + 4 * BLOCK * (noise + 2 * len(composition.drives))


def update_kernel(composition: Composition, precision: Precision, width: int) -> tuple[ast.Module, Frame]:
    """The module that defines the lowered models and `update`, and the layout of its frame.

    width: bytes of an accumulator.
    """
    kernel = _Kernel(composition, precision, width)
    functions: list[ast.stmt] = []
    for part in composition.parts:
        functions += lower(part.model.step_checked, kernel.local(part, "step"), precision, part.result())
    neuron = composition.neuron
    reads = kernel.prepare(neuron)
    supplied = kernel.components(reads)
    reads |= kernel.currents(supplied)
    kernel.compute(neuron, reads)
    results = [[kernel.local(p, f"new_{n}") for n in p.result()] for p in composition.parts]
    loop = kernel.body + kernel.tail + kernel.finish(results)
    functions.append(_function(kernel, loop))
    return ast.fix_missing_locations(ast.Module(functions, [])), kernel.frame


def _function(kernel: _Kernel, loop: list[ast.stmt]) -> ast.FunctionDef:
    """`update` itself: bind, loop, collect."""
    frame = kernel.frame
    graded = kernel.composition.neuron.model.graded > 1
    after_flags = _add(_name("scratch"), ast.Constant(BLOCK))
    head: list[ast.stmt] = [
        _set("n", ast.BinOp(_name("hi"), ast.Sub(), _name("lo"))),
        _set("slots", _call("view_i64", "frame", len(frame.items))),
        _set("scalars", _call("view_f64", _item("slots", 0), len(frame.scalars))),
        _set("dt", _call("real", _item("scalars", 0))),
        _set("fired", _call("slice_u8", "scratch", 0, "n")),
        _set("values", _call(f"slice_{kernel.precision}", after_flags, 0, "n")),
        *kernel.head,
        _set("bad", ast.Constant(False)),
        _set("any_fired", ast.Constant(False)),
    ]
    loop_over_block = ast.For(ast.Name("k", ast.Store()), _call("range", "n"), loop, [])
    if graded:
        limit = _item("scalars", 1)
        found: ast.expr = _call("collect_graded", "values", "n", "lo", "ids", _item("slots", 3), limit)
    else:
        found = ast.IfExp(_name("any_fired"), _call("collect", "fired", "n", "lo", "ids"), ast.Constant(0))
    penalty = ast.IfExp(_name("bad"), _name("NOT_FINITE"), ast.Constant(0))
    arguments = [ast.arg(a) for a in ("frame", "lo", "hi", "step", "scratch", "ids")]
    return ast.FunctionDef(
        name="update",
        args=ast.arguments([], arguments, None, [], [], None, []),
        body=[*head, loop_over_block, ast.Return(_add(found, penalty))],
        decorator_list=[_name("kernel")],
    )
