"""Events by slice: handled together at its end, each with its own time, in order."""

import signal
from pathlib import Path
from typing import Any

import pytest
from tallies import ENGINES, relays, trains

import treplica as tr
from treplica.errors import HandlerError, InvalidValue, SimulationError

Seen = list[tuple[str, float, float]]


def ring(slice: float | None, **settings: Any) -> tuple[tr.Simulation, Seen, list[int]]:
    """A spike that goes round: one every 3 ms. What is handled is noted with its time and the model's; pieces are."""
    net, relay = relays(4)
    net.connect(relay, relay, tr.connectivity.FromArrays([0, 1, 2, 3], [1, 2, 3, 0]), weight=1.0, delay=3.0)
    net.stimulate(relay, tr.SpikeInput(trains([1.0], [], [], [])))
    events, seen = tr.EventDispatcher(slice=slice), []
    for kind, population in (("spike", "relay"), ("timer", "")):
        events.on(
            kind, lambda sim, event: seen.append((event.kind, event.time, sim.time)), population=population
        )
    sim = tr.Simulation(net, dt=0.5, events=events, quiet=True, **settings)
    pieces: list[int] = []
    advance = sim.engine.advance
    sim.engine.advance = lambda n, until: pieces.append(n) or advance(n, until)  # type: ignore[method-assign,func-returns-value]
    return sim, seen, pieces


@pytest.mark.parametrize("engine", ENGINES)
def test_the_engine_is_interrupted_at_the_ends_of_slices(engine: str) -> None:
    times = [0.5 + 0.5 + 3.0 * k for k in range(20)]
    sim, seen, pieces = ring(None, engine=engine)
    sim.run(60.0)
    assert (seen, pieces) == ([("spike", t, t) for t in times], [1] * 120)
    sim, seen, pieces = ring(4.0, engine=engine)
    sim.run(60.0)
    assert seen == [("spike", t, -(-t // 4.0) * 4.0) for t in times]
    assert (pieces, sum(pieces)) == ([8] * 15, 120)


def test_everything_in_the_order_of_time() -> None:
    """Timers of a slice wait for its end as well, also where no spike is heard; (0, 4] holds 4."""
    sim, seen, _ = ring(4.0)
    for time in (4.0, 0.0, 2.2, 8.1):
        sim.events.emit("timer", time)
    sim.run(12.0)
    assert seen == [
        ("timer", 0.0, 0.0), ("spike", 1.0, 4.0), ("timer", 2.2, 4.0), ("timer", 4.0, 4.0), ("spike", 4.0, 4.0),
        ("spike", 7.0, 8.0), ("timer", 8.1, 12.0), ("spike", 10.0, 12.0),
    ]  # fmt: skip


def test_timers_alone_cost_nothing_in_between() -> None:
    events, seen = tr.EventDispatcher(slice=4.0), []
    events.on("timer", lambda sim, event: seen.append(sim.time))
    net, _ = relays(1)
    with tr.Simulation(net, dt=0.5, engine="plain", events=events, quiet=True) as sim:
        pieces: list[int] = []
        advance = sim.engine.advance
        sim.engine.advance = lambda n, until: pieces.append(n) or advance(n, until)  # type: ignore[method-assign,func-returns-value]
        sim.loop.pace.piece = 1000
        events.emit("timer", 13.0)
        sim.run(30.0)
    assert (seen, pieces) == ([16.0], [32, 28])


def test_where_a_run_ends_within_a_slice() -> None:
    """What happened waits for its end; so the cuts between runs change nothing."""
    whole, expected, _ = ring(4.0)
    whole.run(20.0)
    sim, seen, _ = ring(4.0)
    for duration in (1.0, 2.5, 3.5, 0.0, 6.0, 7.0):
        sim.run(duration)
        if sim.time % 4.0:
            assert sim.events.pending
            with pytest.raises(SimulationError, match="events are still to be handled"):
                sim.save("never")
    assert seen == expected
    assert len(seen) == 7


def test_before_the_end_of_the_slice_is_past() -> None:
    sim, seen, _ = ring(4.0)
    times = iter([1.5, 4.0, 8.25])
    events = sim.events
    events.on("spike", lambda sim, event: events.emit("timer", next(times)), population="relay")
    with pytest.raises(HandlerError, match=r"event time must be not before now \(4 ms\), got 1\.5\. The sim"):
        sim.run(8.0)
    assert (sim.time, events.pending, events.now) == (4.0, 1, 4.0)
    sim.run(5.0)
    assert seen == [("spike", 1.0, 4.0), ("spike", 4.0, 4.0), ("timer", 4.0, 4.0), ("spike", 7.0, 8.0)]
    assert (events.pending, events.next_time) == (1, 8.25)


def test_what_is_refused() -> None:
    for slice in (0.0, -1.0, float("nan"), "1"):
        with pytest.raises(
            InvalidValue, match="slice of an EventDispatcher must be a finite number > 0 ms, or None"
        ):
            tr.EventDispatcher(slice=slice)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match=r"slice of an EventDispatcher must be a multiple of dt = 0\.5 ms"):
        ring(1.2)


def test_checkpoints_are_written_between_slices(tmp_path: Path) -> None:
    whole, expected, _ = ring(4.0)
    whole.run(40.0)
    sim, seen, _ = ring(4.0)
    path = tmp_path / "c"
    for every, duration, what in ((2.0, 40.0, "checkpoint_every"), (8.0, 42.0, "end of the run")):
        with pytest.raises(InvalidValue, match=f"{what} must be a multiple of the slice of events, 4 ms"):
            sim.run(duration, checkpoint_every=every, checkpoint=path)
    assert (sim.time, path.exists()) == (0.0, False)

    def interrupt(done: float, total: float, spikes: int) -> None:
        if done >= 17.0:
            signal.raise_signal(signal.SIGINT)

    sim.loop.pace.most = 3
    with pytest.raises(KeyboardInterrupt):
        sim.run(40.0, interrupt, checkpoint_every=8.0, checkpoint=path)
    assert sim.time == 20.0
    with pytest.raises(KeyboardInterrupt):
        sim.run(16.0, lambda *_: signal.raise_signal(signal.SIGINT))
    assert sim.time == 21.5

    events = tr.EventDispatcher(slice=4.0)
    events.on("spike", lambda sim, event: seen.append((event.kind, event.time, sim.time)), population="relay")
    loaded = tr.Simulation.load(path, events=events, quiet=True)
    assert loaded.remaining == 20.0
    loaded.run(loaded.remaining)
    assert seen == expected
