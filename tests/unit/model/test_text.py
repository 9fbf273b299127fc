"""Models travel as their checked source: they read back equal, and what was tampered with does nothing."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from treplica import neurons, synapses
from treplica.errors import DescriptionError, TreplicaError
from treplica.model import Model, current, exp, floor, formula, neuron, param, spike, state, where
from treplica.model.text import from_dict, to_dict

SHIPPED = [getattr(m, n) for m in (neurons, synapses) for n in m.__all__]
FACTOR = 2.5


@formula
def doubled(x):
    """Twice."""
    return 2.0 * x


@formula
def pair(x, y):
    a = doubled(x) + FACTOR
    return a, where(y > 0.0, exp(y), y)


def constants(tau, dt):
    return dict(decay=exp(-dt / tau))


@neuron(
    v=state("mV", -1.5, doc="potential"), i=current("pA"), tau=param("ms", 10.0, low=0.0, low_open=True),
    high=param("mV", 3.0, high=9.0), derive=constants, presets=dict(quick=dict(tau=1.0)), graded=3, source="me",
)  # fmt: skip
def Mine(v: float, i: float, decay: float, high: float) -> dict[str, float]:
    """Doc."""
    # a comment
    a, b = pair(v * decay, i)
    return dict(v=where(a > high, -1.0, a - b * 1e-3), spike=floor(spike(a - high)))


def through_json(model: Model) -> Any:
    return json.loads(json.dumps(to_dict(model), allow_nan=False))


@pytest.mark.parametrize("model", [Mine, *SHIPPED], ids=lambda m: m.name)
def test_a_model_reads_back_equal(model: Model) -> None:
    back = from_dict(through_json(model), "net.json")
    assert back.fingerprint == model.fingerprint
    assert (back.kind, back.name, back.graded, back.source) == (
        model.kind, model.name, model.graded, model.source,
    )  # fmt: skip
    assert dict(back.fields) == dict(model.fields)
    assert list(back.fields) == list(model.fields)
    assert {n: dict(p) for n, p in back.presets.items()} == {n: dict(p) for n, p in model.presets.items()}
    assert through_json(back) == through_json(model)
    given = {name: 0.25 + 0.5 * k for k, name in enumerate(model.arguments)}
    assert str(back.step(**given)) == str(model.step(**given))  # NaN and all
    if model.derive_checked:
        given = {name: 1.25 + 0.5 * k for k, name in enumerate(model.derive_checked.source.arguments)}
        derive = model.derive_checked.source.function
        assert back.derive_checked.source.function(**given) == derive(**given)


def test_the_test_model_is_not_trivial() -> None:
    assert len({str(Mine.step(v, 1.0, 0.9, 3.0)) for v in (-2.0, 0.0, 0.1, 5.0)}) == 4
    assert len(SHIPPED) > 10


TEXT = """
from treplica.model import current, exp, neuron, param, spike, state
GAIN = {gain}
def constants(tau, dt):
    return dict(decay=exp(-dt / tau))
@neuron(v=state("mV", -65.0, doc="{doc}"), i=current("pA"), tau=param("ms", 10.0), derive=constants)
def Mine(v, i, decay):
    {body}
"""
BODY = "return dict(v=v * decay + GAIN * i, spike=spike(v))"


def fingerprint(folder: Path, body: str = BODY, gain: str = "2.0", doc: str = "v") -> str:
    path = folder / "mine.py"
    path.write_text(TEXT.format(body=body, gain=gain, doc=doc))
    spec = importlib.util.spec_from_file_location("mine", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Mine.fingerprint


@pytest.mark.parametrize(
    "body",
    [
        f"# a comment\n    {BODY}  # another",
        f'"""Words."""\n    {BODY}',
        "return dict(\n        v=(v * decay) + GAIN*i,\n        spike=spike(v),\n    )",
    ],
)
def test_the_fingerprint_sees_the_meaning_only(tmp_path: Path, body: str) -> None:
    assert fingerprint(tmp_path, body, doc="the potential") == fingerprint(tmp_path)


def test_the_fingerprint_sees_every_change_of_meaning(tmp_path: Path) -> None:
    marks = {
        fingerprint(tmp_path),
        fingerprint(tmp_path, gain="2.5"),
        fingerprint(tmp_path, BODY.replace("*", "/")),
        fingerprint(tmp_path, BODY.replace("spike(v)", "spike(-v)")),
        fingerprint(tmp_path, BODY.replace("v * decay + GAIN * i", "GAIN * i + v * decay")),
    }
    assert len(marks) == 5


def test_the_fingerprint_is_the_same_in_every_process() -> None:
    """Written down: a change of these makes saved descriptions unreadable, so it must be on purpose."""
    assert Mine.fingerprint == "cf26cd29bfcf803e"


def damage(data: dict[str, Any], *keys: str, value: Any) -> dict[str, Any]:
    """The description with one item replaced."""
    inner = data
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    return data


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("name",), "Else"),
        (("graded",), 2),
        (("fields", "tau", "low"), 1.0),
        (("fields", "tau", "default"), 11.0),
        (("fields", "v", "unit"), "V"),
        (("step", "formulas", "pair", "constants"), {}),
        (("step", "formulas", "pair", "constants", "FACTOR"), 3.0),
        (("step", "formulas", "pair", "words", "exp"), "log"),
        (("derive", "text"), "def constants(tau, dt):\n    return dict(decay=dt / tau)\n"),
        (("derive",), None),
    ],
)
def test_what_was_changed_is_noticed(keys: tuple[str, ...], value: Any) -> None:
    data = damage(through_json(Mine), *keys, value=value)
    if keys == ("name",):  # the name is in the source; the item is for readers
        assert from_dict(data, "net.json").name == "Mine"
        return
    with pytest.raises(DescriptionError, match=r"^net\.json: "):
        from_dict(data, "net.json")


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("kind",), "neurone"),
        (("kind",), None),
        (("fields",), []),
        (("fields", "tau"), 3.0),
        (("fields", "tau", "kind"), "spell"),
        (("fields", "tau", "colour"), "red"),
        (("fields", "tau", "low"), "deep"),
        (("fields", "tau", "law"), "beta"),
        (("step",), None),
        (("step", "text"), ""),
        (("step", "text"), "def Mine(v"),
        (("step", "text"), "x = 1"),
        (("step", "text"), "def Mine(v):\n    return v\ndef Other(v):\n    return v"),
        (("step", "text"), "def Mine(v):\0\n    return v"),
        (("step", "text"), "def Mine(v):\n    return " + "(" * 2000 + "v" + ")" * 2000),
        (("step", "words", "where"), "there"),
        (("step", "words"), []),
        (("step", "constants", "x"), "many"),
        (("presets",), {"quick": {"speed": 1.0}}),
        (("presets",), 3),
        (("graded",), "some"),
        (("graded",), 0),
    ],
)
def test_what_cannot_be_read(keys: tuple[str, ...], value: Any) -> None:
    with pytest.raises(DescriptionError, match=r"^net\.json: ") as caught:
        from_dict(damage(through_json(Mine), *keys, value=value), "net.json")
    assert caught.value.path == "net.json"


@pytest.mark.parametrize("missing", ["kind", "fields", "step", "derive", "presets", "graded", "fingerprint"])
def test_what_is_incomplete(missing: str) -> None:
    data = through_json(Mine)
    del data[missing]
    with pytest.raises(DescriptionError):
        from_dict(data, "net.json")


EVIL = "__import__('pathlib').Path({path!r}).touch()"
ATTACKS = [
    "@({evil} or (lambda f: f))\ndef Mine(v, i, decay, high):\n    return dict(v=v, spike=v)",
    "def Mine(v, i, decay, high={evil}):\n    return dict(v=v, spike=v)",
    "def Mine(v: {evil}, i, decay, high):\n    return dict(v=v, spike=v)",
    "def Mine(v, /, i: {evil}, decay, high):\n    return dict(v=v, spike=v)",
    "def Mine(v: {evil}, /, i, decay, high):\n    return dict(v=v, spike=v)",
    "def Mine(v, i, decay, high, *rest: {evil}):\n    return dict(v=v, spike=v)",
    "def Mine(v, i, decay, high, **rest: {evil}):\n    return dict(v=v, spike=v)",
    "def Mine(v, i, decay, *, high={evil}):\n    return dict(v=v, spike=v)",
    "def Mine(v, i, decay, *, high: {evil}):\n    return dict(v=v, spike=v)",
    "def Mine(v, i, decay, high) -> {evil}:\n    return dict(v=v, spike=v)",
    "def Mine(v, i, decay, high):\n    return dict(v={evil}, spike=v)",
    "def Mine(v, i, decay, high):\n    {evil}\n    return dict(v=v, spike=v)",
    "def Mine(v, i, decay, high):\n    def inner(x={evil}): return x\n    return dict(v=v, spike=v)",
    "{evil}\ndef Mine(v, i, decay, high):\n    return dict(v=v, spike=v)",
    "class Mine:\n    {evil}",
    "Mine = {evil}",
    "async def Mine(v, i, decay, high):\n    return {evil}",
]


@pytest.mark.parametrize("where_it_is", ["step", "derive", "formula"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_runs_but_the_model(tmp_path: Path, attack: str, where_it_is: str) -> None:
    mark = tmp_path / "ran"
    text = attack.format(evil=EVIL.format(path=str(mark)))
    keys = ("step", "formulas", "pair", "text") if where_it_is == "formula" else (where_it_is, "text")
    data = damage(through_json(Mine), *keys, value=text)
    with pytest.raises(TreplicaError):  # annotations are dropped; then it is another model
        from_dict(data, "net.json")
    assert not mark.exists()
    exec(EVIL.format(path=str(mark)))
    assert mark.exists()
