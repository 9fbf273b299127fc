"""Synapses that are recomputed at each spike give the spikes of synapses that are kept."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from treplica.connectivity import (
    AbstractRule,
    AllToAll,
    Bernoulli,
    Constant,
    DistanceDependent,
    FixedInDegree,
    FixedOutDegree,
    FixedTotalNumber,
    FromArray,
    FromArrays,
    LogNormal,
    Normal,
    OneToOne,
    Uniform,
    WattsStrogatz,
)
from treplica.engines.cpu.engine import CpuEngine
from treplica.engines.plain import PlainEngine
from treplica.engines.resolve import resolve
from treplica.errors import InvalidValue, SimulationError
from treplica.network import Network, Population, SpikeInput
from treplica.neurons import PoissonSource, SpikeSource
from treplica.testing import check_engine
from treplica.testing.engines import record_difference, run_engine
from treplica.testing.networks import KINDS

DT, STEPS = 0.5, 40
THREADS = [1, 2, 3]


def cpu(threads: int, storage: str = "procedural"):
    """A function that makes a cpu engine."""
    return lambda plan, samplers, watched: CpuEngine(plan, samplers, watched, threads, storage)


@pytest.mark.parametrize("threads", THREADS)
def test_procedural_is_an_engine(threads: int) -> None:
    assert check_engine(cpu(threads)) > 10_000


def every_rule(n_source: int, n_target: int, same: bool, pick) -> dict[str, AbstractRule]:
    """Every rule that fits two sizes."""
    edges = np.arange(3 * n_source, dtype=np.int32)
    p, some = pick(0.0, 1.0), round(pick(0.0, 1.0) * n_target)
    fitting: dict[str, AbstractRule] = {
        "all": AllToAll(),
        "bernoulli": Bernoulli(p),
        "sparse": Bernoulli(0.02 * p),
        "out": FixedOutDegree(some),
        "distinct out": FixedOutDegree(some, multapses=False),
        "in": FixedInDegree(1 + n_source // 3),
        "distinct in": FixedInDegree(1 + n_source // 3, multapses=False),
        "total": FixedTotalNumber(3 * n_target),
        "arrays": FromArrays(edges % np.int32(n_source), (7 * edges) % np.int32(n_target)),
    }
    if n_source == n_target:
        fitting["one"] = OneToOne()
    if same and n_source > 4:
        fitting |= {
            "small world": WattsStrogatz(4, p),
            "directed": WattsStrogatz(4, p, directed=True),
            "spatial": DistanceDependent((n_source,), "exponential", 4.0, p, self_connections=False),
            "others": Bernoulli(p, self_connections=False),
            "all others": AllToAll(self_connections=False),
        }
    return fitting


def every_draw(size: float, low: float, high: float, count: int) -> dict:
    """Values of about a size, between limits, of every kind."""
    sign = 1.0 if size > 0.0 else -1.0
    drawn = {
        "one": size,
        "constant": Constant(size),
        "normal": Normal(size, 0.5 * abs(size), low, high),
        "uniform": Uniform(min(low, high), max(low, high)),
        "given": FromArray(np.linspace(low, high, count)),
    }
    return drawn | ({"lognormal": LogNormal(size, size, low, high)} if sign > 0.0 else {})


@st.composite
def connected(draw) -> tuple[Network, list[str]]:
    """Two populations, one of them graded or driven, with projections of any rule and draws; what was chosen."""

    def pick(low: float, high: float) -> float:
        return float(draw(st.floats(low, high)))

    net = Network(seed=draw(st.integers(0, 2**64 - 1)))
    kind = draw(st.sampled_from(["mesh", "graded", "two_ports"]))
    sizes = st.sampled_from([5, 64, 65, 200])
    source = net.add(Population("source", draw(sizes), PoissonSource(rate=pick(50.0, 500.0))))
    target = KINDS[kind].add(net, "target", draw(sizes), DT, pick)
    chosen = []
    for _ in range(draw(st.integers(1, 4))):
        sender = draw(st.sampled_from([source, target]))
        view = draw(st.sampled_from([sender.view(), sender[::2], sender[2:]]))
        onto = draw(st.sampled_from([target.view(), target[1::2], target[1:4]]))
        port = draw(st.sampled_from(list(KINDS[kind].weights)))
        size = KINDS[kind].weights[port] * 0.2
        rule, name = chosen_of(draw, every_rule(len(view), len(onto), view == onto, pick))
        count = int(rule.bind(len(view), len(onto), net.seed, 0).degrees(0, len(view)).sum())
        given_too = name in ("all", "arrays", "one", "in", "out", "total")  # as many synapses for every seed
        weights = every_draw(size, min(0.0, 2 * size), max(0.0, 2 * size), count)
        delays = every_draw(3 * DT, DT, 20 * DT, count)
        delays["given"] = FromArray(DT * (1 + np.arange(count) % 7))
        if not given_too:
            del weights["given"], delays["given"]
        weight, how = chosen_of(draw, weights)
        delay, when = chosen_of(draw, delays)
        net.connect(view, onto, rule, weight=weight, delay=delay, port=port)
        chosen += [name, f"weight {how}", f"delay {when}"]
    return net, chosen


def chosen_of(draw, choices: dict):
    name = draw(st.sampled_from(list(choices)))
    return choices[name], name


def test_recomputed_synapses_give_the_same_spikes() -> None:
    """As the plain engine, and as kept synapses, over every rule and draw, any threads, in pieces, precision."""
    seen: Counter[str] = Counter()

    @given(
        made=connected(),
        precision=st.sampled_from(["float64", "float32"]),
        threads=st.sampled_from(THREADS),
        piece=st.integers(1, STEPS),
        kept=st.sampled_from(["rows", "packed"]),
    )
    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def check(made, precision, threads, piece, kept) -> None:
        network, chosen = made
        expected = run_engine(PlainEngine, network, DT, STEPS, precision)
        for storage in ("procedural", kept):
            found = run_engine(cpu(threads, storage), network, DT, STEPS, precision, piece)
            assert record_difference(expected, found) is None, storage
        seen["events"] += expected.events
        seen.update(chosen)

    check()
    assert seen["events"] > 100_000
    few = [name for name, count in seen.items() if count < 2]
    assert len(seen) > 15 + 6 + 6 - 4, few


def test_snapshots_go_from_one_storage_to_another() -> None:
    """What is on its way is the same, whoever wrote it down."""

    @given(made=connected(), storages=st.permutations(["procedural", "rows", "packed"]), data=st.data())
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def check(made, storages, data) -> None:
        network, _ = made
        threads = st.sampled_from(THREADS)
        plan = resolve(network, DT, network.seed, "float64")
        whole = CpuEngine(plan, [], [0, 1], data.draw(threads), "procedural")
        expected = [whole.advance(STEPS).counts, whole.read(1, "v")]
        first = CpuEngine(resolve(network, DT, network.seed, "float64"), [], [], 1, storages[0])
        cut = data.draw(st.integers(1, STEPS - 1))
        counts = [first.advance(cut).counts]
        second = CpuEngine(
            resolve(network, DT, network.seed, "float64"), [], [], data.draw(threads), storages[1]
        )
        second.restore(first.snapshot())
        counts.append(second.advance(STEPS - cut).counts)
        np.testing.assert_array_equal(np.concatenate(counts), expected[0])
        np.testing.assert_array_equal(second.read(1, "v"), expected[1])
        assert second.synaptic_events == whole.synaptic_events
        for engine in (whole, first, second):
            engine.close()

    check()


class Mine(Normal):
    """A user's own draw."""


class OnlyFill(OneToOne):
    """A user's own rule, whose rows have no compiled form."""

    def _bind(self, n_source: int, n_target: int, seed: int, stream: int):
        rows = super()._bind(n_source, n_target, seed, stream)
        rows.call = lambda longest: None
        return rows


@pytest.mark.parametrize(
    ("rule", "weight", "delay", "said"),
    [
        (OnlyFill(), 1.0, 1.0, "rule"),
        (OneToOne(), Mine(1.0, 0.1), 1.0, "weight must.*'Mine'"),
        (OneToOne(), 1.0, Mine(5.0, 0.1, 1.0, 9.0), "delay must.*'Mine'"),
    ],
)
def test_what_cannot_be_recomputed_is_refused(rule, weight, delay, said: str) -> None:
    net = Network(seed=1)
    cells = net.add(Population("cells", 10, SpikeSource()))
    net.connect(cells, cells, rule, weight=weight, delay=delay)
    with pytest.raises(InvalidValue, match=said):
        cpu(1)(resolve(net, DT, 1, "float64"), [], [])
    cpu(1, "rows")(resolve(net, DT, 1, "float64"), [], [])


def test_sums_that_accumulators_cannot_hold_end_the_run() -> None:
    """A sum beyond the limit is found when it is collected."""
    net = Network(seed=1)
    cells = net.add(Population("cells", 10, SpikeSource()))
    net.connect(cells, cells, AllToAll(), weight=1.0, delay=DT)
    net.stimulate(cells, SpikeInput(trains()))
    engine = cpu(2)(resolve(net, DT, 1, "float64"), [], [])
    assert engine.advance(2).steps == 2
    (sums,) = engine.synapses.procedural.sums.values()
    assert sums.limit > 1000
    sums.limit = 3
    engine._link(8)
    with pytest.raises(SimulationError, match="step 3"):
        engine.advance(2)
    engine.close()


def trains():
    from treplica.coding import SpikeTrains

    return SpikeTrains.from_dense(np.ones((2, 10), dtype=bool), DT)
