"""The code that an autoencoder has learned, as spikes within a budget."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from treplica.coding import SpikeSamples, latency_steps
from treplica.coding.grid import check_count
from treplica.datasets import Images
from treplica.errors import InvalidValue, UnknownName
from treplica.learning.blueprint.autoencoder import SparseAutoencoder
from treplica.learning.blueprint.budget import counts, cut_for, evenly, gain_for
from treplica.learning.training.inputs import SpikeInputs

Law = Literal["latency", "rate"]


class AdaptiveCode:
    """Samples as spikes of the units of an autoencoder's code, `budget` of them per sample in the mean.

    - "latency": one spike for each unit whose activity a is above a cut, the larger the earlier: `latency_steps` of a,
      with its linear law. The budget chooses the cut
    - "rate": gain · a spikes of each unit, rounded, evenly over the window and one in a step at most. The budget
      chooses the gain

    Cut and gain are chosen on the given samples, so that other samples of their kind have the budget in the mean,
    not exactly. Nothing is drawn: the same sample always gives the same spikes.

    Raises InvalidValue or UnknownName, also for a budget that cannot be met within 1 %.

    Parameters
    ----------
    autoencoder: trained; see `fit_autoencoder`.
    values: samples [m, ...] of n_inputs numbers in 0 … 1 each, those of training.
    steps: T, of each sample; 2 at least.
    budget: spikes per sample, > 0.
    code: "latency" or "rate".
    """

    def __init__(
        self,
        autoencoder: SparseAutoencoder,
        values: ArrayLike,
        steps: int,
        budget: float,
        code: Law = "latency",
    ) -> None:
        if code not in get_args(Law):
            raise UnknownName("code of AdaptiveCode", str(code), get_args(Law))
        self.autoencoder, self.code = autoencoder, code
        self.steps = check_count("AdaptiveCode: steps", steps, 2)
        self.budget = float(budget)
        activities = autoencoder.codes(values)
        #: The cut of a latency code, or the gain of a rate code.
        self.limit = (
            cut_for(activities, self.budget)
            if code == "latency"
            else gain_for(activities, self.steps, self.budget)
        )
        self.levels = self._levels(activities)

    def encode(self, values: ArrayLike) -> SpikeSamples:
        """The spikes of samples [m, ...] of n_inputs numbers in 0 … 1 each: T steps, n_code channels."""
        words = self._words(self.autoencoder.codes(values))
        if self.code == "latency":
            return SpikeSamples.from_first(words, self.steps)
        return SpikeSamples.from_spikes(
            *evenly(words, self.steps), len(words), self.steps, self.autoencoder.n_code
        )

    def inputs(self, images: Images) -> SpikeInputs:
        """A data set as batches for a network: `SpikeTensor` [T, B, n_code]."""
        return SpikeInputs(self.encode(images.inputs), images.labels, images.classes)

    def decode(self, samples: SpikeSamples) -> NDArray[np.float32]:
        """What the spikes tell of the inputs, [m, n_inputs]: each unit's mean activity given its spikes, decoded.

        The means are those of all units together over the samples on which the budget was chosen.
        """
        expected = (self.steps, self.autoencoder.n_code)
        if (samples.n_steps, samples.n_channels) != expected:
            given = (samples.n_steps, samples.n_channels)
            raise InvalidValue("samples: (steps, channels)", given, f"{expected}, as this code makes them")
        words = np.zeros((len(samples), samples.n_channels), dtype=np.int64)
        sample = np.repeat(np.arange(len(samples)), np.diff(samples.indptr))
        np.add.at(words, (sample, samples.channel), samples.step if self.code == "latency" else 1)
        with torch.no_grad():
            code = torch.from_numpy(self.levels[words]).to(self.autoencoder.encoder_weight)
            decoded: NDArray[np.float32] = self.autoencoder.decode(code).float().cpu().numpy()
        return decoded

    def _words(self, activities: NDArray[np.float64]) -> NDArray[np.int64]:
        """What each unit says, 0 … T: the step of its spike or how many there are; 0 is silence."""
        if self.code == "rate":
            return counts(activities, self.limit, self.steps)
        return latency_steps(activities, float(self.steps), cut=self.limit).astype(np.int64)

    def _levels(self, activities: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean activity behind each word; words that never come are interpolated."""
        words = self._words(activities).ravel()
        count = np.bincount(words, minlength=self.steps + 1)
        total = np.bincount(words, weights=activities.ravel(), minlength=self.steps + 1)
        seen = np.flatnonzero(count)
        # Silence, the least, is no neighbour of the first step, the greatest.
        near = seen[seen > 0] if self.code == "latency" and len(seen) > 1 else seen
        levels = np.interp(np.arange(self.steps + 1), near, total[near] / count[near])
        levels[seen] = total[seen] / count[seen]
        return levels

    def __repr__(self) -> str:
        """Return the choices and what came of them."""
        what = "cut" if self.code == "latency" else "gain"
        return (
            f"AdaptiveCode({self.autoencoder.n_code} units, {self.steps} steps, {self.code}, "
            f"budget {self.budget:g} spikes, {what} {self.limit:.6g})"
        )
