"""When a spike is stamped, when it arrives, and which delays there are."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tallies import ENGINES, listed, relays, simulate, tallies, trains

import treplica as tr
from treplica.connectivity import AllToAll, FromArray, FromArrays, OneToOne, Uniform
from treplica.errors import InvalidValue


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("dt", "delay"), [(1.0, 1.0), (1.0, 7.0), (0.1, 0.1), (0.1, 1.3), (0.25, 4.0)])
def test_a_spike_at_t_arrives_at_t_plus_delay(engine: str, dt: float, delay: float) -> None:
    net, relay = relays(2)
    net.connect(relay[0], relay[1], OneToOne(), weight=1.0, delay=delay)
    net.stimulate(relay[0], tr.SpikeInput(trains([2.0, 3.0, 11.0], dt=dt)))
    sim = simulate(net, 20.0, dt=dt, engine=engine)
    assert listed(sim["spikes"]) == [[2.0, 3.0, 11.0], [2.0 + delay, 3.0 + delay, 11.0 + delay]]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_ring_with_unit_delay_fires_neuron_i_in_step_i(engine: str) -> None:
    n = 70  # more than one group of 64 neurons
    net, relay = relays(n)
    ids = np.arange(n)
    net.connect(relay, relay, FromArrays(ids, (ids + 1) % n), weight=1.0, delay=0.5)
    net.stimulate(relay[0], tr.SpikeInput(trains([0.5], dt=0.5)))
    sim = simulate(net, 0.5 * (2 * n + 3), dt=0.5, engine=engine)
    spikes = sim["spikes"]
    assert spikes.steps.tolist() == list(range(1, 2 * n + 4))
    assert spikes.ids.tolist() == [s % n for s in range(2 * n + 3)]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_synapse_keeps_its_own_weight_and_delay(engine: str) -> None:
    net, tally = tallies(3)
    source = net.add(tr.Population("source", 1, tr.SpikeSource()))
    delays, weights = FromArray([1.0, 3.0, 6.0]), FromArray([0.25, -8.0, 2.0])
    net.connect(source, tally, AllToAll(), weight=weights, delay=delays)
    net.connect(source, tally[2], AllToAll(), weight=4.0, delay=2.0)
    net.connect(source, tally[1], AllToAll(), weight=1.0, delay=3.0, port="late")
    net.stimulate(source, tr.SpikeInput(trains([2.0])))
    sim = simulate(net, 10.0, engine=engine)
    assert np.diff(sim["x"].values, axis=0, prepend=0.0).T.tolist() == [
        [0, 0, 0.25, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 992.0, 0, 0, 0, 0, 0],
        [0, 0, 0, 4.0, 0, 0, 0, 2.0, 0, 0],
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_arrives_together_adds_up(engine: str) -> None:
    """Neither 0.3 alone reaches the relay's 1/2; both together do."""
    net, relay = relays(3)
    net.connect(relay[:2], relay[2], AllToAll(), weight=0.3, delay=2.0)
    net.stimulate(relay[:2], tr.SpikeInput(trains([1.0, 5.0], [5.0, 9.0])))
    sim = simulate(net, 20.0, engine=engine)
    assert listed(sim["spikes"]) == [[1.0, 5.0], [5.0, 9.0], [7.0]]


@pytest.mark.parametrize(
    ("delay", "message"),
    [
        (0.05, "mine: delay must be a multiple of dt = 0.1 ms, got 0.05."),
        (0.25, "mine: delay must be a multiple of dt = 0.1 ms, got 0.25. Nearest: 0.2 ms."),
        (1.000001, "mine: delay must be a multiple of dt = 0.1 ms, got 1.000001. Nearest: 1 ms."),
        (1e-9, "mine: delay must be at least 0.1 ms"),
        (7000.0, "mine: delay must be at most 65535 steps (6553.5 ms), got 7000.0"),
        (1e300, "mine: delay must be a finite time"),
        (Uniform(0.01, 0.04), "mine: delay must be at least half a step of 0.1 ms"),
        (Uniform(6553.0, 7000.0), "mine: delay must be at most 65535 steps"),
        (FromArray([0.1, 0.0, 0.3]), "mine: delay must be"),
        (FromArray([0.1, 0.2, 0.35]), "mine: delay must be"),
        (FromArray([0.1, -0.2, 0.3]), "mine: delay must be"),
        (FromArray([0.1, 0.2]), "the length of FromArray.array must be 3, one for each, got 2."),
        (FromArray([0.1, 0.2, 0.3, 0.4]), "the length of FromArray.array must be 3, one for each, got 4."),
    ],
)
def test_delays_that_no_grid_has_are_refused_before_anything_runs(
    tmp_path: Path, delay: Any, message: str
) -> None:
    net, relay = relays(3)
    net.connect(relay, relay, OneToOne(), weight=1.0, delay=1.0)
    net.connect(relay, relay, OneToOne(), weight=1.0, delay=delay, name="mine")
    with pytest.raises(InvalidValue, match=re.escape(message)):
        tr.Simulation(net, dt=0.1, quiet=True, record_to=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_delays_within_rounding_of_the_grid_are_on_it() -> None:
    net, relay = relays(2)
    net.connect(relay[0], relay[1], OneToOne(), weight=1.0, delay=0.1 + 0.2)
    net.stimulate(relay[0], tr.SpikeInput(trains([1.0], dt=0.1)))
    assert listed(simulate(net, 2.0, dt=0.1)["spikes"]) == [[1.0], [1.3]]


@pytest.mark.parametrize("dt", [0.0, -0.1, float("nan"), float("inf"), "1", None])
def test_steps_have_a_length(dt: Any) -> None:
    with pytest.raises(InvalidValue, match=r"^dt must be a finite number > 0 ms, got "):
        tr.Simulation(relays()[0], dt=dt, quiet=True)
