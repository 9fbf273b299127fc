"""The graphs that the NIR paper published, and those of other libraries.

Pedersen et al. 2024, doi:10.1038/s41467-024-52259-9; Braille data of Müller-Cleve et al. 2022, CC BY 4.0. The paper's
graphs have dt = 1e-4 s; that of its convolutional network counts input without time, dt = 1.
"""

from pathlib import Path
from typing import Any

import nir as standard
import numpy as np
import pytest
from support import shared_data

from treplica.errors import DescriptionError
from treplica.io import nir

PAPER = nir.Semantics(dt=1e-4, reset="zero", integration="euler", recurrence="least")

# What the published files break; the others are read.
NAMED_LIF1 = (
    "graph 'lif1': edge 'input' -> 'lif' must be between nodes of the graph, got 'lif'. They are: input, lif1"
)
BROKEN = {
    "NIR_paper/01_lif/lif_rockpool.nir": (
        r"the input of node 'output' must be of shape \(1, 1, 1\), .* got \(1,\). It comes from node '1_LIFNeuronTorch'"
    ),
    "NIR_paper/03_rnn/extras/braille_noDelay_bias_zero_subgraph.nir": NAMED_LIF1,
    "NIR_paper/03_rnn/extras/braille_noDelay_noBias_subtract_subgraph.nir": NAMED_LIF1,
}
READ = {
    "NIR_paper/01_lif/debug_spike_representation/two_lif_neurons.nir": 6,
    "NIR_paper/01_lif/lif_norse.nir": 4,
    "NIR_paper/02_cnn/cnn_sinabs.nir": 15,
    "NIR_paper/03_rnn/braille_noDelay_bias_zero.nir": 7,
    "NIR_paper/03_rnn/braille_noDelay_noBias_subtract.nir": 7,
    "norse/test/braille.nir": 7,
    "snntorch/examples/scnn_mnist.nir": 15,
    "snntorch/tests/lif.nir": 4,
}


def paper(*parts: str) -> Path:
    return shared_data("nir", "NIR_paper", *parts)


def test_every_published_graph_is_named_here() -> None:
    folder = shared_data("nir")
    assert {
        path.relative_to(folder).as_posix() for path in folder.rglob("*.nir")
    } == READ.keys() | BROKEN.keys()


@pytest.mark.parametrize("name", READ)
def test_published_graphs_are_read_and_written(name: str, tmp_path: Path) -> None:
    graph = nir.read(shared_data("nir") / name)
    assert len(graph.nodes) == READ[name]
    nir.write(tmp_path / "again.nir", graph)
    assert nir.read(tmp_path / "again.nir") == graph
    theirs, again = standard.read(shared_data("nir") / name), standard.read(tmp_path / "again.nir")
    assert theirs.nodes.keys() == again.nodes.keys() == graph.nodes.keys()
    for key, node in theirs.nodes.items():
        for field, value in node.to_dict().items():
            wanted, found = np.asarray(value), np.asarray(again.nodes[key].to_dict()[field])
            assert wanted.dtype == found.dtype, (key, field)
            assert np.array_equal(wanted, found), (key, field)


@pytest.mark.parametrize("name", BROKEN)
def test_published_graphs_that_break_the_standard_are_refused(name: str) -> None:
    with pytest.raises(DescriptionError, match=BROKEN[name]):
        nir.read(shared_data("nir") / name)
    with pytest.raises((ValueError, KeyError)):
        standard.read(shared_data("nir") / name)


@pytest.mark.parametrize(("dtype", "room"), [("float32", 1e-8), ("float64", 3e-8)])
def test_the_neuron_of_the_paper_follows_the_trace_of_norse(dtype: str, room: float) -> None:
    """The trace was computed in single precision and has columns input, potential, spike."""
    given, potential, spikes = np.loadtxt(paper("01_lif", "lif_norse.csv"), delimiter=",").T
    graph = nir.read(paper("01_lif", "lif_norse.nir"))
    found = nir.run(graph, given[:, None, None], PAPER, record=["1"], dtype=dtype)
    assert np.flatnonzero(found.output).tolist() == [460, 510, 710, 760] == np.flatnonzero(spikes).tolist()
    assert np.abs(found.recorded["1"]["v"].ravel() - potential).max() < room


def braille() -> tuple[Any, Any]:
    with np.load(shared_data("braille", "braille7_union.npz")) as data:
        return data["X"].transpose(1, 0, 2), data["y"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "reset", "bar"), [("bias_zero", "zero", 0.96), ("noBias_subtract", "subtract", 0.97)]
)
def test_the_braille_readers_of_the_paper_read(name: str, reset: str, bar: float, dtype: str) -> None:
    """1,158 samples of 7 letters, by the output that fires most. The paper's best, of 140 others: 95.0 %, 93.57 %."""
    graph = nir.read(paper("03_rnn", f"braille_noDelay_{name}.nir"))
    events, letters = braille()
    semantics = nir.Semantics(dt=1e-4, reset=reset, integration="euler", recurrence="least")
    found = nir.run(graph, events, semantics, dtype=dtype)
    counts = found.output.sum(0)
    assert len(letters) == 1158
    assert (counts.argmax(1) == letters).mean() >= bar


def test_a_nested_layer_reads_as_well_as_the_flat_one() -> None:
    """The paper's nested files name a node that is not there; the same graph with the name put right."""
    flat = nir.read(paper("03_rnn", "braille_noDelay_bias_zero.nir"))
    layer = nir.NIRGraph(
        {
            "input": nir.Input([38]),
            "lif": flat.nodes["lif1.lif"],
            "lin": flat.nodes["lif1.w_rec"],
            "output": nir.Output([38]),
        },
        [("input", "lif"), ("lif", "lin"), ("lin", "lif"), ("lif", "output")],
    )
    nested = nir.NIRGraph.from_list(flat.nodes["fc1"], layer, flat.nodes["fc2"], flat.nodes["lif2"])
    events = braille()[0][:, :100]
    wanted = nir.run(flat, events, PAPER, record=["lif1.lif"])
    found = nir.run(nested, events, PAPER, record=["nirgraph/lif"])
    assert wanted.output.sum() > 100
    assert np.array_equal(found.output, wanted.output)
    assert np.array_equal(found.recorded["nirgraph/lif"]["v"], wanted.recorded["lif1.lif"]["v"])


def test_the_convolutional_network_of_the_paper_runs() -> None:
    graph = nir.read(paper("02_cnn", "cnn_sinabs.nir"))
    assert graph.shapes["1"].output == (16, 16, 16)
    events = np.random.default_rng(0).random((20, 1, 2, 34, 34)) < 0.1
    found = nir.run(graph, events, nir.Semantics(dt=1.0, reset="subtract"), record=["1"], dtype="float32")
    first = found.recorded["1"]["output"]
    assert found.output.shape == (20, 1, 10)
    assert found.output.sum() > 0
    assert set(np.unique(first)) == {0.0, 1.0}
