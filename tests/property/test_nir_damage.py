"""NIR files with damaged bytes, swapped shapes and arbitrary graphs: only errors of Treplica come out."""

import tempfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from treplica.errors import DescriptionError
from treplica.io import nir
from treplica.io.nir.node import NODES

PLACES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=8)
NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8
).filter(lambda name: name != ".")
ARRAYS = arrays.arrays(
    st.sampled_from([np.float32, np.int16, np.bool_]), arrays.array_shapes(min_side=0, max_dims=2)
)
NUMBERS = st.one_of(st.floats(), st.integers(-(2**63), 2**63 - 1), st.booleans(), ARRAYS)
METADATA = st.dictionaries(
    NAMES,
    st.recursive(
        st.one_of(NUMBERS, NAMES), lambda below: st.dictionaries(NAMES, below, max_size=3), max_leaves=5
    ),
    max_size=4,
)


def recurrent() -> nir.NIRGraph:
    one = np.linspace(0.5, 1.0, 4)
    layer = nir.NIRGraph(
        {
            "in": nir.Input([4]),
            "lif": nir.CubaLIF(*[one] * 5),
            "w": nir.Linear(np.eye(4)),
            "out": nir.Output([4]),
        },
        [("in", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "out")],
    )
    pool = nir.SumPool2d((2, 2), (2, 2), (0, 0))
    return nir.NIRGraph.from_list(
        nir.Input([1, 4, 4]), pool, nir.Flatten(None, 0), layer, metadata={"dt": 1e-4, "by": "a test"}
    )


def written(graph: nir.NIRGraph) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        nir.write(Path(folder) / "a.nir", graph)
        return (Path(folder) / "a.nir").read_bytes()


DATA = written(recurrent())


def outcome(data: bytes) -> nir.NIRGraph | None:
    """What is read, or None where it is refused as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.nir"
        path.write_bytes(data)
        try:
            return nir.read(path)
        except DescriptionError as problem:
            named = str(path) in str(problem)
    assert named
    return None


def test_the_undamaged_file_is_read() -> None:
    assert outcome(DATA) == recurrent()


@settings(max_examples=300)
@given(PLACES)
def test_flipped_bytes_are_refused_or_give_a_graph(flips: list[tuple[float, int]]) -> None:
    data = bytearray(DATA)
    for place, bits in flips:
        data[int(place * len(data))] ^= bits
    found = outcome(bytes(data))
    if found is not None:
        assert outcome(written(found)) == found


@given(st.floats(0, 1, exclude_max=True))
def test_cut_files_are_refused(part: float) -> None:
    assert outcome(DATA[: int(part * len(DATA))]) is None


@given(st.binary(max_size=300), st.booleans())
def test_noise_is_refused(noise: bytes, signed: bool) -> None:
    assert outcome(DATA[:8] * signed + noise) is None


@st.composite
def swaps(draw: st.DrawFn) -> tuple[str, Any]:
    """A data set of the file and what to put in its place."""
    names: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.nir"
        path.write_bytes(DATA)
        with h5py.File(path) as file:
            file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    texts = st.sampled_from([*NODES, "same", "", "lif"])
    shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
    kinds = st.sampled_from(["f4", "f8", "i8", "u1", "?", "c8", "S3"])
    return draw(st.sampled_from(sorted(names))), draw(st.one_of(texts, arrays.arrays(kinds, shapes)))


@settings(max_examples=300)
@given(swaps())
def test_other_values_are_refused_or_give_a_graph(swap: tuple[str, Any]) -> None:
    name, value = swap
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.nir"
        path.write_bytes(DATA)
        with h5py.File(path, "a") as file:
            del file[name]
            file[name] = value
        found = outcome(path.read_bytes())
    if found is not None:
        assert outcome(written(found)) == found


@given(METADATA, NAMES)
def test_names_and_metadata_go_through_files(metadata: dict[str, Any], name: str) -> None:
    node = nir.Scale(np.ones(2, np.float32), metadata=metadata)
    other = name + "'"
    graph = nir.NIRGraph(
        {name: nir.Input([2]), other: node, name + "''": nir.Output([2])},
        [(name, other), (other, name + "''")],
        metadata=metadata,
    )
    assert outcome(written(graph)) == graph
