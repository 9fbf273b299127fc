"""Random choices of training as functions of (seed, epoch, batch): the same whoever asks, and whenever."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from treplica.coding.grid import check_count
from treplica.numerics.philox import stream_id

_EVALUATION = 2**64 - 1


class Moment(NamedTuple):
    """When a batch is drawn: in an epoch (0, 1, ...) of training, or in an evaluation (None); these draw the same."""

    seed: int
    epoch: int | None
    batch: int

    @property
    def training(self) -> bool:
        """Whether samples may be changed (shifted, ...)."""
        return self.epoch is not None


def words(moment: Moment, purpose: str, count: int) -> NDArray[np.uint64]:
    """`count` words that belong to a moment and a purpose; other purposes and moments have independent ones."""
    epoch = _EVALUATION if moment.epoch is None else moment.epoch
    seed = check_count("seed", moment.seed, 0)
    # Philox counts in the two low words, so that neither epochs nor batches overlap.
    counter = np.array([0, 0, moment.batch, epoch], np.uint64)
    source = np.random.Philox(counter=counter, key=np.array([seed, stream_id(purpose)], np.uint64))
    found: NDArray[np.uint64] = source.random_raw(count)
    return found


def uniform(moment: Moment, purpose: str, count: int) -> NDArray[np.float32]:
    """Numbers in [0, 1), multiples of 2⁻²⁴."""
    return (words(moment, purpose, count) >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


def below(moment: Moment, purpose: str, limit: int, count: int) -> NDArray[np.int64]:
    """Whole numbers 0 … limit - 1, for limits that are small beside 2³²."""
    high = words(moment, purpose, count) >> np.uint64(32)
    return (high * np.uint64(limit) >> np.uint64(32)).astype(np.int64)


def order(seed: int, epoch: int, size: int, purpose: str = "order") -> NDArray[np.int64]:
    """A permutation of 0 … size - 1 that belongs to a seed and an epoch."""
    return np.argsort(words(Moment(seed, epoch, 0), purpose, size), kind="stable")
