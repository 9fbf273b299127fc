"""Graphs of NIR: shapes found from the inputs on, what is refused, cycles."""

import itertools
from collections.abc import Callable

import nir as standard
import numpy as np
import pytest
import torch

from treplica.errors import InvalidValue
from treplica.io import nir
from treplica.io.nir.cycles import flatten, order

CHAIN = [("in", "a"), ("a", "out")]


def lif(n: int) -> nir.LIF:
    return nir.LIF(*[np.ones(n)] * 4)


def conv(channels: int, groups: int, axes: int, **how: object) -> nir.Conv1d | nir.Conv2d:
    kind = nir.Conv1d if axes == 1 else nir.Conv2d
    kernel = (3,) if axes == 1 else (3, 2)
    given = dict(input_shape=None, stride=1, padding=0, dilation=1, groups=groups, bias=np.zeros(4))
    return kind(**{**given, "weight": np.ones((4, channels // groups, *kernel)), **how})


def graph(
    *, extra: dict[str, nir.Node] | None = None, edges: object = CHAIN, **nodes: nir.Node
) -> nir.NIRGraph:
    given = {"in": nir.Input([3]), "a": lif(3), "out": nir.Output([3]), **nodes, **(extra or {})}
    return nir.NIRGraph(given, edges)  # type: ignore[arg-type]


chain = nir.NIRGraph.from_list


def loop(**nodes: nir.Node) -> nir.NIRGraph:
    """A layer with a recurrent connection."""
    made = {"in": nir.Input([3]), "a": lif(3), "w": nir.Linear(np.eye(3)), "out": nir.Output([3]), **nodes}
    return nir.NIRGraph(made, [("in", "a"), ("a", "w"), ("w", "a"), ("a", "out")])


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), [
    (1, 0, 1, 1), (2, 1, 1, 2), (3, 2, 2, 1), (1, "same", 2, 2), (1, "valid", 1, 1), (2, "valid", 3, 2),
])  # fmt: skip
def test_shapes_of_convolutions_are_those_of_pytorch(
    axes: int, stride: int, padding: int | str, dilation: int, groups: int
) -> None:
    size = (13, 9)[:axes]
    node = conv(2, groups, axes, stride=stride, padding=padding, dilation=dilation)
    made = nir.NIRGraph.from_list(nir.Input((2, *size)), node)
    layer = torch.nn.Conv1d if axes == 1 else torch.nn.Conv2d
    theirs = layer(2, 4, node.weight.shape[2:], stride, padding, dilation, groups)(torch.zeros(1, 2, *size))
    assert made.shapes["output"].output == tuple(theirs.shape[1:])
    filled = made.nodes[f"conv{axes}d"]
    assert filled.input_shape.tolist() == (size[0] if axes == 1 else list(size))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [(0, -1, (24,)), (1, -1, (2, 12)), (0, 1, (6, 4)), (-2, -1, (2, 12)), (1, 1, (2, 3, 4))],
)
def test_flatten_counts_no_batch(start: int, end: int, wanted: tuple[int, ...]) -> None:
    made = nir.NIRGraph.from_list(nir.Input((2, 3, 4)), nir.Flatten(None, start, end))
    assert made.shapes["flatten"].output == wanted
    assert made.nodes["flatten"].input_type.tolist() == [2, 3, 4]  # type: ignore[attr-defined]


def test_shapes_and_names_are_those_of_the_standards_package() -> None:
    weight, one = np.ones((4, 2, 3, 3)), np.array([1, 1])
    parts = (weight, 1, 0, 1, 1, np.ones(4))
    pool, flat = (np.array([2, 2]), np.array([2, 2]), one * 0), (0, -1)
    ours = nir.NIRGraph.from_list(
        nir.Input([2, 9, 9]), nir.Conv2d(None, *parts), nir.SumPool2d(*pool), nir.Flatten(None, *flat),
        nir.Affine(np.ones((5, 36)), np.ones(5)), lif(5), nir.Linear(np.ones((6, 5))), lif(6),
    )  # fmt: skip
    theirs = standard.NIRGraph.from_list(
        standard.Input({"input": np.array([2, 9, 9])}), standard.Conv2d(None, *parts), standard.SumPool2d(*pool),
        standard.Flatten(None, *flat), standard.Affine(np.ones((5, 36)), np.ones(5)),
        standard.LIF(*[np.ones(5)] * 4), standard.Linear(np.ones((6, 5))), standard.LIF(*[np.ones(6)] * 4),
    )  # fmt: skip
    assert list(ours.nodes) == list(theirs.nodes)
    assert list(ours.edges) == [tuple(edge) for edge in theirs.edges]
    for name, node in theirs.nodes.items():
        taken, given = next(iter(node.input_type.values())), next(iter(node.output_type.values()))
        assert (ours.shapes[name].input, ours.shapes[name].output) == (tuple(taken), tuple(given)), name


def test_shapes_go_around_a_cycle_and_through_nested_graphs() -> None:
    inner = nir.NIRGraph(
        {
            "in": nir.Input([2, 4, 4]),
            "pool": nir.AvgPool2d(2, 2, 0),
            "flat": nir.Flatten(None, 0),
            "out": nir.Output([8]),
        },
        [("in", "pool"), ("pool", "flat"), ("flat", "out")],
    )
    made = nir.NIRGraph.from_list(nir.Input([2, 4, 4]), inner, nir.Linear(np.ones((3, 8))), lif(3))
    assert made.shapes["nirgraph"].output == (8,)
    assert inner.shapes["pool"].output == (2, 2, 2)
    assert loop(w=nir.Flatten(None, 0)).shapes["w"].input == (3,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: graph(a=lif(4)),
            r"input of node 'a' must be of shape \(4,\), .* LIF takes, got \(3,\). It comes from node 'in'",
        ),
        (
            lambda: graph(out=nir.Output([3, 1])),
            r"input of node 'out' must be of shape \(3, 1\), .* got \(3,\)",
        ),
        (
            lambda: graph(edges=[*CHAIN, ("a", "b")]),
            r"edge 'a' -> 'b' must be between nodes of the graph, got 'b'",
        ),
        (lambda: graph(edges=[*CHAIN, ("in", "a")]), r"edge 'in' -> 'a' must be there once"),
        (lambda: graph(edges=["ia"]), r"an edge must be pairs"),
        (lambda: graph(edges=[("in", "a", "out")]), r"an edge must be pairs"),
        (lambda: graph(edges=5), r"NIRGraph.edges must be pairs"),
        (
            lambda: graph(edges=[*CHAIN, ("a", "in")]),
            r"node 'in' must be without one, got 'an Input with an edge into it'",
        ),
        (lambda: graph(edges=[*CHAIN, ("out", "a")]), r"node 'out' must be without one"),
        (lambda: graph(edges=[("in", "out")]), r"node 'a' must be connected, got 'without an edge into it'"),
        (
            lambda: graph(extra={"b": lif(3)}, edges=[*CHAIN, ("a", "b")]),
            r"node 'b' must be connected, .*out of it",
        ),
        (lambda: nir.NIRGraph({"a": lif(3)}, []), r"the number of Input nodes must be at least 1"),
        (lambda: nir.NIRGraph({}, []), r"NIRGraph.nodes must be"),
        (lambda: graph(extra={"a/b": lif(3)}), r"the name of a node must be a text without '/'"),
        (lambda: graph(a=3), r"node 'a' must be a node, such as"),
        (
            lambda: graph(a=nir.AvgPool2d(2, 2, 0)),
            r"node 'a' behind node 'in': .* of AvgPool2d must be .*\(any, any, any\), got \(3,\)",
        ),
        (
            lambda: chain(nir.Input([3, 8]), conv(2, 1, 1)),
            r"node 'conv1d' .* of shape \(2, any\), got \(3, 8\)",
        ),
        (
            lambda: chain(nir.Input([2, 2]), conv(2, 1, 1)),
            r"node 'conv1d' .* large enough for one window of 3 .*, got \(2,\)",
        ),
        (
            lambda: chain(nir.Input([2, 2]), nir.Flatten(None, 1, 0)),
            r"Flatten.start_dim and end_dim must be .*got \(1, 0\). The input has shape \(2, 2\)",
        ),
        (
            lambda: nir.NIRGraph.from_list(nir.AvgPool2d(2, 2, 0)),
            r"input shape of node 'avgpool2d' must be known",
        ),
        (lambda: nir.NIRGraph.from_list(), r"NIRGraph.nodes must be"),
        (
            lambda: loop(a=nir.Threshold(np.ones(3))),
            r"a cycle must be one with a neuron .* got '(a -> w|w -> a)",
        ),
        (lambda: loop(a=nir.Delay([1.0, 0.0, 1.0])), r"a graph with a cycle and no delay"),
        (lambda: loop(a=nir.NIRGraph.from_list(nir.Scale(np.ones(3)))), r"a cycle must be .*a/scale"),
    ],
)
def test_what_breaks_the_standard_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        make()


def test_a_nested_graph_has_one_way_in_and_one_out() -> None:
    two = nir.NIRGraph(
        {"x": nir.Input([3]), "y": nir.Input([3]), "a": lif(3), "out": nir.Output([3])},
        [("x", "a"), ("y", "a"), ("a", "out")],
    )
    with pytest.raises(
        InvalidValue, match=r"node 'a': the Input nodes of the graph must be a single one, got \['x', 'y'\]"
    ):
        graph(a=two)


def test_equality_of_graphs_does_not_see_the_order() -> None:
    one, other = loop(), loop()
    turned = nir.NIRGraph(dict(reversed(one.nodes.items())), one.edges[::-1])
    assert one == other == turned
    assert one != loop(w=nir.Linear(2 * np.eye(3)))
    assert one != graph()
    assert one != nir.NIRGraph(one.nodes, one.edges, metadata={"a": 1})


@pytest.mark.parametrize("node", [lif(3), nir.IF(*[np.ones(3)] * 2), nir.LI(*[np.ones(3)] * 3), nir.I(np.ones(3)),
                                  nir.CubaLIF(*[np.ones(3)] * 5), nir.CubaLI(*[np.ones(3)] * 4), nir.Delay(np.ones(3)),
                                  nir.NIRGraph.from_list(lif(3))])  # fmt: skip
def test_a_state_or_a_delay_makes_a_cycle_computable(node: nir.Node) -> None:
    assert flatten(loop(a=node)).cyclic
    assert not flatten(graph(a=node)).cyclic


def test_closing_edges_lead_back_whatever_the_order_of_edges() -> None:
    """Two layers with recurrence each, and feedback from the second to the first."""
    nodes = {"in": nir.Input([3]), "out": nir.Output([3]), "one": lif(3), "two": lif(3)}
    nodes |= {name: nir.Linear(np.eye(3)) for name in ("own1", "own2", "back", "ahead")}
    edges = [("in", "one"), ("one", "own1"), ("own1", "one"), ("one", "ahead"), ("ahead", "two"), ("two", "own2"),
             ("own2", "two"), ("two", "back"), ("back", "one"), ("one", "two"), ("two", "out")]  # fmt: skip
    found = set()
    for shift in range(len(edges)):
        flat = flatten(nir.NIRGraph(nodes, edges[shift:] + edges[:shift]))
        way = order(flat, ["in"], ())
        found.add((way.closing, way.names, way.rest))
        place = {name: at for at, name in enumerate(way.names)}
        assert all(place[a] < place[b] for a, b in flat.edges if (a, b) not in way.closing)
    assert len(found) == 1
    assert next(iter(found))[0] == {("own1", "one"), ("own2", "two"), ("back", "one")}


def test_any_permutation_of_names_gives_the_same_closing_edge() -> None:
    for names in itertools.permutations("abc"):
        first, weight, last = names
        nodes = {"in": nir.Input([3]), first: lif(3), weight: nir.Linear(np.eye(3)), last: nir.Output([3])}
        flat = flatten(nir.NIRGraph(nodes, [("in", first), (first, weight), (weight, first), (first, last)]))
        assert order(flat, ["in"], ()).closing == {(weight, first)}
