"""The loop of a layer over time as Triton kernels: the text of a module with `forward` or `backward`.

A program computes a block of columns from the first step to the last, or back; states and the gradients of constants
stay in registers. Every operation is rounded as on a CPU (`triton_words`), the elementary functions are sums of such
operations, and no two are contracted into one: results are those of the other loops, bit for bit.

Items, the tensors of a kernel: `<key>` of a series, a constant or a state before the first step, `out <key>`,
`last <key>`, `kept <key>`; back also `d <key>`, `d out <key>`, `d last <key>`, and `rows <key>`, the states of a
segment.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from treplica.learning.cell import Cell, identifiers, step_of, vjp_of
from treplica.learning.fused.loop import PRECISIONS, Plan
from treplica.learning.fused.rows import Shape
from treplica.learning.fused.triton_words import REAL, expression
from treplica.model.check import Checked
from treplica.model.lowering import flattened
from treplica.model.tape import Ref


@dataclass(frozen=True)
class Source:
    """A kernel: the text of its module, the function's name, and the items that it takes before `steps`, `columns`."""

    text: str
    name: str
    items: tuple[str, ...]


class _Kernel:
    """Collects the lines of a kernel."""

    def __init__(self, plan: Plan, shape: Shape) -> None:
        self.plan, self.cell, self.shape = plan, plan.cell, shape
        self.real = REAL[plan.dtype]
        self.items: list[str] = []
        self.literals: dict[str, str] = {}
        self.lines: list[str] = []
        self.depth = 1
        self.names: dict[str, str] = {}
        for quantity in plan.cell.of_role("constant", "dt"):
            self.constant(quantity.identifier, quantity.key)
        for name in plan.relaxation.values():
            self.constant(name, name)

    def line(self, text: str) -> None:
        """Append a line."""
        self.lines.append("    " * self.depth + text)

    def pointer(self, item: str) -> str:
        """The argument of an item."""
        if item not in self.items:
            self.items.append(item)
        return f"p{self.items.index(item)}_{re.sub(r'[^0-9A-Za-z]', '_', item)}"

    def literal(self, value: float) -> str:
        """The name of a number of the working type: a bare one would be rounded to float32 here and there."""
        text = repr(value) if math.isfinite(value) else f'float("{value}")'
        return self.literals.setdefault(text, f"c{len(self.literals)}")

    def constant(self, name: str, key: str) -> None:
        """Read one number, or one for each column."""
        self.line(f"{name} = tl.load({self.pointer(key)}{' + lo' if key in self.shape.columns else ''})")

    def load(self, name: str, item: str, row: str = "") -> None:
        """Read a row of an item: `row` is where it begins, 0 by default."""
        self.line(f"{name} = tl.load({self.pointer(item)} + {row + ' + ' if row else ''}lo)")

    def store(self, item: str, value: str, row: str = "") -> None:
        """Write a row of an item."""
        self.line(f"tl.store({self.pointer(item)} + {row + ' + ' if row else ''}lo, {value}, mask=inside)")

    def read_inputs(self) -> None:
        """Read what is given at every step; what is not given is 0."""
        for quantity in self.cell.of_role("input", "noise"):
            if quantity.key in self.shape.series:
                self.load(quantity.identifier, quantity.key, "row")
            else:
                self.names[quantity.identifier] = self.literal(0.0)

    def compute(self, checked: Checked, results: Sequence[str], prefix: str) -> list[str]:
        """Append the operations of a function; the expressions of some of its results."""
        tape, outputs = flattened(checked, PRECISIONS[self.plan.dtype])
        names = dict(self.names)

        def value(ref: Ref) -> str:
            return names.get(ref, ref) if isinstance(ref, str) else self.literal(ref)

        wanted = [outputs[r] for r in results]
        for operation in tape.needed(wanted):
            text = expression(self.plan.dtype, operation.word, [value(r) for r in operation.of])
            names[operation.name] = prefix + operation.name
            self.line(f"{prefix}{operation.name} = {text}")
        return [value(r) for r in wanted]

    def carry(self, names: Sequence[str], values: Sequence[str]) -> None:
        """Give variables that live from step to step new values, all at once, in the shape of a block."""
        for name, value in zip(names, values, strict=True):
            self.line(f"new_{name} = tl.broadcast_to({value}, [{self.shape.block}])")
        for name in names:
            self.line(f"{name} = new_{name}")

    def source(self, name: str) -> Source:
        """The kernel, with what stands above what was appended."""
        arguments = ", ".join([*(self.pointer(i) for i in self.items), "steps", "columns"])
        head = [
            f"lo = tl.program_id(0).to(tl.int64) * {self.shape.block} + tl.arange(0, {self.shape.block})",
            "inside = lo < columns",
            "lo = tl.minimum(lo, columns - 1)  # the columns beyond the last one compute the same as it",
            "width = tl.cast(columns, tl.int64)",
        ]
        for text, literal in self.literals.items():
            value = f"tl.full((), {text.removeprefix('-')}, {self.real})"
            head.append(f"{literal} = {value}{' * -1.0' if text.startswith('-') else ''}")
        models = " + ".join(i.model.name for i in self.cell.parts.values())
        lines = [
            f"# A layer of {models}, {name}, generated from the models; changes here are lost.",
            "import triton.language as tl",
            "",
            "",
            f"def {name}({arguments}):",
            *(f"    {line}" for line in head),
            *self.lines,
        ]
        return Source("\n".join(lines) + "\n", name, tuple(self.items))


def forward_source(plan: Plan) -> Source:
    """The kernel from the first step to the last. `kept <key>` can be None where nothing is kept."""
    kernel, cell = _Kernel(plan, plan.shape), plan.cell
    for state in cell.states:
        kernel.load(state.identifier, state.key)
    kernel.line("row = width * 0")
    kernel.line("for t in range(steps):")
    kernel.depth = 2
    for state in cell.states:
        kernel.line(f"if {kernel.pointer(f'kept {state.key}')} is not None:")
        kernel.line(f"    if t % {plan.segment} == 0 and t > 0:")
        kernel.depth += 2
        kernel.store(f"kept {state.key}", state.identifier, f"(t // {plan.segment} - 1) * width")
        kernel.depth -= 2
    kernel.read_inputs()
    keys = [s.key for s in cell.states] + [k for k in plan.shape.recorded if k == "spike"]
    results = kernel.compute(step_of(cell, plan.relaxation), _names(keys), "f_")
    for key, value in zip(keys, results, strict=True):
        if key in plan.shape.recorded:
            kernel.store(f"out {key}", value, "row")
    kernel.carry([s.identifier for s in cell.states], results[: len(cell.states)])
    kernel.line("row += width")
    kernel.depth = 1
    for state in cell.states:
        kernel.store(f"last {state.key}", state.identifier)
    return kernel.source("forward")


def backward_source(plan: Plan, shape: Shape) -> Source:
    """The kernel from the last step to the first. Without a cotangent, `d last <key>` is None; likewise `d <key>`."""
    kernel, cell = _Kernel(plan, shape), plan.cell
    for state in cell.states:
        last = kernel.pointer(f"d last {state.key}")
        kernel.line(f"carry_{state.identifier} = tl.full([{shape.block}], 0.0, {kernel.real})")
        kernel.line(f"if {last} is not None:")
        kernel.line(f"    carry_{state.identifier} = tl.load({last} + lo)")
    for key in sorted(shape.steady):
        kernel.load(_cotangent(key), f"d out {key}")
    sums = [q for q in cell.of_role("constant", "dt") if q.key in shape.wanted]
    for quantity in sums:
        kernel.line(f"sum_{quantity.identifier} = tl.full([{shape.block}], 0.0, {kernel.real})")
    kernel.line(f"segments = (steps + {plan.segment - 1}) // {plan.segment}")
    kernel.line("for behind in range(segments):")
    kernel.depth = 2
    _again(kernel, cell, plan)
    kernel.line("for j in range(count):")
    kernel.depth = 3
    _back(kernel, cell, plan)
    kernel.depth = 2
    if plan.segment > 1:
        kernel.line("tl.debug_barrier()")
    kernel.depth = 1
    for quantity in sums:
        kernel.store(f"d {quantity.key}", f"sum_{quantity.identifier}")
    for state in cell.states:
        kernel.line(f"if {kernel.pointer(f'd {state.key}')} is not None:")
        kernel.depth = 2
        kernel.store(f"d {state.key}", f"carry_{state.identifier}")
        kernel.depth = 1
    return kernel.source("backward")


def _again(kernel: _Kernel, cell: Cell, plan: Plan) -> None:
    """The states before the last step of a segment; those before the others are written to scratch."""
    kernel.line("index = segments - 1 - behind")
    kernel.line(f"count = tl.minimum(steps - index * {plan.segment}, {plan.segment})")
    kernel.line(f"row = index * {plan.segment} * width")
    for state in cell.states:
        kernel.line("if index > 0:")
        kernel.depth += 1
        kernel.load(state.identifier, f"kept {state.key}", "(index - 1) * width")
        kernel.depth -= 1
        kernel.line("else:")
        kernel.depth += 1
        kernel.load(state.identifier, state.key)
        kernel.depth -= 1
    if plan.segment == 1:
        return
    kernel.line("for j in range(count - 1):")
    kernel.depth += 1
    for state in cell.states:
        kernel.store(f"rows {state.key}", state.identifier, "j * width")
    kernel.read_inputs()
    results = kernel.compute(step_of(cell, plan.relaxation), _names([s.key for s in cell.states]), "f_")
    kernel.carry([s.identifier for s in cell.states], results)
    kernel.line("row += width")
    kernel.depth -= 1
    # What one thread has written here, another may read.
    kernel.line("tl.debug_barrier()")


def _back(kernel: _Kernel, cell: Cell, plan: Plan) -> None:
    """A step back: gradients of what was given to it, and the states and cotangents before it."""
    shape = kernel.shape
    kernel.read_inputs()
    for key in sorted(shape.given - shape.steady):
        kernel.load(_cotangent(key), f"d out {key}", "row")
    for state in cell.states:
        carry = f"carry_{state.identifier}"
        more = f" + {_cotangent(state.key)}" if state.key in shape.given else ""
        kernel.line(f"whole_{state.identifier} = {carry}{more}")
        kernel.names[f"d_{_names([state.key])[0]}"] = f"whole_{state.identifier}"
    kernel.names["d_spike"] = _cotangent("spike")
    outputs = [s.key for s in cell.states] + (["spike"] if "spike" in shape.given else [])
    checked, _ = vjp_of(cell, plan.relaxation, outputs)
    wanted = [q for q in cell.of_role("input", "noise", "constant", "dt") if q.key in shape.wanted]
    order = [f"d_{q.identifier}" for q in (*cell.states, *wanted)]
    results = kernel.compute(checked, order, "b_")
    for quantity, value in zip(wanted, results[len(cell.states) :], strict=True):
        if quantity.key in shape.series:
            kernel.store(f"d {quantity.key}", value, "row")
        else:
            kernel.line(f"sum_{quantity.identifier} += {value}")
    kernel.carry([f"carry_{s.identifier}" for s in cell.states], results[: len(cell.states)])
    if plan.segment > 1:
        for state in cell.states:
            kernel.load(state.identifier, f"rows {state.key}", "tl.maximum(count - 2 - j, 0) * width")
    kernel.line("row -= width")


def _names(keys: Sequence[str]) -> list[str]:
    """The names of outputs in the step function."""
    return list(identifiers(dict.fromkeys(keys, 0.0)))


def _cotangent(key: str) -> str:
    """The variable that holds the cotangent of an output."""
    return f"given_{_names([key])[0]}"
