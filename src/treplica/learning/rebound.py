"""Neurons and receptors on tensors: the model's own function with the words of PyTorch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treplica.errors import InvalidValue, UnknownName
from treplica.learning.surrogate import load_words
from treplica.model import Model
from treplica.model.check import Checked
from treplica.model.rebind import rebind

if TYPE_CHECKING:
    from torch import Tensor

    from treplica.learning.words import Elementwise

    Function = Callable[..., dict[str, Tensor]]


def torch_step(
    model: Model,
    surrogate: Elementwise | None = None,
    *,
    graded_surrogate: Elementwise | None = None,
    smooth: bool = False,
    spike: Elementwise | None = None,
) -> Function:
    """The step of a neuron or receptor on tensors: what `model.step` takes, by name, gives a dict of tensors.

    The tensors share one dtype, float64 or float32, and one device; their shapes broadcast. Python numbers
    are taken too. States, spikes and currents equal those of the specification bit for bit. Gradients flow
    through everything but `hold`, `floor`, `spike` and `graded`.

    surrogate: `surrogate(x)` is the derivative that training uses for spike(x) (default: 0), one of
    `treplica.learning.surrogates` or a function of a tensor. graded_surrogate: that of graded(x).
    smooth: the words `spike` and `graded` are the smooth functions of their surrogates, with their true derivatives,
    so that gradients can be compared with differences; a comparison in the model then sees the smooth number.
    spike: what the word `spike` is instead, with gradients of its own, such as `StochasticSpike`.

    Raises MissingExtra where PyTorch is absent, InvalidValue where smooth=True has no Surrogate, or where spike= is
    given with something that it replaces; the result raises UnknownName and InvalidValue for wrong arguments.
    """
    if spike is not None and (surrogate is not None or smooth):
        allowed = "given without surrogate= and smooth=, which it would replace"
        raise InvalidValue("torch_step: spike", spike, allowed)
    known = load_words("Running models on tensors").words
    vocabulary = known(surrogate, graded_surrogate, smooth=smooth, spike=spike)
    return _on_tensors(model.name, model.step_checked, vocabulary)


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
    vocabulary = load_words("Running models on tensors").words()
    return _on_tensors(f"derive of {model.name}", model.derive_checked, vocabulary)


def _on_tensors(name: str, checked: Checked, vocabulary: Mapping[str, Callable[..., Any]]) -> Function:
    from treplica.learning.words import common_kind, literals

    names = checked.source.arguments

    @functools.cache
    def bound(kind: Any) -> Callable[..., Any]:
        return rebind(checked, vocabulary, literals(kind))

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
