"""Numbers that every engine computes alike: random words, noise, elementary functions."""

from treplica.numerics.noise import normal, uniform, words
from treplica.numerics.philox import key, philox4x32, split64, stream_id

__all__ = ["key", "normal", "philox4x32", "split64", "stream_id", "uniform", "words"]
