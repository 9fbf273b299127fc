"""Neurons that sleep: the same spikes and states with and without, over networks in which they may."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import treplica as tr
from treplica.engines.cpu.engine import CpuEngine
from treplica.engines.cpu.sleeping import FEW
from treplica.engines.plain import PlainEngine
from treplica.engines.plan import Injection
from treplica.engines.resolve import resolve
from treplica.testing.engines import record_difference, run_engine

DT, STEPS = 1.0, 80


def cpu(threads: int, sleep: str = "always", kept: list | None = None):
    """A function that makes a cpu engine, and keeps it."""

    def make(plan, samplers, watched):
        engine = CpuEngine(plan, samplers, watched, threads, sleep=sleep)
        if kept is not None:
            kept.append(engine)
        return engine

    return make


@st.composite
def networks(draw) -> tuple[tr.Network, str]:
    """Two populations that may sleep, few spikes from outside, given spikes and currents; and a precision."""
    precision = draw(st.sampled_from(["int16", "int8", "float32", "float64"]))
    within = None if precision.startswith("int") else 1e-3
    net = tr.Network(seed=draw(st.integers(0, 2**64 - 1)))
    cells = []
    for k in range(draw(st.integers(1, 2))):
        size = draw(st.sampled_from([1, 64, 150, 300]))
        model = draw(
            st.sampled_from(
                [
                    tr.Izhikevich(refractory=3.0, v=-70.0, u=-14.0),
                    tr.Izhikevich(d=tr.Uniform(2.0, 8.0)),
                    tr.LIF(refractory=2.0, v_th=tr.Uniform(-60.0, -50.0)),
                ]
            )
        )
        some = net.add(tr.Population(f"cells{k}", size, model, sleep_within=within))
        net.stimulate(some, tr.PoissonInput(rate=draw(st.floats(0.0, 3.0)), weight=30.0))
        if draw(st.booleans()):
            net.stimulate(some[size // 2 :], tr.PoissonInput(rate=2.0, weight=draw(st.floats(-20.0, 20.0))))
        if draw(st.booleans()):
            current = tr.StepCurrent([10.0, 15.0, 40.0], [50.0, 0.0, -20.0])
            net.stimulate(some[: size // 3 + 1], current)
        cells.append(some)
    for source in cells:
        for target in cells:
            weight = draw(st.sampled_from([5.0, tr.Normal(2.0, 4.0), -3.0]))
            delay = draw(st.sampled_from([1.0, 2.0, 7.0, tr.Uniform(1.0, 9.0)]))
            rule = draw(st.sampled_from([tr.FixedOutDegree(4), tr.Bernoulli(0.02), tr.AllToAll()]))
            net.connect(
                source[::2],
                target,
                rule,
                weight=weight,
                delay=delay,
            )
    return net, precision


def test_the_same_spikes_asleep_and_awake() -> None:
    seen = {"spikes": 0, "skipped": 0}

    @given(networks(), st.integers(1, 3), st.integers(1, STEPS))
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def check(made, threads: int, piece: int) -> None:
        network, precision = made
        engines: list[CpuEngine] = []
        given_arrivals = [
            Injection(
                0,
                0,
                np.array([40, 41, 60]),
                np.array([0, 0, 0], np.int32),
                np.array([2**20, -(2**20), 2**20]),
            )
        ]
        expected = run_engine(PlainEngine, network, DT, STEPS, precision, None, given_arrivals)
        found = run_engine(
            cpu(threads, "always", engines), network, DT, STEPS, precision, piece, given_arrivals
        )
        assert record_difference(expected, found) is None
        seen["spikes"] += sum(len(s) for s in expected.spikes.values())
        seen["skipped"] += engines[0].sleeping.all_updates - engines[0].sleeping.updates

    check()
    assert seen["spikes"] > 3_000
    assert seen["skipped"] > 3_000


@pytest.mark.parametrize("threads", [1, 2])
def test_snapshots_of_sleepers_and_others_are_the_same(threads: int) -> None:
    """A snapshot goes from one to the other in the middle of everything, with spikes on their way."""
    net = tr.Network(seed=4)
    cells = net.add(tr.Population("cells", 500, tr.Izhikevich(refractory=3.0)))
    net.connect(cells, cells, tr.FixedOutDegree(6), weight=6.0, delay=5.0)
    net.connect(cells, cells, tr.FixedOutDegree(4), weight=tr.Uniform(-2.0, 6.0), delay=tr.Uniform(1.0, 12.0))
    net.stimulate(cells, tr.PoissonInput(rate=5.0, weight=30.0))

    def engine(sleep: str) -> CpuEngine:
        return CpuEngine(resolve(net, DT, 4, "int16"), [], [0], threads, sleep=sleep)

    whole = engine("never")
    spikes = whole.advance(200).spikes[0]
    for first, second in (("always", "never"), ("never", "always")):
        before, after = engine(first), engine(second)
        early = before.advance(103).spikes[0]
        after.restore(before.snapshot())
        late = after.advance(97).spikes[0]
        assert np.array_equal(np.concatenate([early.steps, late.steps]), spikes.steps)
        assert np.array_equal(np.concatenate([early.ids, late.ids]), spikes.ids)
        for name in ("v", "u", "wait"):
            assert np.array_equal(after.read(0, name), whole.read(0, name))
        before.close()
        after.close()
    assert spikes.ids.size > 400
    whole.close()


def test_states_written_from_outside_wake_everybody() -> None:
    net = tr.Network(seed=1)
    net.add(tr.Population("cells", 200, tr.Izhikevich(v=-70.0, u=-14.0)))
    engine = CpuEngine(resolve(net, DT, 1, "int16"), [], [0], 2, sleep="always")
    assert engine.advance(50).counts.sum() == 0
    assert engine.skipped_updates > 0.9
    engine.write(0, "v", np.full(200, -40.0, np.float32))
    assert engine.advance(50).counts.sum() == 200
    engine.close()


def test_who_sleeps_is_chosen_by_what_is_measured() -> None:
    """A silent population sleeps; when it is driven hard it does not, and afterwards it does again."""
    net = tr.Network(seed=1)
    cells = net.add(tr.Population("cells", FEW, tr.Izhikevich(v=-70.0, u=-14.0)))
    net.stimulate(cells, tr.StepCurrent([300.0, 600.0], [10.0, 0.0]))
    probe = net.record(cells)
    said, spikes = [], []
    for sleep in ("auto", "never"):
        with tr.Simulation(net, dt=DT, precision="int16", sleep=sleep, quiet=True) as sim:
            for _ in range(40):
                sim.run(50.0)
                said.append("sleeps" in sim.summary().storage)
            spikes.append(sim[probe])
    assert said[:6] == [True] * 6
    assert not any(said[7:12])
    assert said[39]
    assert not any(said[40:])
    assert spikes[0] == spikes[1]
    assert len(spikes[0]) > FEW


def test_the_summary_says_how_much_was_skipped() -> None:
    net = tr.Network(seed=1)
    net.add(tr.Population("cells", FEW, tr.Izhikevich(v=-70.0, u=-14.0)))
    with tr.Simulation(net, dt=DT, precision="int16", quiet=True) as sim:
        sim.run(100.0)
        summary = sim.summary()
    assert summary.skipped_updates == pytest.approx(0.99)
    assert "updates skipped        99.000%" in str(summary)


def test_noise_keeps_neurons_awake() -> None:
    net = tr.Network(seed=1)
    cells = net.add(tr.Population("cells", FEW, tr.Izhikevich(), sleep_within=1.0))
    net.stimulate(cells, tr.GaussianCurrent(std=1.0))
    with tr.Simulation(net, dt=DT, quiet=True) as sim:
        sim.run(20.0)
        assert sim.summary().skipped_updates == 0.0


@pytest.mark.parametrize("within", [-1.0, float("nan"), "much"])
def test_a_wrong_tolerance_is_refused(within) -> None:
    with pytest.raises(tr.errors.InvalidValue, match=r"cells\.sleep_within must be"):
        tr.Population("cells", 3, tr.LIF(), sleep_within=within)
