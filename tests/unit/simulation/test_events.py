"""Events: their order, who handles them, what is refused; none is lost or handled twice."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treplica as tr
from treplica.errors import HandlerError, InvalidValue, SimulationError, UnknownName

DT = 0.5


def chain(n: int = 5, delay: float = 1.0, events: tr.EventDispatcher | None = None) -> tr.Simulation:
    """Neuron i makes i + 1 fire, a delay later; the first fires when it is fed."""
    net = tr.Network(seed=1)
    cells = net.add(tr.Population("cells", n, tr.SpikeSource()))
    net.connect(cells[: n - 1], cells[1:], tr.OneToOne(), weight=1.0, delay=delay)
    return tr.Simulation(net, dt=DT, events=events, quiet=True)


def feed_first(sim: tr.Simulation) -> None:
    cells = sim.network.population("cells")
    sim.feed(cells[:1], tr.SpikeTrains.from_dense(np.ones((1, 1), dtype=bool), DT))


@pytest.mark.parametrize("engine", ["plain", "cpu"])
def test_spikes_are_handled_after_the_step_in_which_they_are_found(engine: str) -> None:
    events, seen = tr.EventDispatcher(), []

    @events.on("spike", population="cells")
    def note(sim: tr.Simulation, event: tr.Event) -> None:
        seen.append((event.time, event.ids.tolist(), sim.time))

    net = tr.Network(seed=1)
    cells = net.add(tr.Population("cells", 4, tr.SpikeSource()))
    net.connect(cells[:3], cells[1:], tr.OneToOne(), weight=1.0, delay=1.5)
    with tr.Simulation(net, dt=DT, engine=engine, events=events, quiet=True) as sim:
        feed_first(sim)
        sim.run(20.0)
    assert seen == [(0.5, [0], 0.5), (2.0, [1], 2.0), (3.5, [2], 3.5), (5.0, [3], 5.0)]


def test_a_handler_closes_the_loop() -> None:
    """Every time the chain ends, the first neuron is fed again: spikes go round although nothing connects the ends."""
    events = tr.EventDispatcher()

    @events.on("spike", population="cells")
    def again(sim: tr.Simulation, event: tr.Event) -> None:
        if 4 in event.ids:
            feed_first(sim)

    with chain(5, 1.0, events) as sim:
        feed_first(sim)
        sim.run(45.0)
        assert sim.spikes.sum() == 50  # 4 ms from one end to the other, one step to be fed


def test_timers_rewards_and_kinds_of_your_own() -> None:
    """In the order of their times, and of emission where these are equal; handlers in the order of registration."""
    events, seen = tr.EventDispatcher(["dawn"]), []

    def note(name: str):
        return lambda sim, event: seen.append((name, event.kind, event.time, event.value, sim.time))

    events.on("timer", note("a"))
    events.on("reward", note("a"))
    events.on("dawn", note("b"))
    events.on("dawn", note("c"))
    events.emit("dawn", 3.2, value=1)
    events.emit("timer", 1.0)
    events.emit("reward", 3.0, value=2.5)
    events.emit("dawn", 3.0)
    events.emit("timer", 100.0)
    with chain(events=events) as sim:
        sim.run(10.0)
    assert seen == [
        ("a", "timer", 1.0, None, 1.0),
        ("a", "reward", 3.0, 2.5, 3.0),
        ("b", "dawn", 3.0, None, 3.0),
        ("c", "dawn", 3.0, None, 3.0),
        ("b", "dawn", 3.2, 1, 3.5),
        ("c", "dawn", 3.2, 1, 3.5),
    ]
    assert (events.pending, events.next_time) == (1, 100.0)


def test_handlers_of_one_population() -> None:
    events, seen = tr.EventDispatcher(), []
    events.on("reward", lambda sim, event: seen.append(event.population), population="cells")
    events.on("reward", lambda sim, event: seen.append("any"))
    events.emit("reward", 1.0)
    events.emit("reward", 2.0, population="cells", ids=[1, 2])
    with chain(events=events) as sim:
        sim.run(5.0)
    assert seen == ["any", "cells", "any"]


def test_nothing_changes_for_a_network_that_nobody_hears() -> None:
    net = tr.Network(seed=3)
    cells = net.add(tr.Population("cells", 200, tr.LIF()))
    net.connect(cells, cells, tr.Bernoulli(0.1), weight=0.5, delay=1.5)
    net.stimulate(cells, tr.PoissonInput(rate=2000.0, weight=0.8))
    probe = net.record(cells)
    found = []
    for heard in (False, True):
        events = tr.EventDispatcher()
        if heard:
            events.on("spike", lambda sim, event: None, population="cells")
            events.emit("timer", 17.3)
        with tr.Simulation(net, dt=DT, events=events, quiet=True) as sim:
            sim.run(200.0)
            found.append(sim[probe])
    assert found[0] == found[1]
    assert len(found[0]) > 1000


def test_a_handler_that_raises_is_named_and_the_run_goes_on() -> None:
    events, seen = tr.EventDispatcher(), []

    @events.on("timer")
    def breaks(sim: tr.Simulation, event: tr.Event) -> None:
        if event.value == "bad":
            raise ValueError("no such thing")
        seen.append(event.time)

    events.emit("timer", 2.0, value="bad")
    events.emit("timer", 2.0)
    events.emit("timer", 7.0)
    with chain(events=events) as sim:
        feed_first(sim)
        said = r"The handler test_a_handler.*breaks raised at <timer at 2 ms, 'bad'>: ValueError: no such thing\."
        with pytest.raises(HandlerError, match=said) as found:
            sim.run(10.0)
        assert isinstance(found.value.__cause__, ValueError)
        assert (sim.time, sim.remaining, seen) == (2.0, 8.0, [])
        sim.run(sim.remaining)
        assert (sim.time, seen) == (10.0, [2.0, 7.0])
        assert sim.spikes.sum() == 5


def test_what_is_refused() -> None:
    events = tr.EventDispatcher(["dawn"])
    with pytest.raises(UnknownName, match=r"kind of event 'reword' is not known. Did you mean 'reward'\?"):
        events.on("reword", print)
    with pytest.raises(UnknownName, match="kind of event 'dusk'"):
        events.emit("dusk", 1.0)
    with pytest.raises(InvalidValue, match=r"population of a handler of spikes"):
        events.on("spike", print)
    with pytest.raises(InvalidValue, match="handler of timer must be a function"):
        events.on("timer", 3)  # type: ignore[call-overload]
    with pytest.raises(InvalidValue, match="spikes come from the network"):
        events.emit("spike", 1.0)
    with pytest.raises(InvalidValue, match="event time must be"):
        events.emit("timer", float("nan"))
    events.on("reward", print, population="cell")
    with pytest.raises(UnknownName, match=r"population of a handler 'cell'.*'cells'"):
        chain(events=events)


def test_an_event_in_the_past_is_refused_and_changes_nothing() -> None:
    events = tr.EventDispatcher()
    events.on("timer", lambda sim, event: events.emit("reward", event.time - 0.1))
    events.emit("timer", 3.0)
    with chain(events=events) as sim:
        with pytest.raises(HandlerError, match=r"event time must be not before now \(3 ms\), got 2\.9"):
            sim.run(10.0)
        sim.run(sim.remaining)
        with pytest.raises(InvalidValue, match=r"not before now \(10 ms\)"):
            events.emit("timer", 9.0)
        assert events.pending == 0


def test_events_that_wait_cannot_be_saved(tmp_path) -> None:
    events = tr.EventDispatcher()
    events.emit("timer", 3.0)
    with chain(events=events) as sim:
        with pytest.raises(SimulationError, match="1 events are still to be handled"):
            sim.save(tmp_path / "a.checkpoint")
        sim.run(5.0)
        sim.save(tmp_path / "a.checkpoint")
    heard = []
    events = tr.EventDispatcher()
    events.on("timer", lambda sim, event: heard.append(event.time))
    with tr.Simulation.load(tmp_path / "a.checkpoint", events=events, quiet=True) as sim:
        with pytest.raises(InvalidValue, match="not before now"):
            events.emit("timer", 4.0)
        events.emit("timer", 6.0)
        sim.run(2.0)
    assert heard == [6.0]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_event_is_lost_or_handled_twice(data: st.DataObject) -> None:
    """Over random graphs of handlers that emit events, with times that often coincide."""
    kinds = [f"kind{k}" for k in range(data.draw(st.integers(1, 5)))]
    events = tr.EventDispatcher(kinds)
    emitted: list[tr.Event] = []
    handled: list[tr.Event] = []
    left = [200]

    def emit(kind: str, time: float) -> None:
        if left[0]:
            left[0] -= 1
            emitted.append(events.emit(kind, time))

    for kind in kinds:
        follow = data.draw(
            st.lists(st.tuples(st.sampled_from(kinds), st.sampled_from([0.0, 0.25, 1.0, 3.7])), max_size=3)
        )

        def handler(sim: tr.Simulation, event: tr.Event, follow: list[tuple[str, float]] = follow) -> None:
            handled.append(event)
            for next_kind, later in follow:
                emit(next_kind, event.time + later)

        events.on(kind, handler)
    for kind, time in data.draw(
        st.lists(st.tuples(st.sampled_from(kinds), st.floats(0.0, 20.0)), max_size=10)
    ):
        emit(kind, time)
    with chain(2, events=events) as sim:
        for _ in range(3):
            sim.run(10.0)
        end = sim.time
    due = [e for e in emitted if e.time <= end]
    assert Counter(map(id, handled)) == Counter(map(id, due))
    assert events.pending == len(emitted) - len(due)
    times = [e.time for e in handled]
    assert times == sorted(times)
