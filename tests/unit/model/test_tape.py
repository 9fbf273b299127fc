"""A tape computes what the function computes, and is again a function of the model language."""

import numpy as np
import pytest

from treplica import neurons, synapses
from treplica.model import Model, formula, spike, where
from treplica.model.check import WORDS
from treplica.model.rebind import rebind
from treplica.model.tape import Tape, written

MODELS = [getattr(module, name) for module in (neurons, synapses) for name in module.__all__]


def tape_of(model: Model) -> tuple[Tape, dict]:
    tape = Tape(f"x_{a}" for a in model.arguments)
    outputs = tape.inline(model.step_checked, {a: f"x_{a}" for a in model.arguments})
    assert isinstance(outputs, dict)
    return tape, outputs


@pytest.mark.parametrize("precision", [np.float64, np.float32])
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_a_tape_has_the_bits_of_its_function(model: Model, precision: type) -> None:
    rng = np.random.default_rng(3)
    tape, outputs = tape_of(model)
    again = rebind(written("again", tape, outputs), WORDS, precision)
    plain = rebind(model.step_checked, WORDS, precision)
    with np.errstate(all="ignore"):
        for _ in range(20):
            given = {a: precision(rng.normal(0, 40) * rng.integers(0, 2)) for a in model.arguments}
            expected, got = plain(**given), again(**{f"x_{a}": v for a, v in given.items()})
            assert expected.keys() == got.keys()
            for name, value in expected.items():
                np.testing.assert_array_equal(np.asarray(got[name]), np.asarray(value), err_msg=name)


def test_literals_are_computed_once_in_float64_and_zero_keeps_its_sign() -> None:
    tape = Tape(["x"])
    assert tape.add("/", 1.0, 3.0) == 1.0 / 3.0
    assert tape.add("neg", 2.0) == -2.0
    assert isinstance(tape.add("/", 1.0, 0.0), str)
    assert tape.add("*", "x", 0.0) != tape.add("*", "x", -0.0)
    assert tape.add("+", "x", 1.0) == tape.add("+", "x", 1.0)


def test_only_what_is_needed_is_written() -> None:
    tape = Tape(["x", "y"])
    square = tape.add("*", "x", "x")
    tape.add("*", "y", "y")
    again = written("again", tape, {"z": square})
    assert again.source.text.count("*") == 1
    assert again.source.function(3.0, 9.0) == {"z": 9.0}


NAMED = 7.0


@formula
def twice_and_half(x):
    return 2.0 * x, x / 2.0


def test_formulas_and_named_numbers_are_inlined() -> None:
    @formula
    def outer(x):
        a, b = twice_and_half(x + NAMED)
        return where(a > b, a, b) + spike(x)

    tape = Tape(["x"])
    (result,) = tape.call(outer, "x")
    again = written("again", tape, {"y": result})
    assert not again.formulas
    assert again.source.function(1.0)["y"] == outer(1.0) == 17.0
    assert again.source.function(-8.0)["y"] == outer(-8.0) == -0.5
