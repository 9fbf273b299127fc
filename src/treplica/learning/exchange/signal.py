"""What reaches a layer, as a linear function of the spikes of populations."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, eye_array, vstack
from torch import nn

from treplica.errors import InvalidValue

#: One-hot inputs that a convolution or pooling sees at once.
BATCH = 256


@dataclass(frozen=True)
class Source:
    """A population and how many steps ago it spiked."""

    population: str
    delay: int = 0


@dataclass(frozen=True)
class Signal:
    """A sum over sources of a matrix [values, neurons] times spikes, plus a constant; shape: without T and B."""

    terms: Mapping[Source, csr_array]
    bias: NDArray[np.float64]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, population: str, shape: tuple[int, ...]) -> Signal:
        """The spikes of a population themselves."""
        size = math.prod(shape)
        return cls({Source(population): csr_array(eye_array(size))}, np.zeros(size), shape)

    def through(self, matrix: csr_array, bias: NDArray[np.float64], shape: tuple[int, ...]) -> Signal:
        """After a linear map [values, values before] and a constant."""
        terms = {s: csr_array(m if _is_identity(m) else matrix @ m) for s, m in self.terms.items()}
        terms = {s: matrix if _is_identity(self.terms[s]) else m for s, m in terms.items()}
        constant = matrix @ self.bias + bias if self.bias.any() else bias
        return Signal(terms, constant, shape)

    def plus(self, other: Signal) -> Signal:
        """The sum of two."""
        terms = dict(self.terms)
        for source, matrix in other.terms.items():
            terms[source] = csr_array(terms[source] + matrix) if source in terms else matrix
        return Signal(terms, self.bias + other.bias, self.shape)

    def later(self, steps: int) -> Signal:
        """The same so many steps later. Its constant stays: it has always been there."""
        return Signal(
            {Source(s.population, s.delay + steps): m for s, m in self.terms.items()}, self.bias, self.shape
        )


def _is_identity(matrix: csr_array) -> bool:
    n = matrix.shape[0]
    if matrix.shape != (n, n) or matrix.nnz != n:
        return False
    return bool((matrix.data == 1.0).all() and (matrix.indices == np.arange(n)).all())


def dense_map(
    module: nn.Linear, shape: tuple[int, ...]
) -> tuple[csr_array, NDArray[np.float64], tuple[int, ...]]:
    """The matrix of a linear layer with all its entries, zeros too, its bias and the shape it gives."""
    if shape != (module.in_features,):
        what = f"Linear({module.in_features}, {module.out_features}): what reaches it"
        raise InvalidValue(what, shape, f"({module.in_features},)")
    weight = module.weight.detach().double().numpy()
    outputs, inputs = weight.shape
    indices = np.tile(np.arange(inputs), outputs)
    matrix = csr_array((weight.ravel(), indices, np.arange(outputs + 1) * inputs), shape=weight.shape)
    return matrix, _bias(module.bias, outputs), (outputs,)


def spatial_map(
    module: nn.Module, shape: tuple[int, ...]
) -> tuple[csr_array, NDArray[np.float64], tuple[int, ...]]:
    """The matrix of a convolution, a pooling or a change of shape, from what it makes of each single spike."""
    twin: Any = copy.deepcopy(module).double().eval()
    bias = getattr(twin, "bias", None)
    if bias is not None:
        twin.bias = None
    size = math.prod(shape)
    rows = []
    with torch.no_grad():
        for first in range(0, size, BATCH):
            count = min(BATCH, size - first)
            ones = torch.zeros(count, size, dtype=torch.float64)
            ones[torch.arange(count), first + torch.arange(count)] = 1.0
            result = twin(ones.reshape(1, count, *shape))[0]
            rows.append(csr_array(result.flatten(1).numpy()))
    given = tuple(result.shape[1:])
    constant = np.zeros(math.prod(given))
    if bias is not None:
        channels = _bias(bias, given[0])
        constant = np.repeat(channels, math.prod(given[1:]))
    return csr_array(vstack(rows).T), constant, given


def norm_map(module: Any, shape: tuple[int, ...]) -> tuple[csr_array, NDArray[np.float64], tuple[int, ...]]:
    """Batch normalisation with its running statistics: a factor and a constant for each channel."""
    with torch.no_grad():
        factor = 1.0 / torch.sqrt(module.running_var.double() + module.eps)
        factor = factor if module.weight is None else factor * module.weight.double()
        constant = -module.running_mean.double() * factor
        constant = constant if module.bias is None else constant + module.bias.double()
    each = math.prod(shape[1:])
    return csr_array(diags_array(np.repeat(factor.numpy(), each))), np.repeat(constant.numpy(), each), shape


def _bias(bias: torch.Tensor | None, size: int) -> NDArray[np.float64]:
    return np.zeros(size) if bias is None else bias.detach().double().numpy().copy()
