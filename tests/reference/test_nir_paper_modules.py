"""The graphs that the NIR paper published, and those of other libraries, as modules."""

from pathlib import Path

import numpy as np
import pytest
from support import shared_data

from treplica.io import nir

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")

PAPER = nir.Semantics(dt=1e-4, reset="zero", integration="euler", recurrence="least")
SINABS = nir.Semantics(dt=1.0, reset="subtract", integration="euler", recurrence="least")
#: Graphs that follow the standard, the number of steps that are compared, and what they leave open.
GRAPHS = {
    "NIR_paper/01_lif/debug_spike_representation/two_lif_neurons.nir": (100, PAPER),
    "NIR_paper/01_lif/lif_norse.nir": (100, PAPER),
    "NIR_paper/02_cnn/cnn_sinabs.nir": (15, SINABS),
    "NIR_paper/03_rnn/braille_noDelay_bias_zero.nir": (60, PAPER),
    "NIR_paper/03_rnn/braille_noDelay_noBias_subtract.nir": (60, PAPER),
    "norse/test/braille.nir": (60, PAPER),
    "snntorch/examples/scnn_mnist.nir": (15, PAPER),
    "snntorch/tests/lif.nir": (60, PAPER),
}


def paper(*parts: str) -> Path:
    return shared_data("nir", "NIR_paper", *parts)


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("integration", ["euler", "exact"])
def test_published_graphs_are_computed_as_the_interpreter_does(name: str, integration: str) -> None:
    steps, semantics = GRAPHS[name]
    semantics = nir.Semantics(semantics.dt, semantics.reset, integration, "least")
    path = shared_data("nir") / name
    graph = nir.read(path)
    shape = graph.shapes[graph.port("Input")].input
    x = (np.random.default_rng(0).random((steps, 3, *shape)) < 0.2).astype(float)
    module = learning.from_nir(path, semantics)
    with torch.no_grad():
        found = module(torch.tensor(x)).numpy()
    wanted = nir.run(graph, x, semantics).output
    spikes = set(np.unique(wanted)) <= {0.0, 1.0}
    assert np.array_equal(found, wanted) if spikes else np.abs(found - wanted).max() < 1e-12
    kept = semantics.added_to(graph)
    assert learning.to_nir(module) == kept == learning.to_nir(learning.from_nir(kept))


@pytest.mark.parametrize(("dtype", "room"), [("float32", 1e-8), ("float64", 3e-8)])
def test_the_neuron_of_the_paper_follows_the_trace_of_norse(dtype: str, room: float) -> None:
    given, potential, spikes = np.loadtxt(paper("01_lif", "lif_norse.csv"), delimiter=",").T
    kind = getattr(torch, dtype)
    module = learning.from_nir(paper("01_lif", "lif_norse.nir"), PAPER, dtype=kind)
    x = torch.tensor(given[:, None, None], dtype=kind)
    with torch.no_grad():
        output = module(x).flatten()
        layer = learning.Neurons(module.part("1").neuron, 1, dt=module.part("1").dt, record=("v",))
        v = layer.run(module.part("0")(x)).recorded["v"].flatten().numpy()
    assert output.nonzero().flatten().tolist() == [460, 510, 710, 760] == np.flatnonzero(spikes).tolist()
    assert np.abs(v - potential).max() < room


@pytest.mark.parametrize(
    ("name", "reset", "bar"), [("bias_zero", "zero", 0.96), ("noBias_subtract", "subtract", 0.97)]
)
def test_the_braille_readers_of_the_paper_read(name: str, reset: str, bar: float) -> None:
    """1,158 samples; the readers become a `Recurrent` and a readout, and every spike is the interpreter's."""
    with np.load(shared_data("braille", "braille7_union.npz")) as data:
        events, letters = data["X"].transpose(1, 0, 2).astype(float), data["y"]
    graph = nir.read(paper("03_rnn", f"braille_noDelay_{name}.nir"))
    semantics = nir.Semantics(1e-4, reset, "euler", "least")
    module = learning.from_nir(graph, semantics)
    assert isinstance(module.part("lif1.lif"), learning.Recurrent)
    with torch.no_grad():
        found = module(torch.tensor(events)).numpy()
        single = learning.from_nir(graph, semantics, dtype=torch.float32)(
            torch.tensor(events).float()
        ).numpy()
    assert len(letters) == 1158
    assert np.array_equal(found, nir.run(graph, events, semantics).output)
    for output in (found, single):
        assert (output.sum(0).argmax(1) == letters).mean() >= bar


def test_a_published_reader_can_be_trained() -> None:
    path = paper("03_rnn", "braille_noDelay_bias_zero.nir")
    module = learning.from_nir(path, PAPER, learn={"lif1.lif": ("tau_mem", "w_in")}, dtype=torch.float32)
    x = (torch.rand(40, 8, 12, generator=torch.Generator().manual_seed(0)) < 0.2).float()
    module(x).sum(0).square().sum().backward()
    gradients = [p.grad for p in module.parameters()]
    assert len(gradients) == 8
    assert all(g is not None and bool(g.isfinite().all()) and bool(g.any()) for g in gradients)
