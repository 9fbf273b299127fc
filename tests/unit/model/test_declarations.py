"""Declarations and functions must fit; instances take values by name, checked against the declarations."""

import math
import re

import numpy as np
import pytest

from treplica.errors import InvalidValue, ModelError, UnknownName
from treplica.model import (
    arrival,
    current,
    exp,
    neuron,
    normal,
    param,
    receptor,
    sees,
    spike,
    state,
    where,
)


def leak(tau, dt):
    return dict(decay=exp(-dt / tau))


FIELDS = dict(
    v=state("mV", -65.0),
    i=current("pA"),
    tau=param("ms", 10.0, low=0.0, low_open=True, doc="membrane time constant"),
)


@neuron(
    **FIELDS, derive=leak, presets=dict(slow=dict(tau=100.0), fast=dict(tau=1.0, v=-60.0)), source="a book"
)
def Leak(v, i, decay):
    """A leak."""
    return dict(v=v * decay + i, spike=spike(v))


@receptor(g=state("nS"), v=sees("mV"), arrived=arrival("nS"), reversal=param("mV", 0.0))
def Gate(g, v, arrived, reversal):
    """A gate."""
    return dict(g=0.5 * g + arrived, current=g * (reversal - v))


def refuse(match: str, function, kind=neuron, **fields):
    with pytest.raises(ModelError, match=match) as caught:
        kind(**fields)(function)
    assert caught.value.file == __file__
    assert caught.value.line == function.__code__.co_firstlineno


def test_every_argument_is_declared() -> None:
    def Mine(v, i, taux):
        return dict(v=v + i / taux, spike=spike(v))

    refuse("'taux' is not known. Did you mean 'tau'?", Mine, **FIELDS)


def test_every_quantity_is_used() -> None:
    def Mine(v, i):
        return dict(v=v + i, spike=spike(v))

    refuse("'tau' is declared but not used", Mine, **FIELDS)
    refuse("'decay' is declared but not used", Mine, **FIELDS, derive=leak)


def test_exactly_the_states_and_the_spike_are_returned() -> None:
    def Missing(v, i, tau):
        return dict(v=v + i / tau)

    def Extra(v, i, tau):
        return dict(v=v, u=i / tau, spike=spike(v))

    def Wrong(v, i, tau):
        return dict(v=v + i / tau, current=v)

    refuse("it returns v. Return spike, v, each once", Missing, **FIELDS)
    refuse("it returns v, u, spike. Return spike, v, each once", Extra, **FIELDS)
    refuse("it returns v, current. Return spike, v, each once", Wrong, **FIELDS)


def test_a_receptor_returns_a_current() -> None:
    def Mine(g, arrived):
        return dict(g=g + arrived, spike=g)

    refuse("Return current, g, each once", Mine, receptor, g=state("nS"), arrived=arrival("nS"))


def test_each_kind_has_its_own_fields() -> None:
    def Mine(g, i):
        return dict(g=g + i, current=g)

    def Other(v, w):
        return dict(v=v + w, spike=v)

    refuse("'i': a receptor has no current fields", Mine, receptor, g=state("nS"), i=current("pA"))
    refuse("'w': a neuron has no sees fields", Other, v=state("mV"), w=sees("mV"))


@pytest.mark.parametrize("name", ["dt", "spike", "current"])
def test_reserved_names(name: str) -> None:
    def Mine(v):
        return dict(v=v, spike=v)

    refuse(
        f"'{name}' is a reserved name. Reserved: dt, spike, current",
        Mine,
        v=state("mV"),
        **{name: state("1")},
    )


def test_derive_sees_parameters_and_dt() -> None:
    def from_state(v, tau):
        return dict(decay=v / tau)

    def from_nothing(theta):
        return dict(decay=theta)

    def Mine(v, i, tau, decay):
        return dict(v=v * decay + i / tau, spike=spike(v))

    refuse("derive takes 'v', which is not a parameter", Mine, **FIELDS, derive=from_state)
    refuse("derive takes 'theta', which is not a parameter", Mine, **FIELDS, derive=from_nothing)


def test_derived_constants_have_names_of_their_own() -> None:
    def again(tau):
        return dict(tau=2.0 * tau)

    def time(tau):
        return dict(dt=tau)

    def Mine(v, i, tau):
        return dict(v=v + i / tau, spike=spike(v))

    refuse("derive returns 'tau', which is declared already", Mine, **FIELDS, derive=again)

    def Timed(v, i, dt):
        return dict(v=v + i * dt, spike=spike(v))

    refuse("derive returns 'dt', which is declared already", Timed, **FIELDS, derive=time)


def test_derive_is_in_the_language() -> None:
    def power(tau):
        return dict(decay=tau**2)

    def Mine(v, i, decay):
        return dict(v=v * decay + i, spike=spike(v))

    with pytest.raises(ModelError, match="Write powers as products") as caught:
        neuron(**FIELDS, derive=power)(Mine)
    assert caught.value.line == power.__code__.co_firstlineno + 1


def test_defaults_and_presets_are_checked() -> None:
    def Mine(v, tau):
        return dict(v=v / tau, spike=spike(v))

    with pytest.raises(InvalidValue, match=re.escape("Mine.tau must be a finite number > 0 ms, got 0.0")):
        neuron(v=state("mV"), tau=param("ms", 0.0, low=0.0, low_open=True))(Mine)
    with pytest.raises(InvalidValue, match=re.escape("Mine.v must be a finite number mV, got nan")):
        neuron(v=state("mV", math.nan), tau=param("ms", 1.0))(Mine)
    fields = dict(v=state("mV"), tau=param("ms", 1.0, low=0.0, low_open=True))
    with pytest.raises(InvalidValue, match=r"Mine\.tau must be"):
        neuron(**fields, presets=dict(quick=dict(tau=-1.0)))(Mine)
    with pytest.raises(UnknownName, match="Did you mean 'tau'"):
        neuron(**fields, presets=dict(quick=dict(taw=1.0)))(Mine)
    for name in ("preset", "step", "fields", "name"):
        with pytest.raises(InvalidValue, match=f"Mine preset name must be .* got '{name}'"):
            neuron(**fields, presets={name: dict(tau=1.0)})(Mine)


@pytest.mark.parametrize("graded", [0, -1, 1.5, True, 2**31, math.nan, "2"])
def test_graded_spikes_are_whole_numbers(graded) -> None:
    def Mine(v):
        return dict(v=v, spike=v)

    with pytest.raises(InvalidValue, match="Mine: graded must be a whole number from 1 to 2147483647"):
        neuron(v=state("mV"), graded=graded)(Mine)
    assert neuron(v=state("mV"), graded=2**31 - 1)(Mine).graded == 2**31 - 1


def test_an_instance_keeps_what_it_was_given() -> None:
    made = Leak(tau=[1, 2, 3], v=-70)
    np.testing.assert_array_equal(made.value("tau"), [1.0, 2.0, 3.0])
    assert made.value("v") == -70.0
    assert Leak().value("tau") == 10.0
    assert repr(Leak(tau=5)) == "Leak(tau=5.0)"
    assert repr(Leak) == "<neuron model Leak>"
    assert Leak.derived == ("decay",)
    assert list(Leak.of_kind("param", "current")) == ["i", "tau"]
    with pytest.raises(ValueError, match="read-only"):
        made.value("tau")[0] = 9.0


def test_a_given_array_is_copied() -> None:
    mine = np.array([1.0, 2.0])
    made = Leak(tau=mine)
    mine[0] = -5.0
    np.testing.assert_array_equal(made.value("tau"), [1.0, 2.0])


def test_equal_instances() -> None:
    assert Leak(tau=5) == Leak(tau=5.0) == Leak().with_values(tau=5)
    assert Leak(tau=[5.0, 5.0]) == Leak(tau=np.array([5, 5]))
    assert Leak(tau=[5.0, 5.0]) != Leak(tau=5.0)
    assert Leak(tau=5) != Leak() != Gate()
    assert Gate().into("i") != Gate()
    assert Leak() != "Leak"


def test_unknown_and_wrong_values() -> None:
    with pytest.raises(UnknownName, match=r"Leak parameter 'taw' is not known\. Did you mean 'tau'"):
        Leak(taw=3.0)
    with pytest.raises(UnknownName, match="Leak parameter 'i' is not known"):
        Leak(i=3.0)
    with pytest.raises(
        InvalidValue, match=re.escape("Leak.tau must be a finite number > 0 ms, got -1.0. It means: membrane")
    ):
        Leak(tau=-1)
    with pytest.raises(InvalidValue, match=re.escape("Leak.tau[1] must be a finite number > 0 ms, got 0.0")):
        Leak(tau=[1.0, 0.0])
    with pytest.raises(InvalidValue, match=re.escape("Leak.tau")):
        Leak().with_values(tau=0)


def test_presets() -> None:
    assert Leak.fast() == Leak(tau=1.0, v=-60.0)
    assert Leak.fast(tau=2.0) == Leak.preset("fast", tau=2.0) == Leak(tau=2.0, v=-60.0)
    assert {"slow", "fast"} <= set(dir(Leak))
    with pytest.raises(AttributeError, match=r"Leak preset 'fats' is not known\. Did you mean 'fast'"):
        _ = Leak.fats
    with pytest.raises(UnknownName, match="Did you mean 'slow'"):
        Leak.preset("slwo")


def test_a_receptor_can_name_the_current_it_feeds() -> None:
    assert repr(Gate(reversal=-70).into("dendrite")) == "Gate(reversal=-70.0).into('dendrite')"
    with pytest.raises(InvalidValue, match="used on a receptor"):
        Leak().into("i")


def test_noise_is_an_argument() -> None:
    @neuron(v=state("mV"), luck=normal())
    def Lucky(v, luck):
        return dict(v=where(luck > 0.0, v + luck, v), spike=spike(luck))

    assert Lucky.fields["luck"].law == "normal"
    assert Lucky.step(1.0, 2.0) == dict(v=3.0, spike=1.0)
