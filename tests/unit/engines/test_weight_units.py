"""Units of ports: no sum overflows, weights are as exact as they can be, and what does not fit is refused."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treplica.coding import SpikeTrains
from treplica.connectivity import AllToAll, FixedInDegree, FixedOutDegree, FromArray, Normal, Uniform
from treplica.engines.cpu.engine import CpuEngine
from treplica.engines.grid import steps_of
from treplica.engines.loads import NARROW
from treplica.engines.plain import PlainEngine
from treplica.engines.plan import Plan
from treplica.engines.resolve import resolve
from treplica.errors import InvalidValue, UnknownName
from treplica.model import arrival, neuron, param, spike, state
from treplica.network import Network, PoissonInput, Population, SpikeInput
from treplica.neurons import LIF, SpikeSource
from treplica.numerics.formats import FORMATS, WEIGHT_BITS, weight_bits
from treplica.testing.engines import run_engine

FLOATS = ("float64", "float32")
ENGINES = {"plain": PlainEngine, "cpu": lambda p, s, w: CpuEngine(p, s, w, 2)}


@neuron(total=state("1"), largest=state("1"), arrived=arrival("1"))
def Meter(total, largest, arrived):
    """Adds up what arrives, and keeps the last of it."""
    return dict(total=total + arrived, largest=arrived + 0.0 * largest, spike=0.0)


@neuron(pending=arrival("1"), size=param("1", 7.0), graded=7)
def Loud(pending, size):
    """Answers an arrival with a spike of 7, or of -7."""
    return dict(spike=spike(pending - 0.5) * size)


def pair(n_source: int, weight, delay: float = 1.0, source=None, n_target: int = 1, rule=None) -> Network:
    net = Network(seed=3)
    a = net.add(Population("a", n_source, source or SpikeSource()))
    b = net.add(Population("b", n_target, Meter()))
    net.connect(a, b, rule or AllToAll(), weight=weight, delay=delay)
    return net


def port(plan: Plan) -> tuple[float, int]:
    """The unit of the meter's port, and the largest sum that can arrive in a step, in units."""
    unit = plan.populations[1].composition.ports[0].unit
    total = np.zeros(plan.populations[1].size)
    for c in plan.connections:
        chunk = c.read(0, c.rows.n_source)
        weights = np.abs(np.broadcast_to(np.asarray(chunk.weights, dtype=np.float64), chunk.targets.shape))
        total += plan.populations[c.source].graded * np.bincount(chunk.targets, weights, total.size)
    return unit, int(total.max())


def weights_of(plan: Plan, index: int = 0) -> np.ndarray:
    connections = plan.connections[index]
    return np.asarray(connections.read(0, connections.rows.n_source).weights)


WEIGHTS = st.one_of(
    st.floats(-1e20, 1e20).filter(lambda w: abs(w) > 1e-20),
    st.builds(Normal, st.floats(-1e6, 1e6), st.floats(1e-6, 1e6)),
    st.builds(Uniform, st.floats(-1e6, -1e-6), st.floats(1e-6, 1e6)),
)


@pytest.mark.parametrize("precision", FLOATS)
@given(
    weight=WEIGHTS,
    degree=st.integers(1, 3000),
    source=st.sampled_from([SpikeSource, Loud]),
    kept=st.sampled_from(["auto", *WEIGHT_BITS]),
    storage=st.sampled_from(["rows", "packed"]),
)
@settings(max_examples=60, deadline=None)
def test_no_sum_can_overflow(precision: str, weight, degree: int, source, kept: str, storage: str) -> None:
    """Weights fit their bits, units are no coarser than that asks for, accumulators hold the largest sum."""
    net = pair(50, weight, source=source(), rule=FixedInDegree(degree))
    plan = resolve(net, 1.0, 3, precision, kept)
    unit, most = port(plan)
    assert math.frexp(unit)[0] == 0.5
    bits = plan.connections[0].weight_bits
    largest = int(np.abs(weights_of(plan)).max())
    assert largest < 2 ** (bits - 1)
    if isinstance(plan.connections[0].weight, int):
        assert largest >= 2 ** (FORMATS[precision].constant_bits - 1)
    else:
        low, high = weight.bounds()
        finest = (2 ** (bits - 1) - 1) / 2
        assert max(abs(low), abs(high)) / unit >= finest * (1 - 1e-9), "a finer unit would have done"
    engine = CpuEngine(plan, [], [], 1, storage)
    held = 2 ** (8 * engine.arrivals.width - 1)
    engine.close()
    assert most < held
    assert engine.arrivals.width == 4 or most > NARROW


@pytest.mark.parametrize("precision", FLOATS)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_largest_sum_arrives(engine: str, precision: str, sign: float) -> None:
    """Every source of a neuron fires its largest spike in one step, ten times in a row."""
    net = pair(4000, 3.0, source=Loud(size=7.0 * sign))
    trains = SpikeTrains.from_dense(np.ones((10, 4000), dtype=bool), 1.0)
    net.stimulate(net.population("a"), SpikeInput(trains))
    record = run_engine(ENGINES[engine], net, 1.0, 11, precision)
    assert record.events == 40_000
    np.testing.assert_array_equal(record.states["b.largest"], [sign * 4000 * 7 * 3.0])
    np.testing.assert_array_equal(record.states["b.total"], [sign * 40_000 * 7 * 3.0])


@pytest.mark.parametrize("precision", FLOATS)
def test_poisson_given_and_synaptic_spikes_add_up(precision: str) -> None:
    """Poisson spikes, given graded spikes and synapses onto one port at once; the Poisson weight is exact."""
    net = pair(10, Normal(5.0, 2.0))
    meter = net.population("b")
    net.stimulate(meter, PoissonInput(50_000.0, 100.1))
    ids, values = np.zeros(3, dtype=np.int32), np.array([1000, -1000, 5], dtype=np.int32)
    net.stimulate(meter, SpikeInput(SpikeTrains(np.array([1, 2, 3]), ids, 1, 1.0, 3, 0, values), weight=9.0))
    totals = [run_engine(make, net, 1.0, 20, precision).states["b.total"] for make in ENGINES.values()]
    assert totals[0] == totals[1]
    spikes = (float(totals[0][0]) - 45.0) / float(FORMATS[precision].to_real(100.1))
    assert spikes == pytest.approx(round(spikes), abs=1e-3)
    assert 20 * 50 * 0.8 < spikes < 20 * 50 * 1.2


@pytest.mark.parametrize("kept", ["auto", *WEIGHT_BITS])
@pytest.mark.parametrize("law", ["given", "random"])
def test_the_error_of_weights_is_reported(kept: str, law: str) -> None:
    """The largest error, and those of mean and variance, as numpy finds them."""
    draw = Normal(2.0, 5.0)
    if law == "given":
        draw = FromArray(np.random.default_rng(1).normal(2.0, 5.0, 30))
    plan = resolve(pair(30, draw), 1.0, 3, "float64", kept)
    unit, connections = plan.populations[1].composition.ports[0].unit, plan.connections[0]
    real, kept_as = connections.real_weights(0, 30), weights_of(plan) * unit
    rounding = plan.rounding["a_b"]
    assert rounding.largest == np.abs(kept_as - real).max() / np.abs(real).max()
    assert rounding.mean == pytest.approx(abs((kept_as - real).mean()) / np.abs(real).mean())
    assert rounding.variance == pytest.approx(abs(kept_as.var() - real.var()) / real.var())
    bits = weight_bits(kept, law == "given")
    assert 2.0 ** -(bits + 3) < rounding.largest < 2.0 ** (3 - bits) or kept == "float32"


def test_float32_weights_are_those_of_numpy() -> None:
    """Down to a millionth of the largest, all 24 bits are kept."""
    values = np.concatenate([np.random.default_rng(1).normal(2.0, 5.0, 28), [1000.0, 0.00123456789]])
    plan = resolve(pair(30, FromArray(values)), 1.0, 3, "float64", "float32")
    unit = plan.populations[1].composition.ports[0].unit
    np.testing.assert_array_equal(weights_of(plan) * unit, values.astype(np.float32).astype(np.float64))


def test_a_sum_that_no_accumulator_holds_is_refused() -> None:
    plan = resolve(
        pair(50, FromArray(np.full(300_000 * 50, 1.0)), source=Loud(), rule=FixedOutDegree(300_000)),
        1.0,
        3,
        "float64",
        "float32",
    )
    with pytest.raises(
        InvalidValue, match=r"the sum of weights onto one neuron of b must be at most .* Use weights="
    ):
        CpuEngine(plan, [], [], 1)


def test_projections_onto_one_port_share_its_unit() -> None:
    net = pair(10, 1000.0)
    net.connect(net.population("a"), net.population("b"), AllToAll(), weight=Normal(0.5, 0.1), delay=1.0)
    plan = resolve(net, 1.0, 3, "float64")
    unit = plan.populations[1].composition.ports[0].unit
    assert weights_of(plan) * unit == pytest.approx(1000.0, rel=1e-3)
    assert np.mean(weights_of(plan, 1)) * unit == pytest.approx(0.5, rel=0.3)


@pytest.mark.parametrize("weight", [1e-12, Normal(1e-3, 1e-4)], ids=["one", "drawn"])
def test_weights_that_would_all_become_zero_are_refused(weight) -> None:
    net = pair(10, 100.0 if isinstance(weight, float) else Normal(100.0, 10.0))
    a, b = net.population("a"), net.population("b")
    net.connect(a, b, AllToAll(), weight=weight, delay=1.0, name="faint")
    with pytest.raises(InvalidValue, match=r"faint: weight must be at least half the unit .* of its port"):
        resolve(net, 0.1, 1, "float64", "int8")


@pytest.mark.parametrize("storage", ["auto", "rows", "packed"])
def test_draws_beyond_their_bounds_are_refused(storage: str) -> None:
    """They would not fit the bits that their bounds ask for."""

    class Wide(Uniform):
        def bounds(self) -> tuple[float, float]:
            return 0.0, 1.0

    with pytest.raises(
        InvalidValue, match=r"a_b: a drawn value must be within the bounds\(\) of Wide, 0.0 to 1.0"
    ):
        CpuEngine(resolve(pair(100, Wide(0.0, 5.0)), 0.1, 1, "float64"), [], [], 1, storage)


def test_weights_of_zero_have_a_unit() -> None:
    plan = resolve(pair(10, 0.0), 1.0, 3, "float32")
    assert weights_of(plan) == 0
    assert plan.populations[1].composition.ports[0].unit < 1e-3


@pytest.mark.parametrize(
    ("precision", "weight"),
    [
        ("float64", 1e308),
        ("float64", -1e308),
        ("float64", 1e-310),
        ("float64", 5e-324),
        ("float32", 1e38),
        ("float32", 1e-40),
        ("float32", Normal(1e37, 1e30)),
    ],
)
def test_weights_beyond_the_working_type_are_refused(precision: str, weight) -> None:
    with pytest.raises(
        InvalidValue, match=rf"the largest weight onto b\.arrived must be .* {precision} can hold"
    ):
        resolve(pair(10, weight), 1.0, 3, precision)


DELAYS = {
    0.25: "a_b: delay must be a multiple of dt = 1 ms, got 0.25. Nearest: 1 ms.",
    2.5: "a_b: delay must be a multiple of dt = 1 ms, got 2.5. Nearest: 2 ms.",
    65536.0: "a_b: delay must be at most 65535 steps (65535 ms), got 65536.0.",
    Uniform(0.1, 0.4): "a_b: delay must be at least half a step of 1 ms for every synapse, got 0.1",
    Normal(1.0, 3.0): "a_b: delay must be at least half a step of 1 ms for every synapse, got -",
    Uniform(60_000.0, 90_000.0): "a_b: delay must be at most 65535 steps (65535 ms), got",
}


@pytest.mark.parametrize("delay", DELAYS, ids=str)
def test_delays_off_the_grid_are_refused(delay) -> None:
    with pytest.raises(InvalidValue, match=re.escape(DELAYS[delay])):
        resolve(pair(50, 1.0, delay), 1.0, 3, "float64")


def test_drawn_delays_are_rounded_to_steps() -> None:
    for high in (20.0, 300.0):
        plan = resolve(pair(500, 1.0, Uniform(0.5, high)), 1.0, 3, "float64")
        delays = plan.connections[0].read(0, 500).delays
        assert delays.dtype == np.uint16
        assert delays.min() == 1
        assert high * 0.9 < delays.max() <= high
        assert plan.longest_delay == high


def test_rates_that_tables_cannot_hold_are_refused() -> None:
    net = Network(seed=1)
    cells = net.add(Population("cells", 300, LIF()))
    net.stimulate(cells, PoissonInput(200_000.0, 1.0), name="strong")
    with pytest.raises(
        InvalidValue, match=r"strong: spikes per step and neuron must be at most 100, got 200"
    ):
        resolve(net, 1.0, 1, "float64")
    assert resolve(net, 0.1, 1, "float64").populations[0].composition.drives
    net = Network(seed=1)
    net.add(cells)
    net.stimulate(cells, PoissonInput(np.arange(300.0), 1.0), name="many")
    with pytest.raises(InvalidValue, match=r"many: PoissonInput\.rate must be at most 255 different rates"):
        resolve(net, 1.0, 1, "float64")


@pytest.mark.parametrize("dt", [0.0, -0.1, math.nan, math.inf, "0.1", None, True, 1j])
def test_a_wrong_dt_is_refused(dt) -> None:
    with pytest.raises(InvalidValue, match="dt must be a finite number > 0 ms"):
        resolve(pair(2, 1.0), dt, 1, "float64")


def test_what_cannot_be_resolved_is_named() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'float32'"):
        resolve(pair(2, 1.0), 1.0, 1, "float31")
    with pytest.raises(InvalidValue, match="at least one population"):
        resolve(Network(), 1.0, 1, "float64")
    net = Network()
    net.add(Population("cells", 3, LIF(c_m=1e-310)))
    with pytest.raises(InvalidValue, match=r"cells\.[a-z]+ \(derived by LIF\) must be finite"):
        resolve(net, 1.0, 1, "float64")


@pytest.mark.parametrize(
    ("time", "dt", "steps"),
    [(0.0, 0.1, 0), (0.3, 0.1, 3), (1e9, 0.1, 10**10), (0.1 + 0.2, 0.1, 3), (2.0, 0.5, 4), (7.0, 7.0, 1)],
)
def test_times_on_the_grid(time: float, dt: float, steps: int) -> None:
    assert steps_of("x", time, dt) == steps


@given(st.integers(0, 10**12), st.sampled_from([0.1, 0.25, 1.0, 1 / 3, 0.025]))
def test_every_multiple_is_on_the_grid(steps: int, dt: float) -> None:
    assert steps_of("x", steps * dt, dt) == steps


@pytest.mark.parametrize("time", [math.nan, math.inf, -math.inf, 1e300, -0.1, 0.05, 0.1001])
def test_times_off_the_grid(time: float) -> None:
    with pytest.raises(InvalidValue) as caught:
        steps_of("x", time, 0.1)
    assert caught.value.quantity == "x"
    with pytest.raises(InvalidValue, match=re.escape("x must be at least 0.2 ms (2 steps), got 0.1")):
        steps_of("x", 0.1, 0.1, least=2)
