"""Spikes that are given while a simulation runs."""

import math
import re
from typing import Any

import numpy as np
import pytest
from tallies import ENGINES, listed, relays, simulate, tallies, trains

import treplica as tr
from treplica.errors import InvalidValue, UnknownName


def jumps(sim: tr.Simulation) -> dict[tuple[int, float], float]:
    """What arrived: (neuron, time) -> amount."""
    traces = sim["x"]
    change = np.diff(traces.values, axis=0, prepend=0.0)
    return {
        (int(j), float(traces.times[s])): float(change[s, j])
        for s, j in zip(*np.nonzero(change), strict=True)
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_a_relay_repeats_what_it_is_fed(engine: str) -> None:
    net, relay = relays(3)
    sim = simulate(net, 5.0, engine=engine)
    sim.feed(relay, trains([1.0, 4.0], [], [2.0]))
    sim.run(10.0)
    assert listed(sim["spikes"]) == [[6.0, 9.0], [], [7.0]]


@pytest.mark.parametrize("engine", ENGINES)
def test_several_feeds_add_up(engine: str) -> None:
    net, tally = tallies(3)
    sim = tr.Simulation(net, dt=1.0, engine=engine, quiet=True)
    sim.feed(tally, trains([1.0], [2.0], []), weight=0.5)  # now
    sim.feed(tally[1:], trains([2.0], [3.0]), weight=-2.0, start=0.0)  # overlapping
    sim.feed(tally[2], trains([1.0]), weight=1.0, port="late", start=5.0)  # ahead
    sim.run(2.0)
    sim.feed(tally, trains([1.0], [], [4.0]), weight=8.0)  # now is 2 ms; meets what was fed ahead
    sim.run(10.0)
    expected = {(0, 1.0): 0.5, (1, 2.0): -1.5, (2, 3.0): -2.0, (0, 3.0): 8.0, (2, 6.0): 1008.0}
    assert jumps(sim) == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_feeds_come_in_any_order(engine: str) -> None:
    """One far ahead, then one before it, then more of both: nothing is lost or repeated."""
    net, tally = tallies(1)
    sim = tr.Simulation(net, dt=1.0, engine=engine, quiet=True)
    for start, weight in ((10.0, 1.0), (0.0, 2.0), (10.0, 4.0), (4.0, 8.0)):
        sim.feed(tally, trains([1.0]), start=start, weight=weight)
    sim.run(4.0)
    sim.feed(tally, trains([1.0]), weight=16.0, start=10.0)
    sim.feed(tally, trains([1.0]), weight=32.0)
    sim.run(10.0)
    assert jumps(sim) == {(0, 1.0): 2.0, (0, 5.0): 40.0, (0, 11.0): 21.0}


@pytest.mark.parametrize("engine", ENGINES)
def test_feeding_is_like_a_spike_input(engine: str) -> None:
    graded = tr.SpikeTrains.from_steps([1, 1, 3, 8], [0, 2, 1, 0], 3, 1.0, 9, values=[3, -2, 1, 5])
    net, tally = tallies(3)
    fed = tr.Simulation(net, dt=1.0, engine=engine, quiet=True)
    fed.feed(tally, graded, weight=0.75)
    fed.run(9.0)
    net, tally = tallies(3)
    net.stimulate(tally, tr.SpikeInput(graded, weight=0.75))
    assert fed["x"] == simulate(net, 9.0, engine=engine)["x"]
    assert jumps(fed) == {(0, 1.0): 2.25, (2, 1.0): -1.5, (1, 3.0): 0.75, (0, 8.0): 3.75}


@pytest.mark.parametrize("engine", ENGINES)
def test_coarser_trains_keep_their_times(engine: str) -> None:
    net, relay = relays(1)
    sim = tr.Simulation(net, dt=0.1, engine=engine, quiet=True)
    sim.feed(relay, trains([0.5, 1.5], dt=0.5))
    sim.run(2.0)
    assert listed(sim["spikes"]) == [[0.5, 1.5]]


@pytest.mark.parametrize("engine", ENGINES)
def test_trains_that_begin_late_keep_their_times(engine: str) -> None:
    net, relay = relays(1)
    sim = tr.Simulation(net, dt=1.0, engine=engine, quiet=True)
    sim.feed(relay, trains([3.0, 9.0]).between(5.0, 12.0), start=1.0)
    sim.run(20.0)
    assert listed(sim["spikes"]) == [[10.0]]


def test_feeding_nothing_changes_nothing() -> None:
    net, relay = relays(2)
    sim = tr.Simulation(net, dt=1.0, engine="cpu", quiet=True)
    sim.feed(relay, trains([], []), weight=1e300)
    sim.run(5.0)
    assert len(sim["spikes"]) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trains": trains([1.0])}, "feed(trains): neurons must be 2, those of relay, got 1."),
        ({"trains": [[1.0], [2.0]]}, "feed(trains): neurons must be 2, those of relay, got [[1.0], [2.0]]."),
        ({"trains": trains([1.0], [], dt=0.1)}, "dt of the trains must be a multiple of dt = 1 ms, got 0.1."),
        (
            {"trains": trains([1.5], [], dt=1.5, duration=15.0)},
            "dt of the trains must be a multiple of dt = 1 ms",
        ),
        (
            {"trains": tr.SpikeTrains.from_exact_times([0.5], [1], 2, 1.0, 1.0)},
            "the trains must be spikes on the grid, as this engine works in steps, got <SpikeTrains: 1 spikes of 2 "
            "neurons at exact times in (0, 1] ms, dt = 1 ms>. Give trains.on_grid(), or take engine='event'.",
        ),
        ({"start": 2.0}, "feed start must be not before now (5 ms), got 2.0."),
        ({"start": -1.0}, "feed start must be at least 0 ms"),
        ({"start": 5.5}, "feed start must be a multiple of dt = 1 ms, got 5.5."),
        ({"start": math.nan}, "feed start must be a finite number, got nan."),
        ({"start": "now"}, "feed start must be a finite number, got 'now'."),
        ({"weight": math.nan}, "feed(weight) must be a finite number, got nan."),
        ({"weight": "1"}, "feed(weight) must be a finite number, got '1'."),
        (
            {"weight": 1e300},
            "feed(weight) must be small enough that sums on relay.pending stay below 5.36871e+08, got 1e+300.",
        ),
        ({"port": 3}, "port of relay must be a name: pending, got 3."),
        (
            {"target": "relay"},
            "feed(target) must be a Population of the network or a part of one, got 'relay'.",
        ),
        (
            {"target": tr.Population("relay", 9, tr.SpikeSource())[7:]},
            "feed(target) must be a part of this network's relay, which has 2 neurons, got relay[7:9].",
        ),
    ],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_what_cannot_be_fed(engine: str, changes: dict[str, Any], message: str) -> None:
    net, relay = relays(2)
    sim = simulate(net, 5.0, engine=engine)
    arguments = {"target": relay, "trains": trains([1.0], [2.0]), **changes}
    with pytest.raises(InvalidValue, match=re.escape(message)):
        sim.feed(arguments.pop("target"), arguments.pop("trains"), **arguments)
    sim.run(5.0)
    assert len(sim["spikes"]) == 0


def test_unknown_targets_and_ports_are_named() -> None:
    net, relay = relays(1)
    source = net.add(tr.Population("noise", 1, tr.PoissonSource()))
    sim = tr.Simulation(net, dt=1.0, engine="plain", quiet=True)
    with pytest.raises(UnknownName, match=r"port of relay 'pendin' is not known. Did you mean 'pending'"):
        sim.feed(relay, trains([1.0]), port="pendin")
    with pytest.raises(UnknownName, match=r"population 'relays' is not known. Did you mean 'relay'"):
        sim.feed(tr.Population("relays", 1, tr.SpikeSource()), trains([1.0]))
    with pytest.raises(InvalidValue, match="a population that spikes can reach, got noise"):
        sim.feed(source, trains([1.0]))


def test_feeds_that_could_overflow_together_are_refused() -> None:
    """A port has room for so much at once; what counts is the future, not the past."""
    net, tally = tallies(1)
    sim = tr.Simulation(net, dt=1.0, engine="cpu", precision="float32", quiet=True)
    room = 2.0**47
    sim.feed(tally, trains([1.0]), weight=0.75 * room, start=8.0)
    sim.feed(tally, trains([1.0]), weight=0.75 * room)  # at another time
    with pytest.raises(
        InvalidValue, match=r"sums on tally.arrived stay below 1.40737e\+14, got .*Feed less at once"
    ):
        sim.feed(tally, trains([1.0]), weight=0.75 * room, start=8.0)
    sim.feed(tally, trains([1.0]), weight=-0.25 * room, start=8.0)
    with pytest.raises(InvalidValue, match=r"stay below 1.40737e\+14, got 1.0"):
        sim.feed(tally, trains([1.0]), start=8.0)
    sim.run(12.0)
    sim.feed(tally, trains([1.0]), weight=room)
    sim.run(1.0)
    assert jumps(sim) == {(0, 1.0): 0.75 * room, (0, 9.0): 0.5 * room, (0, 13.0): room}
