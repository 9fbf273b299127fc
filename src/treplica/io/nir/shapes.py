"""Shapes through a graph: from the nodes that tell theirs to those that take what they get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from treplica.errors import InvalidValue
from treplica.io.nir.fields import Shape, within
from treplica.io.nir.node import Node

Edge = tuple[str, str]


@dataclass(frozen=True)
class Shapes:
    """Shapes of what a node takes and gives, without time and batch."""

    input: Shape
    output: Shape


def infer(nodes: Mapping[str, Node], edges: Sequence[Edge]) -> dict[str, Shapes]:
    """Return the shapes of every node, checked along every edge.

    Raises `InvalidValue` with the node, its field and both shapes where they do not fit, and for a node whose shape
    nothing tells.
    """
    found: dict[str, Shapes] = {}
    sources: dict[str, list[str]] = {name: [] for name in nodes}
    targets: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in edges:
        sources[target].append(source)
        targets[source].append(target)
    waiting = []
    for name, node in nodes.items():
        known = node.takes
        if known is not None and None not in known:
            taken = tuple(each for each in known if each is not None)
            with within(f"node {name!r}"):
                found[name] = Shapes(taken, node.gives(taken))
            waiting.append(name)
    while waiting:
        source = waiting.pop()
        for target in targets[source]:
            if target not in found:
                with within(f"node {target!r} behind node {source!r}"):
                    taken = found[source].output
                    found[target] = Shapes(taken, nodes[target].gives(taken))
                waiting.append(target)
    for name, node in nodes.items():
        if name not in found:
            advice = "Give it, or connect the node to one whose shape is known, such as an Input."
            raise InvalidValue(
                f"the input shape of node {name!r}", None, f"known for a {type(node).__name__}", advice
            )
    for source, target in edges:
        given, taken = found[source].output, found[target].input
        if given != taken:
            allowed = f"of shape {taken}, which is what this {type(nodes[target]).__name__} takes"
            raise InvalidValue(
                f"the input of node {target!r}", given, allowed, f"It comes from node {source!r}."
            )
    return found
