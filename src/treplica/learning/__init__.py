"""PyTorch runs the models: the same functions, differentiable, as modules. Needs the extra `learn`.

Names are loaded when they are asked for: surrogates and plans of training need no PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from treplica.learning import surrogates
    from treplica.learning.blueprint.adaptive_code import AdaptiveCode
    from treplica.learning.blueprint.autoencoder import SparseAutoencoder
    from treplica.learning.blueprint.fitting import fit_autoencoder
    from treplica.learning.blueprint.kl_sparsity import kl_sparsity
    from treplica.learning.blueprint.surrogate_lif import SurrogateLIF
    from treplica.learning.conversion.convert import convert
    from treplica.learning.conversion.converted import Converted, LayerBalance
    from treplica.learning.exchange.deployed import Deployment
    from treplica.learning.exchange.deployment import from_torch
    from treplica.learning.exchange.from_network import NetworkModule, to_torch
    from treplica.learning.exchange.from_nir import from_nir
    from treplica.learning.exchange.grid import fold_, snap_
    from treplica.learning.exchange.nir_module import NIRModule
    from treplica.learning.exchange.to_nir import to_nir
    from treplica.learning.layers.convolution import Conv1d, Conv2d
    from treplica.learning.layers.delay import Delay
    from treplica.learning.layers.delayed_linear import DelayedLinear
    from treplica.learning.layers.linear import Linear
    from treplica.learning.layers.normalisation import BatchNorm1d, BatchNorm2d, Dropout
    from treplica.learning.layers.over_time import OverTime
    from treplica.learning.layers.pooling import (
        AvgPool2d,
        CountMaxPool1d,
        CountMaxPool2d,
        Flatten,
        MaxPool2d,
        SumPool2d,
    )
    from treplica.learning.layers.recurrent import Recurrent
    from treplica.learning.layers.residual import Residual
    from treplica.learning.layers.scale import Scale
    from treplica.learning.layers.sequential import Sequential
    from treplica.learning.neurons import Neurons, Run
    from treplica.learning.rebound import torch_derive, torch_step
    from treplica.learning.spikes import SpikeTensor
    from treplica.learning.stochastic import StochasticSpike, stochastic_spike
    from treplica.learning.surrogate import Surrogate, SurrogateFamily
    from treplica.learning.training import losses
    from treplica.learning.training.augmentation import Drop, Warp
    from treplica.learning.training.carrying_out import train_recipe
    from treplica.learning.training.encoders import encode
    from treplica.learning.training.inputs import FrameInputs, SpikeInputs
    from treplica.learning.training.recipes import RECIPES, Recipe
    from treplica.learning.training.settings import TrainingSettings
    from treplica.learning.training.trainer import Trainer

__all__ = [
    "RECIPES",
    "AdaptiveCode",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv1d",
    "Conv2d",
    "Converted",
    "CountMaxPool1d",
    "CountMaxPool2d",
    "Delay",
    "DelayedLinear",
    "Deployment",
    "Drop",
    "Dropout",
    "Flatten",
    "FrameInputs",
    "LayerBalance",
    "Linear",
    "MaxPool2d",
    "NIRModule",
    "NetworkModule",
    "Neurons",
    "OverTime",
    "Recipe",
    "Recurrent",
    "Residual",
    "Run",
    "Scale",
    "Sequential",
    "SparseAutoencoder",
    "SpikeInputs",
    "SpikeTensor",
    "StochasticSpike",
    "SumPool2d",
    "Surrogate",
    "SurrogateFamily",
    "SurrogateLIF",
    "Trainer",
    "TrainingSettings",
    "Warp",
    "convert",
    "encode",
    "fit_autoencoder",
    "fold_",
    "from_nir",
    "from_torch",
    "kl_sparsity",
    "losses",
    "snap_",
    "stochastic_spike",
    "surrogates",
    "to_nir",
    "to_torch",
    "torch_derive",
    "torch_step",
    "train_recipe",
]

_HOMES = {
    "AdaptiveCode": "blueprint.adaptive_code",
    "SparseAutoencoder": "blueprint.autoencoder",
    "SurrogateLIF": "blueprint.surrogate_lif",
    "fit_autoencoder": "blueprint.fitting",
    "kl_sparsity": "blueprint.kl_sparsity",
    "Scale": "layers.scale",
    "Sequential": "layers.sequential",
    "Deployment": "exchange.deployed",
    "NIRModule": "exchange.nir_module",
    "NetworkModule": "exchange.from_network",
    "fold_": "exchange.grid",
    "from_nir": "exchange.from_nir",
    "from_torch": "exchange.deployment",
    "snap_": "exchange.grid",
    "to_nir": "exchange.to_nir",
    "to_torch": "exchange.from_network",
    "AvgPool2d": "layers.pooling",
    "BatchNorm1d": "layers.normalisation",
    "BatchNorm2d": "layers.normalisation",
    "Conv1d": "layers.convolution",
    "Conv2d": "layers.convolution",
    "Converted": "conversion.converted",
    "CountMaxPool1d": "layers.pooling",
    "CountMaxPool2d": "layers.pooling",
    "Delay": "layers.delay",
    "DelayedLinear": "layers.delayed_linear",
    "Drop": "training.augmentation",
    "Dropout": "layers.normalisation",
    "Flatten": "layers.pooling",
    "RECIPES": "training.recipes",
    "FrameInputs": "training.inputs",
    "LayerBalance": "conversion.converted",
    "Linear": "layers.linear",
    "MaxPool2d": "layers.pooling",
    "Neurons": "neurons",
    "OverTime": "layers.over_time",
    "Recurrent": "layers.recurrent",
    "Residual": "layers.residual",
    "Recipe": "training.recipes",
    "Run": "neurons",
    "SpikeInputs": "training.inputs",
    "SpikeTensor": "spikes",
    "StochasticSpike": "stochastic",
    "SumPool2d": "layers.pooling",
    "Surrogate": "surrogate",
    "SurrogateFamily": "surrogate",
    "Trainer": "training.trainer",
    "Warp": "training.augmentation",
    "TrainingSettings": "training.settings",
    "convert": "conversion.convert",
    "encode": "training.encoders",
    "stochastic_spike": "stochastic",
    "torch_derive": "rebound",
    "torch_step": "rebound",
    "train_recipe": "training.carrying_out",
}
_MODULES = {"losses": "training.losses", "surrogates": "surrogates"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES and name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        if name in _MODULES:
            return import_module(f"treplica.learning.{_MODULES[name]}")
        return getattr(import_module(f"treplica.learning.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        from treplica.errors import MissingExtra

        raise MissingExtra("torch", "learn", f"treplica.learning.{name}") from None


def __dir__() -> list[str]:
    return __all__
