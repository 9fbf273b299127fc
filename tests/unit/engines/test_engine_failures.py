"""A state that leaves the finite numbers stops every engine in the same step, with the same words."""

import math

import numpy as np
import pytest

from treplica.connectivity import AllToAll
from treplica.engines.cpu.engine import CpuEngine
from treplica.engines.plain import PlainEngine
from treplica.errors import NumericalError
from treplica.model import arrival, current, neuron, param, receptor, state
from treplica.network import Network, Population, StepCurrent
from treplica.neurons import LIF
from treplica.simulation import Simulation
from treplica.testing.engines import Record, record_difference, run_engine

ENGINES = {
    "plain": PlainEngine,
    "cpu1": lambda p, s, w: CpuEngine(p, s, w, 1),
    "cpu3": lambda p, s, w: CpuEngine(p, s, w, 3),
}
PRECISIONS = ["float64", "float32"]


@neuron(v=state("1", 1.0), w=state("1"), i=current("1"), factor=param("1", 1.0))
def Doubling(v, w, i, factor):
    """v is multiplied every step; w is what is left of it."""
    return dict(v=v * factor + i, w=v - v, spike=0.0)


@receptor(g=state("nS", 1.0), arrived=arrival("nS"), growth=param("1", 1.0))
def Growing(g, arrived, growth):
    """A conductance that is multiplied every step and does nothing."""
    return dict(g=g * growth + arrived, current=0.0 * arrived)


@neuron(count=state("1"), rise=param("1", 1.0), graded=5)
def Louder(count, rise):
    """A spike of 1, 2, 3, ...: more than 5 was not declared."""
    return dict(count=count + rise, spike=count + rise)


def run(net: Network, engine: str, precision: str, steps: int = 40, piece: int | None = None) -> Record:
    return run_engine(ENGINES[engine], net, 0.5, steps, precision, piece)


def doubling(factors: np.ndarray) -> Network:
    net = Network(seed=1)
    net.add(Population("calm", 5, LIF()))
    net.add(Population("wild", factors.size, Doubling(factor=factors)))
    return net


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("engine", ENGINES)
def test_infinity_is_found_in_its_step(engine: str, precision: str) -> None:
    """2**(64 k) leaves float64 in step 16 and float32 in step 2; neuron 70 is the first of those."""
    factors = np.ones(200)
    factors[[70, 131, 199]] = 2.0**64
    record = run(doubling(factors), engine, precision)
    step = 16 if precision == "float64" else 2
    assert record.failure.startswith(f"wild[70].v became inf in step {step} (t = {step * 0.5:g} ms).")
    assert record.counts.shape == (step, 2)
    assert np.flatnonzero(np.isinf(record.states["wild.v"])).tolist() == [70, 131, 199]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_engines_fail_alike(precision: str) -> None:
    factors = np.linspace(1.0, 1e9, 200)
    expected = run(doubling(factors), "plain", precision)
    assert expected.failure
    for engine in ("cpu1", "cpu3"):
        for piece in (1, 7, None):
            assert record_difference(expected, run(doubling(factors), engine, precision, 40, piece)) is None


@pytest.mark.parametrize("engine", ENGINES)
def test_nan_is_found_and_named(engine: str) -> None:
    """An infinite current makes v infinite and w = v - v NaN one step later; v is named, in its step."""
    net = doubling(np.ones(10))
    net.stimulate(net.population("wild")[4:5], StepCurrent(np.array([3.0]), np.array([1.7e308])))
    record = run(net, engine, "float64")
    assert record.failure.startswith("wild[4].v became inf in step 8")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_receptor_is_named(engine: str) -> None:
    net = Network(seed=1)
    net.add(Population("cells", 70, LIF(), {"ampa": Growing(growth=1e200)}))
    record = run(net, engine, "float64")
    assert record.failure.startswith("cells[0].ampa.g became inf in step 2")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_spike_beyond_its_declaration(engine: str) -> None:
    net = Network(seed=1)
    cells = net.add(Population("cells", 70, Louder()))
    net.add(Population("others", 3, LIF()))
    net.connect(cells, net.population("others"), AllToAll(), weight=0.0, delay=0.5)
    record = run(net, engine, "float64")
    assert record.failure.startswith("cells[0].spike (beyond 5) became nan in step 6")
    assert record.spikes["cells"].values.tolist() == np.repeat([1, 2, 3, 4, 5], 70).tolist()
    assert record.events == 5 * 70 * 3


@pytest.mark.parametrize("precision", PRECISIONS)
def test_values_between_whole_numbers(precision: str) -> None:
    """The fraction is dropped, below 1 nothing is sent; a plain spike is anything but 0."""

    @neuron(x=state("1"), rise=param("1", 0.25), graded=5)
    def Fractions(x, rise):
        return dict(x=x + rise, spike=-x)

    @neuron(x=state("1"), rise=param("1", 0.25))
    def NotZero(x, rise):
        return dict(x=x + rise, spike=x * x - x)

    net = Network(seed=1)
    net.add(Population("graded", 3, Fractions()))
    net.add(Population("plain", 3, NotZero()))
    records = [run(net, engine, precision, 12) for engine in ENGINES]
    for record in records:
        assert record_difference(records[0], record) is None
        graded = record.spikes["graded"]
        assert (
            graded.values.tolist() == np.repeat([-1, -1, -1, -1, -2, -2, -2, -2], 3)[: len(graded)].tolist()
        )
        assert graded.steps.min() == 5
        silent = {1, 5}  # x = 0 and x = 1
        assert set(record.spikes["plain"].steps.tolist()) == set(range(1, 13)) - silent


@pytest.mark.parametrize("engine", ["plain", "cpu"])
def test_a_simulation_raises_and_keeps_what_it_has(engine: str) -> None:
    factors = np.ones(100)
    factors[66] = 2.0**64
    net = doubling(factors)
    probe = net.record(net.population("wild")[60:70], "v")
    with Simulation(net, dt=0.5, engine=engine, quiet=True) as sim:
        with pytest.raises(NumericalError) as caught:
            sim.run(100.0)
        traces = sim[probe]
    error = caught.value
    assert (error.population, error.neuron, error.variable, error.step) == ("wild", 66, "v", 16)
    assert error.time == 8.0
    assert math.isinf(error.value)
    assert "smaller dt" in str(error)
    assert traces.values.shape[0] == 16
    assert traces.values[-2, 6] == 2.0**960
