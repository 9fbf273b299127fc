"""Memory: estimated before anything is built, and refused with what could be done."""

import re
from pathlib import Path

import numpy as np
import pytest

from treplica.connectivity import AllToAll, FixedTotalNumber, FromArray, Normal
from treplica.engines import budget
from treplica.engines.budget import check_memory, estimate_memory, free_memory
from treplica.engines.cpu.engine import CpuEngine
from treplica.engines.resolve import resolve
from treplica.errors import InvalidValue
from treplica.network import Network, Population
from treplica.neurons import LIF
from treplica.simulation import simulation
from treplica.systems.vogels_abbott_dense import vogels_abbott_dense

N, SYNAPSES = 2000, 1_000_000
WEIGHTS = {"one": 0.1, "random": Normal(0.1, 0.01), "given": FromArray(np.linspace(0.0, 1.0, SYNAPSES))}
DELAYS = {"one": 1.5, "random": Normal(1.5, 0.75, low=0.05)}


def network(weight, delay, synapses: int = SYNAPSES) -> Network:
    net = Network(seed=1)
    cells = net.add(Population("cells", N, LIF()))
    net.connect(cells, cells, FixedTotalNumber(synapses), weight=weight, delay=delay)
    return net


@pytest.mark.parametrize("storage", ["auto", "packed", "rows"])
@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_estimate_is_what_is_taken(weight: str, delay: str, storage, threads: int) -> None:
    """Synapses and what finds them within a tenth, neurons within what buffers hold at least."""
    net = network(WEIGHTS[weight], DELAYS[delay])
    estimate = estimate_memory(net, 0.1, "float64", "auto", storage, threads)
    engine = CpuEngine(resolve(net, 0.1, 1, "float64"), [], [], threads, storage)
    taken = engine.memory()
    engine.close()
    assert estimate.synapses == pytest.approx(taken["synapses"], rel=0.1)
    assert estimate.synapses + estimate.rows == pytest.approx(taken["synapses"] + taken["rows"], rel=0.15)
    assert 0.9 * taken["states"] <= estimate.neurons <= 4.0 * taken["states"]


@pytest.mark.parametrize(
    ("net", "dt"),
    [
        (vogels_abbott_dense(320_000), 1.0),
        (vogels_abbott_dense(100_000, 0.02), 1.0),
        (network(0.1, 1.5, 10 * SYNAPSES), 0.1),
        (network(WEIGHTS["random"], DELAYS["random"], 10 * SYNAPSES), 0.1),
    ],
    ids=["10^10 synapses", "2 * 10^8 synapses", "one", "random"],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_estimate_of_recomputed_synapses(net: Network, dt: float, threads: int) -> None:
    """What is kept in place of synapses: sums of every thread, where rows begin, room for a row. All within a fifth."""
    estimate = estimate_memory(net, dt, "float64", "auto", "procedural", threads)
    engine = CpuEngine(resolve(net, dt, 1, "float64"), [], [], threads, "procedural")
    taken, count = engine.memory(), engine.synapse_count
    engine.close()
    assert estimate.synapses == taken["synapses"] == 0
    assert estimate.total == pytest.approx(sum(taken.values()), rel=0.2)
    assert estimate.total < count


@pytest.mark.parametrize(("neurons", "nbytes"), [(30_000, 2), (35_000, 4)])
def test_words_widen_where_a_thread_has_more_neurons(neurons: int, nbytes: int) -> None:
    """65,536 accumulators of a thread, two for each neuron, need 16 bits; more need 17, and so 4 bytes a synapse."""
    net = vogels_abbott_dense(neurons, 0.005)
    estimate = estimate_memory(net, 1.0, "float64", "auto", "auto", 1)
    engine = CpuEngine(resolve(net, 1.0, 1, "float64"), [], [], 1, "auto")
    taken = engine.memory()["synapses"]
    engine.close()
    assert estimate.synapses == pytest.approx(taken, rel=0.01)
    assert estimate.synapses == pytest.approx(nbytes * 0.005 * neurons**2, rel=0.01)


def test_a_network_of_10_to_the_10_synapses_is_refused_or_recomputed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 24 GB free; nothing is built for that, and no row of it is drawn."""
    monkeypatch.setattr(budget, "free_memory", lambda: 24e9)
    monkeypatch.setattr(simulation, "resolve", no_building)
    net = vogels_abbott_dense(400_000)
    message = (
        r"the memory of this network must be at most 22\.35 GiB, what is free, got '29\.\d\d GiB \(synapses "
        r"29\.\d\d, neurons 0\.02\)'\. Choices: storage='procedural' computes synapses again at each spike"
    )
    with pytest.raises(InvalidValue, match=message):
        simulation.Simulation(net, dt=1.0, threads=2, quiet=True)
    with pytest.raises(AssertionError, match="is built"):
        simulation.Simulation(net, dt=1.0, threads=2, quiet=True, storage="procedural")


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("weight", WEIGHTS)
def test_the_estimate_of_the_event_engine(weight: str, delay: str) -> None:
    """Synapses and what finds them within a tenth."""
    from treplica.engines.event.engine import EventEngine

    net = network(WEIGHTS[weight], DELAYS[delay])
    estimate = estimate_memory(net, 0.1, "float64", "auto", "auto", 1, continuous=True)
    taken = EventEngine(resolve(net, 0.1, 1, "float64", continuous=True), [], []).memory()
    assert estimate.synapses == pytest.approx(taken["synapses"], rel=0.1)
    assert estimate.rows == pytest.approx(taken["rows"], rel=0.1)
    assert estimate.neurons == pytest.approx(taken["states"] + taken["arrivals"], rel=0.1)


def no_building(*_: object) -> None:
    raise AssertionError("is built")


def test_what_does_not_fit_is_refused_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "free_memory", lambda: 3.0 * 2**30)
    net = network(WEIGHTS["random"], 1.5, 2**30)
    message = (
        r"the memory of this network must be at most 3\.00 GiB, what is free, got '4\.\d\d GiB "
        r"\(synapses 4\.\d\d, neurons 0\.00\)'\. Choices: storage='procedural' computes .* weights='int14'"
    )
    with pytest.raises(InvalidValue, match=message):
        check_memory(net, 0.1, "float64", "auto", "auto", 2)
    assert check_memory(net, 0.1, "float64", "auto", "procedural", 2).synapses == 0.0
    with pytest.raises(InvalidValue) as caught:
        check_memory(net, 0.1, "float32", "int8", "auto", 2)
    assert "weights=" not in str(caught.value)
    assert "precision=" not in str(caught.value)
    with pytest.raises(InvalidValue, match=r"Choices: engine='cpu' takes less; describe"):
        check_memory(net, 0.1, "float64", "auto", "auto", 1, continuous=True)


def test_free_memory_is_that_of_this_machine() -> None:
    available = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    assert available
    assert 0 < free_memory() < 1.5 * 1024 * int(available[1]) + 2**28


def test_expected_numbers_need_no_drawing() -> None:
    assert AllToAll(self_connections=False).expected_synapses(100, 100) == 9900
    assert FixedTotalNumber(77).expected_synapses(3, 4) == 77
