"""Events of what arrives at neurons: counted by hand, on every engine, and compared with the plain engine's sums."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from tallies import ENGINES, Tally, relays, tallies, trains

import treplica as tr
from treplica.connectivity import FromArray, FromArrays
from treplica.engines.plain import PlainEngine
from treplica.errors import InvalidValue
from treplica.simulation import simulation
from treplica.testing import sample_networks
from treplica.testing.networks import KINDS
from treplica.testing.strategies import networks

Seen = list[tuple[float, str, list[int], list[float]]]


def listen(*populations: str, **settings: Any) -> tuple[tr.EventDispatcher, dict[str, Seen]]:
    """A dispatcher that notes the arrivals at some populations."""
    events, seen = tr.EventDispatcher(**settings), {}
    for population in populations:
        seen[population] = own = []

        def note(sim: tr.Simulation, event: tr.Event, own: Seen = own) -> None:
            assert event.ids.dtype == np.int64
            assert event.value.dtype == np.float64
            own.append((event.time, event.port, event.ids.tolist(), event.value.tolist()))

        events.on("arrival", note, population=population)
    return events, seen


def two_ports() -> tuple[tr.Network, tr.Population]:
    """Three relays onto four tallies, over drawn weights and delays, to both ports; spikes at 1, 2 and 4 ms."""
    net, tally = tallies(4)
    relay = net.add(tr.Population("relay", 3, tr.SpikeSource()))
    net.stimulate(relay, tr.SpikeInput(trains([1.0], [1.0, 2.0], [4.0])))
    rule = FromArrays([0, 0, 1, 1, 2], [1, 3, 1, 1, 0])
    weights, delays = FromArray([1.0, -0.5, 2.0, 0.25, 8.0]), FromArray([1.0, 3.0, 1.0, 2.0, 5.0])
    net.connect(relay, tally, rule, weight=weights, delay=delays, port="arrived")
    net.connect(relay[2:], tally[2:], tr.AllToAll(), weight=0.125, delay=1.0, port="late")
    return net, tally


ARRIVALS: Seen = [
    (2.0, "arrived", [1], [3.0]),
    (3.0, "arrived", [1], [2.25]),
    (4.0, "arrived", [1, 3], [0.25, -0.5]),
    (5.0, "late", [2, 3], [0.125, 0.125]),
    (9.0, "arrived", [0], [8.0]),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("slice", [None, 1.0, 3.0, 20.0])
def test_sums_by_port_and_time(engine: str, slice: float | None) -> None:
    events, seen = listen("tally", slice=slice)
    net, _ = two_ports()
    with tr.Simulation(net, dt=1.0, engine=engine, events=events, quiet=True) as sim:
        sim.run(20.0)
        assert seen["tally"] == ARRIVALS
        brought = np.zeros(4)
        for _, port, ids, values in seen["tally"]:
            np.add.at(brought, ids, np.array(values) * {"arrived": 1.0, "late": 1000.0}[port])
        assert sim.state("tally", "x").tolist() == brought.tolist()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("time", range(11))
def test_what_is_on_its_way_is_reported_after_loading(tmp_path: Path, engine: str, time: int) -> None:
    """Spikes in flight, stimuli and what was fed: the events before and after are those of the whole run."""
    found: list[Seen] = []
    for stop in (None, float(time)):
        events, seen = listen("tally", "relay")
        net, _ = two_ports()
        sim = tr.Simulation(net, dt=1.0, engine=engine, events=events, quiet=True)
        sim.feed(sim.network.population("tally")[:1], trains([3.0, 8.0, 8.0 + 1.0]), weight=0.5, port="late")
        if stop is not None:
            sim.run(stop)
            sim.save(tmp_path / "c")
            before = seen
            events, seen = listen("tally", "relay")
            sim = tr.Simulation.load(tmp_path / "c", events=events, quiet=True)
        else:
            before = {"tally": [], "relay": []}
        sim.run(20.0 - sim.time)
        found.append([*before["tally"], *seen["tally"], *before["relay"], *seen["relay"]])
    assert found[0] == found[1]
    assert {(9.0, "late", (0,)), (3.0, "late", (0,))} < {(t, p, tuple(i)) for t, p, i, _ in found[0]}
    assert [e for e in found[0] if e[1] == "pending"] == [
        (1.0, "pending", [0, 1], [1.0, 1.0]),
        (2.0, "pending", [1], [1.0]),
        (4.0, "pending", [2], [1.0]),
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_that_cancel_arrive_and_noise_does_not(engine: str) -> None:
    net, tally = tallies(2)
    relay = net.add(tr.Population("relay", 1, tr.SpikeSource()))
    net.stimulate(relay, tr.SpikeInput(trains([1.0])))
    net.stimulate(tally, tr.PoissonInput(rate=5000.0, weight=1.0), port="arrived")
    for weight in (0.5, -0.5):
        net.connect(relay, tally, tr.AllToAll(), weight=weight, delay=1.0, port="arrived")
    events, seen = listen("tally")
    with tr.Simulation(net, dt=1.0, engine=engine, events=events, quiet=True) as sim:
        sim.run(10.0)
        assert (sim.state("tally", "x") > 10.0).all()
    assert seen["tally"] == [(2.0, "arrived", [0, 1], [0.0, 0.0])]


def test_a_handler_of_arrivals_feeds_what_arrives_next() -> None:
    net, relay = relays(1)
    events, seen = tr.EventDispatcher(), []

    @events.on("arrival", population="relay")
    def again(sim: tr.Simulation, event: tr.Event) -> None:
        seen.append((event.time, sim.time))
        sim.feed(relay, trains([2.0]))

    with tr.Simulation(net, dt=1.0, engine="plain", events=events, quiet=True) as sim:
        sim.feed(relay, trains([1.0]))
        sim.run(8.0)
    assert seen == [(1.0, 1.0), (3.0, 3.0), (5.0, 5.0), (7.0, 7.0)]


def test_where_nothing_can_arrive() -> None:
    net = tr.Network(seed=1)
    net.add(tr.Population("noise", 3, tr.PoissonSource()))
    events, _ = listen("noise")
    with pytest.raises(
        InvalidValue, match=r"handler of arrival must be a population that spikes can reach, got 'noise'"
    ):
        tr.Simulation(net, events=events, quiet=True)


def test_rows_that_are_no_longer_at_hand_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treplica.simulation.arriving.SYNAPSES_KEPT", 2)
    test_sums_by_port_and_time("plain", None)


class Telling(PlainEngine):
    """The plain engine, which also keeps the sums that it reads in a step."""

    told: dict[tuple[int, int, int], dict[int, int]]

    def one_step(self) -> Any:
        for (population, port, neuron), units in self.arrivals.get(self.step, {}).items():
            self.told.setdefault((self.step, population, port), {})[neuron] = units
        return super().one_step()


def compare(network: tr.Network, precision: Any, slice: float | None, engines: tuple[str, ...]) -> int:
    """Arrivals of a network on engines and those that the plain engine reads; how many there were."""
    names = [p.name for p in network.populations if p.ports]
    made: list[Telling] = []

    def make(plan: Any, choice: Any, samplers: Any, watched: Any, wanted: Any) -> Telling:
        made.append(Telling(plan, samplers, watched))
        made[-1].told = {}
        return made[-1]

    found = []
    for engine in ("telling", *engines):
        events, seen = listen(*names, slice=slice)
        with pytest.MonkeyPatch.context() as patch:
            if engine == "telling":
                patch.setattr(simulation, "make_engine", make)
            kind = "plain" if engine == "telling" else engine
            with tr.Simulation(
                network, dt=0.5, engine=kind, precision=precision, events=events, quiet=True
            ) as sim:
                for _ in range(4):
                    sim.run(10.0)
                found.append(seen)
    plan = made[0].plan
    expected: dict[str, Seen] = {name: [] for name in names}
    for (step, population, port), sums in sorted(made[0].told.items()):
        own, ids = plan.populations[population], sorted(sums)
        known = own.composition.ports[port]
        values = [sums[neuron] * known.unit for neuron in ids]
        expected[own.name].append((step * 0.5, known.name.removeprefix(f"{own.name}."), ids, values))
    for seen in found:
        assert seen == expected
    return sum(len(e[2]) for own in expected.values() for e in own)


@pytest.mark.parametrize("kind", [net.populations[-1].name for net in sample_networks()])
def test_engines_tell_what_plain_reads(kind: str) -> None:
    """Over every sort of rule, weight and delay, graded spikes among them."""
    (network,) = (net for net in sample_networks() if net.populations[-1].name == kind)
    arrived = compare(network, "float32", 4.0, ("cpu",))
    assert arrived > 100 or kind == "source"


def test_random_networks() -> None:
    arrived = [0]

    @given(networks(kinds={k: KINDS[k] for k in ("relay", "graded", "source", "leaky")}))
    @settings(max_examples=25)
    def random(network: tr.Network) -> None:
        arrived[0] += compare(network, "float64", None, ())

    random()
    assert arrived[0] > 1000


def test_a_tally_of_graded_spikes() -> None:
    """The value of a spike multiplies the weight."""
    from treplica.testing.networks import Levels

    net = tr.Network(seed=1)
    source = net.add(tr.Population("source", 1, Levels()))
    tally = net.add(tr.Population("tally", 1, Tally()))
    net.connect(source, tally, tr.OneToOne(), weight=0.5, delay=1.0, port="arrived")
    net.stimulate(source, tr.SpikeInput(trains([1.0, 3.0]), weight=-3.0))
    events, seen = listen("tally")
    with tr.Simulation(net, dt=1.0, engine="plain", events=events, quiet=True) as sim:
        sim.run(6.0)
    assert seen["tally"] == [(2.0, "arrived", [0], [-1.5]), (4.0, "arrived", [0], [-1.5])]
