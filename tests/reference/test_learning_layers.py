"""The layer that benchmarks of learning measure: plain PyTorch against the equations in numpy, peers against it."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from treplica.benchmarks.peers import OWN_ENVIRONMENT
from treplica.errors import SimulationError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def layers(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """benchmarks/learning_layers.py; its peers' environment, or this one where there is none."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.chdir(ROOT)
    return importlib.import_module("learning_layers")


def spikes_and_gradient(folder: Path, decay: float, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """The equations of with_torch.py, and the adjoint worked out by hand, in float64.

    With u = decay * v + x, s = [u >= 1] and v = u (1 - s), s constant there: the gradient g of u is
    direction * s'(u - 1) + decay * (1 - s) * g of the next step, and the weights' is the sum of g times the input.
    """
    x, weights, direction = (
        np.load(folder / f"{name}.npy").astype(float) for name in ("input", "weights", "direction")
    )
    u, s = np.zeros_like(direction), np.zeros_like(direction)
    v = np.zeros_like(direction[0])
    for t, current in enumerate(x @ weights.T):
        u[t] = decay * v + current
        s[t] = u[t] >= 1.0
        v = u[t] * (1.0 - s[t])
    slope = alpha / 2 / (1 + (np.pi / 2 * alpha * (u - 1.0)) ** 2)
    gradient, g = np.zeros_like(weights), np.zeros_like(v)
    for t in range(len(x) - 1, -1, -1):
        g = direction[t] * slope[t] + decay * (1.0 - s[t]) * g
        gradient += g.T @ x[t]
    return s, gradient


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference needs PyTorch only: it runs in this environment."""
    monkeypatch.delitem(OWN_ENVIRONMENT, "reference")
    monkeypatch.setattr("treplica.benchmarks.peers.find_spec", lambda name: True)


@pytest.mark.usefixtures("here")
def test_the_reference_is_what_it_says(layers: ModuleType, tmp_path: Path) -> None:
    layers.write_check(tmp_path)
    found = layers.run(
        "layer", "reference", {**layers.LAYER, "name": "r", "compile": 0, "check": str(tmp_path)}
    )
    spikes, gradient = spikes_and_gradient(tmp_path, layers.LAYER["decay"], layers.LAYER["alpha"])
    assert spikes.sum() > 300
    np.testing.assert_array_equal(np.load(found["fingerprint"]["spikes"]), spikes)
    np.testing.assert_allclose(
        np.load(found["fingerprint"]["gradient"]), gradient, rtol=0, atol=1e-5 * np.abs(gradient).max()
    )


@pytest.mark.usefixtures("here")
def test_figures_are_of_what_was_asked_for(layers: ModuleType) -> None:
    small = {**layers.LAYER, "steps": 100, "neurons": 128, "input": "spikes", "repeats": 1, "compile": 0}
    figures = layers.run("layer", "reference", small)["figures"]
    one = 4 * small["steps"] * small["batch"] * small["neurons"]  # bytes of a tensor of all steps
    assert 0.01 < figures["rate"] < 0.2
    # v - threshold and 1 - spike are kept for the backward pass, and the spikes are the result.
    assert 2.5 * one < figures["kept_bytes"] < 8 * one
    assert figures["kept_bytes"] < figures["peak_memory_bytes"] < 12 * one


@pytest.mark.usefixtures("here")
def test_a_side_that_takes_too_long_has_failed(layers: ModuleType) -> None:
    with pytest.raises(SimulationError, match=r"over 0\.01 s"):
        layers.run("layer", "reference", {**layers.LAYER, "compile": 0}, limit_s=0.01)


@pytest.mark.parametrize("peer", ["snntorch", "spikingjelly", "norse"])
def test_peers_are_the_reference(layers: ModuleType, tmp_path: Path, peer: str) -> None:
    layers.write_check(tmp_path)
    how = {**layers.LAYER, "compile": 0, "check": str(tmp_path)}
    try:
        reference, found = (layers.run("layer", one, {**how, "name": one}) for one in ("reference", peer))
    except SimulationError as error:
        if "make peers" in str(error):
            pytest.skip(str(error))
        raise
    agreement = layers.agreement(found, reference)
    assert agreement["spikes"] > 300
    assert agreement["spikes_that_differ"] == 0
    assert agreement["gradient_difference"] < layers.TOLERANCE
