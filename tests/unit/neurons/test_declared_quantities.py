"""What every model of the library declares about itself."""

import pytest

from treplica import neurons, synapses
from treplica.errors import InvalidValue
from treplica.model import Field, Model

MODELS = [getattr(module, name) for module in (neurons, synapses) for name in module.__all__]
SETTABLE = [(m, n, f) for m in MODELS for n, f in m.of_kind("param", "state").items()]
IDS = [f"{m.name}.{n}" for m, n, _ in SETTABLE]


def test_all_are_models() -> None:
    assert len(MODELS) == 34
    assert all(isinstance(m, Model) for m in MODELS)
    assert [m.name for m in MODELS] == [*neurons.__all__, *synapses.__all__]


@pytest.mark.parametrize(("model", "name", "field"), SETTABLE, ids=IDS)
def test_invalid_values_are_refused_by_name(model: Model, name: str, field: Field) -> None:
    examples = field.invalid_examples()
    assert len(examples) >= 3
    for value in examples:
        with pytest.raises(InvalidValue) as caught:
            model(**{name: value})
        assert caught.value.quantity == f"{model.name}.{name}"
        assert caught.value.allowed == field.allowed
        with pytest.raises(InvalidValue):
            model(**{name: [field.default, value]})


@pytest.mark.parametrize(("model", "name", "field"), SETTABLE, ids=IDS)
def test_the_default_is_allowed(model: Model, name: str, field: Field) -> None:
    assert model(**{name: field.default}).value(name) == field.default


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_everything_has_a_unit_and_a_meaning(model: Model) -> None:
    assert model.doc.endswith(".")
    assert model.source or not model.of_kind("arrival", "state")
    for name, field in model.fields.items():
        assert field.unit, name
        assert field.doc, name


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_time_constants_and_capacities_are_positive(model: Model) -> None:
    for name, field in model.of_kind("param").items():
        if name.startswith("tau") or name in ("c_m", "delta_t"):
            assert field.low == 0.0, name
            assert field.low_open, name
        if name.startswith("g_") or name in ("refractory", "rate", "std"):
            assert field.low == 0.0, name


def test_every_preset_of_izhikevich_can_be_made() -> None:
    assert len(neurons.Izhikevich.presets) == 26
    for name in neurons.Izhikevich.presets:
        assert neurons.Izhikevich.preset(name).value("a") == neurons.Izhikevich.presets[name]["a"]
