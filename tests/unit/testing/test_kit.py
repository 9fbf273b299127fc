"""The conformance kit notices what it is for."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings

import treplica.testing.models as kit
from treplica.coding import SpikeTrains
from treplica.engines.plain import PlainEngine
from treplica.errors import InvalidValue, MissingExtra
from treplica.model import Field, arrival, current, neuron, param, receptor, spike, state, where
from treplica.network import Network
from treplica.neurons import LIF, Izhikevich, PoissonSource
from treplica.synapses import Exponential
from treplica.testing import (
    check_engine,
    check_model,
    check_neuron,
    check_receptor,
    sample_networks,
    spike_difference,
)
from treplica.testing.networks import KINDS
from treplica.testing.strategies import networks, spike_trains

QUICK = {"steps": 20, "precisions": ["float64"]}


def test_the_kinds_are_kept_apart() -> None:
    with pytest.raises(
        InvalidValue, match=r"check_neuron\(model\) must be a neuron model.* Use check_receptor"
    ):
        check_neuron(Exponential)
    with pytest.raises(InvalidValue, match="Use check_neuron"):
        check_receptor(LIF())


def test_values_of_an_instance_are_used() -> None:
    assert check_model(LIF(v_th=-69.0), **QUICK).spikes > check_model(LIF(v_th=-50.0), **QUICK).spikes > 0


def test_silence_is_not_a_test() -> None:
    with pytest.raises(AssertionError, match="LIF never fired: give the instance values"):
        check_model(LIF(v_th=1e9), **QUICK)
    with pytest.raises(AssertionError, match="LIF fired in every step of every neuron"):
        check_model(LIF(v_th=-1e9, refractory=0.0), **QUICK)

    @receptor(g=state("nS"), arrived=arrival("nS"))
    def Nothing(g, arrived):
        return dict(g=g + arrived, current=0.0)

    with pytest.raises(AssertionError, match="Nothing: no current flowed"):
        check_model(Nothing, **QUICK)


def test_spikes_are_whole_and_declared() -> None:
    @neuron(v=state("mV"), i=current("mV"))
    def Half(v, i):
        return dict(v=0.5 * v + i, spike=where(v > 1.0, 0.5, 0.0))

    @neuron(v=state("mV"), i=current("mV"))
    def Two(v, i):
        return dict(v=0.5 * v + i, spike=2.0 * spike(v - 1.0))

    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(kit, "compare", lambda *_: None)
        with pytest.raises(AssertionError, match="Half: a spike is a whole number"):
            check_model(Half, **QUICK)
        with pytest.raises(AssertionError, match="Two: a spike of 2, but graded=1"):
            check_model(Two, **QUICK)


def test_an_unstable_model_is_named() -> None:
    @neuron(v=state("mV", 1.0), i=current("mV"))
    def Exploding(v, i):
        return dict(v=v * 1e10 + i, spike=spike(v))

    with pytest.raises(AssertionError, match="Exploding leaves the finite numbers"):
        check_model(Exploding, **QUICK)


@pytest.mark.parametrize("target", ["run_cpu", "run_torch"])
def test_one_bit_is_noticed(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    if target == "run_torch":
        pytest.importorskip("torch")
    run = getattr(kit, target)

    def off(trial):
        course = run(trial)
        course.values["v"][7, 3] = np.nextafter(course.values["v"][7, 3], np.float64(1e9))
        return course

    monkeypatch.setattr(kit, target, off)
    name = target.removeprefix("run_")
    with pytest.raises(
        AssertionError, match=f"Izhikevich in float64: plain and {name} differ in v of neuron 3 at step 8"
    ):
        check_model(Izhikevich, **QUICK)


def test_a_difference_can_be_reproduced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message holds the arguments of the one call, so that it can be made by hand."""
    run = kit.run_cpu

    def off(trial):
        course = run(trial)
        course.values["v"][7, 3] = 99.0
        return course

    monkeypatch.setattr(kit, "run_cpu", off)
    with pytest.raises(AssertionError) as caught:
        check_model(LIF, **QUICK)
    arguments = str(caught.value).split("was given ")[1].rstrip(".")
    expected = float(str(caught.value).split("np.float64(")[1].split(")")[0])
    assert eval(f"LIF.step({arguments})")["v"] == expected


def test_a_missing_refusal_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Field, "check", lambda self, quantity, value: value)
    with pytest.raises(AssertionError, match=r"LIF\(v=nan\) was not refused by name"):
        check_model(LIF, **QUICK)


def test_without_torch_two_targets_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "treplica.learning.words", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert check_model(LIF, **QUICK).targets == ("plain", "cpu")


def test_parameters_differ_and_stay_allowed() -> None:
    @neuron(v=state("1"), i=current("1"), p=param("1", 0.999, low=0.0, high=1.0), q=param("1", 0.0, low=0.0))
    def Narrow(v, i, p, q):
        return dict(v=p * v + i + q, spike=spike(v - 2.0))

    assert check_model(Narrow, **QUICK).spikes


def trains(*events: tuple[int, int], size: int = 5, n_steps: int = 10) -> SpikeTrains:
    steps, ids = np.array(events, dtype=np.int64).reshape(-1, 2).T
    return SpikeTrains.from_steps(steps, ids, size, 0.5, n_steps)


def test_where_spikes_part() -> None:
    a = trains((1, 0), (2, 3), (4, 1), (4, 2), (7, 3))
    b = trains((1, 0), (2, 3), (4, 1), (5, 2), (7, 3))
    text = spike_difference(a, b, ("plain", "cpu"))
    assert text.splitlines() == [
        "the first 3 spikes are equal; plain has 5 spikes, cpu 5",
        "they part at step 4 (t = 2 ms) at neuron 2",
        "plain: neuron 2 fires with value 1; in this step fire 2: 1, 2",
        "cpu: neuron 2 is silent; it fires nearest at step 5 (+1); in this step fire 1: 1",
    ]
    assert spike_difference(a, a) is None


def test_where_one_recording_ends() -> None:
    a, b = trains((1, 0), (3, 4)), trains((1, 0))
    text = spike_difference(a, b)
    assert "they part at step 3 (t = 1.5 ms) at neuron 4" in text
    assert "b: neuron 4 is silent and never fires; in this step fire 0: none" in text
    assert spike_difference(b, a).splitlines()[1] == text.splitlines()[1]


def test_other_grids_and_values() -> None:
    a = trains((1, 0))
    assert spike_difference(a, trains((1, 0), size=6)) == "a has size = 5, b has size = 6"
    assert spike_difference(a, trains((1, 0), n_steps=9)) == "a has n_steps = 10, b has n_steps = 9"
    arrays = np.array([1]), np.array([0], dtype=np.int32)
    two = SpikeTrains(*arrays, 5, 0.5, 10, 0, np.array([2], dtype=np.int32))
    three = SpikeTrains(*arrays, 5, 0.5, 10, 0, np.array([3], dtype=np.int32))
    assert "b: neuron 0 fires with value 3" in spike_difference(two, three)
    assert spike_difference(two, a) is not None


def test_exact_times_part_where_times_do() -> None:
    ids = [0, 1, 1, 0]
    a = SpikeTrains.from_exact_times([0.25, 1.625, 1.75, 4.5], ids, 5, 0.5, 5.0)
    b = SpikeTrains.from_exact_times([0.25, 1.75, 1.8125, 4.5], ids, 5, 0.5, 5.0)
    assert spike_difference(a, b).splitlines() == [
        "the first 1 spikes are equal; a has 4 spikes, b 4",
        "they part at step 4 (t = 1.625 ms) at neuron 1",
        "a: neuron 1 fires at 1.625, 1.75 ms with value 1, 1; in this step fire 2: 1, 1",
        "b: neuron 1 fires at 1.75, 1.8125 ms with value 1, 1; in this step fire 2: 1, 1",
    ]
    assert spike_difference(b, a).splitlines()[1] == spike_difference(a, b).splitlines()[1]


def test_the_same_spikes_in_another_form() -> None:
    a = trains((1, 0), (4, 3))
    for other in (
        SpikeTrains(a.steps, a.ids, 5, 0.5, 10, values=np.ones(2, np.int32)),
        SpikeTrains(a.steps, a.ids, 5, 0.5, 10, exact=a.times),
    ):
        text = "a and b have the same spikes, but one has values or exact times, the other not"
        assert spike_difference(a, other) == text
    early = SpikeTrains([1], [0], 1, 0.5, 10, exact=[0.25])
    assert "they part at step 1 (t = 0.25 ms)" in spike_difference(a.select([0]), early)
    assert "b: neuron 0 fires at 0.25 ms with value 1;" in spike_difference(a.select([0]), early)


@given(spike_trains(size=6, n_steps=30), spike_trains(size=6, n_steps=30))
@settings(max_examples=50)
def test_no_difference_means_equal(a: SpikeTrains, b: SpikeTrains) -> None:
    assert (spike_difference(a, b) is None) == (a == b)
    assert spike_difference(a, a) is None


@given(spike_trains(graded=True))
@settings(max_examples=30)
def test_graded_trains_have_values(trains: SpikeTrains) -> None:
    assert trains.values is not None
    assert trains.values.all()
    assert spike_difference(trains, trains) is None


@given(networks())
@settings(max_examples=20)
def test_random_networks_are_descriptions(network: Network) -> None:
    assert network.populations
    assert network == network


def test_sample_networks_hold_every_kind() -> None:
    made = sample_networks()
    assert len(made) == len(KINDS)
    assert {p.name for net in made for p in net.populations} == set(KINDS)
    assert sample_networks() == made
    assert sample_networks(seed=2) != made


def test_an_engine_that_does_nothing_is_not_tested() -> None:
    net = Network(seed=1)
    KINDS["source"].add(net, "quiet", 3, 0.5, lambda low, high: low)
    with pytest.raises(AssertionError, match="nothing was compared"):
        check_engine(PlainEngine, [net], steps=2, precisions=["float64"])
    assert PoissonSource in [p.neuron.model for p in net.populations]


def test_strategies_name_the_extra_they_need() -> None:
    code = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import treplica.testing\n"
        "try:\n    import treplica.testing.strategies\n"
        "except treplica.errors.MissingExtra as e:\n    print(e.command)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "pip install 'treplica[dev]'"
    assert issubclass(MissingExtra, ImportError)
