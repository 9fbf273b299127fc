"""How neurons spike together: correlation of pairs, spectrum of the population."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from treplica.analysis.statistics import Floats, Ints, binned_counts, population_rate
from treplica.coding.grid import as_number, check_count, check_positive
from treplica.coding.trains import SpikeTrains
from treplica.errors import InvalidValue
from treplica.numerics.philox import key, philox4x32, stream_id


class Correlation(NamedTuple):
    """Pearson correlations: `matrix` float64[k, k] with ones in its diagonal, of the neurons `ids` int64[k]."""

    matrix: Floats
    ids: Ints

    @property
    def pairs(self) -> Floats:
        """The value of each pair once, float64[k·(k - 1)/2], row by row of the upper triangle."""
        return self.matrix[np.triu_indices(len(self.ids), 1)]


def correlation(trains: SpikeTrains, bin: float = 2.0, neurons: int = 200, seed: int = 0) -> Correlation:
    """Pearson correlation of the spike counts in bins of `bin` ms (whole steps).

    Of the neurons whose count varies from bin to bin, `neurons` are drawn at random by `seed`; all of them where
    there are no more. Raises `InvalidValue`.
    """
    from scipy.sparse import csr_array

    most = check_count("neurons", neurons, 1)
    cells = binned_counts(trains, bin)
    shape = (trains.size, cells.n_bins)
    table = csr_array((cells.counts.astype(np.float64), (cells.neurons, cells.bins)), shape=shape)
    # Sums of whole numbers: what does not vary has a variance of exactly 0.
    total = table.sum(axis=1)
    squares = table.multiply(table).sum(axis=1)
    (varying,) = np.nonzero(squares * cells.n_bins - total * total)
    ids = np.sort(varying[np.argsort(_lots(varying, seed), kind="stable")[:most]])
    part, sums = table[ids], total[ids]
    scaled = cells.n_bins * (part @ part.T).toarray() - np.outer(sums, sums)
    deviation = np.sqrt(np.diagonal(scaled))
    matrix: Floats = np.clip(scaled / np.outer(deviation, deviation), -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    return Correlation(matrix, ids)


def _lots(ids: Ints, seed: int) -> Ints:
    """One random word per neuron."""
    return philox4x32(ids, stream_id("analysis.correlation"), 0, 0, *key(seed))[0].astype(np.int64)


def power_spectrum(
    activity: SpikeTrains | ArrayLike, bin: float = 1.0, segment: float = 1000.0
) -> tuple[Floats, Floats]:
    """Frequencies in Hz and power spectral density (one-sided, per Hz), float64[segment/bin // 2 + 1] both.

    - `activity`: spike trains, whose population rate (Hz) in bins is taken; or a signal float[T], a sample per `bin`
    - `bin`: ms between samples; the highest frequency is 500/bin
    - `segment`: ms of the overlapping segments that are averaged (Welch 1967, Hann window, constant part removed);
        the resolution is 1000/segment Hz

    N independent Poisson neurons of rate r give a density of 2·r/N. Raises `InvalidValue`.
    """
    from scipy.signal import welch

    if isinstance(activity, SpikeTrains):
        signal = population_rate(activity, bin)[1]
    else:
        signal = np.asarray(activity, dtype=np.float64)
        if signal.ndim != 1 or not np.isfinite(signal).all():
            raise InvalidValue("activity", signal.shape, "spike trains or a one-dimensional finite signal")
    fs = 1000.0 / check_positive("bin", bin, "ms")
    ratio = as_number(segment) / bin
    if not 2.0 <= ratio <= len(signal) + 0.5:
        raise InvalidValue(
            "segment", segment, f"from {2 * bin:g} ms to the signal's {len(signal) * bin:g} ms"
        )
    frequencies, power = welch(signal, fs=fs, nperseg=round(ratio), detrend="constant")
    return frequencies, power
