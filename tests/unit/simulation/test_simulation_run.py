"""Running, asking for states, the summary, the choice of an engine, and what is refused."""

import re
from typing import Any

import numpy as np
import pytest
from tallies import ENGINES, listed, relays, simulate, tallies, trains

import treplica as tr
from treplica.connectivity import AllToAll, OneToOne
from treplica.errors import InvalidValue, SimulationError, UnknownName


@pytest.mark.parametrize("engine", ENGINES)
def test_many_short_runs_are_one_long_run(engine: str) -> None:
    def network() -> tr.Network:
        net, relay = relays(5)
        net.connect(relay, relay, AllToAll(), weight=0.3, delay=2.0)
        net.stimulate(relay, tr.PoissonInput(200.0, weight=0.4))
        return net

    long = simulate(network(), 60.0, engine=engine)
    short = tr.Simulation(network(), dt=1.0, engine=engine, quiet=True)
    for duration in (0.0, 1.0, 2.0, 0.0, 40.0, 17.0):
        short.run(duration)
    assert short.time == long.time == 60.0
    assert len(long["spikes"]) > 20
    assert short["spikes"] == long["spikes"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_of_nothing_does_nothing(engine: str) -> None:
    net, _ = tallies()
    sim = simulate(net, 0.0, engine=engine)
    assert sim.time == 0.0
    assert len(sim["x"]) == 0
    summary = sim.summary()
    assert (summary.model_s, summary.wall_s_per_model_s, summary.mean_rate_hz) == (0.0, 0.0, 0.0)
    assert (summary.silent_share_mean, summary.silent_share_min) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("duration", "message"),
    [
        (1.25, "run duration must be a multiple of dt = 0.5 ms, got 1.25. Nearest: 1 ms."),
        (-0.5, "run duration must be at least 0 ms"),
        (float("nan"), "run duration must be a finite number, got nan."),
        (float("inf"), "run duration must be a finite number, got inf."),
        ("10", "run duration must be a finite number, got '10'."),
        (None, "run duration must be a finite number, got None."),
        (True, "run duration must be a finite number, got True."),
    ],
)
def test_durations_are_whole_steps(duration: Any, message: str) -> None:
    sim = tr.Simulation(relays()[0], dt=0.5, engine="plain", quiet=True)
    with pytest.raises(InvalidValue, match=re.escape(message)):
        sim.run(duration)
    assert sim.time == 0.0


def test_reports_come_in_order_and_end_at_the_end() -> None:
    net, relay = relays(3)
    sim = tr.Simulation(net, dt=0.5, engine="plain", quiet=True)
    sim.run(2.0)
    sim.feed(relay, trains([1.0], [2.0], [], dt=0.5))
    reports: list[tuple[float, float, int]] = []
    sim.run(30.0, lambda *report: reports.append(report))
    done = [r[0] for r in reports]
    assert done == sorted(set(done))
    assert {r[1] for r in reports} == {30.0}
    assert reports[-1] == (30.0, 30.0, 2)
    assert sim.time == 32.0


def test_an_error_in_a_report_keeps_what_was_recorded(tmp_path: Any) -> None:
    net, relay = relays(1)
    sim = tr.Simulation(net, dt=1.0, engine="plain", quiet=True, record_to=tmp_path / "out")
    sim.feed(relay, trains([1.0]))

    def report(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sim.run(20.0, report)
    assert 1.0 <= sim.time < 20.0
    assert listed(tr.SpikeTrains.load(tmp_path / "out" / "spikes.h5")) == [[1.0]]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_states_can_be_read(engine: str, precision: str) -> None:
    net = tr.Network()
    receptors = {"ampa": tr.Exponential(tau=5.0)}
    cells = net.add(tr.Population("cells", 3, tr.LIF(v=[-70.0, -65.0, -60.5]), receptors))
    sim = tr.Simulation(net, dt=1.0, engine=engine, precision=precision, quiet=True)  # type: ignore[arg-type]
    assert sim.state(cells, "v").tolist() == sim.state("cells", "v").tolist() == [-70.0, -65.0, -60.5]
    assert sim.state(cells, "v").dtype == np.dtype(precision)
    assert sim.state(cells, "ampa.g").tolist() == [0.0, 0.0, 0.0]
    sim.state(cells, "v")[:] = 0.0  # a copy
    assert sim.state(cells, "v")[0] == -70.0
    with pytest.raises(
        UnknownName, match=r"variable of cells 'ampa.h' is not known. Did you mean 'ampa.g'\?"
    ):
        sim.state(cells, "ampa.h")
    with pytest.raises(UnknownName, match=r"population 'cell' is not known. Did you mean 'cells'\?"):
        sim.state("cell", "v")
    with pytest.raises(InvalidValue, match="population must be a name: cells, got 3"):
        sim.state(3, "v")  # type: ignore[arg-type]


def test_precisions_differ_and_engines_do_not() -> None:
    def final(engine: str, precision: str) -> np.ndarray:
        net, tally = tallies(50)
        net.stimulate(tally, tr.GaussianCurrent(std=0.1))
        net.stimulate(tally, tr.PoissonInput(300.0, weight=0.7))
        return simulate(net, 30.0, engine=engine, precision=precision).state(tally, "x")

    for precision in ("float64", "float32"):
        assert final("plain", precision).tolist() == final("cpu", precision).tolist()
    double, single = final("cpu", "float64"), final("cpu", "float32")
    assert single.dtype == np.float32
    assert not np.array_equal(double, single)
    np.testing.assert_allclose(double, single, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_summary_counts_right(engine: str) -> None:
    """Ten relays, 7 in one step and 2 in another, each with two synapses back onto the silent tenth's tallies."""
    net, relay = relays(10)
    tally = net.add(tr.Population("tally", 2, tallies()[1].neuron))
    net.connect(relay, tally, AllToAll(), weight=1.0, delay=3.0)
    sim = tr.Simulation(net, dt=0.5, engine=engine, quiet=True)
    first, second = [[2.0]] * 7 + [[]] * 3, [[4.0]] * 2 + [[]] * 8
    for given in (first, second):
        sim.feed(relay, trains(*given, dt=0.5))
    sim.run(10.0)
    s = sim.summary()
    assert (s.neurons, s.synapses, s.spikes, s.synaptic_events) == (12, 20, 9, 18)
    assert (s.dt_ms, s.model_s, s.precision) == (0.5, 0.01, "float64")
    assert s.mean_rate_hz == pytest.approx(9 / 12 / 0.01)
    assert s.silent_share_mean == pytest.approx(1.0 - 9 / (12 * 20))
    assert s.silent_share_min == pytest.approx(1.0 - 7 / 12)
    assert s.wall_s_per_model_s == pytest.approx(s.wall_s / 0.01)
    assert s.synaptic_events_per_s == pytest.approx(18 / s.wall_s)
    # The target; one weight and one delay for all. The plain engine keeps none.
    assert s.bytes_per_synapse == (4.0 if engine == "cpu" else 0.0)
    assert s.peak_memory_bytes > 2**20
    assert s.engine.startswith(f"{engine}, 1 thread: ")
    assert sim.state(tally, "x").tolist() == [9.0, 9.0]
    assert s.as_dict()["spikes"] == 9


def test_the_summary_in_words_fits_a_terminal() -> None:
    net, _ = relays(3)
    lines = str(simulate(net, 1000.0).summary()).splitlines()
    shown = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in lines)
    assert shown["neurons"].startswith("3 ")
    assert shown["precision"] == "float64, steps of 1 ms"
    assert max(map(len, lines)) <= 80


# The engine


def test_the_choice_is_told_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    net, _ = relays(3)
    tr.Simulation(net, dt=1.0)
    assert capsys.readouterr() == ("", "treplica: cpu, 1 thread: 3 neurons are too few to share, float64\n")
    tr.Simulation(net, dt=1.0, threads=2, precision="float32")
    assert capsys.readouterr().err == "treplica: cpu, 2 threads: threads as asked for, float32\n"
    tr.Simulation(net, dt=1.0, engine="plain")
    assert capsys.readouterr().err.startswith("treplica: plain, 1 thread: as asked for")
    tr.Simulation(net, dt=1.0, quiet=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("threads", [0, -1, 1025, 1.0, "2", True])
def test_threads_are_a_whole_number(threads: Any) -> None:
    with pytest.raises(InvalidValue, match="threads must be a whole number from 1 to 1024, got"):
        tr.Simulation(relays()[0], dt=1.0, quiet=True, threads=threads)


def test_the_plain_engine_has_one_thread() -> None:
    with pytest.raises(InvalidValue, match="threads must be 1 for the plain engine, got 2"):
        tr.Simulation(relays()[0], dt=1.0, quiet=True, engine="plain", threads=2)
    assert tr.Simulation(relays()[0], dt=1.0, quiet=True, engine="plain", threads=1).choice.threads == 1


def test_more_threads_than_neurons() -> None:
    net, relay = relays(3)
    net.connect(relay, relay, OneToOne(), weight=1.0, delay=5.0)
    with tr.Simulation(net, dt=1.0, quiet=True, threads=4) as sim:
        sim.feed(relay, trains([1.0], [], [3.0]))
        sim.run(12.0)
        assert listed(sim["spikes"]) == [[1.0, 6.0, 11.0], [], [3.0, 8.0]]


def test_names_of_engines_and_precisions() -> None:
    for given, known, nearest in (("cppu", "engine", "cpu"), ("float63", "precision", "float64")):
        with pytest.raises(UnknownName, match=f"{known} '{given}' is not known. Did you mean '{nearest}'"):
            tr.Simulation(relays()[0], dt=1.0, quiet=True, **{known: given})
    with pytest.raises(InvalidValue, match="engine must be a name: auto, cpu, event, plain, got None"):
        tr.Simulation(relays()[0], dt=1.0, quiet=True, engine=None)  # type: ignore[arg-type]


# The network


def test_seeds() -> None:
    def spikes(own: int, **settings: Any) -> tr.SpikeTrains:
        net = tr.Network(seed=own)
        net.record(net.add(tr.Population("noise", 20, tr.PoissonSource(rate=100.0))), name="spikes")
        return simulate(net, 50.0, **settings)["spikes"]

    assert spikes(7) == spikes(1, seed=7) != spikes(1)
    assert len(spikes(7)) > 50
    for wrong in (-1, 2**64, 1.0, "7", True):
        with pytest.raises(InvalidValue, match=r"^seed must be a whole number from 0 to"):
            spikes(1, seed=wrong)


def test_what_is_no_network_cannot_be_simulated() -> None:
    with pytest.raises(InvalidValue, match=r"Simulation\(network\) must be a Network, got 'net.json'"):
        tr.Simulation("net.json", dt=1.0)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="network must be one with at least one population"):
        tr.Simulation(tr.Network(), dt=1.0)


def test_later_changes_to_the_network_are_not_seen() -> None:
    net, relay = relays(2)
    sim = tr.Simulation(net, dt=1.0, engine="plain", quiet=True)
    net.connect(relay[0], relay[1], OneToOne(), weight=1.0, delay=1.0)
    net.stimulate(relay, tr.PoissonInput(1000.0, 1.0))
    sim.feed(relay, trains([1.0], []))
    sim.run(5.0)
    assert listed(sim["spikes"]) == [[1.0], []]


def test_one_network_runs_in_several_simulations_at_once() -> None:
    net, tally = tallies(2)
    net.stimulate(tally, tr.StepCurrent(0.0, 1.0))
    sims = [tr.Simulation(net, dt=1.0, engine=e, quiet=True) for e in (*ENGINES, *ENGINES)]
    for duration, sim in enumerate(sims):
        sim.run(float(duration))
    assert [sim.state("tally", "x").tolist() for sim in sims] == [[float(n)] * 2 for n in range(4)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_closed_simulation_can_be_read_but_not_run(engine: str) -> None:
    net, relay = relays(1)
    with tr.Simulation(net, dt=1.0, engine=engine, threads=2 if engine == "cpu" else 1, quiet=True) as sim:
        sim.feed(relay, trains([1.0]))
        sim.run(2.0)
    sim.close()
    assert listed(sim["spikes"]) == [[1.0]]
    assert sim.summary().spikes == 1
    with pytest.raises(SimulationError, match="was closed: make a new one"):
        sim.run(1.0)


def test_it_says_what_it_is() -> None:
    sim = simulate(relays(3)[0], 2.5, dt=0.5)
    assert repr(sim).startswith("<Simulation at 2.5 ms: 3 neurons, plain, 1 thread")
