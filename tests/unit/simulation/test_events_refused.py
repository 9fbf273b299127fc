"""Events and handlers that are refused, and that nothing changes then."""

import pytest
from chains import chain, feed_first

import treplica as tr
from treplica.errors import HandlerError, InvalidValue, SimulationError, UnknownName


def test_what_is_refused() -> None:
    events = tr.EventDispatcher(["dawn"])
    with pytest.raises(UnknownName, match=r"kind of event 'reword' is not known. Did you mean 'reward'\?"):
        events.on("reword", print)
    with pytest.raises(UnknownName, match="kind of event 'dusk'"):
        events.emit("dusk", 1.0)
    with pytest.raises(InvalidValue, match=r"population of a handler of spike must be the name of one"):
        events.on("spike", print)
    with pytest.raises(InvalidValue, match="handler of timer must be a function"):
        events.on("timer", 3)  # type: ignore[call-overload]
    with pytest.raises(InvalidValue, match="spikes come from the network"):
        events.emit("spike", 1.0)
    for kind in ("arrival", "threshold"):
        with pytest.raises(InvalidValue, match=f"must be another: {kind}s come from the network"):
            events.emit(kind, 1.0)
    with pytest.raises(InvalidValue, match="event time must be"):
        events.emit("timer", float("nan"))
    with pytest.raises(InvalidValue, match="event time must be below"):
        chain(events=events).events.emit("timer", 1e300)
    for ids in ([0.5], [[1]], "a", 3):
        with pytest.raises(InvalidValue, match="ids of an event must be whole numbers"):
            events.emit("timer", 1.0, ids=ids)
    assert events.pending == 0
    with pytest.raises(
        InvalidValue, match=r"kinds of an EventDispatcher must be a list of names, got 'dawn'"
    ):
        tr.EventDispatcher("dawn")
    for kinds in (["spike"], ["dawn", "dawn"]):
        with pytest.raises(InvalidValue, match="kind of event must be a name that is not taken"):
            tr.EventDispatcher(kinds)
    with pytest.raises(InvalidValue, match="events must be an EventDispatcher"):
        chain(events=print)  # type: ignore[arg-type]
    events = tr.EventDispatcher()
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


def test_events_before_the_time_of_a_checkpoint_are_refused(tmp_path) -> None:
    with chain() as sim:
        sim.run(5.0)
        sim.save(tmp_path / "c")
    events = tr.EventDispatcher()
    events.emit("timer", 4.5)
    with pytest.raises(InvalidValue, match=r"event time must be not before now \(5 ms\), got 4\.5"):
        tr.Simulation.load(tmp_path / "c", events=events, quiet=True)


def test_handlers_that_come_too_late() -> None:
    """The network was not asked; what it was asked for may have more handlers, and so may users' events."""
    events, seen = tr.EventDispatcher(), []
    events.on("spike", lambda sim, event: seen.append("first"), population="cells")
    with chain(events=events) as sim:
        for kind, more in (("arrival", {}), ("threshold", {"variable": "v", "level": 1.0})):
            with pytest.raises(
                SimulationError, match=f"Nobody has asked the network for {kind} events of cells"
            ):
                events.on(kind, print, population="cells", **more)
        events.on("spike", lambda sim, event: seen.append("second"), population="cells")
        with pytest.raises(UnknownName, match="population of a handler 'cell'"):
            events.on("reward", print, population="cell")
        with pytest.raises(UnknownName, match="population of an event 'cell'"):
            events.emit("reward", 1.0, population="cell")
        feed_first(sim)
        sim.run(1.0)
    assert seen == ["first", "second"]


def test_a_handler_does_not_run_its_own_simulation() -> None:
    events = tr.EventDispatcher()
    events.on("timer", lambda sim, event: sim.run(1.0))
    events.emit("timer", 1.0)
    with chain(events=events) as sim:
        with pytest.raises(HandlerError, match="A handler cannot run its own simulation"):
            sim.run(5.0)
        sim.run(sim.remaining)
        assert sim.time == 5.0
