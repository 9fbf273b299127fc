"""Events of states that rise to a level: counted by hand, and compared with what probes see."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tallies import ENGINES, simulate, tallies

import treplica as tr
from treplica.errors import InvalidValue, UnknownName
from treplica.testing import sample_networks

Seen = list[tuple[float, list[int]]]


def steep() -> tuple[tr.Network, tr.Population]:
    """Tallies that are 1, 2, 3, 2, 1, 2, 3, 3, ... from the first step on, and a 64th of that."""
    net, tally = tallies(2)
    changes = np.array([1.0, 1.0, 1.0, -1.0, -1.0, 1.0, 1.0, 0.0])
    net.stimulate(tally, tr.StepCurrent(np.arange(8.0), np.outer(changes, [1.0, 2.0**-6])))
    return net, tally


def listen(events: tr.EventDispatcher, population: str, variable: str, level: float) -> Seen:
    seen: Seen = []

    def note(sim: tr.Simulation, event: tr.Event) -> None:
        assert (event.kind, event.population, event.variable) == ("threshold", population, variable)
        assert (event.value, event.port, event.ids.dtype) == (level, "", np.int64)
        seen.append((event.time, event.ids.tolist()))

    events.on("threshold", note, population=population, variable=variable, level=level)
    return seen


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("slice", [None, 2.0, 5.0])
def test_rises_only_and_each_level_for_itself(engine: str, slice: float | None) -> None:
    events = tr.EventDispatcher(slice=slice)
    levels = {level: listen(events, "tally", "x", level) for level in (2.0, 0.0, 0.02, 2.5, 3.5)}
    net, _ = steep()
    with tr.Simulation(net, dt=1.0, engine=engine, events=events, quiet=True) as sim:
        sim.run(20.0)
    assert levels == {
        2.0: [(2.0, [0]), (6.0, [0])],
        0.0: [],  # it is not below at the start
        0.02: [(1.0, [0]), (2.0, [1]), (6.0, [1])],
        2.5: [(3.0, [0]), (7.0, [0])],
        3.5: [],
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("time", range(8))
def test_between_runs_and_after_loading(tmp_path: Path, engine: str, time: int) -> None:
    """The state at the end of a run, or in the file, is what the next step is compared with."""
    found: list[Seen] = []
    for loads in (False, True):
        events = tr.EventDispatcher()
        seen = listen(events, "tally", "x", 2.0)
        sim = tr.Simulation(steep()[0], dt=1.0, engine=engine, events=events, quiet=True)
        sim.run(float(time))
        if loads:
            sim.save(tmp_path / "c")
            events = tr.EventDispatcher()
            later = listen(events, "tally", "x", 2.0)
            sim = tr.Simulation.load(tmp_path / "c", events=events, quiet=True)
        sim.run(20.0 - time)
        found.append(seen + later if loads else seen)
    assert found == [[(2.0, [0]), (6.0, [0])]] * 2


def crossings(traces: tr.Traces, initial: Any, level: float) -> Seen:
    """Rises in what a probe saw in every step."""
    values = np.concatenate([np.asarray(initial, traces.values.dtype)[None], traces.values])
    rises = (values[:-1].astype(float) < level) & (values[1:].astype(float) >= level)
    return [
        (t, np.flatnonzero(r).tolist()) for t, r in zip(traces.times.tolist(), rises, strict=True) if r.any()
    ]


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(("engine", "slice"), [("plain", None), ("cpu", None), ("cpu", 7.5)])
def test_states_of_neurons_and_receptors(engine: str, slice: float | None, precision: Any) -> None:
    """As their traces tell; spikes reset a membrane within the step, so that it is never seen at its threshold."""
    (net,) = (n for n in sample_networks() if n.populations[-1].name == "receptors")
    probes = {v: net.record(net.population("receptors"), v) for v in ("v", "ampa.g")}
    spikes = net.record(net.population("receptors"), "spikes")
    events = tr.EventDispatcher(slice=slice)
    levels = [("v", -60.0), ("v", -55.1), ("ampa.g", 0.3), ("v", -50.0)]
    seen = [listen(events, "receptors", variable, level) for variable, level in levels]
    with tr.Simulation(net, dt=0.5, engine=engine, precision=precision, events=events, quiet=True) as sim:
        initial = {v: sim.state("receptors", v) for v in probes}
        sim.run(75.0)
        expected = [crossings(sim[probes[v]], initial[v], level) for v, level in levels]
        assert seen == expected
        assert len(sim[spikes]) > 10
    assert [len(e) > 0 for e in expected] == [True, True, True, False]


@pytest.mark.parametrize("precision", ["float64", "int16"])
def test_neurons_that_sleep(precision: Any) -> None:
    net = tr.Network(seed=5)
    cells = net.add(tr.Population("cells", 300, tr.LIF(), sleep_within=1e-3))
    net.connect(cells, cells, tr.WattsStrogatz(k=6, p=0.1), weight=4.0, delay=1.0)
    net.stimulate(cells[:20], tr.SpikeInput(tr.SpikeTrains.from_dense(np.eye(40, 20, dtype=bool), 1.0), 16.0))
    found = []
    for sleep in ("always", "never"):
        events = tr.EventDispatcher()
        found.append(listen(events, "cells", "v", -67.0))
        with tr.Simulation(
            net, dt=1.0, engine="cpu", sleep=sleep, precision=precision, events=events, quiet=True
        ) as sim:
            sim.run(120.0)
            assert (sim.summary().skipped_updates > 0.1) == (sleep == "always")
    assert found[0] == found[1]
    assert len(found[0]) > 10


def test_samples_are_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice may be long; two tallies take 16 bytes a step, and are looked at after ten steps."""
    monkeypatch.setattr("treplica.simulation.watching.SAMPLED", 160)
    events = tr.EventDispatcher(slice=1000.0)
    seen = listen(events, "tally", "x", 2.0)
    sim = tr.Simulation(steep()[0], dt=1.0, engine="cpu", events=events, quiet=True)
    pieces: list[int] = []
    advance = sim.engine.advance
    sim.engine.advance = lambda n, until: pieces.append(n) or advance(n, until)  # type: ignore[method-assign,func-returns-value]
    sim.run(999.0)
    assert (max(pieces), sum(pieces), seen) == (10, 999, [])
    sim.run(1.0)
    assert seen == [(2.0, [0]), (6.0, [0])]


def test_probes_see_what_they_saw() -> None:
    net, tally = steep()
    net.record(tally, "x", interval=3.0, name="third")
    before = simulate(net, 20.0)
    events = tr.EventDispatcher()
    seen = listen(events, "tally", "x", 2.0)
    after = simulate(net, 20.0, events=events)
    assert (before["third"], before["x"]) == (after["third"], after["x"])
    assert seen


@pytest.mark.parametrize("engine", ENGINES)
def test_a_level_is_rounded_as_states_are(tmp_path: Path, engine: str) -> None:
    """In single precision 0.7 is less than in double."""
    for precision in ("float64", "float32"):
        events = tr.EventDispatcher()
        seen = listen(events, "tally", "x", 0.7)
        net, tally = tallies(2)
        net.stimulate(tally, tr.StepCurrent([0.0, 1.0], [[0.7, 0.69999], [0.0, 0.0]]))
        simulate(net, 3.0, events=events, engine=engine, precision=precision)
        assert seen == [(1.0, [0])]
    events = tr.EventDispatcher()
    listen(events, "tally", "x", 1e300)
    with pytest.raises(InvalidValue, match=r"level of a threshold must be at most .* the range of float32"):
        simulate(net, 3.0, events=events, precision="float32", record_to=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_refused() -> None:
    events = tr.EventDispatcher()
    for given, message in (
        ({"population": "tally", "variable": "x"}, "level of a threshold must be a finite number"),
        ({"population": "tally", "variable": "x", "level": np.nan}, "level of a threshold must be a finite"),
        ({"population": "tally", "level": 1.0}, "variable of a threshold must be the name of a state"),
        ({"population": "tally", "variable": 3, "level": 1.0}, "variable of a threshold"),
        ({"variable": "x", "level": 1.0}, "population of a handler of threshold must be the name of one"),
    ):
        with pytest.raises(InvalidValue, match=message):
            events.on("threshold", print, **given)
    for kind in ("spike", "arrival", "reward"):
        for given in ({"level": 0.0}, {"variable": "x"}):
            with pytest.raises(
                InvalidValue, match=f"variable and level of a handler of {kind} must be left out"
            ):
                events.on(kind, print, population="tally", **given)
    assert not events.handlers
    events.on("threshold", print, population="tally", variable="xx", level=1.0)
    with pytest.raises(UnknownName, match=r"variable of tally 'xx' is not known\. Did you mean 'x'\?"):
        tr.Simulation(steep()[0], events=events, quiet=True)
