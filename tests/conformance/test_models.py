"""Every model that Treplica ships, and one of each kind that may come, is the same on every target."""

import pytest
from future_kinds import KINDS

from treplica import neurons, synapses
from treplica.model import Model
from treplica.testing import check_model, check_neuron, check_receptor

SHIPPED = [getattr(module, name) for module in (neurons, synapses) for name in module.__all__]
#: Membranes that are read: they have no spikes.
READ = [neurons.LeakyIntegrator, neurons.NIRI, neurons.NIRLI, neurons.NIRCubaLI]


@pytest.mark.parametrize("model", [*SHIPPED, *KINDS], ids=lambda m: m.name)
def test_all_targets_agree(model: Model) -> None:
    report = check_model(model)
    assert report.model == model.name
    assert report.targets[:2] == ("plain", "cpu")
    assert (report.spikes > 0) == (model.kind == "neuron" and model not in READ)


def test_the_lists_are_complete() -> None:
    assert {m.kind for m in SHIPPED} == {m.kind for m in KINDS} == {"neuron", "receptor"}
    assert len(SHIPPED) >= 20
    assert len({m.name for m in [*SHIPPED, *KINDS]}) == len(SHIPPED) + len(KINDS)


def test_torch_took_part() -> None:
    pytest.importorskip("torch")
    assert check_neuron(neurons.LIF, steps=60).targets == ("plain", "cpu", "torch")
    assert check_receptor(synapses.Exponential, steps=10).targets == ("plain", "cpu", "torch")
