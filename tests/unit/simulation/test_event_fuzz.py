"""Over random graphs of handlers: no event is lost or handled twice, and all come in order and at their time."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tallies import tallies, trains

import treplica as tr

DT, DELAY, LEVELS = 0.5, 1.5, (1.0, 4.0)
OWN = ["own0", "own1"]
NETWORK = ("arrival", "threshold", "spike")
#: Multiples of 1/8, so that times are exact and often coincide.
TIMES = st.integers(0, 160).map(lambda k: k / 8)
LATER = st.sampled_from([0.0, 0.125, 0.25, 1.0, 3.625])


@dataclass
class Course:
    """What was emitted, with the model time then, and what was handled, by whom."""

    events: tr.EventDispatcher
    sim: tr.Simulation | None = None
    emitted: dict[int, tuple[int, tr.Event, float]] = field(default_factory=dict)
    handled: list[tuple[tr.Event, int]] = field(default_factory=list)
    left: int = 200

    def emit(self, kind: str, time: float) -> None:
        if self.left:
            self.left -= 1
            event = self.events.emit(kind, time)
            now = self.sim.time if self.sim else -math.inf
            self.emitted[id(event)] = (len(self.emitted), event, now)

    def order(self, event: tr.Event) -> tuple[float, float, float]:
        """What is handled must ascend in this."""
        if event.kind in NETWORK:
            return event.time, 1 + NETWORK.index(event.kind), 0
        number, _, emitted = self.emitted[id(event)]
        return event.time, 0 if emitted < event.time else 4, number


def network() -> tr.Network:
    """A chain of relays, each onto a tally; fed now and then."""
    net, tally = tallies(4)
    relay = net.add(tr.Population("relay", 4, tr.SpikeSource()))
    net.connect(relay[:3], relay[1:], tr.OneToOne(), weight=1.0, delay=DELAY)
    net.connect(relay, tally, tr.OneToOne(), weight=1.5, delay=DELAY, port="arrived")
    net.record(relay, name="spikes")
    return net


def graph(data: st.DataObject, course: Course) -> None:
    """Handlers of every kind, each of which emits events and may feed the first relay."""
    follow = st.lists(st.tuples(st.sampled_from(["reward", "timer", *OWN]), LATER), max_size=3)
    topics: list[dict[str, Any]] = [{"kind": k} for k in ("reward", "timer", *OWN)]
    topics += [{"kind": k, "population": p} for k in ("spike", "arrival") for p in ("relay", "tally")]
    topics += [{"kind": "threshold", "population": "tally", "variable": "x", "level": v} for v in LEVELS]
    for number, topic in enumerate(topics):
        emits, feeds = data.draw(follow), data.draw(st.sampled_from([False, False, False, True]))

        def handler(
            sim: tr.Simulation, event: tr.Event, number: int = number, emits: Any = emits, feeds: bool = feeds
        ) -> None:
            course.handled.append((event, number))
            length = course.events.slice or DT
            assert sim.time == math.ceil(event.time / length) * length
            for kind, later in emits:
                course.emit(kind, max(event.time, course.events.now) + later)
            if feeds and course.left:
                course.left -= 1
                sim.feed(sim.network.population("relay")[:1], trains([DT], dt=DT, duration=1.0))

        course.events.on(handler=handler, **topic)


def expected(sim: tr.Simulation, end: float) -> Counter[tuple[Any, ...]]:
    """What the network did, as its probes tell."""
    found: Counter[tuple[Any, ...]] = Counter()
    spikes, x = sim["spikes"], sim["x"]
    for time in sorted({*spikes.times.tolist()}):
        ids = tuple(spikes.ids[spikes.times == time].tolist())
        found["spike", time, "relay", ids] += time <= end
        found["arrival", time + DELAY, "tally", ids] += time + DELAY <= end
        # A relay fires in the step in which something arrives at it.
        found["arrival", time, "relay", ids] += time <= end
    values = np.concatenate([np.zeros((1, 4)), x.values])
    for level in LEVELS:
        for time, rises in zip(x.times.tolist(), (values[:-1] < level) & (values[1:] >= level), strict=True):
            if rises.any() and time <= end:
                found["threshold", time, "tally", (*np.flatnonzero(rises).tolist(), level)] += 1
    return +found


def told(event: tr.Event) -> tuple[Any, ...]:
    level = (event.value,) if event.kind == "threshold" else ()
    return event.kind, event.time, event.population, (*event.ids.tolist(), *level)


def check(data: st.DataObject, engine: str) -> Counter[str]:
    """One random graph; how many events of each kind were handled."""
    events = tr.EventDispatcher(OWN, slice=data.draw(st.sampled_from([None, 0.5, 2.0, 3.5, 50.0])))
    course = Course(events)
    graph(data, course)
    for kind, time in data.draw(st.lists(st.tuples(st.sampled_from(["timer", *OWN]), TIMES), max_size=8)):
        course.emit(kind, time)
    with tr.Simulation(network(), dt=DT, engine=engine, events=events, quiet=True) as sim:
        course.sim = sim
        sim.feed(
            sim.network.population("relay")[:1],
            trains(
                data.draw(st.lists(TIMES.map(math.ceil).filter(bool), unique=True).map(sorted)),
                dt=DT,
                duration=20.0,
            ),
        )
        for duration in data.draw(st.lists(st.sampled_from([0.0, 3.0, 8.5, 10.0]), min_size=1, max_size=4)):
            sim.run(duration)
            if data.draw(st.booleans()):
                course.emit("own0", sim.time + 0.25)
        length = events.slice or DT
        end = sim.time // length * length
        own = [(event, n) for event, n in course.handled if event.kind not in NETWORK]
        due = [event for _, event, _ in course.emitted.values() if event.time <= end]
        assert Counter(id(event) for event, _ in own) == Counter(map(id, due))
        did = Counter(told(event) for event, _ in course.handled if event.kind in NETWORK)
        assert did == expected(sim, end)
        waiting = sum(expected(sim, sim.time).values()) - sum(did.values())
        assert events.pending == len(course.emitted) - len(due) + waiting
        order = [course.order(event) for event, _ in course.handled]
        assert order == sorted(order)
    return Counter(event.kind for event, _ in course.handled)


def test_none_is_lost_or_repeated_and_order_is_kept() -> None:
    handled: Counter[str] = Counter()

    @given(st.data(), st.sampled_from(["plain", "plain", "cpu"]))
    @settings(max_examples=80)
    def random(data: st.DataObject, engine: str) -> None:
        handled.update(check(data, engine))

    random()
    assert {*handled} == {*NETWORK, *OWN, "timer", "reward"}
    assert min(handled.values()) > 10


@given(st.data())
@settings(max_examples=40)
def test_times_between_steps(data: st.DataObject) -> None:
    """Of any size: the same order, but for times that differ by rounding, which are one."""
    events, course = tr.EventDispatcher(OWN), []
    emitted = []
    follow = {
        k: data.draw(st.lists(st.tuples(st.sampled_from(OWN), st.floats(0.0, 5.0)), max_size=2)) for k in OWN
    }

    def handler(sim: tr.Simulation, event: tr.Event) -> None:
        course.append(event)
        for kind, later in follow[event.kind]:
            if len(emitted) < 100:
                emitted.append(events.emit(kind, event.time + later))

    for kind in OWN:
        events.on(kind, handler)
    for kind, time in data.draw(st.lists(st.tuples(st.sampled_from(OWN), st.floats(0.0, 20.0)), max_size=10)):
        emitted.append(events.emit(kind, time))
    dt = data.draw(st.sampled_from([0.5, 0.7, 0.1]))
    with tr.Simulation(network_of_one(), dt=dt, engine="plain", events=events, quiet=True) as sim:
        sim.run(10 * dt)
        sim.run(12 * dt)
        end = sim.time
    due = [e for e in emitted if events.clock.moment(e.time) <= end]
    assert Counter(map(id, course)) == Counter(map(id, due))
    assert events.pending == len(emitted) - len(due)
    moments = [events.clock.moment(e.time) for e in course]
    assert moments == sorted(moments)


def network_of_one() -> tr.Network:
    net = tr.Network(seed=1)
    net.add(tr.Population("cell", 1, tr.LIF()))
    return net
