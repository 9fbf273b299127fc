"""The derivative of a model's step, from its own operations (reverse mode).

`relaxed` replaces Heaviside's function where a gradient is wanted; `adjoint` walks a tape back. Both give tapes
again, so what they compute is in the model language: CPython, numba and PyTorch run it as they run a model.

Baydin, Pearlmutter, Radul & Siskind 2018, Journal of Machine Learning Research 18(153), section 3.2.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Protocol

from treplica.model.definition import Formula
from treplica.model.derivatives import DERIVATIVES
from treplica.model.tape import COMPARISONS, Ref, Tape

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
assert _COMPARE.keys() == set(COMPARISONS.values())


class Smoothed(Protocol):
    """What stands for a step function in training: its smooth form and the derivative, with values of their own."""

    @property
    def smooth(self) -> Formula:
        """`smooth(x, *values)`."""

    @property
    def derivative(self) -> Formula:
        """`derivative(x, *values)`."""


#: What stands for `spike` and `graded`, and the inputs of the tape that hold its values.
Stand = tuple[Smoothed, tuple[str, ...]]


class _Relaxing:
    """Copies a tape operation by operation; see `relaxed`."""

    def __init__(self, tape: Tape, stands: Mapping[str, Stand], attached: bool, smooth: bool) -> None:
        values = [v for _, names in stands.values() for v in names]
        self.tape = Tape([*tape.inputs, *values])
        self.stands, self.attached, self.smooth = stands, attached, smooth
        self.hard: dict[str, Ref] = {n: n for n in tape.inputs}
        self.soft: dict[str, Ref] = {}
        self.firing: set[Ref] = set()
        #: comparison of a spike -> the spike, and whether the comparison holds for 1 (and not for 0)
        self.decisions: dict[str, tuple[str, bool]] = {}

    def of_hard(self, ref: Ref) -> Ref:
        return self.hard[ref] if isinstance(ref, str) else ref

    def of_soft(self, ref: Ref) -> Ref:
        return self.soft.get(ref, self.hard[ref]) if isinstance(ref, str) else ref

    def copy(self, name: str, word: str, of: tuple[Ref, ...]) -> None:
        self.note(name, word, of)
        decided = self.decisions.get(str(of[0])) if word == "where" and self.attached else None
        self.hard[name] = self.tape.add(word, *map(self.of_hard, of))
        if self.smooth:
            self.soften(name, word, of, decided)
        elif decided:
            self.attach(name, of, *decided)

    def note(self, name: str, word: str, of: tuple[Ref, ...]) -> None:
        """Remember which variables are 0 or 1 for a spike, and what is decided by one."""
        if word == "spike" or (word == "where" and all(b in self.firing or b in (0.0, 1.0) for b in of[1:])):
            self.firing.add(name)
        if word in _COMPARE:
            for s, other, swapped in ((of[0], of[1], False), (of[1], of[0], True)):
                if isinstance(s, str) and s in self.firing and not isinstance(other, str):
                    holds = _COMPARE[word]
                    at = [holds(other, v) if swapped else holds(v, other) for v in (0.0, 1.0)]
                    if at[0] != at[1]:
                        self.decisions[name] = (s, at[1])

    def attach(self, name: str, of: tuple[Ref, ...], s: str, when_fired: bool) -> None:
        """The value stays; the spike gets the difference of the branches as its derivative."""
        a, b = map(self.of_hard, of[1:] if when_fired else of[:0:-1])
        fired = self.hard[s]
        zero = self.tape.add("-", fired, self.tape.add("hold", fired))
        apart = self.tape.add("hold", self.tape.add("-", a, b))
        self.hard[name] = self.tape.add("+", self.hard[name], self.tape.add("*", zero, apart))

    def soften(self, name: str, word: str, of: tuple[Ref, ...], decided: tuple[str, bool] | None) -> None:
        """What the smooth forward pass computes, where it differs. Comparisons stay those of hard spikes."""
        if word in self.stands:
            stand, values = self.stands[word]
            (self.soft[name],) = self.tape.call(stand.smooth, self.of_soft(of[0]), *values)
        elif decided:
            s, when_fired = decided
            a, b = map(self.of_soft, of[1:] if when_fired else of[:0:-1])
            step = self.tape.add("*", self.of_soft(s), self.tape.add("-", a, b))
            self.soft[name] = self.tape.add("+", b, step)
        elif word not in (*_COMPARE, "&", "|") and any(a in self.soft for a in of):
            self.soft[name] = self.tape.add(word, *map(self.of_soft, of))


def relaxed(
    tape: Tape, outputs: Mapping[str, Ref], stands: Mapping[str, Stand], attached: bool, smooth: bool
) -> tuple[Tape, dict[str, Ref]]:
    """A tape that training differentiates, and its outputs.

    attached: `where(s > 0, a, b)` of a spike s passes the gradient a - b to s, as b + s (a - b) would; otherwise what
    a spike decides passes none. smooth: spikes are their smooth forms in the result, so that the gradient is the true
    one; comparisons of spikes are decided as ever. stands: for `spike` and `graded`, see `Stand`.
    """
    copying = _Relaxing(tape, stands, attached, smooth)
    for operation in tape.needed(outputs.values()):
        copying.copy(operation.name, operation.word, operation.of)
    return copying.tape, {n: copying.of_soft(r) for n, r in outputs.items()}


class _Reverse:
    """Collects cotangents, last operation first; see `adjoint`."""

    def __init__(self, tape: Tape, stands: Mapping[str, Stand]) -> None:
        self.tape, self.stands = tape, stands
        self.cotangents: dict[str, Ref] = {}

    def times(self, a: Ref, b: Ref) -> Ref:
        if a == 1.0 or b == 1.0:
            return b if a == 1.0 else a
        return 0.0 if 0.0 in (a, b) else self.tape.add("*", a, b)

    def give(self, variable: Ref, cotangent: Ref) -> None:
        """Add to the cotangent of a variable."""
        if isinstance(variable, str) and cotangent != 0.0:
            before = self.cotangents.get(variable, 0.0)
            self.cotangents[variable] = cotangent if before == 0.0 else self.tape.add("+", before, cotangent)

    def back(self, name: str, word: str, of: tuple[Ref, ...]) -> None:
        """Pass the cotangent of an operation on to what it took."""
        g = self.cotangents.get(name, 0.0)
        if g == 0.0:
            return
        match word:
            case "+":
                self.give(of[0], g)
                self.give(of[1], g)
            case "-":
                self.give(of[0], g)
                self.give(of[1], self.tape.add("neg", g))
            case "neg":
                self.give(of[0], self.tape.add("neg", g))
            case "*":
                self.give(of[0], self.times(g, of[1]))
                self.give(of[1], self.times(g, of[0]))
            case "/":
                self.give(of[0], self.tape.add("/", g, of[1]))
                ratio = self.tape.add("/", name, of[1])
                self.give(of[1], self.tape.add("neg", self.times(g, ratio)))
            case "where":
                self.choose(of[0], of[1], of[2], g)
            case "minimum" | "maximum":
                first = self.tape.add("<" if word == "minimum" else ">", *of)
                self.choose(first, of[0], of[1], g)
            case "absolute":
                below = self.tape.add("where", self.tape.add("<", of[0], 0.0), self.tape.add("neg", g), 0.0)
                self.give(of[0], self.tape.add("where", self.tape.add(">", of[0], 0.0), g, below))
            case "spike" | "graded" if word in self.stands:
                stand, values = self.stands[word]
                self.give(of[0], self.times(g, self.tape.call(stand.derivative, of[0], *values)[0]))
            case _ if word in DERIVATIVES:
                rule = DERIVATIVES[word]
                at = name if rule.takes_result else of[0]
                self.give(of[0], self.times(g, self.tape.call(rule.formula, at)[0]))

    def choose(self, condition: Ref, a: Ref, b: Ref, g: Ref) -> None:
        self.give(a, self.tape.add("where", condition, g, 0.0))
        self.give(b, self.tape.add("where", condition, 0.0, g))


def adjoint(
    tape: Tape, outputs: Mapping[str, Ref], stands: Mapping[str, Stand]
) -> tuple[Tape, dict[str, Ref]]:
    """The tape of the cotangents of all inputs, given those of the outputs.

    It takes the inputs of `tape`, the values of `stands` and, for every output, `d_<output>`; it gives `d_<input>`.
    `hold`, `floor` and comparisons pass nothing; `spike` and `graded` pass what stands for them says.
    """
    names = {v: None for _, values in stands.values() for v in values if v not in tape.inputs}
    result = Tape([*tape.inputs, *names, *(f"d_{n}" for n in outputs)])
    reverse = _Reverse(result, stands)
    forward: dict[str, Ref] = {n: n for n in tape.inputs}
    steps = []
    for operation in tape.needed(outputs.values()):
        of = tuple(forward[a] if isinstance(a, str) else a for a in operation.of)
        forward[operation.name] = result.add(operation.word, *of)
        steps.append((forward[operation.name], operation.word, of))
    for name, ref in outputs.items():
        reverse.give(forward[ref] if isinstance(ref, str) else ref, f"d_{name}")
    for done, word, of in reversed(steps):
        if isinstance(done, str):
            reverse.back(done, word, of)
    return result, {f"d_{n}": reverse.cotangents.get(n, 0.0) for n in tape.inputs}
