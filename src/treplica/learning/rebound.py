"""Neurons and receptors on tensors: the model's own function with the words of PyTorch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treplica.errors import InvalidValue, MissingExtra, UnknownName
from treplica.model import Model
from treplica.model.check import Checked
from treplica.model.rebind import rebind

if TYPE_CHECKING:
    from torch import Tensor

    from treplica.learning.words import Surrogate

    Function = Callable[..., dict[str, Tensor]]


def torch_step(
    model: Model, surrogate: Surrogate | None = None, *, graded_surrogate: Surrogate | None = None
) -> Function:
    """The step of a neuron or receptor on tensors: what `model.step` takes, by name, gives a dict of tensors.

    The tensors share one dtype, float64 or float32, and one device; their shapes broadcast. Python numbers
    are taken too. States, spikes and currents equal those of the specification bit for bit. Gradients flow
    through everything but `hold`, `floor`, `spike` and `graded`; `surrogate(x)` gives the derivative that
    training uses for spike(x), `graded_surrogate(x)` that for graded(x) (default: 0).

    Raises MissingExtra where PyTorch is absent; the result raises UnknownName and InvalidValue for wrong
    arguments.
    """
    return _on_tensors(model.name, model.step_checked, surrogate, graded_surrogate)


def array_step(model: Model) -> Callable[..., dict[str, NDArray[Any]]]:
    """`torch_step` for numpy arrays of float64 or float32, in and out, without gradients: for comparing."""
    step = torch_step(model)

    def run(**values: NDArray[Any]) -> dict[str, NDArray[Any]]:
        import torch

        with torch.no_grad():
            result = step(**{n: torch.tensor(np.asarray(v)) for n, v in values.items()})
        return {n: tensor.numpy() for n, tensor in result.items()}

    return run


def torch_derive(model: Model) -> Function:
    """The constants that `derive=` of a model computes, on tensors: gradients reach its parameters, and dt.

    Like `torch_step`. A simulation computes these constants in float64, whatever its precision.
    """
    if model.derive_checked is None:
        advice = "Its step takes the parameters themselves."
        raise InvalidValue("torch_derive(model)", model.name, "a model with derive=", advice)
    return _on_tensors(f"derive of {model.name}", model.derive_checked)


def _on_tensors(name: str, checked: Checked, *surrogates: Surrogate | None) -> Function:
    try:
        from treplica.learning.words import common_kind, literals, words
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtra("torch", "learn", "Running models on tensors") from None
    names = checked.source.arguments

    @functools.cache
    def bound(kind: Any) -> Callable[..., Any]:
        return rebind(checked, words(*surrogates), literals(kind))

    def run(**values: Any) -> dict[str, Tensor]:
        for given in values:
            if given not in names:
                raise UnknownName(f"argument of {name}", given, names)
        missing = [n for n in names if n not in values]
        if missing:
            allowed = f"complete ({', '.join(missing)} missing)"
            raise InvalidValue(f"arguments of {name}", sorted(values), allowed)
        kind = common_kind(name, values)
        literal = literals(kind)
        result: dict[str, Tensor] = bound(kind)(**{n: literal(values[n]) for n in names})
        return result

    return run
