"""NIR files, which are HDF5:

version                 text
node                    a NIRGraph
    type                text, for every node
    nodes/NAME          its nodes
    edges               [n, 2] texts: from, to
    metadata            only where there are some, for every node
    FIELD               of other nodes: numbers or a text
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from treplica.coding.files import reading, replacing
from treplica.errors import DescriptionError, InvalidValue, TreplicaError, UnknownName
from treplica.io.nir.graph import NIRGraph, completed
from treplica.io.nir.heaps import Heaps
from treplica.io.nir.node import NODES, Node

VERSION = "1.0.8"
WHAT = "NIR file"
# NIR 1.0.8 has the node Identity, but neither writes nor reads it.
FILED = [name for name in NODES if name != "Identity"]
# gzip cannot pack zeros tighter than about 1030 to 1: what claims to be larger is damaged.
MOST_PACKED = 2048


class _Refused(Exception):
    """What is wrong with a file, before its name is added."""


def read(path: str | os.PathLike[str]) -> NIRGraph:
    """Read a graph from a .nir file of NIR 0.1 to 1.0.

    Nodes without an edge into or out of them get an Input or Output, named `input_NAME` and `output_NAME`, as the
    standard's own package does; `v_reset`, which older files do not have, is 0.

    Raises `DescriptionError` with the file, and the node, field and shapes concerned: for an unknown type of node, an
    unknown or missing field, a field of a wrong type or shape, shapes that do not fit along an edge, an edge to a node
    that is not there, a cycle without delay, and for what is not a NIR file or a damaged one.
    """
    place = Path(path)
    with reading(place, WHAT):
        import h5py

        data = place.read_bytes()
        if not h5py.is_hdf5(place):
            raise DescriptionError(place, "is not an HDF5 file", "A .nir file is one; it may be cut off.")
        try:
            with h5py.File(place, "r") as file:
                return _Reader(file, data).graph()
        except (_Refused, TreplicaError) as problem:
            text = str(problem).rstrip(".")
            raise DescriptionError(place, f"is not a valid {WHAT}: {text}") from problem


class _Reader:
    """Reads one open file, of which `data` are the bytes."""

    def __init__(self, file: Any, data: bytes) -> None:
        self.file, self.heaps = file, Heaps(data, file.userblock_size)
        self.room = MOST_PACKED * len(data)

    def graph(self) -> NIRGraph:
        if self.holds(self.file, "version"):
            version = self.text(self.file, "version")
            if version.partition(".")[0] not in ("0", "1"):
                raise _Refused(f"its version is {version!r}, and 0.1 to 1.x can be read")
        if not self.is_group(self.file, "node"):
            raise _Refused("it has no group 'node', which holds the graph")
        top = self.file["node"]
        kind = self.text(top, "type") if self.holds(top, "type") else None
        if kind != "NIRGraph":
            raise _Refused(f"its group 'node' is of type {kind!r}, not 'NIRGraph'")
        return self.nested(top, "")

    def node(self, group: Any, path: str) -> Node:
        kind = self.text(group, "type") if self.holds(group, "type") else None
        if kind is None:
            raise _Refused(f"node {path!r} has no field 'type'")
        if kind == "NIRGraph":
            return self.nested(group, path)
        if kind not in FILED:
            raise _Refused(f"node {path!r}: {UnknownName('type', kind, FILED)}")
        fields = NODES[kind].field_names()
        values: dict[str, Any] = {}
        for name in self.names(group):
            if name == "metadata":
                values[name] = self.metadata(group, name)
            elif name in fields:
                values[name] = self.value(group, name)
            elif name != "type":
                raise _Refused(
                    f"node {path!r}: a {kind} has no field {name!r} (its fields: {', '.join(fields)})"
                )
        for name, default in fields.items():
            if name not in values and name in NODES[kind].INFERRED:
                values[name] = None
            elif name not in values and default is dataclasses.MISSING:
                raise _Refused(f"node {path!r}: the field {name!r} of this {kind} is missing")
        try:
            return NODES[kind](**values)
        except InvalidValue as problem:
            raise _Refused(f"node {path!r}: {problem}") from problem

    def nested(self, group: Any, path: str) -> NIRGraph:
        where = f"graph {path!r}: " if path else ""
        for name in self.names(group):
            if name not in ("type", "nodes", "edges", "metadata"):
                raise _Refused(f"{where}a NIRGraph has no field {name!r}")
        if not self.is_group(group, "nodes") or not self.holds(group, "edges"):
            raise _Refused(f"{where}its nodes or its edges are missing")
        inner = group["nodes"]
        nodes: dict[str, Node] = {}
        for name in self.names(inner):
            below = f"{path}/{name}" if path else name
            if not self.is_group(inner, name):
                raise _Refused(f"node {below!r} is not a group")
            nodes[name] = self.node(inner[name], below)
        metadata = self.metadata(group, "metadata") if self.holds(group, "metadata") else {}
        try:
            return NIRGraph(*completed(nodes, self.edges(group)), metadata=metadata)
        except InvalidValue as problem:
            raise _Refused(f"{where}{problem}") from problem

    def edges(self, group: Any) -> list[tuple[str, str]]:
        pairs = self.value(group, "edges")
        if not isinstance(pairs, np.ndarray) or (pairs.size and pairs.shape[1:] != (2,)):
            raise _Refused(f"{group.name}/edges has the shape {np.shape(pairs)}, not (n, 2)")
        if pairs.size and pairs.dtype.kind != "U":
            raise _Refused(f"{group.name}/edges holds {pairs.dtype}, not texts")
        return [(str(source), str(target)) for source, target in pairs] if pairs.size else []

    def metadata(self, group: Any, name: str) -> Any:
        if not self.is_group(group, name):
            return self.value(group, name)
        return {key: self.metadata(group[name], key) for key in self.names(group[name])}

    def text(self, group: Any, name: str) -> str:
        value = self.value(group, name)
        if not isinstance(value, str):
            raise _Refused(f"{group.name}/{name} is not a text")
        return value

    def value(self, group: Any, name: str) -> Any:
        """Return a data set: a text, or an array of numbers or of texts."""
        import h5py

        where = f"{group.name}/{name}"
        data = group[name] if self.holds(group, name) else None
        if not isinstance(data, h5py.Dataset) or data.shape is None or data.external:
            raise _Refused(f"{where} is not a data set of this file")
        self.room -= data.size * data.dtype.itemsize
        if self.room < 0:
            raise _Refused(f"{where} has the shape {data.shape}, more than the file can hold")
        kind = h5py.check_string_dtype(data.dtype)
        if kind is None:
            if data.dtype.kind not in "fiub":
                raise _Refused(f"{where} holds {data.dtype}, neither numbers nor texts")
            return np.asarray(data[()])
        if kind.length is None:
            found = self.texts(data, where)
        else:
            found = [each.decode("utf-8") for each in np.asarray(data[()]).flat]
        return found[0] if data.shape == () else np.array(found, dtype=np.str_).reshape(data.shape)

    def texts(self, data: Any, where: str) -> list[str]:
        place = data.id.get_offset()
        if place is None and data.size:
            raise _Refused(f"{where} holds texts in pieces, where they should lie in a row")
        try:
            return self.heaps.texts(place or 0, data.size)
        except ValueError as problem:
            raise _Refused(f"{where} is damaged: {problem}") from problem

    def names(self, group: Any) -> list[str]:
        return list(group)

    def holds(self, group: Any, name: str) -> bool:
        """Tell whether there is such a thing in this very file; links to other files are refused."""
        import h5py

        if name not in group:
            return False
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise _Refused(f"{group.name}/{name} is a link to another place")
        return True

    def is_group(self, group: Any, name: str) -> bool:
        import h5py

        return self.holds(group, name) and isinstance(group[name], h5py.Group)


def write(path: str | os.PathLike[str], graph: NIRGraph) -> None:
    """Write a graph as a .nir file that NIR 1.0.8 reads; it is written beside its place and renamed.

    Raises `InvalidValue` for what is not a graph and for an Identity, which NIR 1.0.8 refuses in files, and
    `OutputError` where the place cannot be written.
    """
    if not isinstance(graph, NIRGraph):
        raise InvalidValue("what to write", graph, "a nir.NIRGraph", "NIRGraph.from_list makes one of nodes.")
    _check_writable(graph, "")
    with replacing(path) as beside:
        import h5py

        with h5py.File(beside, "w") as file:
            _write_value(file, "version", VERSION)
            _write_node(file.create_group("node"), graph)


def _check_writable(graph: NIRGraph, path: str) -> None:
    for name, node in graph.nodes.items():
        if isinstance(node, NIRGraph):
            _check_writable(node, f"{path}{name}/")
        elif type(node).__name__ not in FILED:
            advice = "Use a Scale of ones."
            raise InvalidValue(f"node {path + name!r}", node, "of a type that NIR 1.0.8 has in files", advice)


def _write_node(group: Any, node: Node) -> None:
    _write_value(group, "type", type(node).__name__)
    if node.metadata:
        _write_value(group, "metadata", node.metadata)
    if isinstance(node, NIRGraph):
        inner = group.create_group("nodes")
        for name, each in node.nodes.items():
            _write_node(inner.create_group(name), each)
        _write_value(group, "edges", np.array(node.edges, np.str_).reshape(-1, 2))
        return
    for name in type(node).field_names():
        _write_value(group, name, getattr(node, name))


def _write_value(group: Any, name: str, value: object) -> None:
    import h5py

    if isinstance(value, Mapping):
        inner = group.create_group(name)
        for key, each in value.items():
            _write_value(inner, key, each)
    elif isinstance(value, str):
        group.create_dataset(name, data=value, dtype=h5py.string_dtype())
    elif isinstance(value, np.ndarray) and value.dtype.kind == "U":
        group.create_dataset(name, data=value.astype(object), dtype=h5py.string_dtype())
    else:
        array = np.asarray(value)
        packing = {"compression": "gzip"} if array.ndim and array.size else {}
        group.create_dataset(name, data=array, **packing)
