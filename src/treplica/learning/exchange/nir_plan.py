"""In which order the nodes of a graph are computed: over all steps at once, or step by step in a cycle."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from treplica.io import nir
from treplica.io.nir.cycles import Edge, Flat, Order, flatten, holds_back, order
from treplica.io.nir.shapes import Shapes, infer


@dataclass(frozen=True)
class Loop:
    """A layer that reaches itself: its node, the matrix of the way back, and a Delay before that, or None."""

    layer: str
    matrix: str
    delay: str | None = None

    @property
    def inner(self) -> set[str]:
        """The nodes of the way back."""
        return {self.matrix} | ({self.delay} if self.delay else set())


@dataclass(frozen=True)
class Plan:
    """A flat graph in the order of its computation.

    groups: nodes that are computed together, with whether that is step by step. sources: of every node, in the order of
    the sum. order: see `io.nir.cycles`.
    """

    nodes: Mapping[str, nir.Node]
    shapes: Mapping[str, Shapes]
    groups: tuple[tuple[tuple[str, ...], bool], ...]
    sources: Mapping[str, tuple[str, ...]]
    order: Order


def loops(graph: nir.NIRGraph, semantics: nir.Semantics, firing: Collection[str]) -> list[Loop]:
    """The layers of one level of a graph that are a `Recurrent`: of `firing` those that a matrix leads back to.

    What leads back is summed last there, so it must be so in the graph too where that could make a difference.
    """
    sources: dict[str, list[str]] = {name: [] for name in graph.nodes}
    targets: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for source, target in sorted(graph.edges):
        sources[target].append(source)
        targets[source].append(target)
    found = []
    for name in firing:
        for matrix in sources[name]:
            loop = _loop(graph, name, matrix, sources, targets)
            last = len(sources[name]) < 3 or sources[name][-1] == matrix
            if loop and last and (loop.delay is None or semantics.recurrence == "least"):
                found.append(loop)
                break
    return found


def _loop(
    graph: nir.NIRGraph,
    name: str,
    matrix: str,
    sources: Mapping[str, list[str]],
    targets: Mapping[str, list[str]],
) -> Loop | None:
    weights = graph.nodes[matrix]
    alone = targets[matrix] == [name] and len(sources[matrix]) == 1
    if not isinstance(weights, (nir.Linear, nir.Affine)) or weights.weight.ndim != 2 or not alone:
        return None
    before = sources[matrix][0]
    if before == name:
        return Loop(name, matrix)
    held = graph.nodes[before]
    if isinstance(held, nir.Delay) and sources[before] == [name] and targets[before] == [matrix]:
        even = held.delay.size > 0 and (held.delay == held.delay.flat[0]).all()
        return Loop(name, matrix, before) if holds_back(held) and even else None
    return None


def plan_of(
    graph: nir.NIRGraph, covered: set[str], cells: Mapping[str, nir.Node], semantics: nir.Semantics
) -> Plan:
    """The plan of a graph.

    covered: nodes by path that are part of another node's module. cells: nodes of which a single layer does all, by
    path of the graph they stand for.
    """
    flat = flatten(_simplified(graph, cells, ""))
    shapes = infer(flat.nodes, flat.edges)
    nodes = {name: node for name, node in flat.nodes.items() if name not in covered}
    edges = tuple((s, t) for s, t in flat.edges if s in nodes and t in nodes)
    sources: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in sorted(edges):
        sources[target].append(source)
    early = (
        {name for name, node in nodes.items() if holds_back(node)} if semantics.recurrence != "added" else ()
    )
    inputs = sorted(name for name, node in graph.nodes.items() if type(node) is nir.Input)
    ordered = order(Flat(nodes, edges), inputs, early)
    groups = _groups(ordered.names, edges)
    return Plan(nodes, shapes, groups, {n: tuple(s) for n, s in sources.items()}, ordered)


def _simplified(graph: nir.NIRGraph, cells: Mapping[str, nir.Node], path: str) -> nir.NIRGraph:
    nodes: dict[str, nir.Node] = {}
    for name, node in graph.nodes.items():
        node = cells.get(path + name, node)
        nodes[name] = _simplified(node, cells, f"{path}{name}/") if isinstance(node, nir.NIRGraph) else node
    return dataclasses.replace(graph, nodes=nodes) if cells else graph


def _groups(names: tuple[str, ...], edges: tuple[Edge, ...]) -> tuple[tuple[tuple[str, ...], bool], ...]:
    """Nodes that can all reach each other are a group; groups behind those that reach them."""
    index = {name: i for i, name in enumerate(names)}
    table = np.array([(index[s], index[t]) for s, t in edges], np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(table)), (table[:, 0], table[:, 1])), shape=(len(names), len(names)))
    _, labels = connected_components(graph, connection="strong")
    members: dict[int, list[str]] = {}
    for name in names:
        members.setdefault(int(labels[index[name]]), []).append(name)
    sorter: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(members, ()))
    cyclic = set()
    for source, target in edges:
        before, after = (int(labels[index[each]]) for each in (source, target))
        if before == after:
            cyclic.add(before)
        else:
            sorter.add(after, before)
    return tuple((tuple(members[label]), label in cyclic) for label in sorter.static_order())
