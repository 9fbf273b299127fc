"""Derived constants as an operation of PyTorch: `derive=` of a model in float64, with gradients.

A simulation computes these constants in numpy; so does this, on the same function. The way back is its adjoint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from treplica.model import Model
from treplica.model.adjoint import adjoint
from treplica.model.check import WORDS
from treplica.model.rebind import rebind
from treplica.model.tape import Ref, Tape, written


class Derivation:
    """`derive=` of a model and its adjoint, on numpy arrays."""

    def __init__(self, model: Model) -> None:
        assert model.derive_checked is not None
        self.checked = model.derive_checked
        self.arguments = self.checked.source.arguments
        tape = Tape(f"x_{a}" for a in self.arguments)
        outputs = tape.inline(self.checked, {a: f"x_{a}" for a in self.arguments})
        assert isinstance(outputs, dict)
        self._reads = [self._inputs_of(tape, outputs[n]) for n in self.checked.outputs]
        back, cotangents = adjoint(tape, outputs, {})
        self._back: Callable[..., dict[str, Any]] = rebind(written("back", back, cotangents), WORDS, float)

    def _inputs_of(self, tape: Tape, output: Ref) -> list[int]:
        """Which arguments a constant depends on."""
        reads = {a for o in tape.needed([output]) for a in o.of} | {output}
        return [i for i, a in enumerate(self.arguments) if f"x_{a}" in reads]

    def shapes(self, given: Sequence[torch.Size]) -> list[torch.Size]:
        """The shapes of the constants for arguments of these shapes."""
        return [torch.broadcast_shapes((), *(given[i] for i in reads)) for reads in self._reads]

    def forward(self, given: Sequence[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
        """The constants, in the order of `Model.derived`."""
        with np.errstate(all="ignore"):
            result = self.checked.source.function(*given)
        return [np.asarray(result[n], np.float64) for n in self.checked.outputs]

    def backward(
        self, given: Sequence[np.ndarray[Any, Any]], cotangents: Sequence[np.ndarray[Any, Any]]
    ) -> list[np.ndarray[Any, Any]]:
        """The cotangents of what was given, each in its shape."""
        with np.errstate(all="ignore"):
            result = self._back(*given, *cotangents)
        return [
            _summed(np.asarray(result[f"d_x_{n}"], np.float64), x.shape)
            for n, x in zip(self.arguments, given, strict=True)
        ]


def _summed(values: np.ndarray[Any, Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """The sum over the axes along which an array of `shape` was broadcast."""
    values = np.broadcast_to(values, np.broadcast_shapes(values.shape, shape))
    extra = values.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(
        extra + i for i, n in enumerate(shape) if n == 1 and values.shape[extra + i] != 1
    )
    summed: np.ndarray[Any, Any] = values.sum(axes).reshape(shape)
    return summed


_KNOWN: dict[str, Derivation] = {}


def register(model: Model) -> str:
    """The name under which `derive` finds a model."""
    name = model.fingerprint
    if name not in _KNOWN:
        _KNOWN[name] = Derivation(model)
    return name


def derive(name: str, given: Sequence[Tensor]) -> list[Tensor]:
    """The derived constants of a model, float64, from what its `derive=` takes, in order (float64, [] or one shape).

    Gradients reach what is given. The result is on its device.
    """
    result: list[Tensor] = _derived(name, given)
    return result


@torch.library.custom_op("treplica::derived", mutates_args=())
def _derived(name: str, given: Sequence[Tensor]) -> list[Tensor]:
    results = _KNOWN[name].forward([t.cpu().numpy() for t in given])
    return [torch.tensor(r, device=given[0].device) for r in results]


@_derived.register_fake
def _(name: str, given: Sequence[Tensor]) -> list[Tensor]:
    return [given[0].new_empty(s) for s in _KNOWN[name].shapes([t.shape for t in given])]


def _setup(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    ctx.name = inputs[0]
    ctx.save_for_backward(*inputs[1])


def _backward(ctx: Any, gradients: list[Tensor]) -> tuple[None, list[Tensor]]:
    return None, _derived_back(ctx.name, list(ctx.saved_tensors), [g.contiguous() for g in gradients])


@torch.library.custom_op("treplica::derived_back", mutates_args=())
def _derived_back(name: str, given: Sequence[Tensor], gradients: Sequence[Tensor]) -> list[Tensor]:
    arrays = [[t.cpu().numpy() for t in group] for group in (given, gradients)]
    results = _KNOWN[name].backward(*arrays)
    return [torch.tensor(r, device=given[0].device) for r in results]


@_derived_back.register_fake
def _(name: str, given: Sequence[Tensor], gradients: Sequence[Tensor]) -> list[Tensor]:
    return [torch.empty_like(t) for t in given]


_derived.register_autograd(_backward, setup_context=_setup)
