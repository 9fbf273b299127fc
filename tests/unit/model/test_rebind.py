"""The same function with other words: float32 in CPython, and the lowered syntax tree."""

import ast

import numpy as np
import pytest

from treplica.model import exp, formula, neuron, param, spike, state, where
from treplica.model.check import WORDS
from treplica.model.lowering import lower
from treplica.model.rebind import rebind

THIRD = 1.0 / 3.0


@formula
def levels():
    return 0.1, -2


@formula
def blend(x, y):
    low, high = levels()
    return low * x + high * y


@neuron(v=state("mV"), tau=param("ms", 10.0), real=param("1", 1.0), floor=param("1", 0.5))
def Odd(v, tau, real, floor, dt):
    """A model with every form of number, and quantities named like words."""
    where_it_is = v + 0.1 * THIRD - 1
    pow2 = where(where_it_is > 2, 1, 0)
    spike_at = blend(where_it_is, real) / (1.0 / 3.0) + exp(-dt / tau) * floor
    above = spike_at > 0.2
    above = where(above, 1e-3, -1e-3)
    return dict(v=spike_at + pow2 + above, spike=spike(spike_at - 1))


def test_every_number_passes_through_literal() -> None:
    seen = []

    def literal(x):
        seen.append(x)
        return np.float32(x)

    rebind(Odd.step_checked, WORDS, literal)
    assert all(type(x) is float for x in seen)
    assert {0.1, THIRD, 1.0, 2.0, -2.0, 0.0, 0.2, 1e-3, -1e-3} <= set(seen)


def test_float32_stays_float32() -> None:
    step = rebind(Odd.step_checked, WORDS, np.float32)
    rng = np.random.default_rng(1)
    differences = 0
    for _ in range(100):
        given = {n: np.float32(x) for n, x in zip(Odd.arguments, rng.uniform(0.1, 3, 5), strict=True)}
        single = step(**given)
        double = Odd.step(**{n: float(x) for n, x in given.items()})
        assert {type(x) for x in single.values()} == {np.float32}
        assert float(single["v"]) == pytest.approx(double["v"], rel=1e-5, abs=1e-5)
        differences += float(single["v"]) != double["v"]
    assert differences > 50


def test_float64_is_the_specification() -> None:
    step = rebind(Odd.step_checked, WORDS, float)
    given = dict(v=0.3, tau=4.0, real=0.7, floor=0.2, dt=0.1)
    assert step(**given) == Odd.step(**given)


def test_a_rebound_function_keeps_its_place() -> None:
    """Tracebacks and debuggers show the model file."""
    step = rebind(Odd.step_checked, WORDS, float)
    assert step.__code__.co_filename == __file__
    assert abs(step.__code__.co_firstlineno - Odd.step.__code__.co_firstlineno) <= 1


def lowered(precision: str = "float64") -> list[ast.FunctionDef]:
    return list(lower(Odd.step_checked, "odd", precision, ("spike", "v")))


def test_callees_come_first() -> None:
    names = [f.name for f in lowered()]
    assert names == ["odd__blend__levels", "odd__blend", "odd__exp", "odd"]


def test_lowered_code_has_no_bare_number_and_no_free_name() -> None:
    known = {"real", *WORDS, "pow2", "mantissa", "exponent"}
    for function in lowered():
        known.add(function.name)
        local = {a.arg for a in function.args.args}
        for node in ast.walk(ast.Module(function.body, [])):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                local.add(node.id)
        assert not local & known
        for node in ast.walk(ast.Module(function.body, [])):
            if isinstance(node, ast.Constant):
                assert type(node.value) is float
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                assert node.id in local | known


def test_literals_alone_are_computed_beforehand_in_float64() -> None:
    """As CPython's compiler does; a constant with a name is not a literal to either."""
    text = ast.unparse(lowered("float32")[-1])
    assert "real(0.3333333333333333)" in text
    assert f"real(0.1) * real({THIRD!r})" in text
    assert "real(-0.001)" in text


def test_lowered_code_computes_the_same() -> None:
    """Run by CPython with the words of the specification, it gives what the model gives, in order."""
    from treplica.numerics import primitives

    space = {"inlined": lambda f: f, "real": float, **WORDS}
    space |= {n: getattr(primitives, n) for n in ("pow2", "mantissa", "exponent")}
    exec(compile(ast.Module(lowered(), []), "lowered", "exec"), space)
    rng = np.random.default_rng(2)
    for _ in range(50):
        given = rng.uniform(0.1, 3, 5).tolist()
        expected = Odd.step(*given)
        assert space["odd"](*given) == (expected["spike"], expected["v"])


def test_special_numbers_survive_the_text_of_code() -> None:
    @formula
    def special(x):
        return where(x > 1e400, -0.0, -1e400 * x)

    (function,) = lower(special.checked, "f", "float64")
    space = {"inlined": lambda f: f, "real": float, "where": where}
    exec(ast.unparse(function), space)
    assert space["f"](1.0) == -np.inf
    assert str(space["f"](float("nan"))) == "nan"
