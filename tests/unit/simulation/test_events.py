"""Events: their order, who handles them, what is refused; none is lost or handled twice."""

import numpy as np
import pytest
from chains import DT, chain, feed_first

import treplica as tr
from treplica.errors import HandlerError, SimulationError


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


def test_a_handler_that_raises_does_not_keep_the_event_from_others() -> None:
    """The next run begins with them, at the same model time."""
    events, seen = tr.EventDispatcher(), []

    def breaks(sim: tr.Simulation, event: tr.Event) -> None:
        raise ValueError(event.kind)

    def note(sim: tr.Simulation, event: tr.Event) -> None:
        seen.append((event.kind, event.time, sim.time))

    for kind in ("timer", "reward"):
        events.on(kind, breaks)
        events.on(kind, note)
        events.emit(kind, 2.0)
    with chain(events=events) as sim:
        with pytest.raises(HandlerError, match=r"raised at <timer at 2 ms>: ValueError: timer"):
            sim.run(10.0)
        assert (sim.time, seen, events.pending, events.next_time) == (2.0, [], 2, 2.0)
        with pytest.raises(SimulationError, match=r"2 events are still to be handled \(the next at 2 ms\)"):
            sim.save("never")
        with pytest.raises(HandlerError, match=r"raised at <reward at 2 ms>"):
            sim.run(sim.remaining)
        assert (sim.time, seen, events.pending) == (2.0, [("timer", 2.0, 2.0)], 1)
        sim.run(sim.remaining)
        assert (sim.time, events.pending) == (10.0, 0)
    assert seen == [("timer", 2.0, 2.0), ("reward", 2.0, 2.0)]


def test_what_is_emitted_for_now_between_runs_is_handled_before_the_next_step() -> None:
    events, seen = tr.EventDispatcher(), []
    events.on("timer", lambda sim, event: seen.append((event.time, sim.time)))
    with chain(events=events) as sim:
        for _ in range(3):
            events.emit("timer", sim.time)
            sim.run(2.0)
        events.emit("timer", sim.time)
        sim.run(0.0)
    assert seen == [(0.0, 0.0), (2.0, 2.0), (4.0, 4.0), (6.0, 6.0)]


def test_steps_that_rounding_puts_before_a_time() -> None:
    """3 * 0.7 is less than 2.1: the timer belongs to the third step, and is not past in it."""
    events, seen = tr.EventDispatcher(["after"]), []
    events.on(
        "timer", lambda sim, event: seen.append((event.time, sim.time)) or events.emit("after", sim.time)
    )
    events.on("after", lambda sim, event: seen.append((event.time, sim.time)))
    for k in (3, 6, 9):
        events.emit("timer", round(k * 0.7, 1))
    net = tr.Network(seed=1)
    net.add(tr.Population("cells", 1, tr.LIF()))
    with tr.Simulation(net, dt=0.7, events=events, quiet=True) as sim:
        sim.run(7.0)
    ends = [3 * 0.7, 6 * 0.7, 9 * 0.7]
    assert seen == [
        pair for t, end in zip((2.1, 4.2, 6.3), ends, strict=True) for pair in ((t, end), (end, end))
    ]
    assert ends[0] < 2.1


def test_times_that_differ_by_rounding_are_one() -> None:
    """So their events are handled in the order of emission, before and after the length of a step is known."""
    events, seen = tr.EventDispatcher(), []
    events.on("timer", lambda sim, event: seen.append(event.value))
    for value, time in enumerate((2.1, 3 * 0.7)):
        events.emit("timer", time, value=value)
    net = tr.Network(seed=1)
    net.add(tr.Population("cells", 1, tr.LIF()))
    with tr.Simulation(net, dt=0.7, events=events, quiet=True) as sim:
        for value, time in enumerate((2.1, 3 * 0.7), 2):
            events.emit("timer", time, value=value)
        sim.run(7.0)
    assert seen == [0, 1, 2, 3]


def test_a_dispatcher_serves_the_simulation_that_was_made_last() -> None:
    events = tr.EventDispatcher()
    first = chain(events=events)
    first.run(5.0)
    second = chain(events=events)
    with pytest.raises(SimulationError, match="given to another one: make one for each"):
        first.run(1.0)
    second.run(1.0)
    assert (first.time, second.time, events.now) == (5.0, 1.0, 1.0)


def test_events_of_another_simulation_are_not_taken_over() -> None:
    """Neither what its network did and nobody has handled yet, nor what is past for the new one."""
    events = tr.EventDispatcher()
    events.on("spike", lambda sim, event: 1 / 0, population="cells")
    events.on("spike", lambda sim, event: None, population="cells")
    sim = chain(events=events)
    feed_first(sim)
    with pytest.raises(HandlerError):
        sim.run(5.0)
    with pytest.raises(
        SimulationError, match=r"still to handle <spike at 0.5 ms in cells, 1 neurons> of another"
    ):
        chain(events=events)
    assert events.serves(sim)
    assert events.pending == 1
    sim.run(0.0)
    assert events.pending == 0
    chain(events=events).run(1.0)


def test_causes_before_effects() -> None:
    """At one time: what was emitted for it beforehand, arrivals, thresholds, spikes, and what handlers answer."""
    net = tr.Network(seed=1)
    first = net.add(tr.Population("first", 2, tr.SpikeSource()))
    second = net.add(tr.Population("second", 2, tr.LIF()))
    net.connect(first, second, tr.OneToOne(), weight=tr.connectivity.FromArray([3.0, 30.0]), delay=1.0)
    net.stimulate(first, tr.SpikeInput(tr.SpikeTrains.from_dense(np.ones((3, 2), dtype=bool), 1.0)))
    events, seen = tr.EventDispatcher(["answer"]), []

    def note(sim: tr.Simulation, event: tr.Event) -> None:
        seen.append((event.time, event.kind, event.population, event.ids.tolist()))
        if event.kind != "answer":
            events.emit("answer", event.time, population=event.population)

    for population in ("second", "first"):
        events.on("spike", note, population=population)
        events.on("arrival", note, population=population)
    events.on("threshold", note, population="second", variable="v", level=-68.0)
    events.on("reward", note)
    events.on("answer", note)
    with tr.Simulation(net, dt=1.0, engine="plain", events=events, quiet=True) as sim:
        sim.run(1.0)
        seen.clear()
        events.emit("reward", 2.0)
        sim.run(1.0)
    assert seen == [
        (2.0, "reward", "", []),
        (2.0, "arrival", "first", [0, 1]),
        (2.0, "arrival", "second", [0, 1]),
        (2.0, "threshold", "second", [0]),
        (2.0, "spike", "first", [0, 1]),
        (2.0, "spike", "second", [1]),
        *[(2.0, "answer", p, []) for p in ("", "first", "second", "second", "first", "second")],
    ]
