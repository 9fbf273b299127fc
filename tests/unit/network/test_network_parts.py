"""Populations, projections and drives by themselves: what each accepts, and what its refusals say."""

import math
import re
from typing import Any

import numpy as np
import pytest

import treplica as tr
from treplica.connectivity import AllToAll, FromArray, Normal, OneToOne
from treplica.errors import InvalidValue, UnknownName

TRAINS = tr.SpikeTrains.from_lists([[1.0], [2.0]], dt=1.0, duration=2.0)


def refuses(message: str) -> Any:
    return pytest.raises(InvalidValue, match=re.escape(message))


# Populations


@pytest.mark.parametrize("size", [0, -3, 2**31, 2.0, True, "ten", None, math.nan])
def test_sizes_that_no_population_has(size: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        tr.Population("cells", size, tr.LIF())
    assert (caught.value.quantity, caught.value.value) == ("cells.size", size)
    assert caught.value.allowed == "a whole number from 1 to 2147483647"


@pytest.mark.parametrize("name", ["", "2nd", "a b", "a.b", "ä", "a\n", None, 3])
def test_names_that_cannot_stand_in_files(name: Any) -> None:
    with refuses(f"Population name must be a letter followed by letters, digits or _, got {name!r}."):
        tr.Population(name, 1, tr.LIF())


def test_a_model_is_called_before_it_makes_a_population() -> None:
    with refuses(
        "cells.neuron must be an instance of a neuron model, got <neuron model LIF>. Call the model"
    ):
        tr.Population("cells", 3, tr.LIF)  # type: ignore[arg-type]
    with refuses("cells.neuron must be an instance of a neuron model"):
        tr.Population("cells", 3, tr.Exponential())


def test_receptors_are_receptor_models_that_spikes_reach() -> None:
    def cells(**receptors: Any) -> tr.Population:
        return tr.Population("cells", 3, tr.LIF(), receptors)

    with refuses("cells receptor 'ampa' must be an instance of a receptor model, got <receptor model Expon"):
        cells(ampa=tr.Exponential)
    with refuses("cells receptor 'ampa' must be an instance of a receptor model"):
        cells(ampa=tr.LIF())
    with refuses("must be a receptor with an arrival, got GaussianCurrent(). Give it to net.stimulate"):
        cells(ampa=tr.GaussianCurrent())
    with refuses("name of a receptor of cells must be another name than the neuron's own arrival 'arrived'"):
        cells(arrived=tr.Exponential())
    with refuses("name of a receptor of cells must be a letter followed by letters, digits or _, got '1st'."):
        cells(**{"1st": tr.Exponential()})
    with refuses("cells.receptors must be a dict of receptors by name"):
        tr.Population("cells", 3, tr.LIF(), [tr.Exponential()])  # type: ignore[arg-type]
    with pytest.raises(
        UnknownName, match=r"LIF current \(for cells receptor 'ampa'\) 'j' is not known.*Known: i"
    ):
        cells(ampa=tr.Exponential().into("j"))
    with refuses("cells receptor 'ampa' must be on a neuron that has a current input, got 'PoissonSource'."):
        tr.Population("cells", 3, tr.PoissonSource(), {"ampa": tr.Exponential()})


def test_a_conductance_needs_the_potential_that_it_sees() -> None:
    @tr.model.neuron(x=tr.model.state("1"), i=tr.model.current("1"))
    def Counter(x, i):
        return dict(x=x + i, spike=0.0)

    with pytest.raises(UnknownName, match=r"Counter state \(for cells receptor 'gaba'\) 'v' is not known"):
        tr.Population("cells", 3, Counter(), {"gaba": tr.Conductance()})


@pytest.mark.parametrize("given", [np.ones(2), np.ones(4), FromArray(np.ones(2)), FromArray(np.ones(4))])
def test_arrays_have_one_value_for_each_neuron(given: Any) -> None:
    shape = given.shape if isinstance(given, np.ndarray) else given.array.shape
    with refuses(f"cells.tau (an array) must be of shape (3,), got {shape}."):
        tr.Population("cells", 3, tr.LIF(tau=given))
    with refuses("cells.ampa.tau (an array) must be of shape (3,)"):
        tr.Population("cells", 3, tr.LIF(), {"ampa": tr.Exponential(tau=given)})
    assert len(tr.Population("cells", len(np.atleast_1d(getattr(given, "array", given))), tr.LIF(tau=given)))


def test_a_dictionary_is_not_a_draw() -> None:
    """It has something called `values`, as draws do."""
    with refuses(
        "LIF.tau must be a finite number > 0 ms, got {'a': 1.0}. Give a number, one number per neuron"
    ):
        tr.Population("cells", 3, tr.LIF(tau={"a": 1.0}))
    with refuses("weight must be a finite number or a draw, got {'a': 1.0}."):
        connect(weight={"a": 1.0})


def test_ports_and_variables_of_a_population() -> None:
    cells = tr.Population("cells", 3, tr.LIF(), {"ampa": tr.Exponential(), "gaba": tr.Alpha()})
    assert cells.ports == ("arrived", "ampa", "gaba")
    assert cells.variables == ("v", "wait", "ampa.g", "gaba.g", "gaba.rise")
    assert tr.Population("source", 3, tr.PoissonSource()).ports == ()
    assert len(cells) == 3


def test_populations_are_equal_by_what_they_hold() -> None:
    def cells(**values: Any) -> tr.Population:
        return tr.Population("cells", 3, tr.LIF(**values), {"ampa": tr.Exponential(tau=2.0)})

    assert cells() == cells()
    assert cells(tau=[1.0, 2.0, 3.0]) == cells(tau=np.array([1, 2, 3]))
    assert cells(tau=[1.0, 2.0, 3.0]) != cells(tau=[1.0, 2.0, 4.0])
    assert cells(tau=Normal(9.0, 1.0, low=1.0)) == cells(tau=Normal(9.0, 1.0, low=1.0))
    assert cells(tau=Normal(9.0, 1.0, low=1.0)) != cells(tau=Normal(9.0, 1.0, low=2.0))
    assert cells() != tr.Population("cells", 3, tr.LIF())


# Projections


def connect(**changes: Any) -> tr.Projection:
    net = tr.Network()
    cells = net.add(tr.Population("cells", 3, tr.LIF()))
    given: dict[str, Any] = {"rule": AllToAll(), "weight": 1.0, "delay": 1.0, **changes}
    return net.connect(cells, cells, **given)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "1", None, True, 1j, 10**400])
def test_weights_and_delays_are_finite_numbers(value: Any) -> None:
    for quantity in ("weight", "delay"):
        with pytest.raises(InvalidValue) as caught:
            connect(**{quantity: value})
        assert caught.value.quantity == f"cells_cells: {quantity}"
        assert caught.value.allowed == "a finite number or a draw"


@pytest.mark.parametrize("value", [0.0, -1.0, -0.1])
def test_delays_are_positive(value: float) -> None:
    with refuses(
        f"cells_cells: delay must be a finite number > 0 ms, got {value}. Delays are at least one step."
    ):
        connect(delay=value)


def test_an_array_of_weights_is_told_what_to_become() -> None:
    with refuses("Values of single synapses: FromArray(...), or FromArrays(...).in_row_order(...)."):
        connect(weight=np.ones(9))
    assert connect(weight=FromArray(np.ones(9))).weight == FromArray(np.ones(9))


def test_a_rule_is_a_rule_that_fits() -> None:
    with refuses("cells_cells: rule must be a connection rule, got 'all'. For example tr.OneToOne()"):
        connect(rule="all")
    with refuses("cells_cells: rule must be a connection rule"):
        connect(rule=OneToOne)
    with pytest.raises(InvalidValue, match="an even integer from 2 to 2"):
        connect(rule=tr.WattsStrogatz(k=4, p=0.1))


def test_numbers_of_a_projection_become_floats() -> None:
    projection = connect(weight=np.int32(2), delay=np.float32(0.5))
    assert (projection.weight, projection.delay) == (2.0, 0.5)
    assert type(projection.weight) is type(projection.delay) is float


# Drives


@pytest.mark.parametrize(
    "rate", [-1.0, math.nan, math.inf, [1.0, -1.0], "fast", [[1.0]], None, [1.0, [2.0]], True]
)
def test_rates_of_poisson_input(rate: Any) -> None:
    with refuses("PoissonInput.rate must be a finite number >= 0 Hz, or one for each neuron"):
        tr.PoissonInput(rate, weight=1.0)


@pytest.mark.parametrize("weight", [math.nan, math.inf, "1", None, [1.0], True])
def test_weights_of_drives(weight: Any) -> None:
    with refuses("PoissonInput.weight must be a finite number"):
        tr.PoissonInput(5.0, weight=weight)
    with refuses("SpikeInput.weight must be a finite number"):
        tr.SpikeInput(TRAINS, weight=weight)


def test_poisson_input_keeps_its_own_rates() -> None:
    rates = np.array([1.0, 2.0])
    drive = tr.PoissonInput(rates, 1)
    rates[0] = 9.0
    assert drive == tr.PoissonInput([1, 2], 1.0)
    assert drive != tr.PoissonInput([1, 3], 1.0)
    assert drive != tr.PoissonInput([1, 2], 2.0)
    assert tr.PoissonInput(3, 1) == tr.PoissonInput(3.0, 1.0)


def test_spike_input_takes_trains() -> None:
    with refuses("SpikeInput.trains must be SpikeTrains, got [[1.0]]."):
        tr.SpikeInput([[1.0]])  # type: ignore[arg-type]
    assert tr.SpikeInput(TRAINS, 2) == tr.SpikeInput(TRAINS.between(0.0, 2.0), 2.0)


@pytest.mark.parametrize(
    ("times", "amplitudes", "message"),
    [
        ([2.0, 1.0], [1.0, 2.0], "StepCurrent.times must be ascending times >= 0 ms"),
        ([1.0, 1.0], [1.0, 2.0], "StepCurrent.times must be ascending times >= 0 ms"),
        ([-1.0, 1.0], [1.0, 2.0], "StepCurrent.times must be ascending times >= 0 ms"),
        ([0.0, math.nan], [1.0, 2.0], "StepCurrent.times must be finite numbers"),
        ("soon", [1.0], "StepCurrent.times must be finite numbers, got 'soon'."),
        ([0.0, 1.0], [1.0], "StepCurrent.amplitudes must be finite numbers of shape (2,) or (2, neurons)"),
        ([0.0], [math.inf], "StepCurrent.amplitudes must be finite numbers of shape (1,) or (1, neurons)"),
        ([0.0], [[[1.0]]], "StepCurrent.amplitudes must be finite numbers of shape (1,) or (1, neurons)"),
        ([0.0, 1.0], [[1.0], [1.0, 2.0]], "StepCurrent.amplitudes must be finite numbers of shape (2,)"),
    ],
)
def test_step_currents_that_make_no_sense(times: Any, amplitudes: Any, message: str) -> None:
    with refuses(message):
        tr.StepCurrent(times, amplitudes)


def test_frames_follow_each_other_and_end() -> None:
    current = tr.StepCurrent.from_frames([[1.0, 2.0], [3.0, 4.0]], interval=5.0, start=10.0)
    assert current.times.tolist() == [10.0, 15.0, 20.0]
    assert current.amplitudes.tolist() == [[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]]
    assert current == tr.StepCurrent(current.times, current.amplitudes)
    with pytest.raises(ValueError, match="read-only"):
        current.amplitudes[0] = 0.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": [1.0, 2.0]}, "frames must be of shape [T, neurons] with at least one frame, got (2,)."),
        ({"frames": np.empty((0, 3))}, "frames must be of shape [T, neurons] with at least one frame"),
        ({"frames": [[math.nan]]}, "frames must be finite numbers [T, neurons]"),
        ({"frames": [[1.0], [1.0, 2.0]]}, "frames must be finite numbers [T, neurons]"),
        ({"interval": 0.0}, "interval must be > 0 ms, got 0.0."),
        ({"interval": math.inf}, "interval must be a finite number, got inf."),
        ({"interval": "5"}, "interval must be a finite number, got '5'."),
        ({"start": -1.0}, "start must be >= 0 ms, got -1.0."),
        ({"start": math.nan}, "start must be a finite number, got nan."),
    ],
)
def test_frames_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    given = {"frames": [[1.0]], "interval": 5.0, "start": 0.0, **changes}
    with refuses(message):
        tr.StepCurrent.from_frames(**given)
