"""Models, surrogates and layers go through copies, pickles and other processes."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

import treplica as tr
from treplica import neurons, synapses
from treplica.learning import surrogates
from treplica.model import Model, formula, neuron, param, spike, state

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")

MODELS = [m for p in (neurons, synapses) for n in p.__all__ if isinstance(m := getattr(p, n), Model)]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_models_are_found_again(model) -> None:
    assert pickle.loads(pickle.dumps(model)) is model
    assert copy.deepcopy(model) is model


def test_instances_keep_their_values() -> None:
    given = tr.LIF(tau=np.array([5.0, 6.0]), v_th=-50.0)
    found = pickle.loads(pickle.dumps(given))
    assert found == given
    assert found.model is tr.LIF
    with pytest.raises(TypeError):
        found.values["tau"] = 1.0
    receptor = next(m for m in MODELS if m.kind == "receptor")().into("i")
    assert pickle.loads(pickle.dumps(receptor)).feeds == "i"


@pytest.mark.parametrize("name", surrogates.SURROGATES)
def test_surrogates_are_found_again(name) -> None:
    given = surrogates.SURROGATES[name]()
    assert pickle.loads(pickle.dumps(given)) == given
    assert copy.deepcopy(given) is given


@formula
def ramp(x):
    return 0.5 * x


@formula
def slope(x):
    return 0.5 + 0.0 * x


def test_a_surrogate_of_ones_own_is_found_by_its_formulas() -> None:
    given = surrogates.Surrogate("Ramp", ramp, slope)
    assert pickle.loads(pickle.dumps(given)) == given


def test_a_model_made_inside_a_function_goes_by_its_source() -> None:
    @neuron(v=state("mV", 0.0), gain=param("1", 1.0))
    def Hidden(v, gain):
        return dict(v=v * gain, spike=spike(v))

    found = pickle.loads(pickle.dumps(Hidden))
    assert found.fingerprint == Hidden.fingerprint
    assert found.step(v=2.0, gain=3.0) == Hidden.step(v=2.0, gain=3.0)
    assert copy.deepcopy(Hidden) is Hidden


def test_another_process_computes_the_same(tmp_path) -> None:
    torch.manual_seed(0)
    layer = learning.Neurons(tr.LIF(v=-51.0), 3, learn=["tau"], surrogate=surrogates.Arctan(alpha=3.0))
    x = 5 * torch.rand(6, 2, 3)
    expected = layer(x)
    assert expected.sum() > 0
    torch.save([layer, x, expected], tmp_path / "kept.pt")
    code = (
        "import sys, torch; layer, x, expected = torch.load(sys.argv[1], weights_only=False);"
        "assert torch.equal(layer(x), expected); layer(x).sum().backward(); print(layer.surrogate)"
    )
    given = [sys.executable, "-c", code, str(tmp_path / "kept.pt")]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("Arctan(alpha=3)", "")
