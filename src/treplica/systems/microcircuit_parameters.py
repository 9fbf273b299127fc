"""The numbers of the Potjans-Diesmann microcircuit, and what scaling down makes of them.

Source: the published PyNEST implementation of Potjans & Diesmann 2014, doi:10.1093/cercor/bhs358. Arrays over
populations are in the order of POPULATIONS; matrices are [target, source]. Scaling: van Albada, Helias & Diesmann
2015, doi:10.1371/journal.pcbi.1004490.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from treplica.errors import InvalidValue

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Drive = Literal["poisson", "dc"]
Voltages = Literal["optimized", "original"]
DRIVES: tuple[Drive, ...] = ("poisson", "dc")

#: ms; the distribution of the delays is cut at half a step of it.
DT = 0.1
POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
NEURONS: Counts = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
#: Probability that a pair is connected at least once.
PROBABILITIES: Floats = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]
)
EXTERNAL_IN_DEGREES: Counts = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
#: Hz of each external synapse.
EXTERNAL_RATE = 8.0
#: Hz, of the whole network with direct current: what scaling down has to keep.
MEAN_RATES: Floats = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])

#: Neuron: mV, pF, ms.
V_REST, V_TH, V_RESET = -65.0, -50.0, -65.0
C_M, TAU, TAU_SYN, REFRACTORY = 250.0, 10.0, 0.5, 2.0

#: Peak of the potential after an excitatory spike, mV; an inhibitory one is INHIBITION times as large.
PSP = 0.15
INHIBITION = -4.0
EXCITATORY = tuple(name.endswith("E") for name in POPULATIONS)
#: L4E to L23E is twice as strong as the other excitatory connections.
STRONG = ("L4E", "L23E", 2.0)
WEIGHT_SPREAD = 0.1
#: ms, after excitatory and after inhibitory neurons; standard deviation as a share of it.
DELAY_EXC, DELAY_INH, DELAY_SPREAD = 1.5, 0.75, 0.5

#: Mean and standard deviation of v at time 0, mV. "optimized" is without the transient of the common "original".
INITIAL_V: dict[Voltages, tuple[Floats, Floats]] = {
    "optimized": (
        np.array([-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43]),
        np.array([5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48]),
    ),
    "original": (np.full(8, -58.0), np.full(8, 10.0)),
}

THALAMIC_NEURONS = 902
THALAMIC_PROBABILITIES: Floats = np.array([0.0, 0.0, 0.0983, 0.0619, 0.0, 0.0, 0.0512, 0.0196])


def synapse_numbers(sources: Counts, targets: Counts, probabilities: Floats) -> Floats:
    """Number of synapses, not yet rounded, with which a pair is connected at least once with a probability.

    Synapses are drawn one by one with replacement, so 1 - p = (1 - 1/(n m))^K. sources: [n], targets: [m],
    probabilities: [m, n]. Returns [m, n].
    """
    pairs = np.outer(targets, sources).astype(np.float64)
    # log1p would be more exact, but gives two synapses more than the published implementation
    numbers: Floats = np.log(1.0 - probabilities) / np.log((pairs - 1.0) / pairs)
    return numbers


def psc_per_psp(c_m: float = C_M, tau: float = TAU, tau_syn: float = TAU_SYN) -> float:
    """Current (pA) that a synapse jumps by where the potential is to peak at 1 mV: 585.39 for this neuron."""
    ratio, apart = tau / tau_syn, tau - tau_syn
    shape = ratio ** (-tau / apart) - ratio ** (-tau_syn / apart)
    return float(1.0 / (tau * tau_syn / (c_m * (tau_syn - tau)) * shape))


def weights() -> Floats:
    """Mean weight in pA of the unscaled network, [target, source]."""
    exc = PSP * psc_per_psp()
    mean = np.tile(np.where(EXCITATORY, exc, INHIBITION * exc), (8, 1))
    source, target, factor = STRONG
    mean[POPULATIONS.index(target), POPULATIONS.index(source)] *= factor
    return mean


@dataclass(frozen=True)
class Circuit:
    """What there is to build: numbers of neurons [8] and synapses [8, 8], weights in pA, drive of each population.

    external_rates: Hz in all, Poisson, of weight external_weight (0 with direct current). currents: constant, pA.
    """

    neurons: Counts
    synapses: Counts
    weights: Floats
    external_rates: Floats
    external_weight: float
    currents: Floats
    thalamic_synapses: Counts


def circuit(scale: float = 1.0, drive: Drive = "poisson") -> Circuit:
    """The numbers of a network with `scale` times the neurons and `scale` times the synapses of each.

    Weights grow by 1 / sqrt(scale), which keeps the variance of the input; a constant current gives back the mean that
    is missing then, from the known rates of the whole network. Raises InvalidValue.
    """
    _check(scale, drive)
    root = math.sqrt(scale)
    full = synapse_numbers(NEURONS, NEURONS, PROBABILITIES)
    thalamic = synapse_numbers(np.array([THALAMIC_NEURONS]), NEURONS, THALAMIC_PROBABILITIES[:, np.newaxis])
    mean = weights()
    external = PSP * psc_per_psp()
    recurrent = (mean * full / NEURONS[:, np.newaxis]) @ MEAN_RATES
    from_outside = EXTERNAL_RATE * EXTERNAL_IN_DEGREES * external
    # pA Hz ms: a spike of 1 pA carries tau_syn pA ms
    charge = 1e-3 * TAU_SYN
    currents = charge * (1.0 - root) * recurrent
    if drive == "dc":
        rates = np.zeros(8)
        currents = currents + charge * from_outside
    else:
        rates = EXTERNAL_RATE * np.rint(EXTERNAL_IN_DEGREES * scale)
        currents = currents + charge * (1.0 - root) * from_outside
    return Circuit(
        neurons=_whole(NEURONS * np.float64(scale)),
        synapses=_whole(full * scale**2),
        weights=mean / root,
        external_rates=rates,
        external_weight=external / root,
        currents=currents,
        thalamic_synapses=_whole(thalamic[:, 0] * scale**2),
    )


def _whole(numbers: Floats) -> Counts:
    whole: Counts = np.rint(numbers).astype(np.int64)
    return whole


def _check(scale: float, drive: Drive) -> None:
    if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not 0.001 <= scale <= 1.0:
        advice = "1 is the whole microcircuit; below 0.001 a population would have no neuron."
        raise InvalidValue("scale of the microcircuit", scale, "a number from 0.001 to 1", advice)
    if drive not in DRIVES:
        raise InvalidValue("drive of the microcircuit", drive, "'poisson' or 'dc'")
