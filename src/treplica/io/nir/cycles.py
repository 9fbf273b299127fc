"""Graphs without their nesting, cycles, and the order in which nodes are computed in a step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from treplica.errors import InvalidValue
from treplica.io.nir import neurons
from treplica.io.nir.node import Node

if TYPE_CHECKING:
    from treplica.io.nir.graph import NIRGraph

Edge = tuple[str, str]
Nodes = Mapping[str, Node]
STATEFUL = (neurons.I, neurons.IF, neurons.LI, neurons.LIF, neurons.CubaLI, neurons.CubaLIF)


@dataclass(frozen=True)
class Flat:
    """A graph whose nested graphs are dissolved: a node of one is called `graph/node`, its ports hand on."""

    nodes: dict[str, Node]
    edges: tuple[Edge, ...]

    @property
    def cyclic(self) -> bool:
        """Whether there is a cycle."""
        try:
            _sorted(self.nodes, self.edges)
        except CycleError:
            return True
        return False


def flatten(graph: NIRGraph) -> Flat:
    """Dissolve nested graphs, at every depth."""
    return dissolve(graph.nodes, graph.edges)


def dissolve(nodes: Nodes, edges: Iterable[Edge]) -> Flat:
    """Dissolve the graphs among `nodes`; an edge to one goes to its only Input, an edge from one leaves its Output."""
    from treplica.io.nir.graph import NIRGraph

    flat: dict[str, Node] = {}
    inner: list[Edge] = []
    entry, leave = {name: name for name in nodes}, {name: name for name in nodes}
    for name, node in nodes.items():
        if not isinstance(node, NIRGraph):
            flat[name] = node
            continue
        below = flatten(node)
        flat.update({f"{name}/{each}": part for each, part in below.nodes.items()})
        inner += [(f"{name}/{source}", f"{name}/{target}") for source, target in below.edges]
        entry[name], leave[name] = f"{name}/{node.port('Input')}", f"{name}/{node.port('Output')}"
    outer = [(leave[source], entry[target]) for source, target in edges]
    return Flat(flat, (*inner, *outer))


def holds_back(node: Node) -> bool:
    """Tell whether a node may stand in a cycle without a further delay: a delay of more than 0 for every unit."""
    return isinstance(node, neurons.Delay) and bool((node.delay > 0).all())


def check_cycles(nodes: Nodes, edges: Iterable[Edge]) -> None:
    """Refuse a cycle in which no node has a state and no Delay is longer than 0."""
    flat = dissolve(nodes, edges)
    free = {
        name for name, node in flat.nodes.items() if not isinstance(node, STATEFUL) and not holds_back(node)
    }
    try:
        _sorted(free, [edge for edge in flat.edges if free.issuperset(edge)])
    except CycleError as problem:
        way = " -> ".join(reversed(problem.args[1]))
        allowed = "one with a neuron or a Delay of more than 0 s"
        advice = "This is a graph with a cycle and no delay."
        raise InvalidValue("a cycle", way, allowed, advice) from None


def _sorted(names: Collection[str], edges: Iterable[Edge]) -> list[str]:
    """Order nodes behind their sources, those that could change places by name."""
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(sorted(names), ()))
    for source, target in sorted(edges):
        sorter.add(target, source)
    return list(sorter.static_order())


@dataclass(frozen=True)
class Order:
    """How a flat graph is computed in a step.

    - `names`: nodes in order; `early`: those that give their output before they get their input (delays)
    - `closing`: edges that close a cycle; they carry the value of the step before
    - `rest`: nodes in an order in which all can be computed when those with a state give 0
    """

    names: tuple[str, ...]
    early: frozenset[str]
    closing: frozenset[Edge]
    rest: tuple[str, ...]


def order(flat: Flat, starts: Sequence[str], early: Collection[str]) -> Order:
    """Find the edges that close cycles, and an order for the rest.

    Closing are the edges that lead back to a node on the way from the inputs, found by depth-first search. Where
    every cycle has one node through which it is entered from outside they do not depend on how the search goes; where
    not, it goes by name.
    """
    ahead = [edge for edge in flat.edges if edge[1] not in early]
    closing = _back_edges(flat.nodes, ahead, [*sorted(starts), *sorted(early), *sorted(flat.nodes)])
    names = _sorted(flat.nodes, [edge for edge in ahead if edge not in closing])
    held = {name for name, node in flat.nodes.items() if isinstance(node, STATEFUL) or holds_back(node)}
    rest = _sorted(flat.nodes, [edge for edge in flat.edges if edge[1] not in held])
    return Order(tuple(names), frozenset(early), closing, tuple(rest))


def _back_edges(nodes: Nodes, edges: Iterable[Edge], roots: Iterable[str]) -> frozenset[Edge]:
    targets: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in sorted(edges):
        targets[source].append(target)
    closing = set()
    seen: set[str] = set()
    for root in roots:
        if root in seen:
            continue
        seen.add(root)
        path = {root}
        left = [(root, iter(targets[root]))]
        while left:
            name, onward = left[-1]
            target = next(onward, "")
            if not target:
                left.pop()
                path.remove(name)
            elif target in path:
                closing.add((name, target))
            elif target not in seen:
                seen.add(target)
                path.add(target)
                left.append((target, iter(targets[target])))
    return frozenset(closing)
