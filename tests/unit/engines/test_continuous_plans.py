"""Plans whose delays and given spikes are at their own times, not in steps."""

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import treplica as tr
from treplica.coding import SpikeTrains
from treplica.connectivity import Constant, FromArray, LogNormal, Normal, Uniform
from treplica.engines.arrivals import arrival_times
from treplica.engines.cpu.engine import CpuEngine
from treplica.engines.plain import PlainEngine
from treplica.engines.plan import Plan
from treplica.engines.resolve import resolve
from treplica.errors import InvalidValue
from treplica.simulation.feeding import Feeder
from treplica.testing.strategies import spike_trains

N = 40


def pair(delay: Any, rule: Any = None, weight: Any = 1.0) -> tr.Network:
    """Two populations, connected one to one."""
    net = tr.Network(seed=1)
    a = net.add(tr.Population("a", N, tr.SpikeSource()))
    b = net.add(tr.Population("b", N, tr.SpikeSource()))
    net.connect(a, b, rule or tr.OneToOne(), weight=weight, delay=delay)
    return net


def planned(net: tr.Network, dt: float = 1.0) -> Plan:
    return resolve(net, dt, 3, "float64", continuous=True)


@pytest.mark.parametrize(
    ("delay", "shortest", "longest"),
    [
        (0.25, 0, 1),
        (2.5, 2, 3),
        (3.0, 3, 3),
        (1e-9, 0, 1),
        (1e6, 10**6, 10**6),
        (math.pi * 1e5, 314159, 314160),
    ],
)
def test_given_delays_stay_as_they_are(delay: float, shortest: int, longest: int) -> None:
    plan = planned(pair(delay))
    (connections,) = plan.connections
    assert plan.continuous
    assert (connections.shortest, connections.longest, plan.longest_delay) == (shortest, longest, longest)
    for part in ((0, N), (3, 5), (7, 7)):
        assert connections.real_delays(*part) == delay
        assert connections.read(*part).delays == delay
    assert isinstance(connections.real_delays(0, N), float)


@pytest.mark.parametrize(
    "delay",
    [
        Uniform(0.01, 7.3),
        Normal(2.0, 0.5, low=0.1),
        LogNormal(1.0, 2.0),
        Uniform(1.0, 1e6),
        FromArray(np.arange(1.0, N + 1) / 7.0),
    ],
    ids=str,
)
def test_drawn_delays_are_not_rounded(delay: Any) -> None:
    (connections,) = planned(pair(delay)).connections
    values = connections.real_delays(0, N)
    assert values.shape == (N,)
    assert values.dtype == np.float64
    assert len(np.unique(values)) == N
    low, high = delay.bounds()
    assert low <= values.min() < values.max() <= high
    assert (connections.shortest, connections.longest) == (math.floor(low), math.ceil(high))
    parts = [connections.real_delays(a, b) for a, b in ((0, 7), (7, 8), (8, N))]
    assert np.array_equal(np.concatenate(parts), values)
    assert np.array_equal(connections.read(0, N).delays, values)


def test_drawn_delays_are_those_that_steps_are_rounded_from() -> None:
    net = pair(Uniform(0.5, 20.0), tr.Bernoulli(p=0.3))
    (real,), (steps,) = planned(net).connections, resolve(net, 1.0, 3, "float64").connections
    values = real.real_delays(0, N)
    assert values.size > 100
    assert np.array_equal(np.floor(values + 0.5), steps.read(0, N).delays)
    assert np.array_equal(steps.real_delays(0, N), values)  # a plan in steps knows them as well
    assert np.array_equal(real.read(0, N).targets, steps.read(0, N).targets)


def test_one_delay_for_all_in_either_kind_of_plan() -> None:
    net = pair(Constant(2.0))
    assert planned(net).connections[0].real_delays(0, N) == 2.0
    assert resolve(net, 0.5, 3, "float64").connections[0].real_delays(0, N) == 2.0
    assert resolve(net, 0.5, 3, "float64").connections[0].read(0, N).delays == 4
    assert resolve(pair(1.5), 0.5, 3, "float64").connections[0].real_delays(0, N) == 1.5


def test_drawn_weights_can_be_read_beside_real_delays() -> None:
    plan = planned(pair(0.3, weight=Uniform(1.0, 2.0)))
    assert plan.rounding["a_b"].largest > 0.0
    assert plan.connections[0].read(0, N).weights.shape == (N,)


def test_a_projection_without_synapses_has_a_delay() -> None:
    (connections,) = planned(pair(FromArray([]), tr.FromArrays([], [])), 0.5).connections
    assert (connections.shortest, connections.longest, connections.real_delays(0, N)) == (1, 1, 0.5)


DELAYS: list[tuple[Any, str]] = [
    (Uniform(0.0, 1.0), "a_b: delay must be > 0 ms for every synapse, got 0.0. Draw delays with low > 0."),
    (Normal(1.0, 3.0), "a_b: delay must be > 0 ms for every synapse, got -"),
    (Constant(-1.0), "a_b: delay must be > 0 ms for every synapse, got -1.0."),
    (FromArray(np.arange(float(N))), "a_b: delay must be > 0 ms for every synapse, got 0.0."),
    (1e300, "a_b: delay must be a finite time, below 9.0072e+15 ms, got 1e+300."),
    (Uniform(1.0, 1e300), "a_b: delay must be a finite time, below 9.0072e+15 ms, got 1e+300."),
]


@pytest.mark.parametrize(("delay", "message"), DELAYS)
def test_delays_that_no_spike_can_have_are_refused(delay: Any, message: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(message)):
        planned(pair(delay))


@pytest.mark.parametrize("delay", [0.0, -1.0, math.inf, math.nan])
def test_a_description_refuses_what_no_plan_can_have(delay: float) -> None:
    with pytest.raises(InvalidValue, match="a_b: delay must be a finite number"):
        pair(delay)


def test_engines_in_steps_refuse_such_a_plan() -> None:
    plan = planned(pair(2.0))
    for name, make in (("plain", PlainEngine), ("cpu", lambda *given: CpuEngine(*given, 1))):
        message = f"plan must be in steps for the {name} engine, got 'continuous times'."
        with pytest.raises(InvalidValue, match=re.escape(message)):
            make(plan, [], [])


# Given spikes


def driven(trains: SpikeTrains) -> tr.Network:
    net = tr.Network(seed=1)
    cells = net.add(tr.Population("cells", 5, tr.SpikeSource()))
    net.stimulate(cells[[1, 4]], tr.SpikeInput(trains, weight=2.0), name="given")
    return net


EXACT = SpikeTrains.from_exact_times([0.3, 2.0, 2.0, 2.4], [1, 0, 1, 0], 2, 0.7, 3.5)


def test_given_spikes_arrive_at_their_times() -> None:
    (injection,) = planned(driven(EXACT)).injections
    assert injection.times.tolist() == [0.3, 2.0, 2.0, 2.4]
    assert injection.steps.tolist() == [1, 2, 2, 3]
    assert injection.ids.tolist() == [4, 1, 4, 1]
    assert (np.diff(injection.amounts) == 0).all()


def test_trains_on_another_grid_keep_their_times() -> None:
    """Their dt need not be a multiple of the plan's, nor the plan's of theirs."""
    trains = SpikeTrains.from_lists([[0.7, 1.4], [2.1]], 0.7, 3.5)
    (injection,) = planned(driven(trains)).injections
    assert injection.times.tolist() == trains.times.tolist()
    assert injection.steps.tolist() == [1, 2, 3]
    assert planned(driven(trains), 0.35).injections[0].steps.tolist() == [2, 4, 6]
    assert planned(driven(trains), 7.0).injections[0].steps.tolist() == [1, 1, 1]


def test_a_plan_in_steps_refuses_exact_times() -> None:
    message = (
        "given: SpikeInput.trains must be spikes on the grid, as this engine works in steps, got <SpikeTrains: 4 "
        "spikes of 2 neurons at exact times in (0, 3.5] ms, dt = 0.7 ms>. "
        "Give trains.on_grid(), or take engine='event'."
    )
    with pytest.raises(InvalidValue, match=re.escape(message)):
        resolve(driven(EXACT), 0.7, 3, "float64")
    with pytest.raises(InvalidValue, match=re.escape(message)):
        tr.Simulation(driven(EXACT), dt=0.1, engine="plain", quiet=True)
    assert resolve(driven(EXACT.on_grid()), 0.7, 3, "float64").injections[0].steps.tolist() == [1, 3, 3, 4]
    assert resolve(driven(EXACT.on_grid()), 0.7, 3, "float64").injections[0].times is None


def test_a_current_keeps_to_the_grid() -> None:
    net = tr.Network(seed=1)
    cells = net.add(tr.Population("cells", 2, tr.LIF()))
    net.stimulate(cells, tr.StepCurrent([1.5], [1.0]))
    assert planned(net, 0.5).currents[0].steps.tolist() == [4]
    with pytest.raises(InvalidValue, match=r"StepCurrent time must be a multiple of dt = 1 ms, got 1\.5"):
        planned(net)


def test_what_is_fed_arrives_at_its_times() -> None:
    net = driven(EXACT)
    plan = planned(net)
    cells = net.populations[0]
    injection = Feeder(plan, net).injection(cells[:2], EXACT, 3.0, None, 10, 4)
    assert injection.times.tolist() == [10.3, 12.0, 12.0, 12.4]
    assert injection.steps.tolist() == [11, 12, 12, 13]
    assert injection.ids.tolist() == [1, 0, 1, 0]


@given(
    st.booleans().flatmap(lambda exact: spike_trains(dt=0.3, exact=exact, graded=True)),
    st.integers(0, 10**6),
    st.sampled_from([0.1, 0.3, 1.0, 1 / 7, 1e-3]),
)
def test_arrivals_are_in_order_in_their_steps_and_never_past(
    trains: SpikeTrains, first: int, dt: float
) -> None:
    plan = Plan(dt, 1, None, [], continuous=True)  # type: ignore[arg-type]
    steps, times = arrival_times(plan, "the trains", trains, first * dt)
    assert times is not None
    assert np.array_equal(times, np.maximum(trains.times + first * dt, np.nextafter(first * dt, np.inf)))
    assert (np.diff(times) >= 0.0).all()
    assert (np.diff(steps) >= 0).all()
    assert (steps > first).all()
    room = 1e-9 + 1e-15 * (first + times / dt)
    assert (times / dt <= steps + room).all()
    assert ((times / dt > steps - 1 - room) | (steps == first + 1)).all()


@given(spike_trains(dt=0.3), st.integers(0, 10**6), st.sampled_from([0.1, 0.3, 0.15]))
def test_spikes_on_a_grid_arrive_in_the_same_steps_in_either_plan(
    trains: SpikeTrains, first: int, dt: float
) -> None:
    real, grid = (Plan(dt, 1, None, [], continuous=kind) for kind in (True, False))  # type: ignore[arg-type]
    steps, _ = arrival_times(real, "the trains", trains, first * dt)
    expected, none = arrival_times(grid, "the trains", trains, first * dt)
    assert none is None
    assert np.array_equal(steps, expected)
