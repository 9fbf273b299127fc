"""The update kernel of a composition, as a syntax tree: the lowered models inside one loop over a block of neurons.

    update(frame, lo, hi, step, scratch, ids) -> number of spikes, plus NOT_FINITE if a state is not finite

`frame` is the address of an int64 array whose items are named by `Frame`; `scratch` has room for one block of flags
and noise; ids of the neurons that fired are written at `ids`. Sizes come with the frame: nothing is frozen.
"""

from __future__ import annotations

import ast
from typing import Any

from treplica.engines.composition import Composition, Part, PoissonDrive, ScatteredDrive
from treplica.engines.cpu.frame import Frame
from treplica.engines.cpu.runtime import BLOCK
from treplica.engines.cpu.syntax import assign, call, entry, plus, var
from treplica.model.lowering import Precision, lower

#: Where the buffers begin in the scratch of a block: after a flag and a value for each neuron.
FIRST_BUFFER = 9 * BLOCK
#: Longer heads of tables than this are searched instead of compared from registers.
WIDEST_HEAD = 12


class _Kernel:
    """Collects the statements before the loop and inside it."""

    def __init__(self, composition: Composition, precision: Precision, width: int) -> None:
        self.composition, self.precision, self.width = composition, precision, width
        self.frame = Frame()
        self.head: list[ast.stmt] = []
        self.body: list[ast.stmt] = []
        self.tail: list[ast.stmt] = []
        self.buffers = 0
        self.silent: list[ast.expr] = []
        self.kept: list[tuple[Part, str, str]] = []
        self.reads: dict[tuple[str, str], ast.expr] = {}

    def local(self, part: Part, name: str) -> str:
        """A variable name that no other part uses."""
        return f"p{self.composition.parts.index(part)}_{name}"

    def bind(self, name: str, value: ast.expr) -> None:
        self.head.append(assign(name, value))

    def array(self, name: str, *item: Any, precision: str = "") -> None:
        """Bind a variable to this block of a per-neuron array."""
        self.bind(
            name,
            call(f"slice_{precision or self.precision}", entry("slots", self.frame.item(*item)), "lo", "n"),
        )

    def scalar(self, name: str, *what: Any) -> None:
        """Bind a variable to a scalar in the working type."""
        self.bind(name, call("real", entry("scalars", self.frame.scalar(*what))))

    def prepare(self, part: Part) -> dict[str, ast.expr]:
        """Bind all that a part reads; the expression for each argument inside the loop."""
        index = self.composition.parts.index(part)
        read: dict[str, ast.expr] = {"dt": var("dt")}
        for name in part.states:
            read[name] = self.reads[part.label, name] = self.state(part, name)
        for name, value in part.constants.items():
            local = self.local(part, name)
            if isinstance(value, float):
                self.scalar(local, "constant", index, name)
                read[name] = var(local)
            else:
                self.array(local, "array", index, name)
                read[name] = entry(local, "k")
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
            return entry(local, "k")
        self.bind(local, call(f"slice_i{fixed.bits}", entry("slots", self.frame.item(*item)), "lo", "n"))
        self.scalar(f"{local}_unit", "state unit", *item[1:])
        self.scalar(f"{local}_units", "units of state", *item[1:])
        return ast.BinOp(call("real", entry(local, "k")), ast.Mult(), var(f"{local}_unit"))

    def stored(self, part: Part, name: str, result: str) -> ast.expr:
        """A new value of a state, as it is kept."""
        fixed = part.fixed.get(name)
        if fixed is None:
            return var(result)
        return call(f"whole_{fixed.bits}", result, f"{self.local(part, name)}_units")

    def noise(self, part: Part, name: str) -> ast.expr:
        """Fill a buffer with fresh numbers; the expression for one."""
        local = self.local(part, name)
        self.bind(local, call("slice_float32", self.buffer(), 0, "n"))
        stream = entry("slots", self.frame.item("stream", self.composition.parts.index(part), name))
        law = part.model.fields[name].law
        fill = call(f"fill_{law}", entry("slots", 1), entry("slots", 2), stream, "step", "lo", local)
        self.head.append(ast.Expr(fill))
        return call("real", entry(local, "k"))

    def buffer(self) -> ast.expr:
        """The address of a fresh buffer of 4 bytes for each neuron of a block."""
        offset = FIRST_BUFFER + 4 * BLOCK * self.buffers
        self.buffers += 1
        return plus(var("scratch"), ast.Constant(offset))

    def arrivals(self, local: str, port: int) -> ast.expr:
        """Bind this step's accumulators; read one in the port's unit, with its Poisson spikes, and clear it."""
        at = self.frame.item("arrivals", port)
        self.bind(local, call(f"arrivals_{self.width}", "slots", at, "step", "lo", "n"))
        self.scalar(f"unit{port}", "unit", port)
        self.silent.append(ast.Compare(entry(local, "k"), [ast.Eq()], [ast.Constant(0)]))
        self.tail.append(assign(entry(local, "k"), 0))
        total: ast.expr = ast.BinOp(call("real", entry(local, "k")), ast.Mult(), var(f"unit{port}"))
        for index, drive in enumerate(self.composition.drives):
            if drive.port == port:
                self.scalar(f"weight{index}", "weight", index)
                rare = isinstance(drive, ScatteredDrive)
                counts = self.counted(index) if rare else self.poisson(index, drive)  # type: ignore[arg-type]
                count = call("real", entry(counts, "k"))
                total = plus(total, ast.BinOp(count, ast.Mult(), var(f"weight{index}")))
        return total

    def counted(self, index: int) -> str:
        """Bind the counts of a drive that another kernel has drawn; they are cleared after use."""
        counts = f"counts{index}"
        self.array(counts, "counts of drive", index, precision="float32")
        self.silent.append(ast.Compare(entry(counts, "k"), [ast.Eq()], [call("float32", 0)]))
        self.tail.append(assign(entry(counts, "k"), call("float32", 0)))
        return counts

    def poisson(self, index: int, drive: PoissonDrive) -> str:
        """Draw how many spikes of a drive reach each neuron of the block; the buffer that holds it (float32).

        One word for each neuron; the count is how many thresholds of its table are below. Where all neurons have
        one table, its head is compared from registers, in a loop of its own that has as many lanes as words; the
        tail is looked at in the rare block that has a word beyond the head.
        """
        words, counts = f"words{index}", f"counts{index}"
        self.bind(words, call("slice_u32", self.buffer(), 0, "n"))
        self.bind(counts, call("slice_float32", self.buffer(), 0, "n"))
        stream = entry("slots", self.frame.item("stream of drive", index))
        fill = call("fill_words", entry("slots", 1), entry("slots", 2), stream, "step", "lo", words)
        self.head.append(ast.Expr(fill))
        what = ("classes", "tables", "width")
        items = [entry("slots", self.frame.item(f"{w} of drive", index)) for w in what]
        search = ast.Expr(call("count_spikes", words, *items, "lo", counts))
        head = drive.head(BLOCK)
        if not head or head > WIDEST_HEAD:
            self.head.append(search)
            return counts
        names = [f"threshold{index}_{k}" for k in range(head)]
        for k, name in enumerate(names):
            self.bind(name, call("uint32", entry("scalars", self.frame.scalar("threshold", index, k))))
        self.bind(largest := f"largest{index}", call("uint32", 0))
        word = entry(words, "k")
        total: ast.expr = call("above", word, names[0])
        for name in names[1:]:  # numba adds in 64 bits unless every sum is cast back
            total = call("uint32", plus(total, call("above", word, name)))
        body = [
            assign(entry(counts, "k"), call("float32", total)),
            assign(largest, call("larger", largest, word)),
        ]
        self.head.append(ast.For(ast.Name("k", ast.Store()), call("range", "n"), list(body), []))
        beyond = ast.Compare(var(largest), [ast.Gt()], [var(names[-1])])
        self.head.append(ast.If(beyond, [search], []))
        return counts

    def compute(self, part: Part, read: dict[str, ast.expr]) -> list[str]:
        """Call the lowered step of a part; the variables that hold its results."""
        results = [self.local(part, f"new_{name}") for name in part.result()]
        target = ast.Tuple([ast.Name(r, ast.Store()) for r in results], ast.Store())
        arguments = [read[a] for a in part.model.arguments]
        self.body.append(ast.Assign([target], call(self.local(part, "step"), *arguments)))
        self.kept += [(part, state, result) for state, result in zip(part.states, results, strict=False)]
        return results

    def keep(self, fired: str) -> None:
        """Store the new states; where neurons may sleep, leave those at rest as they are, and note them."""
        old = {(p.label, n): entry(self.local(p, n), "k") for p, n, _ in self.kept}
        if not self.composition.may_sleep:
            self.tail += [assign(old[p.label, n], self.stored(p, n, result)) for p, n, result in self.kept]
            return
        rest, checks = self.composition.rest, list(self.silent)
        checks.append(ast.Compare(var(fired), [ast.Eq()], [call("real", ast.Constant(0.0))]))
        if rest is not None:
            self.scalar("rest", "rest")
        for part, name, result in self.kept:
            local = f"{self.local(part, name)}_kept"
            self.body.append(assign(local, self.stored(part, name, result)))
            if rest is None:
                checks.append(ast.Compare(var(local), [ast.Eq()], [old[part.label, name]]))
            else:
                change = call("absolute", ast.BinOp(var(result), ast.Sub(), self.reads[part.label, name]))
                checks.append(ast.Compare(change, [ast.LtE()], [var("rest")]))
        still: ast.expr = checks[0]
        for check in checks[1:]:
            still = ast.BinOp(still, ast.BitAnd(), check)
        self.body.append(assign("resting", still))
        self.bind("still", call("slice_u8", entry("slots", self.frame.item("still")), "lo", "n"))
        self.tail.append(assign(entry("still", "k"), var("resting")))
        for part, name, _ in self.kept:
            new, before = var(f"{self.local(part, name)}_kept"), old[part.label, name]
            self.tail.append(assign(before, call("where", "resting", before, new)))

    def components(self, neuron_reads: dict[str, ast.expr]) -> dict[str, list[ast.expr]]:
        """Compute receptors and stimuli; what each supplies, by the current it feeds."""
        supplied: dict[str, list[ast.expr]] = {}
        for index, part in enumerate(self.composition.parts[:-1]):
            read = self.prepare(part)
            read |= {name: neuron_reads[name] for name in part.model.of_kind("sees")}
            current: ast.expr = var(self.compute(part, read)[-1])
            if part.mask is not None:
                mask = self.local(part, "mask")
                self.bind(mask, call("slice_u8", entry("slots", self.frame.item("mask", index)), "lo", "n"))
                on = ast.Compare(entry(mask, "k"), [ast.NotEq()], [ast.Constant(0)])
                current = call("where", on, current, call("real", ast.Constant(0.0)))
            supplied.setdefault(part.feeds, []).append(current)
        return supplied

    def currents(self, supplied: dict[str, list[ast.expr]]) -> dict[str, ast.expr]:
        """The sum for every current of the neuron, from the left."""
        totals: dict[str, ast.expr] = {}
        for name in self.composition.neuron.model.of_kind("current"):
            terms = list(supplied.get(name, []))
            if name in self.composition.external:
                self.array(f"external_{name}", "external", name)
                terms.insert(0, entry(f"external_{name}", "k"))
            total = terms[0] if terms else call("real", ast.Constant(0.0))
            for term in terms[1:]:
                total = plus(total, term)
            totals[name] = total
        return totals

    def finish(self, results: list[list[str]]) -> list[ast.stmt]:
        """Flag states that are not finite (x - x is 0 for finite x alone) and what fired."""
        checks = [ast.BinOp(var(r), ast.Sub(), var(r)) for states in results for r in states[:-1]]
        statements: list[ast.stmt] = []
        if checks:
            total: ast.expr = checks[0]
            for check in checks[1:]:
                total = plus(total, check)
            flag = ast.Compare(total, [ast.NotEq()], [call("real", ast.Constant(0.0))])
            statements.append(ast.AugAssign(ast.Name("bad", ast.Store()), ast.BitOr(), flag))
        fired = results[-1][-1]
        if self.composition.neuron.model.graded > 1:
            statements.append(assign(entry("values", "k"), fired))
        else:
            on = ast.Compare(var(fired), [ast.NotEq()], [call("real", ast.Constant(0.0))])
            statements.append(assign(entry("fired", "k"), on))
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
    fired = kernel.compute(neuron, reads)[-1]
    kernel.keep(fired)
    results = [[kernel.local(p, f"new_{n}") for n in p.result()] for p in composition.parts]
    loop = kernel.body + kernel.tail + kernel.finish(results)
    functions.append(_function(kernel, loop))
    return ast.fix_missing_locations(ast.Module(functions, [])), kernel.frame


def _function(kernel: _Kernel, loop: list[ast.stmt]) -> ast.FunctionDef:
    """`update` itself: bind, loop, collect."""
    frame = kernel.frame
    graded = kernel.composition.neuron.model.graded > 1
    after_flags = plus(var("scratch"), ast.Constant(BLOCK))
    head: list[ast.stmt] = [
        assign("n", ast.BinOp(var("hi"), ast.Sub(), var("lo"))),
        assign("slots", call("view_i64", "frame", len(frame.items))),
        assign("scalars", call("view_f64", entry("slots", 0), len(frame.scalars))),
        assign("dt", call("real", entry("scalars", 0))),
        assign("fired", call("slice_u8", "scratch", 0, "n")),
        assign("values", call(f"slice_{kernel.precision}", after_flags, 0, "n")),
        *kernel.head,
        assign("bad", ast.Constant(False)),
        assign("any_fired", ast.Constant(False)),
    ]
    loop_over_block = ast.For(ast.Name("k", ast.Store()), call("range", "n"), loop, [])
    if graded:
        limit = entry("scalars", 1)
        found: ast.expr = call("collect_graded", "values", "n", "lo", "ids", entry("slots", 3), limit)
    else:
        found = ast.IfExp(var("any_fired"), call("collect", "fired", "n", "lo", "ids"), ast.Constant(0))
    penalty = ast.IfExp(var("bad"), var("NOT_FINITE"), ast.Constant(0))
    arguments = [ast.arg(a) for a in ("frame", "lo", "hi", "step", "scratch", "ids")]
    return ast.FunctionDef(
        name="update",
        args=ast.arguments([], arguments, None, [], [], None, []),
        body=[*head, loop_over_block, ast.Return(plus(found, penalty))],
        decorator_list=[var("kernel")],
    )
