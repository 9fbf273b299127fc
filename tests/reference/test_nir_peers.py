"""The same NIR files in snnTorch and Norse, by their own loading: rasters event by event.

nir_peers.py runs in the environment of `make peers`. Where a raster differs, the difference is one rule, and with that
rule changed here the rasters are the same; docs/how-to/nir.md has the table.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support import shared_data

from treplica.benchmarks.peers import OWN_ENVIRONMENT
from treplica.io import nir

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")

ROOT = Path(__file__).parents[2]
SAMPLES = 300
GRAPHS = {"bias_zero": "zero", "noBias_subtract": "subtract"}
Raster = np.ndarray


def peer(folder: Path, library: str, file: Path, x: Raster, reset: str = "zero") -> dict[str, Raster]:
    """The spikes of every layer in a library, by the layer's name there; its message where it fails."""
    variable, default = OWN_ENVIRONMENT["norse"]
    python = Path(os.environ.get(variable, ROOT / default))
    if not python.exists():
        pytest.skip(f"needs the environment of peers, {python}: make it with `make peers`, or set {variable}")
    np.save(folder / "in.npy", x)
    places = dict(file=str(file), inputs=str(folder / "in.npy"), out=str(folder / "out.npz"))
    given = dict(library=library, reset=reset, dt=1e-4, **places)
    script = str(Path(__file__).parent / "nir_peers.py")
    done = subprocess.run(
        [str(python), script, json.dumps(given)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    with np.load(folder / "out.npz") as made:
        return dict(made)


def braille() -> Raster:
    with np.load(shared_data("braille", "braille7_union.npz")) as data:
        events: Raster = data["X"].transpose(1, 0, 2)[:, :SAMPLES].astype(np.float32)
    return events


def file_of(name: str) -> Path:
    return shared_data("nir", "NIR_paper", "03_rnn", f"braille_noDelay_{name}.nir")


def ours(name: str, x: Raster, bias_from: int = 0) -> dict[str, Raster]:
    """Hidden layer and output; the bias of the recurrent connection counts from a step on."""
    semantics = nir.Semantics(1e-4, GRAPHS[name], "euler", "least")
    module = learning.from_nir(file_of(name), semantics, dtype=torch.float32)
    layer, kept = module.part("lif1.lif"), {}
    layer.register_forward_hook(lambda _, __, made: kept.update(hidden=made.numpy()))

    def without(_, given):
        later = given[0].clone()
        later[:bias_from] -= layer.recurrent.bias
        return (later,)

    if bias_from:
        layer.register_forward_pre_hook(without)
    with torch.no_grad():
        return {"output": module(torch.tensor(x)).numpy(), **kept}


def test_norse_reads_braille_with_the_same_spikes(tmp_path: Path) -> None:
    x = braille()
    found = peer(tmp_path, "norse", file_of("noBias_subtract"), x, "subtract")
    wanted = ours("noBias_subtract", x)
    assert wanted["hidden"].sum() > 30_000
    assert wanted["output"].sum() > 30_000
    assert np.array_equal(found["lif1_lif"], wanted["hidden"])
    assert np.array_equal(found["lif2"], wanted["output"])


def test_norse_has_no_recurrent_bias_in_the_first_step(tmp_path: Path) -> None:
    """What comes back along a cycle is nothing in the first step there, and here what 0 spikes give: the bias."""
    x = braille()
    found = peer(tmp_path, "norse", file_of("bias_zero"), x)
    wanted = ours("bias_zero", x)
    first = np.argwhere(found["lif1_lif"] != wanted["hidden"])[0]
    assert first[0] == 1
    assert wanted["hidden"][tuple(first)] == 1.0
    changed = ours("bias_zero", x, bias_from=1)
    assert changed["hidden"].sum() > 20_000
    assert np.array_equal(found["lif1_lif"], changed["hidden"])
    assert np.array_equal(found["lif2"], changed["output"])


@pytest.mark.parametrize("library", ["snntorch", "norse"])
@pytest.mark.parametrize("name", GRAPHS)
def test_layers_without_recurrence_have_the_same_spikes(tmp_path: Path, library: str, name: str) -> None:
    """The readout of the Braille graphs as a graph of its own; snnTorch resets to zero whatever it reads."""
    graph = nir.read(file_of(name))
    hidden = ours(name, braille())["hidden"]
    readout = nir.NIRGraph.from_list(graph.nodes["fc2"], graph.nodes["lif2"])
    nir.write(tmp_path / "readout.nir", readout)
    (found,) = peer(tmp_path, library, tmp_path / "readout.nir", hidden).values()
    semantics = nir.Semantics(1e-4, "zero", "euler")
    with torch.no_grad():
        wanted = learning.from_nir(readout, semantics, dtype=torch.float32)(torch.tensor(hidden)).numpy()
    assert wanted.sum() > 30_000
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize("library", ["snntorch", "norse"])
def test_the_neuron_of_the_paper_fires_in_the_same_steps(tmp_path: Path, library: str) -> None:
    folder = shared_data("nir", "NIR_paper", "01_lif")
    given = np.loadtxt(folder / "lif_norse.csv", delimiter=",")[:, 0]
    (found,) = peer(tmp_path, library, folder / "lif_norse.nir", given[:, None, None]).values()
    assert np.flatnonzero(found).tolist() == [460, 510, 710, 760]


def test_snntorch_does_not_load_the_recurrent_graphs(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="object has no attribute 'items'"):
        peer(tmp_path, "snntorch", file_of("bias_zero"), braille()[:3, :2])


def late(graph: nir.NIRGraph, x: Raster) -> Raster:
    """The hidden layer with a reset to zero in the step after the spike, whose input is lost with it."""
    cell, back, fc = graph.nodes["lif1.lif"], graph.nodes["lif1.w_rec"], graph.nodes["fc1"]
    assert isinstance(cell, nir.CubaLIF)

    def single(values: object) -> Raster:
        return np.asarray(values, np.float32)

    alpha, beta = (single(1.0 - 1e-4 / np.float64(tau)) for tau in (cell.tau_syn, cell.tau_mem))
    currents = x @ single(fc.weight).T + single(getattr(fc, "bias", 0.0))  # type: ignore[attr-defined]
    spikes = i = v = np.zeros(currents.shape[1:], np.float32)
    made = []
    for current in currents:
        reset = v > single(cell.v_threshold)
        around = spikes @ single(back.weight).T + single(getattr(back, "bias", 0.0))  # type: ignore[attr-defined]
        i = alpha * i + current + around
        v = np.where(reset, np.float32(0.0), beta * v + i)
        spikes = single(v > single(cell.v_threshold))
        made.append(spikes)
    return np.stack(made)


@pytest.mark.parametrize("name", GRAPHS)
def test_recurrent_layers_of_snntorch_reset_one_step_late(tmp_path: Path, name: str) -> None:
    """The modules that it makes of the nodes, one after the other by hand: `RSynaptic(reset_delay=False)` delays it."""
    x, graph = braille(), nir.read(file_of(name))
    found = peer(tmp_path, "snntorch_parts", file_of(name), x)["lif1"]
    first = np.argwhere(found != ours(name, x)["hidden"])[0]
    assert first[0] == 2
    assert found.sum() > 15_000
    assert np.array_equal(found, late(graph, x))
