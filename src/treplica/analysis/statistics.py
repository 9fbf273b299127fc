"""How much a network spikes: rates, counts and their spread."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from treplica.coding.grid import whole_steps
from treplica.coding.trains import SpikeTrains
from treplica.errors import InvalidValue

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class PerNeuron(NamedTuple):
    """A statistic of those neurons that have one: `values` float64[k] and their `ids` int64[k], ascending."""

    values: Floats
    ids: Ints


class SilentShare(NamedTuple):
    """Share of neurons without a spike in a step: its mean over the steps and its least value."""

    mean: float
    least: float


class BinnedCounts(NamedTuple):
    """The filled cells of the table of spike counts, neurons by bins; all other cells are 0.

    `neurons`, `bins` and `counts` are int64[filled]; there are `n_bins` bins in all.
    """

    neurons: Ints
    bins: Ints
    counts: Ints
    n_bins: int


def rates(trains: SpikeTrains, start: float | None = None, stop: float | None = None) -> Floats:
    """Spikes per second of each neuron, float64[size], over (start, stop] in ms; the whole recording by default."""
    part = _part(trains, start, stop)
    return part.counts() / (part.duration / 1000.0)


def mean_rate(trains: SpikeTrains, start: float | None = None, stop: float | None = None) -> float:
    """Mean over the neurons of `rates`, in Hz."""
    part = _part(trains, start, stop)
    return len(part) / part.size / (part.duration / 1000.0)


def population_rate(trains: SpikeTrains, bin: float) -> tuple[Floats, Floats]:
    """Centres of the bins (ms) and mean rate of the neurons in each (Hz), float64[bins] both.

    `bin` is in ms and whole steps; what is left behind the last full bin is not counted.
    """
    width, n_bins = bins_of(trains, bin)
    per_bin = np.bincount(
        (trains.steps - trains.first_step - 1) // width, minlength=n_bins
    )[:n_bins]  # fmt: skip
    centres = trains.start + (np.arange(n_bins) + 0.5) * np.float64(bin)
    return centres, per_bin / (trains.size * bin / 1000.0)


def silent_share(trains: SpikeTrains) -> SilentShare:
    """Share of neurons that do not spike in a step: mean and least over the steps."""
    _part(trains, None, None)
    steps = trains.steps - trains.first_step - 1
    if trains.exact is not None:  # a neuron may spike twice in a step
        steps = binned_counts(trains, trains.dt).bins
    per_step = np.bincount(steps, minlength=trains.n_steps)
    mean = 1.0 - len(steps) / (trains.n_steps * trains.size)
    return SilentShare(mean, 1.0 - int(per_step.max()) / trains.size)


def fano(trains: SpikeTrains, window: float) -> PerNeuron:
    """Fano factor of each neuron that spikes: variance over mean of its counts in windows of `window` ms.

    0 for a regular train whose interval divides the window, 1 for a Poisson process. Needs two windows or more.
    """
    cells = binned_counts(trains, window)
    if cells.n_bins < 2:
        raise InvalidValue("window", window, f"at most half the recording, {trains.duration / 2:g} ms")
    total = np.bincount(cells.neurons, weights=cells.counts, minlength=trains.size)
    (ids,) = np.nonzero(total)
    mean = total[ids] / cells.n_bins
    return PerNeuron(_variance(cells, trains.size)[ids] / mean, ids)


def synchrony(trains: SpikeTrains, bin: float = 2.0) -> float:
    """Golomb's χ of the spike counts in bins of `bin` ms: 1 for identical trains, about 1/√size for independent ones.

    χ² is the variance in time of the population mean over the mean of the neurons' variances; 0 where nothing
    varies. Source: Golomb 2007, doi:10.4249/scholarpedia.1347, with counts in place of potentials.
    """
    cells = binned_counts(trains, bin)
    own = float(_variance(cells, trains.size).mean())
    together = np.bincount(cells.bins, weights=cells.counts, minlength=cells.n_bins) / trains.size
    return float(np.sqrt(together.var() / own)) if own > 0.0 else 0.0


def binned_counts(trains: SpikeTrains, bin: float) -> BinnedCounts:
    """Spike counts of every neuron in bins of `bin` ms (whole steps), without the empty cells."""
    width, n_bins = bins_of(trains, bin)
    place = (trains.steps - trains.first_step - 1) // width
    whole = place < n_bins
    cells, count = np.unique(trains.ids[whole].astype(np.int64) * n_bins + place[whole], return_counts=True)
    return BinnedCounts(cells // n_bins, cells % n_bins, count.astype(np.int64), n_bins)


def bins_of(trains: SpikeTrains, bin: float) -> tuple[int, int]:
    """Steps in a bin of `bin` ms, and the number of full bins; raises `InvalidValue` where there is none."""
    width = whole_steps("bin", bin, trains.dt)
    if not 1 <= width <= trains.n_steps:
        raise InvalidValue("bin", bin, f"from {trains.dt:g} ms to the recording's {trains.duration:g} ms")
    return width, trains.n_steps // width


def _variance(cells: BinnedCounts, size: int) -> Floats:
    """Variance over the bins of each neuron's count, float64[size]."""
    total = np.bincount(cells.neurons, weights=cells.counts, minlength=size)
    squares = np.bincount(cells.neurons, weights=cells.counts * cells.counts, minlength=size)
    variance: Floats = (squares * cells.n_bins - total * total) / float(cells.n_bins) ** 2
    return variance


def _part(trains: SpikeTrains, start: float | None, stop: float | None) -> SpikeTrains:
    """The spikes in (start, stop]; raises `InvalidValue` where that span is empty."""
    if start is not None or stop is not None:
        begin, end = (trains.start if start is None else start), (trains.stop if stop is None else stop)
        trains = trains.between(begin, end)
    if not trains.n_steps:
        raise InvalidValue("duration", trains.duration, "> 0 ms")
    return trains
