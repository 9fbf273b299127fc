"""The language: what is outside it is refused at the file and line where it stands, with a way out."""

import importlib.util
import re
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

from treplica.errors import ModelError, TreplicaError

HEAD = """
import numpy as np
from treplica.model import (
    absolute, arrival, current, exp, floor, formula, hold, minimum, neuron, normal, param, receptor, sees,
    spike, state, where,
)

GAIN = 2.0
TABLE = [1.0, 2.0]


@formula
def twice(x):
    return 2.0 * x


@formula
def both(x):
    return x, 2.0 * x


def helper(x):
    return x

"""

FIELDS = 'v=state("mV"), i=current("pA")'


def load(folder: Path, text: str) -> ModuleType:
    """Run a model file."""
    path = folder / "my_model.py"
    path.write_text(HEAD + text)
    spec = importlib.util.spec_from_file_location("my_model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refused(folder: Path, text: str) -> ModelError:
    """What is wrong with a model file, which must be found at the line that ends with `# here`."""
    with pytest.raises(ModelError) as caught:
        load(folder, text)
    error = caught.value
    lines = (HEAD + text).splitlines()
    assert error.file == str(folder / "my_model.py")
    assert lines[error.line - 1].endswith("# here"), lines[error.line - 1]
    assert str(error).startswith(f"{error.file}:{error.line}: {error.problem}.")
    return error


def in_step(line: str) -> str:
    """A neuron with one line of its own."""
    indented = textwrap.indent(line, "    ")
    return f"@neuron({FIELDS})\ndef Mine(v, i):\n{indented}\n    return dict(v=v + i, spike=spike(v))\n"


STATEMENTS = {
    "x = v ** 2  # here": ("not in the model language", "Write powers as products"),
    "x = v // 2  # here": ("not in the model language", r"floor\(a / b\)"),
    "x = v % 2  # here": ("not in the model language", r"a - b \* floor"),
    "x = v @ i  # here": ("not in the model language", ""),
    "x = v ^ i  # here": ("not in the model language", ""),
    "x = v << 1  # here": ("not in the model language", ""),
    "x = +v  # here": ("not in the model language", ""),
    "x = ~v  # here": ("not in the model language", "opposite comparison"),
    "x = not v  # here": ("not in the model language", "opposite comparison"),
    "x = v if v > i else i  # here": ("not in the model language", r"where\(condition, a, b\)"),
    "x = where(v > 0 and i > 0, v, i)  # here": ("not in the model language", "with & and"),
    "x = where(0 < v < i, v, i)  # here": ("a chain of comparisons", r"\(a < b\) & \(b < c\)"),
    "x = where(v is i, v, i)  # here": ("'v is i' is not in the model language", ""),
    "x = where(v in i, v, i)  # here": ("'v in i' is not in the model language", ""),
    "x = TABLE[0]  # here": ("not in the model language", "has no arrays"),
    "x = [v, i]  # here": ("not in the model language", ""),
    "x = {v: i}  # here": ("not in the model language", ""),
    "x = (v, i)  # here": ("not in the model language", ""),
    "x = lambda: v  # here": ("not in the model language", "@formula"),
    "x = f'{v}'  # here": ("not in the model language", ""),
    "x = (y := v)  # here": ("not in the model language", ""),
    "x = [v for v in i]  # here": ("not in the model language", ""),
    "x = np.exp(v)  # here": ("cannot be called in a model", "Import the word by its name"),
    "x = np.pi  # here": ("not in the model language", "Import the word by its name"),
    "x = 'mV'  # here": ("'mV' is not a number", ""),
    "x = True  # here": ("True is not a number", ""),
    "x = None  # here": ("None is not a number", ""),
    "x = 2j  # here": ("not in the model language", ""),
    "x = ...  # here": ("not in the model language", ""),
    f"x = 1{'0' * 400}  # here": ("beyond float64", ""),
    "x = nothing  # here": ("'nothing' is not defined", "assign it before"),
    "x = TABLE  # here": ("'TABLE' is not a number", "declared quantities"),
    "x = exp  # here": ("'exp' is not a number", "declared quantities"),
    "x = helper(v)  # here": ("helper is not in the vocabulary", "absolute"),
    "x = abs(v)  # here": ("'abs' is not defined", ""),
    "x = neuron(v)  # here": ("neuron is not in the vocabulary", ""),
    "x = v(i)  # here": ("'v' cannot be called", ""),
    "x = exp(x=v)  # here": ("exp is called with keywords", "by position"),
    "x = minimum(*v)  # here": (r"keywords or \*", "by position"),
    "x = exp(v, i)  # here": ("exp takes 1 arguments, got 2", ""),
    "x = exp()  # here": ("exp takes 1 arguments, got 0", ""),
    "x = where(v > i, v)  # here": ("where takes 3 arguments, got 2", ""),
    "x = minimum(v)  # here": ("minimum takes 2 arguments, got 1", ""),
    "x = twice(v, i)  # here": ("twice takes 1 arguments, got 2", ""),
    "x = where(v, v, i)  # here": ("a number stands where a truth value", "x > 0.0"),
    "x = where(v > i, v, v > i)  # here": ("a number on one side", ""),
    "x = v + (v > i)  # here": ("a truth value stands where a number", r"where\(condition, 1\.0, 0\.0\)"),
    "x = exp(v > i)  # here": ("a truth value stands where a number", ""),
    "x = -(v > i)  # here": ("a truth value stands where a number", ""),
    "x = (v > i) > 0.0  # here": ("a truth value stands where a number", ""),
    "x = v & i  # here": ("a number stands where a truth value", ""),
    "x = (v > i) | i  # here": ("a number stands where a truth value", ""),
    "x = both(v)  # here": ("a formula that returns 2 numbers", "a, b = formula"),
    "x = 1.0 + both(v)  # here": ("a formula that returns 2 numbers", ""),
    "x, y, z = both(v)  # here": ("3 names for 2 numbers", ""),
    "x, = exp(v)  # here": ("a tuple of names for one number", "Write x = "),
    "x, v.y = both(v)  # here": ("1 names for 2 numbers", ""),
    "x, y = v, i  # here": ("only names are assigned to", "one assignment"),
    "x = y = v  # here": ("only names are assigned to", "one assignment"),
    "v.x = i  # here": ("only names are assigned to", "one assignment"),
    "TABLE[0] = v  # here": ("only names are assigned to", "one assignment"),
    "x: float = v  # here": ("annassign is not in the model language", ""),
    "v += i  # here": ("augassign is not in the model language", "x = x \\+ y"),
    "if v > i: v = i  # here": ("if is not in the model language", r"where\(condition"),
    "for k in v: v = i  # here": ("for is not in the model language", "no loops"),
    "while v > i: v = i  # here": ("while is not in the model language", "no loops"),
    "exp(v)  # here": ("expr is not in the model language", ""),
    "'text'; 'more'  # here": ("expr is not in the model language", ""),
    "pass  # here": ("pass is not in the model language", ""),
    "assert v > i  # here": ("assert is not in the model language", ""),
    "global GAIN  # here": ("global is not in the model language", ""),
    "import os  # here": ("import is not in the model language", ""),
    "del v  # here": ("delete is not in the model language", ""),
    "raise ValueError  # here": ("raise is not in the model language", ""),
    "return dict(v=v, spike=v)  # here": ("return is not in the model language", ""),
    "def inner(): return v  # here": ("functiondef is not in the model language", ""),
    "class Inner: x = 1  # here": ("classdef is not in the model language", ""),
    "x = v * GAIN\nGAIN = 3.0  # here": ("'GAIN' is assigned after it was read", "another name"),
    "x = exp(v)\nexp = v  # here": ("'exp' is assigned after it was read", "another name"),
    "x, y = both(v)\nz, both = both(x)  # here": ("'both' is assigned after it was read", "another name"),
}


@pytest.mark.parametrize("line", STATEMENTS)
def test_statements_outside_the_language(tmp_path: Path, line: str) -> None:
    problem, advice = STATEMENTS[line]
    error = refused(tmp_path, in_step(line))
    assert re.search(problem, str(error))
    assert re.search(advice, str(error))


@pytest.mark.parametrize(
    "line",
    [
        "x = where((v > 0.0) & (i > 0.0) | (v == i), v, -i)",
        "x, y = both(twice(v) / GAIN)",
        "over = v > i\nx = where(over, v, i)",
        "x = where(where(v > i, v > 0, v < 0), 1, 0)",
        "GAIN = 3.0\nx = GAIN * v",
        "v = v + 1.0\nx = v - i * 2",
        "x = (v != i) | (v <= i)",
    ],
)
def test_statements_inside_the_language(tmp_path: Path, line: str) -> None:
    assert load(tmp_path, in_step(line)).Mine.step(1.0, 2.0)["spike"] == 1.0


RESULTS = {
    "return v  # here": r"the result is not dict\(name=",
    "return dict([('v', v)])  # here": r"dict\(\.\.\.\) takes names only",
    "return dict(v=v, **GAIN)  # here": r"dict\(\.\.\.\) takes names only",
    "return {'v': v}  # here": r"the result is not dict\(name=",
    "return  # here": r"the result is not dict\(name=",
    "return dict(v=v > i, spike=v)  # here": "a truth value stands where a number",
    "return dict(v=v, spike='yes')  # here": "'yes' is not a number",
}


@pytest.mark.parametrize("line", RESULTS)
def test_results_outside_the_language(tmp_path: Path, line: str) -> None:
    text = f"@neuron({FIELDS})\ndef Mine(v, i):\n    x = v + i\n    {line}\n"
    assert re.search(RESULTS[line], str(refused(tmp_path, text)))


HEADS = {
    "def Mine(v, i):  # here\n    x = v\n": "Mine does not end with return",
    'def Mine(v, i):  # here\n    """Only words."""\n': "Mine does not end with return",
    "def Mine(v, i=0.0):  # here\n    return dict(v=v, spike=i)\n": "plain arguments",
    "def Mine(v, *i):  # here\n    return dict(v=v, spike=v)\n": "plain arguments",
    "def Mine(v, *, i):  # here\n    return dict(v=v, spike=i)\n": "plain arguments",
    "def Mine(v, /, i):  # here\n    return dict(v=v, spike=i)\n": "plain arguments",
    "def Mine(v, **i):  # here\n    return dict(v=v, spike=v)\n": "plain arguments",
}


@pytest.mark.parametrize("text", HEADS)
def test_heads_outside_the_language(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, f"@neuron({FIELDS})\n{text}")
    assert re.search(HEADS[text], str(error))


FORMULAS = {
    "@formula\ndef f(x):\n    return  # here\n": "one number, or a tuple of several",
    "@formula\ndef f(x):\n    return (x,)  # here\n": "one number, or a tuple of several",
    "@formula\ndef f(x):\n    return x > 0.0  # here\n": "a truth value stands where a number",
    "@formula\ndef f(x):\n    return x, (x, x)  # here\n": "not in the model language",
    "@formula\ndef f(x):\n    return dict(x=x)  # here\n": "'dict' is not defined",
    "@formula\ndef f(x):\n    return f(x - 1.0)  # here\n": "'f' is not defined",
}


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_outside_the_language(tmp_path: Path, text: str) -> None:
    assert re.search(FORMULAS[text], str(refused(tmp_path, text)))


def test_what_is_not_a_function_with_a_source(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"Define it with `def`"):
        load(tmp_path, "f = formula(lambda x: x)\n")
    with pytest.raises(ModelError, match=r"Define it with `def`"):
        load(tmp_path, "@formula\nasync def f(x):\n    return x\n")
    with pytest.raises(ModelError, match="is not a function"):
        load(tmp_path, "f = formula(len)\n")
    with pytest.raises(ModelError, match=r"source of f cannot be read.*file or a notebook cell"):
        load(tmp_path, "space = {}\nexec('def f(x): return x', space)\nf = formula(space['f'])\n")


def test_a_wrapped_function_is_not_its_source(tmp_path: Path) -> None:
    """inspect shows the source of what is wrapped, but something else would run."""
    text = """
import functools

def louder(f):
    @functools.wraps(f)
    def g(*args):
        return 2.0 * f(*args)
    return g

@formula
@louder
def f(x):
    return x
"""
    with pytest.raises(ModelError, match="another decorator"):
        load(tmp_path, text)


def test_a_name_that_is_not_bound_yet(tmp_path: Path) -> None:
    text = """
def make():
    @formula
    def f(x):
        return x * later  # here
    later = 2.0
    return f

make()
"""
    assert refused(tmp_path, text).problem == "'later' is not defined"


def test_indented_models_and_closures(tmp_path: Path) -> None:
    text = """
def make(gain):
    factor = 2.0 * gain
    @neuron(v=state("mV"))
    def Mine(v):
        return dict(v=v * factor, spike=spike(v))
    return Mine

A, B = make(1.0), make(2.0)
"""
    module = load(tmp_path, text)
    assert (module.A.step(3.0)["v"], module.B.step(3.0)["v"]) == (6.0, 12.0)
    assert module.A.step_checked.constants == {"factor": 2.0}
    assert module.A.fingerprint != module.B.fingerprint


def test_every_refusal_is_an_error_of_the_tree(tmp_path: Path) -> None:
    with pytest.raises(TreplicaError) as caught:
        load(tmp_path, in_step("x = v ** 2"))
    assert isinstance(caught.value, ValueError)
