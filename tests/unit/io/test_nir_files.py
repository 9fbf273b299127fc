"""NIR files: read and written as the standard's own package does, and refused with what is wrong."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nir as standard
import numpy as np
import pytest

from treplica.errors import DescriptionError, InvalidValue, OutputError
from treplica.io import nir
from treplica.io.nir.node import NODES

RNG = np.random.default_rng(5)


def some(*shape: int, kind: Any = np.float32) -> np.ndarray[Any, Any]:
    return RNG.random(shape).astype(kind)


def convolution(axes: int, **changed: object) -> dict[str, Any]:
    weight = some(4, 2, *(3,) * axes)
    size = 9 if axes == 1 else (9, 8)
    stride, padding, dilation = (2, 1, 1) if axes == 1 else ((2, 2), (1, 1), (1, 1))
    made = dict(
        input_shape=size,
        weight=weight,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=1,
        bias=some(4),
    )
    return {**made, **changed}


def neuron(*names: str, kind: Any = np.float32) -> dict[str, Any]:
    return {name: some(3, 2, kind=kind) for name in names}


# Constructor arguments that mean the same for both packages, except ports.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "affine": ("Affine", {"weight": some(3, 4, kind=np.float64), "bias": some(3)}),
    "affine of whole numbers": ("Affine", {"weight": np.arange(12).reshape(3, 4), "bias": np.arange(3)}),
    "stack of matrices": ("Linear", {"weight": some(2, 3, 4, kind=np.float16)}),
    "scale": ("Scale", {"scale": some(3, 2)}),
    "threshold": ("Threshold", {"threshold": some(3)}),
    "delay": ("Delay", {"delay": some(3)}),
    "integrator": ("I", neuron("r")),
    "if": ("IF", neuron("r", "v_threshold", "v_reset")),
    "if without reset": ("IF", neuron("r", "v_threshold")),
    "li": ("LI", neuron("tau", "r", "v_leak")),
    "lif": ("LIF", neuron("tau", "r", "v_leak", "v_threshold", "v_reset")),
    "lif without reset": ("LIF", neuron("tau", "r", "v_leak", "v_threshold")),
    "lif of mixed types": (
        "LIF",
        {**neuron("r", "v_leak", "v_threshold"), "tau": some(3, 2, kind=np.float64)},
    ),
    "cubali": ("CubaLI", neuron("tau_syn", "tau_mem", "r", "v_leak", "w_in")),
    "cubali without w_in": ("CubaLI", neuron("tau_syn", "tau_mem", "r", "v_leak")),
    "cubalif": ("CubaLIF", neuron("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in")),
    "cubalif without both": (
        "CubaLIF",
        neuron("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", kind=float),
    ),
    "conv1d": ("Conv1d", convolution(1)),
    "conv1d same": ("Conv1d", convolution(1, padding="same", stride=1)),
    "conv2d": ("Conv2d", convolution(2)),
    "conv2d of pairs": ("Conv2d", convolution(2, stride=(1, 2), padding=(0, 1), dilation=np.array([2, 1]))),
    "conv2d valid": ("Conv2d", convolution(2, padding="valid")),
    "flatten": ("Flatten", {"input_type": np.array([2, 3, 4]), "start_dim": 0, "end_dim": -2}),
}
POOLS = {"kernel_size": np.array([2, 3]), "stride": np.array([2, 2]), "padding": np.array([1, 0])}
METADATA = {"dt": 1e-4, "n": 3, "reset": "zero", "deep": {"a": np.arange(3), "b": "ü"}}


def pair(kind: str, fields: dict[str, Any]) -> tuple[nir.NIRGraph, Any]:
    """The same graph of one node by both packages."""
    theirs = {**fields, "input_type": {"input": fields["input_type"]}} if kind == "Flatten" else fields
    node = getattr(standard, kind)(**theirs, metadata=dict(METADATA))
    graph = standard.NIRGraph.from_list(node)
    graph.metadata = dict(METADATA)
    own = nir.NIRGraph.from_list(NODES[kind](**fields, metadata=METADATA), metadata=METADATA)
    return own, graph


def fields_of(node: Any) -> dict[str, Any]:
    """Fields of a node of the standard's package, under their names in files."""
    found = {key: value for key, value in node.to_dict().items() if key not in ("type", "metadata")}
    return {key: np.asarray(value) for key, value in found.items() if key not in ("nodes", "edges")}


def check_same(ours: nir.Node, theirs: Any) -> None:
    assert type(ours).__name__ == type(theirs).__name__
    if isinstance(ours, nir.NIRGraph):
        assert ours.nodes.keys() == theirs.nodes.keys()
        assert set(ours.edges) == {tuple(edge) for edge in theirs.edges}
        for name, node in ours.nodes.items():
            check_same(node, theirs.nodes[name])
    else:
        found = fields_of(theirs)
        assert found.keys() == type(ours).field_names().keys()
        for name, value in found.items():
            own = np.asarray(getattr(ours, name))
            assert (own.dtype, own.shape, own.tobytes()) == (value.dtype, value.shape, value.tobytes()), name
    assert ours.metadata.keys() == theirs.metadata.keys()


@pytest.mark.parametrize("case", CASES)
def test_what_the_standards_package_writes_is_read(case: str, tmp_path: Path) -> None:
    own, theirs = pair(*CASES[case])
    standard.write(tmp_path / "a.nir", theirs)
    found = nir.read(tmp_path / "a.nir")
    check_same(found, standard.read(tmp_path / "a.nir"))
    assert found == own
    assert found.metadata["deep"]["b"] == "ü"


@pytest.mark.parametrize("case", CASES)
def test_what_is_written_the_standards_package_reads(case: str, tmp_path: Path) -> None:
    own, _ = pair(*CASES[case])
    nir.write(tmp_path / "a.nir", own)
    theirs = standard.read(tmp_path / "a.nir")
    check_same(own, theirs)
    assert nir.read(tmp_path / "a.nir") == own
    standard.write(tmp_path / "b.nir", theirs)
    assert nir.read(tmp_path / "b.nir") == own


def large() -> nir.NIRGraph:
    """Nested, recurrent, delayed, with pooling."""
    one = np.ones(5)
    inner = nir.NIRGraph(
        {
            "input": nir.Input([5]),
            "lif": nir.LIF(one, one, one, one),
            "w": nir.Linear(np.eye(5)),
            "delay": nir.Delay(one),
            "output": nir.Output([5]),
        },
        [("input", "lif"), ("lif", "w"), ("w", "delay"), ("delay", "lif"), ("lif", "output")],
        metadata={"dt": 0.1},
    )
    return nir.NIRGraph.from_list(
        nir.Input([2, 8, 8]), nir.Conv2d(None, some(3, 2, 3, 3), 1, 1, 1, 1, some(3)), nir.SumPool2d(**POOLS),
        nir.AvgPool2d(**POOLS), nir.Flatten(None, 0), nir.Affine(some(5, 9), some(5)), inner, metadata=METADATA,
    )  # fmt: skip


def test_nested_recurrent_graphs_go_both_ways(tmp_path: Path) -> None:
    graph = large()
    nir.write(tmp_path / "a.nir", graph)
    theirs = standard.read(tmp_path / "a.nir")
    check_same(graph, theirs)
    standard.write(tmp_path / "b.nir", theirs)
    found = nir.read(tmp_path / "b.nir")
    assert found == graph
    assert found.shapes["nirgraph"].output == (5,)
    with h5py.File(tmp_path / "a.nir") as file:
        assert file["version"][()] == b"1.0.8"
        assert file["node/nodes/affine/weight"].compression == "gzip"


@pytest.mark.parametrize("shape", [(4, 1, 3, 3), (4, 2, 3, 2)])
def test_groups_and_oblong_kernels_pass_the_package_without_its_check(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    """What `docs/how-to/nir.md` says of NIR 1.0.8."""
    node = nir.Conv2d((9, 8), some(*shape), 1, 0, 1, 2 // shape[1], some(4))
    graph = nir.NIRGraph.from_list(node)
    assert graph.shapes["output"].output == (4, 7, 9 - shape[3])
    nir.write(tmp_path / "a.nir", graph)
    with pytest.raises(ValueError, match="type mismatch"):
        standard.read(tmp_path / "a.nir")
    check_same(graph, standard.read(tmp_path / "a.nir", type_check=False))


def test_older_files_have_no_reset_and_no_w_in(tmp_path: Path) -> None:
    one = np.full(3, 2.0, np.float32)
    layer = nir.CubaLIF(one, one, one, one, one)
    nir.write(tmp_path / "a.nir", nir.NIRGraph.from_list(layer))
    with h5py.File(tmp_path / "a.nir", "a") as file:
        del file["node/nodes/cubalif/v_reset"], file["node/nodes/cubalif/w_in"], file["version"]
        file["version"] = "0.2.0"
    assert nir.read(tmp_path / "a.nir").nodes["cubalif"] == layer
    assert layer.v_reset.tolist() == [0.0] * 3
    assert layer.w_in.dtype == np.float32


def test_ports_that_are_missing_are_added_as_the_standards_package_does(tmp_path: Path) -> None:
    nodes = {
        "a": standard.Linear(np.ones((3, 2))),
        "b": standard.Scale(np.ones(3)),
        "c": standard.Scale(np.ones(3)),
    }
    graph = standard.NIRGraph(dict(nodes), [("a", "b"), ("a", "c")], type_check=False)
    standard.write(tmp_path / "a.nir", graph)
    check_same(nir.read(tmp_path / "a.nir"), standard.read(tmp_path / "a.nir"))
    assert nir.read(tmp_path / "a.nir").shapes["input_a"].output == (2,)


def test_a_file_in_place_survives_a_failure(tmp_path: Path) -> None:
    nir.write(tmp_path / "a.nir", large())
    before = (tmp_path / "a.nir").read_bytes()
    identity = nir.NIRGraph.from_list(nir.Identity([3]))
    for graph in (identity, nir.NIRGraph.from_list(nir.Input([3]), identity)):
        with pytest.raises(
            InvalidValue, match=r"identity' must be of a type that NIR 1.0.8 has .* a Scale of ones"
        ):
            nir.write(tmp_path / "a.nir", graph)
    with pytest.raises(InvalidValue, match="what to write"):
        nir.write(tmp_path / "a.nir", nir.Scale([1.0]))  # type: ignore[arg-type]
    with pytest.raises(OutputError, match="does not exist"):
        nir.write(tmp_path / "none" / "a.nir", large())
    assert (tmp_path / "a.nir").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.nir"]


def test_two_writings_are_the_same_bytes(tmp_path: Path) -> None:
    graph = large()
    nir.write(tmp_path / "a.nir", graph)
    nir.write(tmp_path / "b.nir", graph)
    assert (tmp_path / "a.nir").read_bytes() == (tmp_path / "b.nir").read_bytes()


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


def test_the_package_loads_h5py_only_to_read_or_write() -> None:
    code = "import sys; from treplica.io import nir; print(*{'h5py', 'torch', 'numba'}.intersection(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
