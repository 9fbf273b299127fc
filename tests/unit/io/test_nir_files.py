"""NIR files: read and written as the standard's own package does, and refused with what is wrong."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import nir as standard
import numpy as np
import pytest
from nir_examples import METADATA, convolution, large, neuron, some

from treplica.errors import InvalidValue, OutputError
from treplica.io import nir
from treplica.io.nir.node import NODES

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


def test_the_package_loads_h5py_only_to_read_or_write() -> None:
    code = "import sys; from treplica.io import nir; print(*{'h5py', 'torch', 'numba'}.intersection(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
