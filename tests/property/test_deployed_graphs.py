"""Graphs of NIR as networks: the simulator gives what their modules give, bit for bit."""

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pytest
from support import shared_data
from test_nir_modules import DT, WIDTH, graph_of, neuron

import treplica as tr
from treplica.errors import InvalidValue
from treplica.io import nir

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")

PAPER = nir.Semantics(dt=1e-4, reset="zero", integration="euler", recurrence="least")
SUBTRACT = dataclasses.replace(PAPER, reset="subtract")
SINABS = nir.Semantics(dt=1.0, reset="subtract", integration="euler", recurrence="least")
#: Integrators, whose potentials do not travel, and the neurons that fire instead.
FIRING: dict[Any, Any] = {nir.I: nir.IF, nir.LI: nir.LIF, nir.CubaLI: nir.CubaLIF}
#: What random graphs may hold that no simulation can follow.
REFUSED = ("Only spikes travel", "too little delay", "delays alone", "with Neurons")


def settled(node: nir.Node) -> nir.Node:
    """The node at rest without input, its factors dyadic; one that fires instead of an integrator."""
    if isinstance(node, nir.NIRGraph):
        return dataclasses.replace(node, nodes={name: settled(each) for name, each in node.nodes.items()})
    fields: dict[str, Any] = {}
    if type(node) in FIRING:
        own = {name: getattr(node, name) for name in type(node).field_names()}
        level = np.full(own["r"].shape, 0.25)
        return settled(FIRING[type(node)](**own, v_threshold=level, v_reset=0.0 * level))
    for name in type(node).field_names():
        value = getattr(node, name)
        if name == "v_leak":
            fields[name] = np.zeros_like(value)
        elif name == "threshold":
            fields[name] = np.abs(value)
        elif name == "scale":
            fields[name] = np.sign(value) * np.float64(0.75)
        elif name in ("weight", "bias"):
            fields[name] = np.round(value * 2.0, 0) / 2.0 + (0.5 if name == "weight" else 0.0)
    return dataclasses.replace(node, **fields)


def check(module: Any, x: np.ndarray, engine: str = "plain", exact: bool = True) -> float:
    """The output of the simulation, compared with the module's; its sum."""
    learning.snap_(module)
    deployed = learning.from_torch(module)
    assert not exact or all(deployed.exact.values())
    given_ = torch.tensor(x)
    with torch.no_grad():
        wanted = module(given_)
    found = deployed.simulate(given_, engine=engine)[deployed.output]
    np.testing.assert_array_equal(found.numpy(), wanted.numpy())
    return float(wanted.abs().sum())


def test_random_graphs() -> None:
    """Chains and cycles, delays, thresholds and nested graphs, refused where a simulation cannot follow."""
    done: Counter[str] = Counter()
    for seed in range(24):
        rng = np.random.default_rng(seed)
        graph = settled(graph_of(rng))
        assert isinstance(graph, nir.NIRGraph)
        words = [
            str(rng.choice(pair)) for pair in (["zero", "subtract"], ["euler", "exact"], ["least", "added"])
        ]
        module = learning.from_nir(graph, nir.Semantics(DT, *words))
        kind = "cyclic" if module.plan.order.closing or module.loops else "ahead"
        x = (rng.random((12, 1, WIDTH)) < 0.5).astype(float)
        try:
            done[kind] += check(module, x, exact=False) > 0
        except InvalidValue as error:
            if not any(word in str(error) for word in REFUSED):
                raise
            done["refused"] += 1
    assert min(done["ahead"], done["cyclic"]) >= 3, done


def test_cycles_and_what_they_carry_at_first() -> None:
    """An Affine in a cycle gives its bias before any spike; so does a Scale behind it; a delay gives nothing."""
    rng = np.random.default_rng(1)
    lif = settled(neuron("LIF", rng))
    nodes = {
        "in": nir.Input([WIDTH]), "a": lif, "b": lif, "out": nir.Output([WIDTH]),
        "w": nir.Affine(rng.integers(-2, 3, (WIDTH, WIDTH)) * 0.5, np.array([0.5, -0.25, 1.0])),
        "s": nir.Scale(np.array([0.5, 2.0, -1.0])), "d": nir.Delay(np.array([1.0, 2.0, 3.0]) * DT),
    }  # fmt: skip
    edges = [("in", "a"), ("a", "d"), ("d", "b"), ("b", "w"), ("w", "s"), ("s", "a"), ("b", "out")]
    x = (rng.random((30, 2, WIDTH)) < 0.5).astype(float)
    semantics = {word: nir.Semantics(DT, "zero", "euler", word) for word in ("least", "added")}

    def module(word: str) -> Any:
        return learning.from_nir(nir.NIRGraph(nodes, edges), semantics[word])  # type: ignore[arg-type]

    with pytest.raises(InvalidValue, match="too little delay"):
        learning.from_torch(module("least"))
    assert check(module("added"), x) > 5
    nodes["d"] = nir.Delay(np.array([2.0, 2.0, 3.0]) * DT)
    assert check(module("least"), x) > 5
    assert check(module("added"), x) > 5


PUBLISHED = {
    "NIR_paper/01_lif/lif_norse.nir": (PAPER, 0.2),
    "NIR_paper/02_cnn/cnn_sinabs.nir": (SINABS, 0.1),
    "norse/test/braille.nir": (PAPER, 0.2),
    "snntorch/examples/scnn_mnist.nir": (SINABS, 0.1),
    "snntorch/tests/lif.nir": (PAPER, 0.2),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_graphs(name: str) -> None:
    semantics, rate = PUBLISHED[name]
    module = learning.from_nir(shared_data("nir") / name, semantics)
    shape = module.graph.shapes[module.graph.port("Input")].input
    x = (np.random.default_rng(0).random((15, 1, *shape)) < rate).astype(float)
    check(module, x, "cpu")


def test_the_neuron_of_the_paper_in_the_simulator() -> None:
    """The input of the paper's trace gives its spikes."""
    path = shared_data("nir", "NIR_paper", "01_lif")
    x, _, spikes = np.loadtxt(path / "lif_norse.csv", delimiter=",").T
    deployed = learning.from_torch(learning.from_nir(path / "lif_norse.nir", PAPER))
    found = deployed.simulate(torch.tensor(x)[:, None, None], engine="cpu")[deployed.output]
    assert found.flatten().nonzero().flatten().tolist() == [460, 510, 710, 760]
    assert np.flatnonzero(spikes).tolist() == [460, 510, 710, 760]


@pytest.mark.parametrize(("name", "semantics"), [("bias_zero", PAPER), ("noBias_subtract", SUBTRACT)])
def test_braille_readers_read_real_samples_in_the_simulator(name: str, semantics: nir.Semantics) -> None:
    """The file goes into the simulator: every spike of 40 samples is the module's, and that is the interpreter's."""
    with np.load(shared_data("braille", "braille7_union.npz")) as data:
        x = data["X"][::29].transpose(1, 0, 2).astype(float)
    path = shared_data("nir", "NIR_paper", "03_rnn", f"braille_noDelay_{name}.nir")
    module = learning.from_nir(path, semantics)
    before = nir.run(nir.read(path), x, semantics).output
    assert check(module, x, "cpu") == before.sum() > 1000


def test_nodes_that_cannot_be_simulated_are_named() -> None:
    path = shared_data("nir", "NIR_paper", "01_lif", "debug_spike_representation", "two_lif_neurons.nir")
    with pytest.raises(InvalidValue, match=r"lif1: initial v .* begin at rest"):
        learning.from_torch(learning.from_nir(path, PAPER))
    size = np.ones(2)
    integrator, lif = nir.LI(0.01 * size, size, 0 * size), nir.LIF(0.01 * size, size, 0 * size, size)
    graph = nir.NIRGraph.from_list(integrator, nir.Linear(np.eye(2)), lif)
    with pytest.raises(InvalidValue, match=r"module 'linear': takes must be spikes, got 'v of li'"):
        learning.from_torch(learning.from_nir(graph, PAPER))
    nodes = {"d": nir.Delay(1e-4 * size), "w": nir.Linear(0.5 * np.eye(2)), "n": lif}
    ports = {"in": nir.Input([2]), "out": nir.Output([2])}
    edges = [("in", "d"), ("d", "w"), ("w", "d"), ("d", "n"), ("n", "out")]
    loop = nir.NIRGraph({**ports, **nodes}, edges)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="delays alone feed back"):
        learning.from_torch(learning.from_nir(loop, PAPER))
    ready = learning.from_torch(learning.from_nir(nir.NIRGraph.from_list(lif), PAPER))
    with pytest.raises(InvalidValue, match="spikes: 0 or 1"):
        ready.simulate(torch.full((3, 1, 2), 0.5))
    assert isinstance(ready.network.population("lif").neuron, tr.model.Instance)
