"""Synapses that are recomputed at each spike give the spikes of synapses that are kept."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
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


#: Rules that need the same neurons on both sides; as many; the same number of synapses for every seed.
SAME = ("small world", "directed", "spatial", "others", "all others")
COUNTED = ("all", "arrays", "one", "in", "out", "total")
DRAWS = ("one", "constant", "normal", "uniform", "given", "lognormal")
#: rule -> weight and delay that are drawn for it; each rule is also tested with one weight and one delay for all.
DRAWN = {
    "all": ("given", "lognormal"),
    "bernoulli": ("normal", "uniform"),
    "sparse": ("lognormal", "normal"),
    "out": ("uniform", "given"),
    "distinct out": ("constant", "one"),
    "in": ("one", "normal"),
    "distinct in": ("normal", "constant"),
    "total": ("lognormal", "given"),
    "arrays": ("given", "constant"),
    "one": ("given", "given"),
    "small world": ("uniform", "lognormal"),
    "directed": ("normal", "one"),
    "spatial": ("one", "uniform"),
    "others": ("lognormal", "uniform"),
    "all others": ("constant", "normal"),
}
SLICES = (slice(None), slice(None, None, 2), slice(2, None))
ONTO = (slice(None), slice(1, None, 2), slice(1, 4))


@st.composite
def connected(draw, rule: str | None = None, weight: str | None = None, delay: str | None = None) -> Network:
    """Two populations, one of them graded or driven, with projections of any rule and draws.

    The first projection has the rule, weight and delay of these names; sizes and views are such that they fit.
    """

    def pick(low: float, high: float) -> float:
        return float(draw(st.floats(low, high)))

    net = Network(seed=draw(st.integers(0, 2**64 - 1)))
    kind = draw(st.sampled_from(["mesh", "graded", "two_ports"]))
    sizes = st.sampled_from([9 if rule in SAME else 65 if rule == "sparse" else 5, 64, 65, 130])
    size = draw(sizes)
    source = net.add(Population("source", size, PoissonSource(rate=pick(50.0, 500.0))))
    target = KINDS[kind].add(net, "target", size if rule == "one" else draw(sizes), DT, pick)
    for wanted in [(rule, weight, delay)] + [(None, None, None)] * draw(st.integers(0, 2)):
        sender = target if wanted[0] in SAME else draw(st.sampled_from([source, target]))
        view = sender[draw(st.sampled_from(SLICES))]
        onto = target[draw(st.sampled_from(ONTO))]
        if wanted[0] in SAME:
            onto = view
        elif wanted[0] == "one":
            part = draw(st.sampled_from(SLICES + ONTO))
            view, onto = sender[part], target[part]
        project(draw, net, view, onto, KINDS[kind].weights, wanted)
    return net


def project(draw, net: Network, view, onto, ports: dict[str, float], wanted: tuple) -> None:
    """Connect two views by the wanted rule, weight and delay; by any where that is None."""

    def pick(low: float, high: float) -> float:
        return float(draw(st.floats(low, high)))

    port = draw(st.sampled_from([p for p, s in ports.items() if s > 0.0 or wanted[1] != "lognormal"]))
    size = 0.2 * ports[port]
    rules = every_rule(len(view), len(onto), view == onto, pick)
    name = wanted[0] or draw(st.sampled_from(list(rules)))
    count = int(rules[name].bind(len(view), len(onto), net.seed, 0).degrees(0, len(view)).sum())
    weights = every_draw(size, min(0.0, 2 * size), max(0.0, 2 * size), count)
    delays = every_draw(3 * DT, DT, 20 * DT, count)
    delays["given"] = FromArray(DT * (1 + np.arange(count) % 7))
    if name not in COUNTED:
        del weights["given"], delays["given"]
    weight, delay = (
        drawn[given or draw(st.sampled_from(list(drawn)))]
        for drawn, given in zip((weights, delays), wanted[1:], strict=True)
    )
    net.connect(view, onto, rules[name], weight=weight, delay=delay, port=port)


def test_every_rule_and_every_draw_has_a_case() -> None:
    assert set(DRAWN) == set(every_rule(9, 9, True, lambda low, high: high))
    for kinds in zip(*DRAWN.values(), strict=True):
        assert set(kinds) == set(DRAWS) == set(every_draw(1.0, 0.0, 2.0, 9))


@pytest.mark.parametrize("drawn", [False, True], ids=["one weight and delay", "drawn"])
@pytest.mark.parametrize("rule", DRAWN)
def test_recomputed_synapses_give_the_same_spikes(rule: str, drawn: bool) -> None:
    """As the plain engine, and as kept synapses, for a rule and its draws beside others, any threads, in pieces."""
    weight, delay = DRAWN[rule] if drawn else ("one", "one")

    @given(
        network=connected(rule, weight, delay),
        precision=st.sampled_from(["float64", "float32"]),
        threads=st.sampled_from(THREADS),
        piece=st.integers(1, STEPS),
        kept=st.sampled_from(["rows", "packed"]),
    )
    @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
    def check(network, precision, threads, piece, kept) -> None:
        expected = run_engine(PlainEngine, network, DT, STEPS, precision)
        for storage in ("procedural", kept):
            found = run_engine(cpu(threads, storage), network, DT, STEPS, precision, piece)
            assert record_difference(expected, found) is None, storage
        # What has no synapses of the rule, or no spike, was compared too but is not one of the examples.
        assume(expected.events and resolve(network, DT, network.seed, precision).connections[0].count)

    check()


@pytest.mark.parametrize("share", [0.0005, 0.003, 0.005, 0.01, 0.03, 0.04, 0.3, 0.7])
def test_rows_of_every_density(share: float) -> None:
    """Rows are sorted, marked, or marked as what they lack, as they are dense; many spikes a step fill the counts."""
    net = Network(seed=int(1e4 * share))
    source = net.add(Population("source", 700, PoissonSource(rate=900.0)))
    target = KINDS["two_ports"].add(net, "target", 2000, DT, lambda low, high: 0.5 * (low + high))
    net.connect(source, target, Bernoulli(share), weight=0.1 / share, delay=DT, port="ex")
    net.connect(
        source,
        target[3:],
        FixedOutDegree(int(2000 * share), multapses=False),
        weight=-1.0,
        delay=DT,
        port="inh",
    )
    net.connect(
        target, target, Bernoulli(share, self_connections=False), weight=-2.0, delay=2 * DT, port="inh"
    )
    kept = run_engine(cpu(1, "rows"), net, DT, 12, "float64")
    assert kept.events > 2000
    for threads in THREADS:
        found = run_engine(cpu(threads), net, DT, 12, "float64", 5)
        assert record_difference(kept, found) is None, threads


def test_snapshots_go_from_one_storage_to_another() -> None:
    """What is on its way is the same, whoever wrote it down."""

    @given(network=connected(), storages=st.permutations(["procedural", "rows", "packed"]), data=st.data())
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def check(network, storages, data) -> None:
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
