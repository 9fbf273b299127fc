"""Graphs of NIR as modules: what the interpreter computes, whatever the graph; and the same graph again."""

import copy
import itertools
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treplica.errors import InvalidValue
from treplica.io import nir

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")

DT = 1e-3
WIDTH = 3
FIRING = ("IF", "LIF", "CubaLIF")


def neuron(kind: str, rng: np.random.Generator, size: tuple[int, ...] = (WIDTH,)) -> nir.Node:
    """A neuron with other numbers for each unit, some of them of single precision."""
    spans = dict(
        r=(0.5, 3.0), tau=(0.002, 0.02), tau_mem=(0.002, 0.02), tau_syn=(0.002, 0.02), v_leak=(-0.2, 0.2),
        v_threshold=(0.1, 0.4), v_reset=(-0.2, 0.05), w_in=(0.5, 4.0), threshold=(-0.5, 0.5), scale=(-1.5, 1.5),
    )  # fmt: skip
    node = getattr(nir, kind)
    fields: dict[str, Any] = {}
    for name in node.field_names():
        low, high = (50.0, 400.0) if name == "r" and kind in ("I", "IF") else spans[name]
        dtype = np.float32 if rng.random() < 0.3 else np.float64
        fields[name] = rng.uniform(low, high, size).astype(dtype)
    made: nir.Node = node(**fields)
    return made


def node_of(rng: np.random.Generator, depth: int) -> nir.Node:
    kinds = [
        "Linear",
        "Affine",
        "Scale",
        "Threshold",
        "Delay",
        "Identity",
        "I",
        "LI",
        "CubaLI",
        *FIRING,
        *FIRING,
    ]
    kind = str(rng.choice([*kinds, "graph"] if depth else kinds))
    if kind in ("Linear", "Affine"):
        weight = rng.normal(0.0, 0.5, (WIDTH, WIDTH))
        return nir.Linear(weight) if kind == "Linear" else nir.Affine(weight, rng.normal(0.0, 0.3, WIDTH))
    if kind == "Delay":
        return nir.Delay(rng.integers(0, 4, WIDTH) * DT)
    if kind == "Identity":
        return nir.Identity([WIDTH])
    return graph_of(rng, depth - 1) if kind == "graph" else neuron(kind, rng)


def graph_of(rng: np.random.Generator, depth: int = 1) -> nir.NIRGraph:
    """A graph of some nodes in random order, with edges ahead and, where there is a state, back."""
    names = [
        str(name) for name in rng.permutation(["a", "b.c", "d", "e", "items", "1"])[: rng.integers(1, 7)]
    ]
    nodes = {
        "in": nir.Input([WIDTH]),
        **{name: node_of(rng, depth) for name in names},
        "out": nir.Output([WIDTH]),
    }
    order = list(nodes)
    edges = {(order[rng.integers(0, i)], name) for i, name in enumerate(order) if i}
    edges |= {(name, order[rng.integers(i + 1, len(order))]) for i, name in enumerate(order[:-1])}
    graph = nir.NIRGraph(nodes, edges)  # type: ignore[arg-type]
    for _ in range(rng.integers(0, 4)):
        back = tuple(str(each) for each in rng.choice(names, 2))
        try:
            graph = nir.NIRGraph(nodes, edges | {back})  # type: ignore[arg-type]
        except InvalidValue:
            continue  # a cycle in which nothing takes time
        edges.add(back)
    return graph


def semantics_of(rng: np.random.Generator) -> nir.Semantics:
    words = [str(rng.choice(pair)) for pair in (["zero", "subtract"], ["euler", "exact"], ["least", "added"])]
    return nir.Semantics(DT, *words)


def given_to(rng: np.random.Generator, *shape: int, steps: int = 14, batch: int = 2) -> np.ndarray:
    return rng.normal(0.3, 1.0, (steps, batch, *shape))


def check(graph: nir.NIRGraph, semantics: nir.Semantics, x: np.ndarray, **more: Any) -> Any:
    """The module's output, compared with the interpreter's."""
    module = learning.from_nir(graph, semantics, **more)
    with torch.no_grad():
        found = module(torch.tensor(x)).numpy()
    wanted = nir.run(graph, x, semantics).output
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 1e-12 * max(1.0, np.abs(wanted).max())
    if set(np.unique(wanted)) <= {0.0, 1.0}:
        assert np.array_equal(found, wanted)
    return module


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**31))
def test_random_graphs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph, semantics = graph_of(rng), semantics_of(rng)
    module = check(graph, semantics, given_to(rng, WIDTH))
    kept = semantics.added_to(graph)
    assert learning.to_nir(module) == kept
    assert learning.to_nir(learning.from_nir(kept)) == kept


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(FIRING), st.booleans(), st.integers(0, 2))
def test_a_layer_that_reaches_itself_is_recurrent(seed: int, kind: str, affine: bool, held: int) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.normal(0.0, 1.0, (WIDTH, WIDTH))
    back = nir.Affine(weight, rng.normal(0.0, 0.2, WIDTH)) if affine else nir.Linear(weight)
    nodes = {"in": nir.Input([WIDTH]), "n": neuron(kind, rng), "w": back, "out": nir.Output([WIDTH])}
    way = ["n", "w", "n"]
    if held:
        nodes["d"] = nir.Delay(np.full(WIDTH, held * DT))
        way.insert(1, "d")
    graph = nir.NIRGraph(nodes, [("in", "n"), *itertools.pairwise(way), ("n", "out")])  # type: ignore[arg-type]
    semantics = nir.Semantics(DT, "zero", "euler", "least")
    module = check(graph, semantics, given_to(rng, WIDTH, steps=30))
    assert isinstance(module.part("n"), learning.Recurrent)
    assert module.part("n").delay == max(held, 1)
    assert learning.to_nir(module) == semantics.added_to(graph)


def spatial(rng: np.random.Generator) -> nir.NIRGraph:
    weight = rng.normal(0.0, 0.5, (4, 1, 3, 2)).astype(np.float32)
    bias = rng.normal(0.0, 0.1, 4).astype(np.float32)
    one = nir.NIRGraph.from_list(
        nir.Input([2, 9, 8]),
        nir.Conv2d(None, weight, [2, 1], [1, 0], 1, 2, bias),
        neuron("LIF", rng, (4, 5, 7)),
        nir.AvgPool2d(np.array([2, 2]), np.array([1, 2]), np.array(1)),
        nir.SumPool2d(2, 2, 0),
        neuron("Scale", rng, (4, 3, 2)),
        nir.Delay(rng.integers(0, 3, (4, 3, 2)) * DT),
        nir.Flatten(None, 1),
        nir.Affine(rng.normal(size=(4, 5, 6)), rng.normal(size=(4, 5))),
        neuron("CubaLI", rng, (4, 5)),
        nir.Conv1d(None, rng.normal(size=(3, 4, 2)), 1, "same", 1, 1, rng.normal(size=3)),
        neuron("Threshold", rng, (3, 5)),
        nir.Flatten(None, 0, -1),
        nir.Linear(rng.normal(size=(2, 15)).astype(np.float32)),
        neuron("CubaLIF", rng, (2,)),
    )
    return one


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("integration", ["euler", "exact"])
def test_every_other_node(integration: str) -> None:
    rng = np.random.default_rng(4)
    graph, semantics = spatial(rng), nir.Semantics(DT, "subtract", integration)
    x = 3.0 * given_to(rng, 2, 9, 8, steps=40)
    module = check(graph, semantics, x)
    assert 0 < nir.run(graph, x, semantics).output.mean() < 1
    assert learning.to_nir(module) == semantics.added_to(graph)
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(twin(torch.tensor(x)), module(torch.tensor(x)))
        assert learning.to_nir(twin) == semantics.added_to(graph)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_thresholds_are_strict_and_sums_that_reach_them_exactly_do_not_fire(seed: int) -> None:
    """Weights and gains are dyadic: sums are exact, and many of them are the threshold itself."""
    rng = np.random.default_rng(seed)
    one = np.ones(WIDTH)
    lif = nir.LIF(tau=4 * DT * one, r=4 * one, v_leak=0 * one, v_threshold=one)
    weight, x = rng.integers(-2, 3, (WIDTH, 4)) * 0.5, (rng.random((40, 5, 4)) < 0.5).astype(float)
    weight[0, 0], x[0] = 1.0, [1.0, 0.0, 0.0, 0.0]
    graph = nir.NIRGraph.from_list(nir.Linear(weight), lif)
    semantics = nir.Semantics(DT, str(rng.choice(["zero", "subtract"])), "euler")
    check(graph, semantics, x)
    loose = nir.NIRGraph.from_list(
        *[graph.nodes["linear"], nir.LIF(4 * DT * one, 4 * one, 0 * one, np.nextafter(one, 0.0))]
    )
    first = [nir.run(each, x, semantics).output[0, :, 0] for each in (graph, loose)]
    assert not first[0].any()
    assert first[1].all()
