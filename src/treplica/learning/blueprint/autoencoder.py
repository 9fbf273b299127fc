"""A sparse autoencoder: few units of its code are active for each sample, and all of them for some."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, linear

from treplica.coding.frames import unit_frames_in_parts
from treplica.coding.grid import check_count
from treplica.errors import InvalidValue, UnknownName
from treplica.learning.blueprint.kl_sparsity import check_rate, kl_sparsity

Reconstruction = Literal["squared", "cross-entropy"]

_ROWS = 2048
"""Samples that are coded together."""


class Terms(NamedTuple):
    """Of the loss: how far the reconstruction is from the input, and how far mean activities are from the target."""

    reconstruction: Tensor
    sparsity: Tensor


class SparseAutoencoder(nn.Module):
    """x [..., n_inputs] in 0 … 1 -> code [..., n_code] -> reconstruction [..., n_inputs], with a penalty on the code.

    code = sigmoid(W x + b), reconstruction = sigmoid(V code + c); the loss over m samples is

        mean over samples of d(reconstruction, x) + weight · sum over units of KL(sparsity || r),

    where r is a unit's mean activity over the samples: of a batch in training, where the lecture takes all. The
    divergence is `kl_sparsity`, which stays finite. Weight decay is left to the optimiser. Weights are drawn from
    PyTorch's generator, uniformly within ± sqrt(6 / (n_inputs + n_code)); b and c start at 0.

    Source: Ng 2011, CS294A Lecture notes: Sparse autoencoder. Raises InvalidValue or UnknownName.

    Parameters
    ----------
    n_inputs, n_code: numbers of inputs and of units of the code.
    sparsity: target of every unit's mean activity, 0 < sparsity < 1 (rho).
    weight: of the penalty, >= 0 (beta).
    tied: whether V is the transpose of W.
    reconstruction: "squared", half the squared distance, as in the lecture; "cross-entropy", of each input as a
        probability. Both are sums over inputs.
    """

    def __init__(
        self,
        n_inputs: int,
        n_code: int,
        *,
        sparsity: float = 0.05,
        weight: float = 3.0,
        tied: bool = False,
        reconstruction: Reconstruction = "squared",
    ) -> None:
        super().__init__()
        self.n_inputs = check_count("SparseAutoencoder: n_inputs", n_inputs, 1)
        self.n_code = check_count("SparseAutoencoder: n_code", n_code, 1)
        check_rate("SparseAutoencoder: sparsity", sparsity)
        if not (math.isfinite(weight) and weight >= 0.0):
            raise InvalidValue("SparseAutoencoder: weight", weight, "a finite number >= 0")
        if reconstruction not in get_args(Reconstruction):
            raise UnknownName(
                "SparseAutoencoder: reconstruction", str(reconstruction), get_args(Reconstruction)
            )
        self.sparsity, self.weight = float(sparsity), float(weight)
        self.tied, self.reconstruction = tied, reconstruction
        self.encoder_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_code, n_inputs)))
        self.encoder_bias = nn.Parameter(torch.zeros(n_code))
        if not tied:
            self.own_decoder_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_inputs, n_code)))
        self.decoder_bias = nn.Parameter(torch.zeros(n_inputs))

    @property
    def decoder_weight(self) -> Tensor:
        """V, [n_inputs, n_code]."""
        found: Tensor = self.encoder_weight.t() if self.tied else self.own_decoder_weight
        return found

    def logits(self, x: Tensor) -> Tensor:
        """The code before its sigmoid, [..., n_code]."""
        _check("input", x, self.n_inputs)
        found: Tensor = linear(x, self.encoder_weight, self.encoder_bias)
        return found

    def encode(self, x: Tensor) -> Tensor:
        """The code, [..., n_code] in 0 … 1."""
        return self.logits(x).sigmoid()

    def decode(self, code: Tensor) -> Tensor:
        """The reconstruction of a code, [..., n_inputs] in 0 … 1."""
        return self._decoded(code).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction of an input."""
        return self.decode(self.encode(x))

    def terms(self, x: Tensor) -> Terms:
        """Both terms of the loss for a batch [m, n_inputs], without the weight: one number each."""
        logits = self.logits(x)
        decoded = self._decoded(logits.sigmoid())
        samples = x.numel() // self.n_inputs
        if self.reconstruction == "squared":
            distance = 0.5 * (decoded.sigmoid() - x).square().sum()
        else:
            distance = binary_cross_entropy_with_logits(decoded, x, reduction="sum")
        return Terms(distance / samples, kl_sparsity(logits, self.sparsity))

    def loss(self, x: Tensor) -> Tensor:
        """What training minimises, for a batch [m, n_inputs]: one number."""
        distance, divergence = self.terms(x)
        return distance + self.weight * divergence

    @torch.no_grad()
    def codes(self, values: ArrayLike) -> NDArray[np.float64]:
        """The code of samples [m, ...] of n_inputs numbers each, [m, n_code]; arrays in, arrays out."""
        parts = (torch.from_numpy(part) for part in unit_frames_in_parts(np.asarray(values)))
        batches = (rows.to(self.encoder_weight) for part in parts for rows in part.split(_ROWS))
        # The sigmoid in float64 keeps apart what is near 0 and 1.
        found = [self.logits(rows).double().sigmoid() for rows in batches]
        codes: NDArray[np.float64] = torch.cat(found).cpu().numpy()
        return codes

    def _decoded(self, code: Tensor) -> Tensor:
        _check("code", code, self.n_code)
        found: Tensor = linear(code, self.decoder_weight, self.decoder_bias)
        return found

    def extra_repr(self) -> str:
        """Sizes and choices."""
        sizes = f"{self.n_inputs}, {self.n_code}, sparsity={self.sparsity:g}, weight={self.weight:g}"
        return f"{sizes}, tied={self.tied}, reconstruction={self.reconstruction!r}"


def _check(what: str, x: Tensor, width: int) -> None:
    if not x.ndim or x.shape[-1] != width:
        advice = "Flatten pictures: x.flatten(-2)." if what == "input" else ""
        raise InvalidValue(f"{what} of SparseAutoencoder: shape", list(x.shape), f"[..., {width}]", advice)
