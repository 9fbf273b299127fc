"""How irregularly neurons spike: interspike intervals and their variation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from treplica.analysis.statistics import Floats, Ints, PerNeuron
from treplica.coding.grid import check_count, steps_holding, whole_steps
from treplica.coding.trains import SpikeTrains
from treplica.errors import InvalidValue


class Intervals(NamedTuple):
    """Interspike intervals: `values` in ms, float64[k], and their neurons `ids` int64[k], by neuron, then in time."""

    values: Floats
    ids: Ints


def intervals(trains: SpikeTrains) -> Intervals:
    """All interspike intervals; pooled as `.values`, of one neuron as `.values[.ids == neuron]`.

    They are whole steps, or differences of exact times where the trains have them.
    """
    apart, ids = _apart(trains)
    return Intervals(apart if trains.exact is not None else apart * np.float64(trains.dt), ids)


def cv(trains: SpikeTrains, min_spikes: int = 3) -> PerNeuron:
    """Coefficient of variation of the intervals: their standard deviation over their mean.

    0 for a regular train, 1 for a Poisson process, 1/√k for a gamma process of order k. Neurons with fewer than
    `min_spikes` (3 at least) spikes are left out.
    """
    values, ids = intervals(trains)
    chosen = _enough(trains, min_spikes)
    number = np.maximum(np.bincount(ids, minlength=trains.size), 1)
    mean = np.bincount(ids, weights=values, minlength=trains.size) / number
    variance = np.bincount(ids, weights=(values - mean[ids]) ** 2, minlength=trains.size) / number
    return PerNeuron(np.sqrt(variance[chosen]) / mean[chosen], chosen)


def cv2(trains: SpikeTrains, min_spikes: int = 3) -> PerNeuron:
    """Mean of 2·|I' - I| / (I' + I) over each neuron's pairs of successive intervals I, I'.

    1 for a Poisson process, and little moved by slow changes of the rate. Neurons with fewer than `min_spikes`
    (3 at least) spikes are left out. Source: Holt, Softky, Koch & Douglas 1996, doi:10.1152/jn.1996.75.5.1806.
    """
    return _of_pairs(trains, min_spikes, lambda contrast: 2.0 * np.abs(contrast))


def local_variation(trains: SpikeTrains, min_spikes: int = 3) -> PerNeuron:
    """Mean of 3·((I' - I) / (I' + I))² over each neuron's pairs of successive intervals I, I'.

    1 for a Poisson process, 3/(2k + 1) for a gamma process of order k. Neurons with fewer than `min_spikes`
    (3 at least) spikes are left out. Source: Shinomoto, Shima & Tanji 2003, doi:10.1162/089976603322518759.
    """
    return _of_pairs(trains, min_spikes, lambda contrast: 3.0 * contrast * contrast)


def isi_histogram(trains: SpikeTrains, bin: float, longest: float | None = None) -> tuple[Floats, Ints]:
    """Edges in ms, float64[bins + 1], and number of intervals in each bin (edge, next edge], int64[bins].

    `bin` and `longest` are in ms and whole steps; intervals beyond `longest` are left out (None: there are none).
    """
    width = whole_steps("bin", bin, trains.dt)
    if width < 1:
        raise InvalidValue("bin", bin, f">= {trains.dt:g} ms")
    apart, _ = _apart(trains)
    # An interval is in the bin that holds a time as long; spikes as good as at once are in the first.
    steps = apart if trains.exact is None else np.maximum(steps_holding(apart, trains.dt), 1)
    last = int(steps.max(initial=1)) if longest is None else whole_steps("longest", longest, trains.dt)
    n_bins = -(-last // width)
    if n_bins < 1:
        raise InvalidValue("longest", longest, f">= {trains.dt:g} ms")
    place = (steps[steps <= last] - 1) // width
    return np.arange(n_bins + 1) * np.float64(bin), np.bincount(place, minlength=n_bins).astype(np.int64)


def _apart(trains: SpikeTrains) -> tuple[NDArray[Any], Ints]:
    """Intervals and their neurons: in ms where there are exact times, else in steps, whose differences do not round."""
    order = np.argsort(trains.ids, kind="stable")
    when, ids = trains.steps if trains.exact is None else trains.exact, trains.ids[order].astype(np.int64)
    same = ids[1:] == ids[:-1]
    return np.diff(when[order])[same], ids[1:][same]


def _enough(trains: SpikeTrains, min_spikes: int) -> Ints:
    (chosen,) = np.nonzero(trains.counts() >= check_count("min_spikes", min_spikes, 3))
    return chosen


def _of_pairs(trains: SpikeTrains, min_spikes: int, measure: Callable[[Floats], Floats]) -> PerNeuron:
    """Mean per neuron of a measure of (I' - I) / (I' + I)."""
    values, ids = intervals(trains)
    chosen = _enough(trains, min_spikes)
    same = ids[1:] == ids[:-1]
    contrast = (np.diff(values) / (values[1:] + values[:-1]))[same]
    total = np.bincount(ids[1:][same], weights=measure(contrast), minlength=trains.size)
    return PerNeuron(total[chosen] / (trains.counts()[chosen] - 2), chosen)
