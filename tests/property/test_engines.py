"""The cpu engine does what the plain engine does, and neither loses a spike or a weight."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from treplica.coding import SpikeTrains
from treplica.connectivity import FromArrays, Uniform
from treplica.engines.cpu.engine import CpuEngine
from treplica.engines.plain import PlainEngine
from treplica.engines.plan import Injection, Plan
from treplica.engines.resolve import resolve
from treplica.errors import InvalidValue
from treplica.model import arrival, current, neuron, normal, receptor, sees, spike, state, uniform, where
from treplica.network import Network, Population, SpikeInput, StepCurrent
from treplica.neurons import SpikeSource
from treplica.synapses import GaussianCurrent
from treplica.testing import check_engine
from treplica.testing.engines import Record, record_difference, run_engine
from treplica.testing.networks import KINDS, Kind, delays, rules, weights
from treplica.testing.strategies import SIZES, networks

DT, STEPS = 0.5, 30
THREADS = [1, 2, 3]


STORAGES = ["auto", "packed", "rows"]


def cpu(threads: int, storage: str = "auto"):
    """A function that makes a cpu engine."""
    return lambda plan, samplers, watched: CpuEngine(plan, samplers, watched, threads, storage)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("threads", THREADS)
def test_cpu_is_an_engine(threads: int, storage: str) -> None:
    assert check_engine(cpu(threads, storage)) > 10_000


@neuron(
    soma=state("mV"), dendrite=state("mV"), luck=uniform(), here=current("mV"), there=current("mV"),
    arrived=arrival("mV"), far=arrival("mV"),
)  # fmt: skip
def TwoCurrents(soma, dendrite, luck, here, there, arrived, far, dt):
    """Two currents, two ports, noise of its own."""
    s1 = soma + dt * (dendrite - soma + here) + arrived
    fired = spike(s1 - 5.0 - luck)
    d1 = dendrite + dt * (soma - dendrite + there) + far
    return dict(soma=where(fired > 0.0, -luck, s1), dendrite=d1, spike=fired)


@receptor(dendrite=sees("mV"), noise=normal(), luck=uniform(), g=state("nS"), arrived=arrival("nS"))
def Noisy(dendrite, noise, luck, g, arrived):
    """Sees a state that is not called v, and draws twice."""
    return dict(g=0.9 * g + arrived, current=g * (luck - 0.1 * dendrite) + noise)


def add_two(net: Network, name: str, size: int, dt: float, pick) -> Population:
    """Receptors and stimuli into both currents, in the order in which they must be summed."""
    receptors = {"a": Noisy().into("there"), "b": Noisy(), "c": Noisy(g=pick(0.0, 3.0)).into("there")}
    cells = net.add(Population(name, size, TwoCurrents(soma=Uniform(-3.0, 3.0)), receptors))
    net.stimulate(cells, GaussianCurrent(mean=pick(0.0, 5.0)), current="there")
    net.stimulate(cells[: size - 1], GaussianCurrent(mean=pick(0.0, 9.0), std=0.1))
    net.stimulate(cells, StepCurrent(np.array([dt]), np.array([pick(0.0, 1.0)])), current="there")
    return cells


TWO = Kind(add_two, {"arrived": 2.0, "far": 2.0, "a": 1.0, "b": 0.3, "c": -0.1})


def test_cpu_equals_plain() -> None:
    """Spikes, states, samples and events, in pieces of any length, with arrivals given on the way."""
    seen: Counter[str] = Counter()

    @given(
        network=networks(dt=DT, kinds={**KINDS, "two": TWO}),
        precision=st.sampled_from(["float64", "float32"]),
        threads=st.sampled_from(THREADS),
        storage=st.sampled_from(STORAGES),
        kept=st.sampled_from(["auto", "int8", "int16", "float32"]),
        piece=st.integers(1, STEPS),
        data=st.data(),
    )
    @settings(max_examples=90, suppress_health_check=[HealthCheck.too_slow])
    def check(network, precision, threads, storage, kept, piece, data) -> None:
        injections = data.draw(given_arrivals(network))
        expected = run_engine(PlainEngine, network, DT, STEPS, precision, None, injections, weights=kept)
        made = cpu(threads, storage)
        found = run_engine(made, network, DT, STEPS, precision, piece, injections, weights=kept)
        assert record_difference(expected, found) is None
        seen["spikes"] += sum(len(s) for s in expected.spikes.values())
        seen["events"] += expected.events
        seen["injections"] += len(injections)

    check()
    assert seen["spikes"] > 1000
    assert seen["events"] > 1000
    assert seen["injections"] > 3


@st.composite
def given_arrivals(draw, network: Network) -> list[Injection]:
    """Arrivals for the steps after a third of the time, on one port."""
    ports = [(p, q.size) for p, q in enumerate(network.populations) if q.ports]
    if not ports:
        return []
    population, size = draw(st.sampled_from(ports))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    count = draw(st.integers(0, 20))
    steps = np.sort(rng.integers(STEPS // 3 + 1, STEPS + 5, count))
    ids = rng.integers(0, size, count).astype(np.int32)
    return [Injection(population, 0, steps, ids, rng.integers(-1000, 1000, count))]


@neuron(total=state("1"), arrived=arrival("1"))
def Meter(total, arrived):
    """Adds up what arrives."""
    return dict(total=total + arrived, spike=0.0)


@st.composite
def metered(draw) -> Network:
    """A random network with a meter that all of its populations reach."""

    def pick(low: float, high: float) -> float:
        return float(draw(st.floats(low, high)))

    network = draw(networks(dt=DT))
    meter = network.add(Population("meter", draw(st.sampled_from(SIZES)), Meter()))
    for source in network.populations[:-1]:
        for size in (3.0, -0.01):
            rule, weight, delay = (
                draw(st.sampled_from(list(choices.values())))
                for choices in (
                    rules(len(source), len(meter), False, pick), weights(size, pick), delays(DT, pick),
                )
            )  # fmt: skip
            network.connect(source, meter, rule, weight=weight, delay=delay)
    return network


def test_no_event_and_no_charge_is_lost() -> None:
    """Every spike is delivered once over every synapse of its row; meters hold the weights that came in time."""
    charged = []

    @given(network=metered(), threads=st.sampled_from(THREADS))
    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    def check(network: Network, threads: int) -> None:
        try:
            plan = resolve(network, DT, network.seed, "float64")
        except InvalidValue as refused:  # the few weights of a projection may all be drawn near 0
            if "do not all become 0" not in str(refused):
                raise
            reject()
        record = run_engine(cpu(threads), network, DT, STEPS, "float64", 11)
        events, arrived = deliveries(plan, record)
        assert record.events == events
        total = np.zeros(arrived.shape[1])
        for units in arrived:  # whole units in each step; rounded once, when the meter adds them up
            total += units * plan.populations[-1].composition.ports[0].unit
        np.testing.assert_array_equal(record.states["meter.total"], total)
        charged.append(bool(arrived.any()))

    check()
    assert sum(charged) > 3


def deliveries(plan: Plan, record: Record) -> tuple[int, np.ndarray]:
    """How many events the recorded spikes make, and the units that reach the last population, [STEPS, size]."""
    arrived = np.zeros((STEPS + 1, plan.populations[-1].size), np.int64)
    events = 0
    for connections in plan.connections:
        trains = record.spikes[plan.populations[connections.source].name]
        values = np.ones(len(trains), np.int64) if trains.values is None else trains.values
        for step, sender, value in zip(trains.steps, trains.ids, values, strict=True):
            rows = connections.rows_of(sender, sender + 1)
            if rows[0] == rows[1]:
                continue
            chunk = connections.read(*rows)
            events += chunk.targets.size
            if connections.target == len(plan.populations) - 1:
                time = step + np.broadcast_to(chunk.delays, chunk.targets.shape).astype(np.int64)
                late = time > STEPS
                amounts = np.where(late, 0, np.asarray(chunk.weights, np.int64) * value)
                np.add.at(arrived, (np.where(late, 0, time), chunk.targets), amounts)
    return events, arrived[1:]


@pytest.mark.parametrize(
    "make_engine", [PlainEngine, *map(cpu, THREADS)], ids=["plain", "cpu1", "cpu2", "cpu3"]
)
@pytest.mark.parametrize(("size", "delay"), [(150, 1), (7, 1), (5, 3)])
def test_a_spike_goes_round_a_ring(make_engine, size: int, delay: int) -> None:
    """Neuron i of a ring with unit delay fires at step i: 1, 2, ..., and again after one round."""
    net = Network(seed=1)
    ring = net.add(Population("ring", size, SpikeSource()))
    ids = np.arange(size, dtype=np.int32)
    net.connect(ring, ring, FromArrays(ids, np.roll(ids, -1)), weight=1.0, delay=delay * DT)
    start = SpikeTrains.from_steps([1], [0], size, DT, 1)
    net.stimulate(ring, SpikeInput(start))
    steps = size * delay + 2 * delay
    record = run_engine(make_engine, net, DT, steps, "float64", 16)
    spikes = record.spikes["ring"]
    np.testing.assert_array_equal(spikes.steps, 1 + delay * np.arange(len(spikes)))
    np.testing.assert_array_equal(spikes.ids, np.arange(len(spikes)) % size)
    assert len(spikes) == size + 2
    assert record.events == len(spikes)


def test_the_same_plan_twice_is_the_same() -> None:
    """Resolving is a function of the description, the seed and dt."""
    net = Network(seed=5)
    KINDS["mesh"].add(net, "mesh", 30, DT, lambda low, high: 0.5 * (low + high))
    first, second = (run_engine(cpu(1), net, DT, 50, "float64") for _ in range(2))
    assert record_difference(first, second) is None
    assert len(first.spikes["mesh"]) > 5
    net.seed = 6
    assert record_difference(first, run_engine(cpu(1), net, DT, 50, "float64")) is not None


def test_a_wrong_engine_is_found() -> None:
    """An engine that loses one injection, one that is a step late, one that rounds."""

    class Forgetful(CpuEngine):
        def __init__(self, plan: Plan, samplers, watched) -> None:
            kept = [dataclasses.replace(i, amounts=i.amounts * (i.steps != 9)) for i in plan.injections]
            super().__init__(dataclasses.replace(plan, injections=kept), samplers, watched, 1)

    class Late(CpuEngine):
        def __init__(self, plan: Plan, samplers, watched) -> None:
            for c in plan.connections:
                if isinstance(c.delay, int):
                    c.delay, c.shortest, c.longest = c.delay + 1, c.shortest + 1, c.longest + 1
            super().__init__(plan, samplers, watched, 1)

    class Rounding(PlainEngine):
        def read(self, population: int, variable: str):
            return np.nextafter(super().read(population, variable), 1e9)

    for wrong in (Forgetful, Late, Rounding):
        with pytest.raises(AssertionError, match="plain"):
            check_engine(wrong, precisions=["float64"])
