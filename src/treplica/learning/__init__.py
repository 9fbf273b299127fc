"""PyTorch runs the models: the same functions, differentiable, as modules. Needs the extra `learn`.

Names are loaded when they are asked for: surrogates and plans of training need no PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from treplica.learning import surrogates
    from treplica.learning.exchange.deployment import Deployment, from_torch
    from treplica.learning.exchange.from_network import NetworkModule, to_torch
    from treplica.learning.exchange.from_nir import from_nir
    from treplica.learning.exchange.grid import fold_, snap_
    from treplica.learning.exchange.nir_module import NIRModule
    from treplica.learning.exchange.to_nir import to_nir
    from treplica.learning.layers.convolution import Conv1d, Conv2d
    from treplica.learning.layers.linear import Linear
    from treplica.learning.layers.normalisation import BatchNorm1d, BatchNorm2d, Dropout
    from treplica.learning.layers.over_time import OverTime
    from treplica.learning.layers.pooling import AvgPool2d, Flatten, MaxPool2d, SumPool2d
    from treplica.learning.layers.recurrent import Recurrent
    from treplica.learning.layers.residual import Residual
    from treplica.learning.layers.scale import Scale
    from treplica.learning.layers.sequential import Sequential
    from treplica.learning.neurons import Neurons, Run
    from treplica.learning.rebound import torch_derive, torch_step
    from treplica.learning.spikes import SpikeTensor
    from treplica.learning.stochastic import StochasticSpike, stochastic_spike
    from treplica.learning.surrogate import Surrogate, SurrogateFamily

__all__ = [
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv1d",
    "Conv2d",
    "Deployment",
    "Dropout",
    "Flatten",
    "Linear",
    "MaxPool2d",
    "NIRModule",
    "NetworkModule",
    "Neurons",
    "OverTime",
    "Recurrent",
    "Residual",
    "Run",
    "Scale",
    "Sequential",
    "SpikeTensor",
    "StochasticSpike",
    "SumPool2d",
    "Surrogate",
    "SurrogateFamily",
    "fold_",
    "from_nir",
    "from_torch",
    "snap_",
    "stochastic_spike",
    "surrogates",
    "to_nir",
    "to_torch",
    "torch_derive",
    "torch_step",
]

_HOMES = {
    "Scale": "layers.scale",
    "Sequential": "layers.sequential",
    "Deployment": "exchange.deployment",
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
    "Dropout": "layers.normalisation",
    "Flatten": "layers.pooling",
    "Linear": "layers.linear",
    "MaxPool2d": "layers.pooling",
    "Neurons": "neurons",
    "OverTime": "layers.over_time",
    "Recurrent": "layers.recurrent",
    "Residual": "layers.residual",
    "Run": "neurons",
    "SpikeTensor": "spikes",
    "StochasticSpike": "stochastic",
    "SumPool2d": "layers.pooling",
    "Surrogate": "surrogate",
    "SurrogateFamily": "surrogate",
    "stochastic_spike": "stochastic",
    "torch_derive": "rebound",
    "torch_step": "rebound",
}


def __getattr__(name: str) -> Any:
    if name == "surrogates":
        return import_module("treplica.learning.surrogates")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"treplica.learning.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        from treplica.errors import MissingExtra

        raise MissingExtra("torch", "learn", f"treplica.learning.{name}") from None


def __dir__() -> list[str]:
    return __all__
