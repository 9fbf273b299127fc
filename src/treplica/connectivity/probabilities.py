"""Probabilities as whole numbers or tables, computed so that every machine takes the same decisions."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

WIDTH = 12.0  # standard deviations of a binomial distribution that its table covers on each side


def word_threshold(probability: float) -> np.uint64:
    """Return how many of the 2**32 words mean "yes"; rounding moves the probability by at most 2**-33."""
    return np.uint64(round(probability * 2.0**32))


def word_thresholds(probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.uint64]:
    """Return `word_threshold` of every probability of an array (same shape)."""
    return np.rint(probabilities * 2.0**32).astype(np.uint64)


def binomial_table(n: int, p: float) -> tuple[int, npt.NDArray[np.float64]]:
    """Return (low, F): F[i] is the probability that at most low + i of n trials succeed; the last is 1.

    Built outward from the mode by the ratios of neighbouring probabilities, with sums in a fixed order and no
    library functions. Counts beyond 12 standard deviations (and 40 counts) from the mean are left out.
    """
    if p in (0.0, 1.0):
        return int(n * p), np.ones(1)
    reach = math.ceil(WIDTH * math.sqrt(n * p * (1.0 - p))) + 40
    mode = min(int((n + 1) * p), n)
    low, high = max(0, mode - reach), min(n, mode + reach)
    odds = p / (1.0 - p)
    above = np.arange(mode, high, dtype=np.float64)  # P(i + 1) / P(i) = (n - i) / (i + 1) * odds
    below = np.arange(mode, low, -1, dtype=np.float64)  # P(i - 1) / P(i) = i / (n - i + 1) / odds
    rising = np.cumprod(below / (n - below + 1.0) / odds)
    falling = np.cumprod((n - above) / (above + 1.0) * odds)
    total = np.cumsum(np.concatenate([rising[::-1], [1.0], falling]))
    table = total / total[-1]
    return low, table
