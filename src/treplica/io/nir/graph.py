"""A graph of nodes: checked when it is made."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from treplica.errors import InvalidValue
from treplica.io.nir.cycles import check_cycles
from treplica.io.nir.fields import OpenShape, Shape, same, within
from treplica.io.nir.metadata import check_name
from treplica.io.nir.node import Node, as_dictionary, entered
from treplica.io.nir.nodes import Input, Output
from treplica.io.nir.shapes import Edge, Shapes, infer

PORTS: dict[str, type[Node]] = {"Input": Input, "Output": Output}


@entered
@dataclass(frozen=True, eq=False, repr=False)
class NIRGraph(Node):
    """Nodes and the edges between them; a graph may be a node of another one.

    - `nodes`: by name, at least one Input and one Output; names may not contain "/"
    - `edges`: pairs (from, to); several edges to one node are summed. Edges that close a cycle are allowed where a
      node of the cycle has a state or is a Delay of more than 0 s
    - `metadata`: see `Node`; `Semantics` says which keys have a meaning

    Shapes are found from the inputs on: `graph.shapes["name"]` has `.input` and `.output`, without time and batch. The
    fields that follow from them (the input_shape of convolutions, the input_type of Flatten) are filled in.

    Raises `InvalidValue`, which names the node and both shapes where shapes do not fit along an edge, and for an edge
    to a node that is not there, two equal edges, a node without a way in or out, a cycle without delay, and a nested
    graph with several inputs or outputs (an edge cannot tell which of them it means).
    """

    nodes: dict[str, Node]
    edges: tuple[Edge, ...]
    shapes: dict[str, Shapes] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        nodes = _as_nodes(self.nodes)
        edges = _as_edges(self.edges, nodes)
        _check_ports(nodes, edges)
        shapes = infer(nodes, edges)
        filled = {name: node.filled(shapes[name].input) for name, node in nodes.items()}
        check_cycles(filled, edges)
        values = {"nodes": filled, "edges": edges, "shapes": shapes}
        values["metadata"] = as_dictionary("NIRGraph", self.metadata)
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_list(cls, *nodes: Node, metadata: dict[str, Any] | None = None) -> NIRGraph:
        """Return a chain of nodes, named by their types: `affine`, `lif`, `affine_1`, …

        An Input and an Output are added where the chain does not have them.
        """
        counts: Counter[str] = Counter()
        chain: dict[str, Node] = {}
        for node in nodes:
            base = type(node).__name__.lower() if isinstance(node, Node) else "node"
            chain[f"{base}_{counts[base]}" if counts[base] else base] = node
            counts[base] += 1
        chain = _as_nodes(chain)
        shapes = infer(chain, list(zip(chain, list(chain)[1:], strict=False)))
        if type(nodes[0]) is not Input:
            chain = {"input": Input(np.array(shapes[next(iter(chain))].input, np.int64)), **chain}
        if type(nodes[-1]) is not Output:
            chain["output"] = Output(np.array(shapes[list(chain)[-1]].output, np.int64))
        edges = tuple(zip(chain, list(chain)[1:], strict=False))
        return cls(chain, edges, metadata=metadata or {})

    def port(self, kind: str) -> str:
        """Return the name of the only "Input" or "Output"; raises `InvalidValue` where there are several."""
        found = [name for name, node in self.nodes.items() if type(node) is PORTS[kind]]
        if len(found) != 1:
            raise InvalidValue(f"the {kind} nodes of the graph", found, "a single one", "Which one is meant?")
        return found[0]

    @property
    def takes(self) -> OpenShape:
        """Shape of the only Input."""
        return self.shapes[self.port("Input")].input

    def gives(self, taken: Shape) -> Shape:
        """Shape of the only Output."""
        self._check_taken(taken)
        return self.shapes[self.port("Output")].output

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NIRGraph):
            return NotImplemented
        alike = self.nodes == other.nodes and set(self.edges) == set(other.edges)
        return alike and same(self.metadata, other.metadata)

    __hash__ = None

    def __repr__(self) -> str:
        return f"<NIRGraph: {len(self.nodes)} nodes, {len(self.edges)} edges>"


def completed(nodes: Mapping[str, Node], edges: Sequence[Edge]) -> tuple[dict[str, Node], tuple[Edge, ...]]:
    """Add an Input before nodes without an edge into them and an Output behind those without an edge out of them.

    So does the standard's own package, with the same names. Raises `InvalidValue` where a shape cannot be told.
    """
    found, added = dict(nodes), list(_as_edges(edges, nodes))
    shapes = infer(found, added)
    sources, targets = {source for source, _ in added}, {target for _, target in added}
    for name, node in nodes.items():
        if name not in targets and type(node) is not Input:
            port = _free(f"input_{name}", found)
            found[port] = Input(np.array(shapes[name].input, np.int64))
            added.append((port, name))
        if name not in sources and type(node) is not Output:
            port = _free(f"output_{name}", found)
            found[port] = Output(np.array(shapes[name].output, np.int64))
            added.append((name, port))
    return found, tuple(added)


def _free(name: str, taken: Mapping[str, Node]) -> str:
    number, free = 0, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def _as_nodes(nodes: object) -> dict[str, Node]:
    if not isinstance(nodes, Mapping) or not nodes:
        raise InvalidValue("NIRGraph.nodes", nodes, "a dictionary of at least one node by name")
    for name, node in nodes.items():
        check_name("the name of a node", name)
        if not isinstance(node, Node):
            raise InvalidValue(f"node {name!r}", node, "a node, such as nir.LIF(...)")
    return {str(name): node for name, node in nodes.items()}


def _as_edges(edges: object, nodes: Mapping[str, Node]) -> tuple[Edge, ...]:
    allowed = "pairs (from, to) of names of nodes"
    if isinstance(edges, str) or not isinstance(edges, Iterable):
        raise InvalidValue("NIRGraph.edges", edges, allowed)
    found: dict[Edge, None] = {}
    for edge in edges:
        pair = tuple(edge) if isinstance(edge, Iterable) and not isinstance(edge, str) else ()
        if len(pair) != 2 or not all(isinstance(end, str) for end in pair):
            raise InvalidValue("an edge", edge, allowed)
        shown = f"edge {pair[0]!r} -> {pair[1]!r}"
        for end in pair:
            if end not in nodes:
                raise InvalidValue(shown, end, "between nodes of the graph", f"They are: {', '.join(nodes)}.")
        if pair in found:
            raise InvalidValue(shown, "two of them", "there once", "Give a factor of 2 by a Scale.")
        found[pair[0], pair[1]] = None
    return tuple(found)


def _check_ports(nodes: Mapping[str, Node], edges: Sequence[Edge]) -> None:
    sources, targets = {source for source, _ in edges}, {target for _, target in edges}
    for kind, port in PORTS.items():
        if not any(type(node) is port for node in nodes.values()):
            raise InvalidValue(
                f"the number of {kind} nodes", 0, "at least 1", f"Add nir.{kind}(shape) and an edge."
            )
    for name, node in nodes.items():
        own = type(node)
        if own is Input and name in targets:
            raise InvalidValue(f"node {name!r}", "an Input with an edge into it", "without one")
        if own is Output and name in sources:
            raise InvalidValue(f"node {name!r}", "an Output with an edge out of it", "without one")
        if own is not Input and name not in targets:
            raise InvalidValue(
                f"node {name!r}", "without an edge into it", "connected", "Add one from an Input."
            )
        if own is not Output and name not in sources:
            raise InvalidValue(
                f"node {name!r}", "without an edge out of it", "connected", "Add one to an Output."
            )
        if isinstance(node, NIRGraph):
            for kind in PORTS:
                with within(f"node {name!r}"):
                    node.port(kind)
