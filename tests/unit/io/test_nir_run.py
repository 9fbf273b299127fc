"""The reference interpreter of NIR graphs: closed forms, hand-counted steps, PyTorch and SciPy."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from treplica.errors import InvalidValue, NumericalError, UnknownName
from treplica.io import nir

EULER = nir.Semantics(dt=1e-3, reset="zero", integration="euler", recurrence="least")
EXACT = nir.Semantics(dt=1e-3, reset="zero", integration="exact", recurrence="least")
RNG = np.random.default_rng(3)
chain = nir.NIRGraph.from_list
ONE = np.ones(1)


def of(values: list[float]) -> np.ndarray[Any, Any]:
    """One unit's input in one batch."""
    return np.array(values, float).reshape(-1, 1, 1)


def trace(graph: nir.NIRGraph, values: list[float], semantics: nir.Semantics = EULER) -> list[float]:
    found: list[float] = nir.run(graph, of(values), semantics).output[:, 0, 0].tolist()
    return found


def test_linear_maps_and_units() -> None:
    x = RNG.normal(size=(4, 2, 3, 5))
    weight, bias = RNG.normal(size=(3, 6, 5)), RNG.normal(size=(3, 6))
    assert np.allclose(
        nir.run(chain(nir.Affine(weight, bias)), x).output, np.einsum("soi,tbsi->tbso", weight, x) + bias
    )
    flat = x[:, :, 0]
    assert np.allclose(
        nir.run(chain(nir.Linear(weight[0])), flat).output, np.einsum("oi,tbi->tbo", weight[0], flat)
    )
    row = RNG.normal(size=5)
    assert np.allclose(nir.run(chain(nir.Scale(row)), flat).output, row * flat)
    assert np.array_equal(nir.run(chain(nir.Threshold(row)), flat).output, flat > row)
    assert np.array_equal(nir.run(chain(nir.Identity([5])), flat).output, flat)
    assert trace(chain(nir.Threshold(ONE)), [0.5, 1.0, 1.5]) == [0.0, 0.0, 1.0]  # strictly above


def test_flatten_keeps_the_batch() -> None:
    x = RNG.normal(size=(4, 2, 3, 5, 6))
    assert np.array_equal(
        nir.run(chain(nir.Input([3, 5, 6]), nir.Flatten(None, 0)), x).output, x.reshape(4, 2, 90)
    )
    assert np.array_equal(
        nir.run(chain(nir.Input([3, 5, 6]), nir.Flatten(None)), x).output, x.reshape(4, 2, 3, 30)
    )


def test_a_delay_for_each_unit() -> None:
    x = RNG.normal(size=(6, 2, 3))
    found = nir.run(chain(nir.Delay([0.0, 1e-3, np.float32(0.004)])), x, EULER).output
    wanted = np.zeros_like(x)
    for unit, steps in enumerate((0, 1, 4)):
        wanted[steps:, :, unit] = x[: 6 - steps, :, unit]
    assert np.array_equal(found, wanted)
    late = nir.run(chain(nir.Delay([0.1, 0.1, 0.1])), x, EULER).output
    assert not late.any()


def test_integrators_and_their_resets_counted_by_hand() -> None:
    assert trace(chain(nir.I([2.0])), [1, 0, 3], nir.Semantics(dt=0.5)) == [1.0, 1.0, 4.0]
    layer = nir.IF([2.0], [1.0], [0.25])
    given = [1.0, 0.5, 2.0, 0.0]
    zero = nir.run(chain(layer), of(given), nir.Semantics(dt=0.5, reset="zero"), record=["if"])
    assert zero.output.ravel().tolist() == [0.0, 1.0, 1.0, 0.0]  # 1 is not above 1; 1.5 -> 0.25; 2.25 -> 0.25
    assert zero.recorded["if"]["v"].ravel().tolist() == [1.0, 0.25, 0.25, 0.25]
    less = nir.run(chain(layer), of(given), nir.Semantics(dt=0.5, reset="subtract"), record=["if"])
    assert less.output.ravel().tolist() == [0.0, 1.0, 1.0, 1.0]  # 1.5 -> 0.75; 2.75 -> 2; 2 -> 1.25
    assert less.recorded["if"]["v"].ravel().tolist() == [1.0, 0.75, 2.0, 1.25]


def test_exact_integration_is_the_closed_form_at_any_step() -> None:
    tau, r, leak, n = 0.02, 3.0, 0.5, 40
    t = np.arange(1, n + 1)
    for dt in (1e-4, 1e-3, 0.05):
        found = trace(chain(nir.LI([tau], [r], [leak])), [2.0] * n, nir.Semantics(dt=dt, integration="exact"))
        assert np.allclose(found, (leak + 2.0 * r) * -np.expm1(-t * dt / tau), rtol=1e-12, atol=0)


@pytest.mark.parametrize("tau_syn", [0.003, 0.02, 0.02 * (1 + 1e-9), 0.5])
def test_exact_synapses_are_the_solution_of_the_equations(tau_syn: float) -> None:
    """A pulse of three steps, then silence; also where both time constants are equal."""
    tau, r, leak, w, dt = 0.02, 3.0, 0.5, 1.5, 0.004
    given = [2.0] * 3 + [0.0] * 20
    node = nir.CubaLI(*np.array([[tau_syn], [tau], [r], [leak], [w]]))
    found = trace(chain(node), given, nir.Semantics(dt, integration="exact"))
    state, wanted = np.zeros(2), []
    for x in given:

        def slope(_: float, y: Any, x: float = x) -> list[float]:
            return [(w * x - y[0]) / tau_syn, (leak - y[1] + r * y[0]) / tau]

        state = solve_ivp(slope, (0, dt), state, rtol=1e-11, atol=1e-13).y[:, -1]
        wanted.append(state[1])
    assert np.allclose(found, wanted, rtol=1e-8)
    assert max(found) > 0.5


@pytest.mark.parametrize("node", [
    nir.LI([0.02], [3.0], [0.5]), nir.CubaLI([0.01], [0.02], [3.0], [0.5], [1.5]),
])  # fmt: skip
def test_euler_converges_to_exact_with_order_one(node: nir.Node) -> None:
    errors = []
    for parts in (50, 100, 200):
        end = [
            trace(chain(node), [2.0] * parts, nir.Semantics(0.05 / parts, None, how))[-1]
            for how in ("euler", "exact")
        ]
        errors.append(abs(end[0] - end[1]))
    assert np.allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 1.0, atol=0.1)


def test_a_step_by_euler_takes_the_new_current() -> None:
    node = nir.CubaLIF([2e-3], [4e-3], [2.0], [0.0], [10.0], w_in=3.0)
    found = nir.run(chain(node), of([1.0, 0.0]), EULER, record=["cubalif"]).recorded["cubalif"]
    assert found["i"].ravel().tolist() == [1.5, 0.75]
    assert found["v"].ravel().tolist() == [0.75, 0.75 + 0.25 * (-0.75 + 2 * 0.75)]


def test_the_firing_rate_is_the_closed_form() -> None:
    """Of a neuron under constant input: T = tau ln(rI / (rI - threshold)), rounded up to steps."""
    tau, threshold, drive, dt = 0.02, 1.0, 1.3, 1e-5
    node = nir.LIF([tau], [1.0], [0.0], [threshold])
    spikes = np.flatnonzero(trace(chain(node), [drive] * 20_000, nir.Semantics(dt, "zero", "exact")))
    period = np.ceil(tau * np.log(drive / (drive - threshold)) / dt)
    assert len(spikes) > 3
    assert (np.diff(spikes) == period).all()


def loop(*between: nir.Node, bias: float = 0.0) -> nir.NIRGraph:
    """An integrator that fires at every input above 0.5 and gets its own spikes back through an Affine."""
    nodes: dict[str, nir.Node] = {
        "in": nir.Input([1]),
        "if": nir.IF([1e3], [0.5]),
        "w": nir.Affine([[1.0]], [bias]),
    }
    path = ["if"]
    for number, node in enumerate(between):
        nodes[f"b{number}"] = node
        path.append(f"b{number}")
    path += ["w", "if"]
    return nir.NIRGraph({**nodes, "out": nir.Output([1])}, [("in", "if"), ("if", "out"), *pairwise(path)])


def test_an_edge_that_closes_a_cycle_carries_the_step_before() -> None:
    assert trace(loop(), [0, 1, 0, 0]) == [0, 1, 1, 1]
    added = nir.Semantics(dt=1e-3, reset="zero", recurrence="added")
    for steps, least, more in (
        (1, [0, 1, 1, 1, 1, 1], [0, 1, 0, 1, 0, 1]),
        (2, [0, 1, 0, 1, 0, 1], [0, 1, 0, 0, 1, 0]),
    ):
        graph = loop(nir.Delay([steps * 1e-3]))
        assert trace(graph, [0, 1, 0, 0, 0, 0]) == least
        assert trace(graph, [0, 1, 0, 0, 0, 0], added) == more


def test_the_bias_of_a_recurrent_connection_counts_from_the_first_step() -> None:
    assert trace(loop(bias=1.0), [0, 0]) == [1, 1]
    assert trace(loop(nir.Scale(ONE), nir.Threshold([-1.0])), [0, 0]) == [1, 1]
    assert trace(loop(nir.Delay([2e-3]), bias=1.0), [0, 0]) == [1, 1]


def test_nested_graphs_are_computed_as_if_they_were_not() -> None:
    n, x = 5, RNG.random((30, 3, 4))
    weight, back = RNG.normal(size=(n, 4)), RNG.normal(size=(n, n))
    lif = nir.LIF(*[np.full(n, each) for each in (0.01, 12.0, 0.0, 1.0)])
    layer = nir.NIRGraph(
        {"in": nir.Input([n]), "lif": lif, "w": nir.Linear(back), "out": nir.Output([n])},
        [("in", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "out")],
    )
    deep = nir.NIRGraph.from_list(layer)
    plain = nir.NIRGraph(
        {
            "in": nir.Input([4]),
            "fc": nir.Linear(weight),
            "lif": lif,
            "w": nir.Linear(back),
            "out": nir.Output([n]),
        },
        [("in", "fc"), ("fc", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "out")],
    )
    wanted = nir.run(plain, x, EULER).output
    assert 0.05 < wanted.mean() < 0.95
    for inner in (layer, deep):
        assert np.array_equal(nir.run(chain(nir.Linear(weight), inner), x, EULER).output, wanted)
    found = nir.run(chain(nir.Linear(weight), deep), x, EULER, record=["nirgraph/nirgraph/lif"])
    assert np.array_equal(found.recorded["nirgraph/nirgraph/lif"]["output"], wanted)


def test_edges_into_a_node_are_summed_and_ports_have_names() -> None:
    graph = nir.NIRGraph(
        {
            "x": nir.Input([2]),
            "y": nir.Input([2]),
            "s": nir.Scale([1.0, 2.0]),
            "sum": nir.Output([2]),
            "y2": nir.Output([2]),
        },
        [("x", "s"), ("y", "s"), ("s", "sum"), ("y", "sum"), ("y", "y2")],
    )
    x, y = RNG.normal(size=(2, 3, 4, 2))
    found = nir.run(graph, {"x": x, "y": y})
    assert np.allclose(found.outputs["sum"], (x + y) * [1.0, 2.0] + y)
    assert np.array_equal(found.outputs["y2"], y)
    with pytest.raises(InvalidValue, match="outputs of the graph must be a single one"):
        _ = found.output
    with pytest.raises(
        InvalidValue, match=r"names of the inputs must be those of the graph, \['x', 'y'\], got \['x'\]"
    ):
        nir.run(graph, {"x": x})
    with pytest.raises(InvalidValue, match="steps and batch of the inputs must be equal"):
        nir.run(graph, {"x": x, "y": y[:2]})
    with pytest.raises(InvalidValue, match="Input nodes of the graph must be a single one"):
        nir.run(graph, x)


def test_single_precision_is_kept_and_close() -> None:
    x = RNG.random((50, 2, 3))
    graph = chain(nir.Affine(RNG.normal(size=(4, 3)), np.ones(4)), nir.CubaLI(*[np.full(4, 0.02)] * 4))
    double, single = (
        nir.run(graph, x, EULER, dtype=kind, record=["cubali"]) for kind in ("float64", "float32")
    )
    assert single.output.dtype == single.recorded["cubali"]["i"].dtype == np.float32
    assert np.allclose(single.output, double.output, rtol=1e-5)


@pytest.mark.parametrize(("given", "dtype"), [((0, 2), float), ((3, 0), bool)])
def test_no_steps_or_no_batch_give_no_output(given: tuple[int, int], dtype: type) -> None:
    graph = loop(nir.Delay([1e-3]))
    assert nir.run(graph, np.zeros((*given, 1), dtype), EULER).output.shape == (*given, 1)


def test_semantics_come_from_metadata_and_are_asked_for() -> None:
    graph = loop()
    wanted = {"dt": "the length of a step in seconds", "reset": "'zero'", "recurrence": "'least' or 'added'"}
    told = nir.Semantics()
    for name, words in wanted.items():
        with pytest.raises(
            InvalidValue, match=f"Semantics.{name} must be .*{words}.*give nir.Semantics.{name}="
        ) as caught:
            nir.run(graph, of([1]), told)
        assert ("cycle" if name == "recurrence" else "IF ('if')") in str(caught.value)
        told = nir.Semantics(**{**vars(told), name: getattr(EULER, name)})
    kept = told.added_to(graph)
    assert nir.Semantics.of(kept) == told
    assert kept.metadata == {"dt": 1e-3, "reset": "zero", "recurrence": "least"}
    assert nir.run(kept, of([0, 1])).output.ravel().tolist() == [0, 1]
    with pytest.raises(
        InvalidValue, match=r"Semantics.integration must be 'euler' or 'exact', got None. .* LI \('li'\)"
    ):
        nir.run(chain(nir.LI(ONE, ONE, ONE)), of([1]), nir.Semantics(dt=1.0))
    assert nir.run(chain(nir.Scale(ONE)), of([3])).output.ravel().tolist() == [3]


def test_what_is_given_comes_before_metadata() -> None:
    graph = nir.NIRGraph.from_list(nir.I(ONE), metadata={"dt": np.float32(0.5), "reset": "hard"})
    with pytest.raises(
        InvalidValue, match=r"the graph's metadata: Semantics.reset must be 'zero' .* got 'hard'"
    ):
        nir.run(graph, of([1]))
    assert trace(graph, [1], nir.Semantics(dt=2.0, reset="zero")) == [2.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nir.Semantics(dt=0.0), r"Semantics.dt must be a number > 0, in seconds, got 0.0"),
        (lambda: nir.Semantics(dt="1 ms"), r"Semantics.dt must be"),  # type: ignore[arg-type]
        (lambda: nir.Semantics(reset="hard"), r"Semantics.reset must be 'zero' \(to v_reset\) or 'subtract'"),
        (
            lambda: nir.run(loop(), np.zeros((3, 1)), EULER),
            r"shape of the input 'in' must be .*\(steps, batch, 1\).* got \(3, 1\)",
        ),
        (lambda: nir.run(loop(), np.zeros((3, 1, 2)), EULER), r"shape of the input 'in' must be"),
        (lambda: nir.run(loop(), of([np.nan]), EULER), r"input 'in' must be finite"),
        (lambda: nir.run(loop(), np.array([[["a"]]]), EULER), r"input 'in' must be numbers"),
        (
            lambda: nir.run(loop(), of([1]), EULER, dtype="int8"),
            r"dtype must be float64 or float32, got 'int8'",
        ),
        (lambda: nir.run("a.nir", of([1]), EULER), r"graph must be a nir.NIRGraph"),  # type: ignore[arg-type]
        (
            lambda: nir.run(chain(nir.Delay([1.5e-3])), of([1]), EULER),
            r"node 'delay': Delay.delay must be .* steps of 0.001 s, got 0.0015. Round it",
        ),
        (
            lambda: nir.run(chain(nir.Delay([1e-12])), of([1]), EULER),
            r"Delay.delay must be a whole number of steps",
        ),
        (
            lambda: nir.run(chain(nir.Delay([np.inf])), of([1]), EULER),
            r"Delay.delay must be a whole number of steps",
        ),
        (
            lambda: nir.run(chain(nir.LI([0.0], ONE, ONE)), of([1]), EULER),
            r"node 'li': LI.tau must be > 0 s to be computed, got 0.0",
        ),
    ],
)
def test_what_cannot_be_computed_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        make()


def test_unknown_records_and_infinite_states_are_named() -> None:
    with pytest.raises(UnknownName, match=r"node 'iff' is not known. Did you mean 'if'"):
        nir.run(loop(), of([1]), EULER, record=["iff"])
    graph = chain(nir.I([1.0, 4e307]))
    with pytest.raises(NumericalError, match=r"i\[1\].v became inf in step 2"):
        nir.run(graph, np.full((5, 2, 2), 2.0), nir.Semantics(dt=1.0))
