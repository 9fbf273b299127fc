"""Losses of spiking classifiers, on outputs [T, B, classes], and what keeps layers near a rate.

A loss is called with the output of a network and the labels, int64[B], and gives one number, the mean over the batch.
Its `scores`, [B, classes], are what the network is asked by: the class with the greatest score is its answer. Below,
s[t] are spikes (0 or 1), v[t] any output, y the label, and CE(z, y) = log sum_c exp(z_c) - z_y.

Source of the comparison of losses: Eshraghian et al. 2023, "Training spiking neural networks using lessons from deep
learning", doi:10.1109/JPROC.2023.3308088.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from treplica.errors import InvalidValue, UnknownName
from treplica.learning.blueprint.kl_sparsity import kl_of_logs

__all__ = [
    "TET",
    "CountMSE",
    "FirstSpikeCrossEntropy",
    "KLSparsityTarget",
    "Loss",
    "MembraneCrossEntropy",
    "RateCrossEntropy",
    "SparsityTarget",
]

Over = Literal["mean", "sum", "max", "last"]


class Loss(Protocol):
    """What the trainer minimises."""

    def __call__(self, output: Tensor, labels: Tensor) -> Tensor:
        """One number for an output [T, B, classes] and labels int64[B]."""

    def scores(self, output: Tensor) -> Tensor:
        """[B, classes]: the class with the greatest is the answer."""


@dataclass(frozen=True)
class RateCrossEntropy:
    """Cross entropy of spike counts: CE(scale · sum_t s[t], y). The output spikes.

    Counts of T steps reach T at most, which `scale` makes more or less decisive.
    Source: Eshraghian et al. 2023, doi:10.1109/JPROC.2023.3308088 ("spike rate").
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        _positive("RateCrossEntropy.scale", self.scale)

    def scores(self, output: Tensor) -> Tensor:
        """The counts, scaled."""
        return _sum(output) * self.scale

    def __call__(self, output: Tensor, labels: Tensor) -> Tensor:
        """The mean over the batch."""
        return cross_entropy(self.scores(output), labels)


@dataclass(frozen=True)
class CountMSE:
    """Squared distance of spike counts from targets: mean over B and classes of (sum_t s[t] / T - r)².

    r is `correct` for the neuron of the label and `wrong` for the others, both shares of the T steps.
    Source: Shrestha & Orchard 2018, SLAYER, arXiv:1810.08646 (loss on counts).
    """

    correct: float = 0.8
    wrong: float = 0.05

    def __post_init__(self) -> None:
        if not 0.0 <= self.wrong < self.correct <= 1.0:
            raise InvalidValue(
                "CountMSE (wrong, correct)", (self.wrong, self.correct), "0 <= wrong < correct <= 1"
            )

    def scores(self, output: Tensor) -> Tensor:
        """The shares of steps with a spike."""
        return _sum(output) / output.shape[0]

    def __call__(self, output: Tensor, labels: Tensor) -> Tensor:
        """The mean over the batch and the classes."""
        shares = self.scores(output)
        target = torch.full_like(shares, self.wrong)
        target[torch.arange(len(labels), device=labels.device), labels] = self.correct
        return (shares - target).square().mean()


@dataclass(frozen=True)
class MembraneCrossEntropy:
    """Cross entropy of a readout's potentials: CE(scale · R v, y), where R takes T steps together.

    over: "mean" or "sum" over time; "max", the greatest of each class (Cramer et al. 2022,
    doi:10.1109/TNNLS.2020.3044364; Zenke & Vogels 2021, doi:10.1162/neco_a_01367); or "last", the last step.
    """

    over: Over = "mean"
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.over not in get_args(Over):
            raise UnknownName("MembraneCrossEntropy.over", str(self.over), get_args(Over))
        _positive("MembraneCrossEntropy.scale", self.scale)

    def scores(self, output: Tensor) -> Tensor:
        """The potentials over time, scaled."""
        _check(output)
        if self.over == "max":
            found = output.amax(0)
        elif self.over == "last":
            found = output[-1]
        else:
            found = output.mean(0) if self.over == "mean" else output.sum(0)
        return found if self.scale == 1.0 else found * self.scale

    def __call__(self, output: Tensor, labels: Tensor) -> Tensor:
        """The mean over the batch."""
        return cross_entropy(self.scores(output), labels)


@dataclass(frozen=True)
class TET:
    """Temporal efficient training: cross entropy at every step, so that each step answers by itself.

    (1 - share) · mean_t CE(v[t], y) + share · mean (v - level)², the mean over steps, batch and classes. The answer
    is that of the mean of v over time. Source: Deng et al. 2022, arXiv:2202.11946 (there share is lambda, level phi).
    """

    share: float = 0.0
    level: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.share < 1.0:
            raise InvalidValue("TET.share", self.share, "0 <= share < 1")
        if not math.isfinite(self.level):
            raise InvalidValue("TET.level", self.level, "a finite number")

    def scores(self, output: Tensor) -> Tensor:
        """The mean over time."""
        _check(output)
        return output.mean(0)

    def __call__(self, output: Tensor, labels: Tensor) -> Tensor:
        """The mean over steps and batch."""
        _check(output)
        each = cross_entropy(output.flatten(0, 1), labels.repeat(output.shape[0]))
        if not self.share:
            return each
        return (1.0 - self.share) * each + self.share * (output - self.level).square().mean()


@dataclass(frozen=True)
class FirstSpikeCrossEntropy:
    """Cross entropy of the times of first spikes, the earliest of which answers: CE(-t / tau, y). The output spikes.

    t is the number of steps before a neuron's first spike, T for a silent one. It is written as the expected first
    time of neurons that spike in step u with probability s[u],

        t = sum_{n = 1 … T} prod_{u = 1 … n} (1 - s[u]),

    (the sum of the survivor function: Gerstner et al. 2014, Neuronal Dynamics, section 9.1), which for spikes of 0 and
    1 is the time itself, and has derivatives: a spike in an earlier step would bring t forward by the distance, and
    without the first spike t would be that of the second. Source of the loss: Mostafa 2018,
    doi:10.1109/TNNLS.2017.2726060; Göltz et al. 2021, doi:10.1038/s42256-021-00388-x.

    tau: steps by which a time must be earlier to be e times as likely.
    """

    tau: float = 1.0

    def __post_init__(self) -> None:
        _positive("FirstSpikeCrossEntropy.tau", self.tau)

    def scores(self, output: Tensor) -> Tensor:
        """Minus the times, [B, classes], in units of tau."""
        _check(output)
        return first_spike_times(output) / -self.tau

    def __call__(self, output: Tensor, labels: Tensor) -> Tensor:
        """The mean over the batch."""
        return cross_entropy(self.scores(output), labels)


def first_spike_times(spikes: Tensor) -> Tensor:
    """Steps before the first spike of [T, ...], T where there is none, as [...] with derivatives; see the loss."""
    if spikes.ndim < 1 or not spikes.shape[0]:
        raise InvalidValue("spikes: shape", list(spikes.shape), "[T, ...] with at least one step")
    return (1.0 - spikes).cumprod(0).sum(0)


@dataclass(frozen=True)
class SparsityTarget:
    """Keeps the mean rates of layers near a target: weight · mean over layers of (r / rate - 1)².

    r is the mean over steps, batch and neurons of a layer's spikes: its spikes per neuron and step. layers: their
    names in the module, as `named_modules` gives them; None for all layers of neurons that spike.
    Source: a penalty on population rates as in Zenke & Vogels 2021, doi:10.1162/neco_a_01367, here relative to the
    target and on both sides of it.
    """

    rate: float
    weight: float = 0.1
    layers: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.rate < 1.0:
            allowed = "0 < rate < 1, spikes per neuron and step"
            raise InvalidValue(f"{type(self).__name__}.rate", self.rate, allowed)
        _positive(f"{type(self).__name__}.weight", self.weight)

    def chosen(self, spikes: Mapping[str, Tensor]) -> list[Tensor]:
        """The spikes of the layers that it is about."""
        names = tuple(spikes) if self.layers is None else self.layers
        for name in names:
            if name not in spikes:
                raise UnknownName(f"layer of {type(self).__name__}", name, spikes)
        if not names:
            raise InvalidValue(f"{type(self).__name__}: layers that spike", 0, "at least one")
        return [spikes[name] for name in names]

    def __call__(self, spikes: Mapping[str, Tensor]) -> Tensor:
        """One number for the spikes of layers, [T, B, ...] by name."""
        rates = torch.stack([s.mean() for s in self.chosen(spikes)])
        return self.weight * (rates / self.rate - 1.0).square().mean()


@dataclass(frozen=True)
class KLSparsityTarget(SparsityTarget):
    """Keeps the rate of every neuron near a target: weight · mean over layers and neurons of KL(rate || r).

    `SparsityTarget` is about layers: some of their neurons may do all the work. Here r is a neuron's own rate, counted
    as if the target had been seen once besides: (k + rate) / (n + 1) for k spikes in n = T · B steps, so that a silent
    neuron costs much, rate · log(n + 1) and more, but neither value nor gradient is infinite.
    Source: Ng 2011, CS294A Lecture notes: Sparse autoencoder; see `treplica.learning.kl_sparsity`.
    """

    def __call__(self, spikes: Mapping[str, Tensor]) -> Tensor:
        """One number for the spikes of layers, [T, B, ...] by name."""
        return self.weight * torch.stack([self._of(s) for s in self.chosen(spikes)]).mean()

    def _of(self, spikes: Tensor) -> Tensor:
        steps = spikes.shape[0] * spikes.shape[1]
        count = spikes.sum((0, 1))
        total = math.log(steps + 1.0)
        on, off = (count + self.rate).log() - total, (steps - count + (1.0 - self.rate)).log() - total
        return kl_of_logs(on, off, self.rate).mean()


def _sum(output: Tensor) -> Tensor:
    _check(output)
    return output.sum(0)


def _check(output: Tensor) -> None:
    if output.ndim != 3 or not output.shape[0]:
        raise InvalidValue("output of the network: shape", list(output.shape), "[T, B, classes], time first")


def _positive(what: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise InvalidValue(what, value, "a finite number > 0")
