"""A state that is no longer finite ends the run, says where, and keeps what was recorded."""

import re
from pathlib import Path

import numpy as np
import pytest
from tallies import ENGINES, Tally, listed, simulate, tallies, trains

import treplica as tr
from treplica.connectivity import OneToOne
from treplica.errors import NumericalError


def doomed(size: int = 5) -> tr.Network:
    """The third tally gets 1e308 in the steps to 6 ms, 7 ms, ...: it is infinite in step 7."""
    net, tally = tallies(size)
    relay = net.add(tr.Population("relay", 2, tr.SpikeSource()))
    net.stimulate(tally[2], tr.StepCurrent([5.0], [1e308]))
    net.stimulate(relay, tr.SpikeInput(trains([1.0, 7.0, 9.0], [7.0])))
    net.record(relay, name="spikes")
    return net


@pytest.mark.parametrize(("engine", "threads"), [("plain", 1), ("cpu", 1), ("cpu", 2)])
@pytest.mark.parametrize("size", [5, 2000])
def test_the_error_names_population_neuron_variable_and_step(
    tmp_path: Path, engine: str, threads: int, size: int
) -> None:
    sim = tr.Simulation(
        doomed(size), dt=1.0, engine=engine, threads=threads, quiet=True, record_to=tmp_path / "out"
    )
    sim.run(4.0)
    with pytest.raises(NumericalError, match=r"^tally\[2\]\.x became inf in step 7 \(t = 7 ms\)\.") as caught:
        sim.run(100.0)
    error = caught.value
    assert (error.population, error.neuron, error.variable, error.step, error.time) == (
        "tally",
        2,
        "x",
        7,
        7.0,
    )
    assert sim.time == 7.0
    for spikes in (sim["spikes"], tr.SpikeTrains.load(tmp_path / "out" / "spikes.h5")):
        assert listed(spikes) == [[1.0, 7.0], [7.0]]
        assert spikes.n_steps == 7
    for traces in (sim["x"], tr.Traces.load(tmp_path / "out" / "x.h5")):
        assert traces.values[:, 2].tolist() == [0.0, 0.0, 0.0, 0.0, 0.0, 1e308, np.inf]
        assert not traces.values[:, [0, 1, 3, 4]].any()
    assert sim.summary().spikes == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_a_simulation_that_failed_does_not_go_on(engine: str) -> None:
    sim = tr.Simulation(doomed(), dt=1.0, engine=engine, quiet=True)
    for _ in range(3):
        with pytest.raises(NumericalError, match="in step 7 "):
            sim.run(50.0)
    assert sim.time == 7.0
    assert sim["spikes"].n_steps == 7


@pytest.mark.parametrize("engine", ENGINES)
def test_single_precision_ends_earlier(engine: str) -> None:
    net, tally = tallies(3)
    net.stimulate(tally[1], tr.StepCurrent([0.0], [2e38]))
    simulate(net, 10.0, engine=engine)
    with pytest.raises(NumericalError, match=re.escape("tally[1].x became inf in step 2 (t = 2 ms)")):
        simulate(net, 10.0, engine=engine, precision="float32")


@pytest.mark.parametrize("engine", ENGINES)
def test_not_a_number_is_found_as_well(engine: str) -> None:
    """Infinity less infinity, in a receptor: the name holds the receptor's."""
    net = tr.Network()
    cells = net.add(tr.Population("cells", 3, tr.LIF(), {"ampa": tr.Alpha(tau=5.0, rise=[0.0, 1e308, 0.0])}))
    net.add(tr.Population("before", 3, Tally()))
    net.connect(cells, cells, OneToOne(), weight=1.0, delay=1.0)
    with pytest.raises(NumericalError) as caught:
        simulate(net, 100.0, engine=engine)
    error = caught.value
    assert (error.population, error.neuron) == ("cells", 1)
    assert error.variable in ("v", "ampa.g")
    assert not np.isfinite(error.value)


def test_both_engines_fail_in_the_same_place() -> None:
    def place(engine: str) -> tuple[str, int, str, int]:
        net, tally = tallies(300, seed=4)
        net.stimulate(tally, tr.GaussianCurrent(std=1e307))
        with pytest.raises(NumericalError) as caught:
            simulate(net, 100.0, engine=engine)
        return caught.value.population, caught.value.neuron, caught.value.variable, caught.value.step

    assert place("plain") == place("cpu")
    assert place("cpu")[3] > 1
