"""NIR files that break the standard, are damaged or are none: refused with what is wrong, before anything is made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from nir_examples import convolution, large

from treplica.errors import DescriptionError
from treplica.io import nir


def changed(name: str, value: object, **how: Any) -> Callable[[Any], None]:
    """Put another value in the place of a data set; None only removes it."""

    def change(file: Any) -> None:
        if name in file:
            del file[name]
        if value is not None:
            file.create_dataset(name, data=value, **how)

    return change


def linked(file: Any) -> None:
    del file["node/nodes/affine/bias"]
    file["node/nodes/affine/bias"] = h5py.ExternalLink("/etc/other.h5", "/x")


def looped(file: Any) -> None:
    file["node/nodes/nirgraph/nodes/again"] = file["node/nodes/nirgraph"]


def grouped(file: Any) -> None:
    del file[f"{LIF}/tau"]
    file.create_group(f"{LIF}/tau")


def stateless(file: Any) -> None:
    """The neuron of the cycle becomes a Threshold, its Delay is 0."""
    del file[LIF]
    changed(f"{LIF}/type", "Threshold")(file)
    changed(f"{LIF}/threshold", np.ones(5))(file)
    changed("node/nodes/nirgraph/nodes/delay/delay", np.zeros(5))(file)


LIF = "node/nodes/nirgraph/nodes/lif"
BROKEN: dict[str, tuple[Callable[[Any], None], str]] = {
    "unknown type": (
        changed(f"{LIF}/type", "LIFF"),
        r"node 'nirgraph/lif': type 'LIFF' is not known. .* 'LIF'\?",
    ),
    "type of a number": (changed(f"{LIF}/type", 3), r"lif/type is not a text"),
    "no type": (changed(f"{LIF}/type", None), r"node 'nirgraph/lif' has no field 'type'"),
    "unknown field": (
        changed(f"{LIF}/tao", [1.0]),
        r"node 'nirgraph/lif': a LIF has no field 'tao' \(its fields: tau, r,",
    ),
    "missing field": (
        changed(f"{LIF}/tau", None),
        r"node 'nirgraph/lif': the field 'tau' of this LIF is missing",
    ),
    "swapped shape": (
        changed("node/nodes/affine/weight", np.ones((9, 5))),
        r"node 'affine': the shape of Affine.bias must be \(9,\), .* got \(5,\)",
    ),
    "shape along an edge": (
        changed("node/nodes/input/shape", [3, 8, 8]),
        r"the input of node 'conv2d' must be of shape \(2, 8, 8\), .* got \(3, 8, 8\). It comes from node 'input'",
    ),
    "field of another shape": (
        changed(f"{LIF}/r", np.ones(4)),
        r"node 'nirgraph/lif': the shape of LIF.r must be \(5,\), which is that of LIF.tau, got \(4,\)",
    ),
    "a whole layer of another shape": (
        changed("node/nodes/nirgraph/nodes/input/shape", [4]),
        r"graph 'nirgraph': the input of node 'lif' must be of shape \(5,\), .* got \(4,\)",
    ),
    "texts for numbers": (
        changed(f"{LIF}/tau", ["a"] * 5),
        r"node 'nirgraph/lif': LIF.tau must be numbers, got dtype",
    ),
    "truths for numbers": (
        changed(f"{LIF}/tau", [True] * 5),
        r"LIF.tau must be numbers, got dtype\('bool'\)",
    ),
    "complex numbers": (changed(f"{LIF}/tau", [1j] * 5), r"lif/tau holds .* neither numbers nor texts"),
    "not a number": (changed(f"{LIF}/tau", [np.nan] * 5), r"LIF.tau must be numbers, not NaN"),
    "fractions for whole numbers": (
        changed("node/nodes/input/shape", [2.0, 8.0, 8.0]),
        r"Input.shape must be a row of whole",
    ),
    "a group for numbers": (grouped, r"lif/tau is not a data set"),
    "a number for a node": (changed(LIF, 3.0), r"node 'nirgraph/lif' is not a group"),
    "an empty data set": (changed(f"{LIF}/tau", h5py.Empty("f4")), r"lif/tau is not a data set"),
    "edge to nowhere": (
        changed("node/edges", [["input", "lif"]]),
        r"edge 'input' -> 'lif' must be between .* got 'lif'",
    ),
    "edges of three": (
        changed("node/edges", [["input", "conv2d", "lif"]]),
        r"edges has the shape \(1, 3\), not \(n, 2\)",
    ),
    "edges of numbers": (changed("node/edges", [[1, 2]]), r"edges holds int64, not texts"),
    "no edges": (changed("node/edges", None), r"its nodes or its edges are missing"),
    "no nodes": (changed("node/nodes", None), r"its nodes or its edges are missing"),
    "field of a graph": (changed("node/type_check", True), r"a NIRGraph has no field 'type_check'"),
    "cycle": (
        stateless,
        r"graph 'nirgraph': a cycle must be one with a neuron .* This is a graph with a cycle and no delay",
    ),
    "no graph": (changed("node", None), r"it has no group 'node'"),
    "another graph": (changed("node/type", "LIF"), r"its group 'node' is of type 'LIF'"),
    "a later version": (changed("version", "2.0"), r"its version is '2.0'"),
    "link to another file": (linked, r"affine/bias is a link to another place"),
    "a graph within itself": (looped, r"is not a readable NIR file|is not a valid NIR file"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_files_that_break_the_standard_are_refused(case: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.nir"
    nir.write(path, large())
    change, message = BROKEN[case]
    with h5py.File(path, "a") as file:
        change(file)
    with pytest.raises(DescriptionError, match=message) as caught:
        nir.read(path)
    assert str(caught.value).startswith(str(path))


def test_a_shape_larger_than_the_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    nir.write(tmp_path / "a.nir", large())
    with h5py.File(tmp_path / "a.nir", "a") as file:
        del file["node/nodes/affine/bias"]
        file.create_dataset("node/nodes/affine/bias", (10**12,), "f8", chunks=(1000,))
    with pytest.raises(
        DescriptionError, match=r"affine/bias has the shape \(1000000000000,\), more than the file"
    ):
        nir.read(tmp_path / "a.nir")


@pytest.mark.parametrize("text", ["NIRGraph", "Conv2d"])
def test_damaged_texts_are_refused_where_the_library_would_not_come_back(text: str, tmp_path: Path) -> None:
    """A length in the heap that leads into zeros, and a text of 4 GB: the library walks forever, or takes the room."""
    nir.write(tmp_path / "a.nir", nir.NIRGraph.from_list(nir.Input([2, 9, 8]), nir.Conv2d(**convolution(2))))
    data = (tmp_path / "a.nir").read_bytes()
    heap, length = data.index(b"GCOL"), len(text).to_bytes(8, "little")
    inside = data.index(length + text.encode(), heap)
    index = data[inside - 8 : inside - 4]
    outside = data.index(length[:4] + heap.to_bytes(8, "little") + index[:2] + b"\0\0")
    for place in (inside + 1, outside + 3):
        broken = bytearray(data)
        broken[place] = 3
        (tmp_path / "a.nir").write_bytes(broken)
        with pytest.raises(DescriptionError, match="is damaged: one of its texts is not in the file"):
            nir.read(tmp_path / "a.nir")


def test_texts_of_fixed_length_are_read_and_pieces_are_not(tmp_path: Path) -> None:
    nir.write(tmp_path / "a.nir", nir.NIRGraph.from_list(nir.Scale([1.0])))
    wanted = nir.read(tmp_path / "a.nir")
    with h5py.File(tmp_path / "a.nir", "a") as file:
        edges = file["node/edges"][()]
        del file["node/edges"], file["node/type"]
        file["node/edges"], file["node/type"] = edges.astype("S8"), np.bytes_(b"NIRGraph")
    assert nir.read(tmp_path / "a.nir") == wanted
    with h5py.File(tmp_path / "a.nir", "a") as file:
        del file["node/edges"]
        file.create_dataset("node/edges", data=edges, chunks=True)
    with pytest.raises(DescriptionError, match="node/edges holds texts in pieces"):
        nir.read(tmp_path / "a.nir")


def test_what_is_no_nir_file_is_refused(tmp_path: Path) -> None:
    nir.write(tmp_path / "a.nir", large())
    data = (tmp_path / "a.nir").read_bytes()
    (tmp_path / "cut.nir").write_bytes(data[: len(data) // 2])
    (tmp_path / "empty.nir").write_bytes(b"")
    (tmp_path / "text.nir").write_text("version 1", "utf-8")
    with h5py.File(tmp_path / "foreign.nir", "w") as file:
        file["spikes"] = [1, 2, 3]
    messages = {
        "cut": "is not a readable NIR file",
        "empty": "is not an HDF5 file",
        "text": "is not an HDF5 file",
        "foreign": "it has no group 'node'",
        "absent": "there is no such file",
    }
    for name, message in messages.items():
        with pytest.raises(DescriptionError, match=message):
            nir.read(tmp_path / f"{name}.nir")
    with pytest.raises(DescriptionError):
        nir.read(tmp_path)
