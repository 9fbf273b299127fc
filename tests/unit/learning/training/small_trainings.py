"""Networks and data that train in a moment, on one thread."""

import numpy as np
import torch
from torch import nn

import treplica as tr
from treplica.coding import SpikeSamples
from treplica.learning import Linear, Neurons, SpikeInputs, Trainer, TrainingSettings, losses

SETTINGS = TrainingSettings(epochs=3, batch=16, lr=5e-3, seed=4, threads=1)
CLASSES = ("left", "right", "both")


def network(hidden: int = 20, dropout: float = 0.2) -> nn.Module:
    """16 - hidden - 3, with weights of the global generator."""
    leak = dict(tau=10.0, v=0.0, v_rest=0.0)
    result = nn.Sequential()
    result.add_module("first", Linear(16, hidden))
    result.add_module("hidden", Neurons(tr.LIF(v_reset=0.0, v_th=1.0, refractory=0.0, **leak)))
    result.add_module("dropout", nn.Dropout(dropout))
    result.add_module("second", Linear(hidden, 3))
    result.add_module("readout", Neurons(tr.LeakyIntegrator(**leak), output="v"))
    with torch.no_grad():
        result.first.weight *= 4.0
    return result


def inputs(size: int = 72, seed: int = 1, shift: int = 1, sparse: bool = True) -> SpikeInputs:
    """Pictures of 4 × 4 pixels in 5 steps, brighter on the left, on the right or everywhere."""
    source = np.random.default_rng(seed)
    labels = source.integers(0, 3, size)
    chance = np.full((size, 4, 4), 0.05)
    chance[labels != 1, :, :2] = 0.6
    chance[labels != 0, :, 2:] = 0.6
    spikes = source.random((5, size, 16)) < chance.reshape(size, 16)
    samples = SpikeSamples.from_dense(spikes)
    shape = () if sparse else (1, 4, 4)
    return SpikeInputs(samples, labels, CLASSES, shape, shift=shift, pixels=(4, 4))


def trainer(
    settings: TrainingSettings = SETTINGS, module: nn.Module | None = None, **options: object
) -> Trainer:
    """A trainer of the network, whose weights belong to the seed."""
    if module is None:
        torch.manual_seed(settings.seed)
        module = network()
    penalties = (losses.SparsityTarget(0.2),)
    return Trainer(
        module, losses.MembraneCrossEntropy(), settings, penalties=penalties, progress=False, **options
    )


def weights(module: nn.Module) -> dict[str, list[float]]:
    """Every number of a module."""
    return {name: value.flatten().tolist() for name, value in module.state_dict().items()}


def unmeasured(record: dict[str, object]) -> dict[str, object]:
    """A record of the log without what is measured."""
    return {name: value for name, value in record.items() if name != "train_s"}
