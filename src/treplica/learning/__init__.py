"""PyTorch runs the models: the same functions, differentiable, as modules. Needs the extra `learn`.

Names are loaded when they are asked for: surrogates and plans of training need no PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from treplica.learning import surrogates
    from treplica.learning.layers.linear import Linear
    from treplica.learning.neurons import Neurons, Run
    from treplica.learning.rebound import torch_derive, torch_step
    from treplica.learning.spikes import SpikeTensor
    from treplica.learning.stochastic import StochasticSpike, stochastic_spike
    from treplica.learning.surrogate import Surrogate, SurrogateFamily

__all__ = [
    "Linear",
    "Neurons",
    "Run",
    "SpikeTensor",
    "StochasticSpike",
    "Surrogate",
    "SurrogateFamily",
    "stochastic_spike",
    "surrogates",
    "torch_derive",
    "torch_step",
]

_HOMES = {
    "Linear": "layers.linear",
    "Neurons": "neurons",
    "Run": "neurons",
    "SpikeTensor": "spikes",
    "StochasticSpike": "stochastic",
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
