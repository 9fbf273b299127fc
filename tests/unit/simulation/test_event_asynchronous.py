"""What an engine without steps notices is handled at its own time, and the engine stops where events ask for it."""

import math
from typing import Any

import numpy as np
import pytest
from tallies import relays

import treplica as tr
from treplica.engines.base import Advance, Crossing, Noticed, Wanted
from treplica.engines.plain import PlainEngine
from treplica.simulation import simulation
from treplica.simulation.choice import Choice

ONE = np.array([0])
#: What happens, in any order.
SCRIPT = [
    Noticed("spike", 0.7071, 0, ONE),
    Noticed("threshold", 0.3141, 0, ONE, 0.5, variable="v"),
    Noticed("arrival", 0.3141, 0, ONE, np.array([2.0]), port=0),
    Noticed("spike", 2.0, 0, np.array([0, 1], dtype=np.int32)),
    Noticed("spike", 3.9999, 0, ONE),
]


class Scripted(PlainEngine):
    """Goes from event to event of a script; its neurons are those of the plain engine."""

    def __init__(self, plan: Any, samplers: Any, watched: Any, wanted: Wanted) -> None:
        plan.continuous = False  # its neurons work in steps
        super().__init__(plan, samplers, watched)
        self.wanted, self.script = wanted, sorted(SCRIPT, key=lambda n: n.time)
        self.at = 0.0
        self.calls: list[tuple[int, float]] = []

    @property
    def time(self) -> float:
        return self.at

    def advance(self, n_steps: int, until: float = math.inf) -> Advance:
        self.calls.append((n_steps, until))
        goal = min((self.step + n_steps) * self.plan.dt, until)
        if self.wanted.at_once and self.script:
            goal = min(goal, self.script[0].time)
        done = super().advance(math.floor(goal / self.plan.dt) - self.step)
        self.at = goal
        done.noticed = [n for n in self.script if n.time <= goal]
        self.script = [n for n in self.script if n.time > goal]
        return done


def listen(
    monkeypatch: pytest.MonkeyPatch, slice: float | None
) -> tuple[tr.Simulation, list[tuple[str, float, float]]]:
    """A simulation on the scripted engine, and what handlers see: kind, time, model time."""
    events, seen = tr.EventDispatcher(slice=slice), []
    net = tr.Network(seed=1)
    net.add(tr.Population("cells", 2, tr.LIF()))

    def note(sim: tr.Simulation, event: tr.Event) -> None:
        seen.append((event.kind, event.time, sim.time))

    for kind, more in (("spike", {}), ("arrival", {}), ("threshold", {"variable": "v", "level": 0.5})):
        events.on(kind, note, population="cells", **more)
    events.on("timer", note)
    monkeypatch.setattr(simulation, "choose", lambda *_: Choice("scripted", 1, "a test", steps=False))
    monkeypatch.setattr(
        simulation,
        "make_engine",
        lambda plan, choice, samplers, watched, wanted: Scripted(plan, samplers, watched, wanted),
    )
    return tr.Simulation(net, dt=0.5, events=events, quiet=True), seen


def test_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    sim, seen = listen(monkeypatch, None)
    engine: Any = sim.engine
    events = sim.events
    assert engine.wanted == Wanted((0,), (0,), (Crossing(0, "v", 0.5),), True)
    assert not engine.watched
    assert not engine.samplers
    events.emit("timer", 1.2345)
    events.on("timer", lambda sim, event: event.value or events.emit("timer", event.time + 0.01, value=1))
    sim.run(4.0)
    times = [
        ("arrival", 0.3141), ("threshold", 0.3141), ("spike", 0.7071), ("timer", 1.2345), ("timer", 1.2445),
        ("spike", 2.0), ("spike", 3.9999),
    ]  # fmt: skip
    assert seen == [(kind, pytest.approx(t, abs=1e-15), pytest.approx(t, abs=1e-15)) for kind, t in times]
    assert all(event == model for _, event, model in seen)
    assert (sim.time, sim.engine.step, events.pending) == (4.0, 8, 0)
    assert [until for _, until in engine.calls[:4]] == [1.2345, 1.2345, 1.2345, 1.2345 + 0.01]
    assert sum(math.isinf(until) for _, until in engine.calls) == len(engine.calls) - 4


def test_by_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any length; the engine is not interrupted within one."""
    sim, seen = listen(monkeypatch, 0.8)
    engine: Any = sim.engine
    sim.events.emit("timer", 1.2345)
    assert not engine.wanted.at_once
    sim.run(4.0)
    assert seen == [
        ("arrival", 0.3141, 0.8), ("threshold", 0.3141, 0.8), ("spike", 0.7071, 0.8), ("timer", 1.2345, 1.6),
        ("spike", 2.0, 3 * 0.8), ("spike", 3.9999, 4.0),
    ]  # fmt: skip
    assert {until for _, until in engine.calls} == {0.8 * k for k in range(1, 6)}


def test_engines_with_steps_notice_nothing_themselves() -> None:
    net, relay = relays(1)
    with tr.Simulation(net, dt=0.5, engine="plain", quiet=True) as sim:
        done = sim.engine.advance(3, 0.1)
        assert (done.noticed, sim.engine.time, sim.time, len(relay)) == ([], 1.5, 1.5, 1)
