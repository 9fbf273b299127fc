"""Handlers on the event engine: one event at a time, each at its own time, and the network as it is then."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treplica as tr
from treplica.errors import HandlerError, InvalidValue, SimulationError

Told = tuple[str, float, str, str, tuple[int, ...], Any]


def told(event: tr.Event) -> Told:
    """An event as plain data."""
    value = event.value.tolist() if isinstance(event.value, np.ndarray) else event.value
    return event.kind, event.time, event.population, event.port, tuple(event.ids.tolist()), value


def ring() -> tr.Network:
    """Two relays that send one spike to each other, and a leaky neuron that hears both."""
    net = tr.Network(seed=1)
    relays = net.add(tr.Population("relays", 2, tr.SpikeSource()))
    cell = net.add(tr.Population("cell", 1, tr.LIF()))
    net.connect(
        relays, relays, tr.FromArrays([0, 1], [1, 0]), weight=1.0, delay=tr.FromArray([math.pi, math.e])
    )
    net.connect(relays, cell, tr.AllToAll(), weight=tr.FromArray([2.0, -0.5]), delay=0.125)
    net.stimulate(relays[:1], tr.SpikeInput(tr.SpikeTrains.from_exact_times([0.7], [0], 1, 0.1, 50.0)))
    net.record(relays, name="relays")
    return net


def run(
    net: tr.Network, topics: list[dict[str, Any]], duration: float, slice: float | None = None
) -> list[Told]:
    """What handlers of some topics are told, each when it is due."""
    events, seen = tr.EventDispatcher(slice=slice), []

    def note(sim: tr.Simulation, event: tr.Event) -> None:
        due = event.time if slice is None else math.ceil(event.time / slice) * slice
        assert sim.time == due
        seen.append(told(event))

    for topic in topics:
        events.on(handler=note, **topic)
    sim = tr.Simulation(net, engine="event", events=events, quiet=True)
    sim.run(duration)
    assert sim.time == duration
    return seen


TOPICS = [
    {"kind": "spike", "population": "relays"},
    {"kind": "arrival", "population": "relays"},
    {"kind": "arrival", "population": "cell"},
]


@pytest.mark.parametrize("slice", [None, 0.5, 7.0])
def test_every_spike_and_arrival_at_its_own_time(slice: float | None) -> None:
    expected: list[Told] = []
    time, relay = 0.7, 0
    while time <= 21.0:
        expected.append(("arrival", time, "relays", "pending", (relay,), [1.0]))
        expected.append(("spike", time, "relays", "", (relay,), None))
        expected.append(("arrival", time + 0.125, "cell", "arrived", (0,), [[2.0, -0.5][relay]]))
        time, relay = time + [math.pi, math.e][relay], 1 - relay
    expected = sorted((e for e in expected if e[1] <= 21.0), key=lambda e: e[1])
    assert run(ring(), TOPICS, 21.0, slice) == expected
    assert len(expected) > 15


def test_listening_changes_no_spike() -> None:
    alone = tr.Simulation(ring(), engine="event", quiet=True)
    alone.run(30.0)
    events = tr.EventDispatcher()
    for topic in [*TOPICS, {"kind": "threshold", "population": "cell", "variable": "v", "level": -69.0}]:
        events.on(handler=lambda sim, event: None, **topic)
    heard = tr.Simulation(ring(), engine="event", events=events, quiet=True)
    heard.run(30.0)
    assert heard["relays"] == alone["relays"]
    assert heard.state("cell", "v") == alone.state("cell", "v")


def test_a_potential_rises_to_a_level_by_itself_and_by_what_arrives() -> None:
    """A synaptic current lifts v through -65 mV once on its way up; so does a jump."""
    net = tr.Network()
    one = net.add(tr.Population("one", 2, tr.LIFExpCurrent(i_syn=np.array([1200.0, 500.0]))))
    two = net.add(tr.Population("two", 1, tr.LIF()))
    given_ = tr.SpikeTrains.from_exact_times([3.3, 30.0], [0, 0], 1, 0.1, 50.0)
    net.stimulate(two, tr.SpikeInput(given_, 7.5))
    topics = [
        {"kind": "threshold", "population": p.name, "variable": "v", "level": -65.0} for p in (one, two)
    ]
    seen = run(net, topics, 50.0)

    def v(t: float) -> float:
        return -70.0 + 1200.0 * 20.0 / (250.0 * 8.0) * (math.exp(-t / 10.0) - math.exp(-t / 2.0))

    assert [(e[2], e[4], e[5]) for e in seen] == [
        ("one", (0,), -65.0),
        ("two", (0,), -65.0),
        ("two", (0,), -65.0),
    ]
    assert abs(v(seen[0][1]) + 65.0) < 1e-12
    assert [e[1] for e in seen[1:]] == [3.3, 30.0]


def test_a_level_is_crossed_again_after_v_has_fallen_below_it() -> None:
    net = tr.Network()
    cell = net.add(tr.Population("cell", 1, tr.LIF(v_th=0.0)))
    times = [1.0, 2.0, 2.5, 20.0]
    net.stimulate(cell, tr.SpikeInput(tr.SpikeTrains.from_exact_times(times, [0] * 4, 1, 0.1, 50.0), 6.0))
    seen = run(net, [{"kind": "threshold", "population": "cell", "variable": "v", "level": -65.0}], 50.0)
    assert [e[1] for e in seen] == [1.0, 20.0]  # at 2 and 2.5 ms it is above already
    net.stimulate(cell, tr.DirectCurrent(amplitude=130.0))  # to -64.8 mV
    seen = run(net, [{"kind": "threshold", "population": "cell", "variable": "v", "level": -64.9}], 50.0)
    assert [e[1] for e in seen] == [1.0]  # the current keeps it above


def test_currents_rise_where_something_arrives_and_neurons_without_a_closed_form_at_steps() -> None:
    net = tr.Network()
    cell = net.add(tr.Population("cell", 1, tr.LIFExp()))
    mesh = net.add(tr.Population("mesh", 2, tr.Izhikevich()))
    given_ = tr.SpikeTrains.from_exact_times([3.33], [0], 1, 0.1, 50.0)
    net.stimulate(cell, tr.SpikeInput(given_, 100.0), port="ex")
    net.stimulate(mesh[1:], tr.SpikeInput(given_, 20.0))
    topics = [
        {"kind": "threshold", "population": "cell", "variable": "i_ex", "level": 99.0},
        {"kind": "threshold", "population": "mesh", "variable": "v", "level": -60.0},
        {"kind": "arrival", "population": "mesh"},
    ]
    seen = run(net, topics, 10.0)
    step = 34 * 0.1
    assert [(e[0], e[1], e[2], e[4]) for e in seen] == [
        ("threshold", 3.33, "cell", (0,)),
        ("arrival", step, "mesh", (1,)),
        ("threshold", step, "mesh", (1,)),
    ]


def test_what_no_crossing_can_be_found_for_is_refused() -> None:
    events = tr.EventDispatcher()
    events.on("threshold", lambda sim, event: None, population="cell", variable="wait", level=1.0)
    with pytest.raises(InvalidValue, match=r"variable of a threshold.*'?wait'?.*event engine|v on the event"):
        tr.Simulation(ring(), engine="event", events=events, quiet=True)


def test_a_handler_closes_the_loop_within_a_step() -> None:
    """It answers each spike with one of its own, a hundredth of a step later."""
    events, answers = tr.EventDispatcher(), []
    net = tr.Network()
    cell = net.add(tr.Population("cell", 1, tr.LIF()))
    probe = net.record(cell, "spikes")

    @events.on("spike", population="cell")
    def answer(sim: tr.Simulation, event: tr.Event) -> None:
        assert sim.state("cell", "v")[0] == -70.0
        if len(answers) < 3:
            answers.append(event.time)
            sim.feed(cell, tr.SpikeTrains.from_exact_times([2.001], [0], 1, 0.1, 5.0), weight=20.0)

    sim = tr.Simulation(net, engine="event", events=events, quiet=True)
    sim.feed(cell, tr.SpikeTrains.from_exact_times([1.23], [0], 1, 0.1, 5.0), weight=20.0)
    sim.run(20.0)
    expected = [1.23 + 2.001 * k for k in range(4)]
    np.testing.assert_allclose(sim[probe].times, expected, rtol=1e-15)


def test_a_handler_that_raises_leaves_everything_intact() -> None:
    net, events, seen = ring(), tr.EventDispatcher(), []

    @events.on("spike", population="relays")
    def stumble(sim: tr.Simulation, event: tr.Event) -> None:
        seen.append(event.time)
        if len(seen) == 3:
            raise RuntimeError("stumbled")

    sim = tr.Simulation(net, engine="event", events=events, quiet=True)
    with pytest.raises(HandlerError, match=r"stumble.*spike at"):
        sim.run(30.0)
    assert sim.time == seen[-1]
    with pytest.raises(SimulationError, match="multiple of dt"):
        sim.save("never.checkpoint")
    sim.run(sim.remaining)
    alone = tr.Simulation(net, engine="event", quiet=True)
    alone.run(30.0)
    assert sim["relays"] == alone["relays"]
    assert seen == alone["relays"].times.tolist()


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_random_graphs_of_handlers_lose_and_repeat_nothing(data: st.DataObject) -> None:
    """Handlers emit events of their own and feed spikes; everything is handled once, in order, at its time."""
    events = tr.EventDispatcher(["own"], slice=data.draw(st.sampled_from([None, None, 0.3, 4.0])))
    later = st.floats(1e-6, 5.0)
    follow = {k: data.draw(st.lists(later, max_size=2)) for k in ("spike", "arrival", "own", "timer")}
    feeds = {k: data.draw(st.booleans()) for k in follow}
    emitted: list[tr.Event] = []
    handled: list[tr.Event] = []
    left = [120]

    def handler(sim: tr.Simulation, event: tr.Event) -> None:
        handled.append(event)
        for wait in follow[event.kind]:
            if left[0]:
                left[0] -= 1
                emitted.append(events.emit("own", events.now + wait))
        if feeds[event.kind] and left[0]:
            left[0] -= 1
            one = tr.SpikeTrains.from_exact_times([0.25], [0], 1, 0.1, 1.0)
            sim.feed(sim.network.population("relays")[:1], one)

    for topic in [*TOPICS[:2], {"kind": "own"}, {"kind": "timer"}]:
        events.on(handler=handler, **topic)
    emitted += [events.emit("timer", t) for t in data.draw(st.lists(st.floats(0.0, 20.0), max_size=5))]
    sim = tr.Simulation(ring(), engine="event", events=events, quiet=True)
    for duration in data.draw(st.lists(st.sampled_from([0.1, 5.0, 12.0]), min_size=1, max_size=3)):
        sim.run(duration)
    end = events.clock.end(sim.time) if events.slice is None else sim.time // events.slice * events.slice
    own = [id(e) for e in handled if e.kind in ("own", "timer")]
    assert len(own) == len({*own})
    assert {*own} == {id(e) for e in emitted if events.clock.end(e.time) <= sim.time}
    spikes = sim["relays"]
    due = spikes.times <= (end if events.slice else sim.time)
    assert [e.time for e in handled if e.kind == "spike" for _ in e.ids] == spikes.times[due].tolist()
    assert [e.time for e in handled] == sorted(e.time for e in handled)
