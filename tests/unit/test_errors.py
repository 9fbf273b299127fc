"""The error tree: as drawn, and with messages that say what to do."""

import inspect
import re

import pytest

from treplica import errors
from treplica.errors import (
    DescriptionError,
    InvalidValue,
    MissingExtra,
    ModelError,
    NumericalError,
    OutputError,
    SimulationError,
    TreplicaError,
    UnknownName,
)

# name -> (parent, the builtin base or None)
Tree = dict[str, tuple[str, str | None]]


def drawn_tree() -> Tree:
    tree: Tree = {}
    parents = ["TreplicaError"]
    pattern = r"^ {4}((?:│   |    )*)[├└]── (\w+)\s+(?:\((\w+)\))?"
    for indent, name, base in re.findall(pattern, inspect.cleandoc("\n" + str(errors.__doc__)), re.MULTILINE):
        depth = len(indent) // 4
        del parents[depth + 1 :]
        tree[name] = (parents[depth], base or None)
        parents.append(name)
    return tree


def real_tree() -> Tree:
    tree: Tree = {}
    for name, thing in vars(errors).items():
        if inspect.isclass(thing) and issubclass(thing, TreplicaError) and thing is not TreplicaError:
            ours = [base for base in thing.__bases__ if issubclass(base, TreplicaError)]
            builtin = [base for base in thing.__bases__ if not issubclass(base, TreplicaError)]
            assert len(ours) == 1
            assert len(builtin) <= 1
            tree[name] = (ours[0].__name__, builtin[0].__name__ if builtin else None)
    return tree


def test_the_drawn_tree_is_the_real_one() -> None:
    assert len(drawn_tree()) >= 8
    assert drawn_tree() == real_tree()
    assert TreplicaError.__bases__ == (Exception,)


def test_every_module_level_class_is_in_the_tree() -> None:
    classes = {
        name
        for name, thing in vars(errors).items()
        if inspect.isclass(thing) and thing.__module__ == errors.__name__
    }
    assert classes == {"TreplicaError", *drawn_tree()}


def test_invalid_value() -> None:
    error = InvalidValue("Izhikevich.a", -0.02, "a number >= 0 1/ms", "Its sign is part of the equation.")
    assert (error.quantity, error.value, error.allowed) == ("Izhikevich.a", -0.02, "a number >= 0 1/ms")
    assert error.advice == "Its sign is part of the equation."
    assert (
        str(error) == "Izhikevich.a must be a number >= 0 1/ms, got -0.02. Its sign is part of the equation."
    )
    assert str(InvalidValue("dt", 0, "> 0 ms")) == "dt must be > 0 ms, got 0."
    assert isinstance(error, ValueError)


def test_invalid_value_keeps_a_huge_value_but_shows_its_start() -> None:
    value = list(range(1000))
    error = InvalidValue("delays", value, "one number")
    assert error.value is value
    assert str(error).startswith("delays must be one number, got [0, 1, 2, ")
    assert str(error).endswith("....")
    assert len(str(error)) < 250


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("tau", "tau_m"), ("refactory", "refractory"), ("V_th", "v_th"), ("qqqq", None)],
)
def test_unknown_name_suggests_the_nearest(name: str, nearest: str | None) -> None:
    known = ("tau_m", "v_th", "refractory")
    error = UnknownName("parameter", name, iter(known))
    assert (error.kind, error.name, error.known, error.nearest) == ("parameter", name, known, nearest)
    hint = f" Did you mean {nearest!r}?" if nearest else ""
    assert str(error) == f"parameter {name!r} is not known.{hint} Known: tau_m, v_th, refractory."


def test_unknown_name_among_none() -> None:
    assert str(UnknownName("population", "mesh", [])) == "population 'mesh' is not known. Known: none."


def test_unknown_name_prints_plainly_as_a_lookup_error() -> None:
    with pytest.raises(LookupError, match=r"^rule 'x' is not known\."):
        raise UnknownName("rule", "x", ["ring"])


def test_model_error() -> None:
    error = ModelError("lif.py", 12, "a loop is not allowed", "Write the terms out.")
    assert (error.file, error.line, error.problem) == ("lif.py", 12, "a loop is not allowed")
    assert str(error) == "lif.py:12: a loop is not allowed. Write the terms out."
    assert str(ModelError("lif.py", 12, "a loop is not allowed")) == "lif.py:12: a loop is not allowed."


@pytest.mark.parametrize("kind", [DescriptionError, OutputError])
def test_file_errors(kind: type[DescriptionError] | type[OutputError]) -> None:
    error = kind("run/x.h5", "the file is cut short", "Write it again.")
    assert (error.path, error.problem, error.advice) == (
        "run/x.h5",
        "the file is cut short",
        "Write it again.",
    )
    assert str(error) == "run/x.h5: the file is cut short. Write it again."
    assert str(kind("x", "is a folder")) == "x: is a folder."


def test_missing_extra_names_the_command() -> None:
    error = MissingExtra("matplotlib", "plot", "A raster picture")
    assert (error.package, error.extra) == ("matplotlib", "plot")
    assert error.command == "pip install 'treplica[plot]'"
    assert error.command in str(error)
    assert str(error).startswith("A raster picture needs matplotlib, which is not installed.")


def test_numerical_error_places_the_value() -> None:
    error = NumericalError("mesh", 7, "v", float("nan"), 30, 0.1)
    assert (error.population, error.neuron, error.variable, error.step) == ("mesh", 7, "v", 30)
    assert error.time == pytest.approx(3.0)
    assert str(error).startswith("mesh[7].v became nan in step 30 (t = 3 ms). Use a smaller dt")
    assert isinstance(error, SimulationError)
