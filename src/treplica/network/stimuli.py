"""What drives a network from outside, as data: Poisson spikes, given spikes, given currents.

Noise that is computed with the neuron (`GaussianCurrent`) is a receptor model without arrivals, in `synapses`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.coding.trains import SpikeTrains
from treplica.errors import InvalidValue
from treplica.network.checks import check_number, check_numbers


@dataclass(frozen=True)
class PoissonInput:
    """Independent Poisson spikes to every neuron: `rate` Hz in all, each arriving with `weight`.

    Several spikes can arrive in one step. The rate may be an array, one for each neuron of the view.
    """

    rate: float | NDArray[np.float64]
    weight: float

    def __post_init__(self) -> None:
        allowed = "a finite number >= 0 Hz, or one for each neuron"
        rate = check_numbers("PoissonInput.rate", self.rate, allowed)
        if rate.ndim > 1 or (rate < 0.0).any():
            raise InvalidValue("PoissonInput.rate", self.rate, allowed)
        object.__setattr__(self, "rate", rate if rate.ndim else float(rate))
        object.__setattr__(self, "weight", check_number("PoissonInput.weight", self.weight))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PoissonInput)
            and np.array_equal(self.rate, other.rate)
            and self.weight == other.weight
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class SpikeInput:
    """Given spikes, one train for each neuron of the view, each arriving with `weight` at its own time.

    Engines that work in steps refuse exact times, see `SpikeTrains.on_grid`.
    """

    trains: SpikeTrains
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.trains, SpikeTrains):
            raise InvalidValue("SpikeInput.trains", self.trains, "SpikeTrains")
        object.__setattr__(self, "weight", check_number("SpikeInput.weight", self.weight))

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class StepCurrent:
    """A current that changes at given times and holds in between; 0 before the first.

    times: ms, ascending, on the grid, float[k]. amplitudes: float[k] for all neurons or float[k, n] for each of the
    view. A value given for time t is felt from t on.
    """

    times: NDArray[np.float64]
    amplitudes: NDArray[np.float64]

    def __post_init__(self) -> None:
        times = np.atleast_1d(check_numbers("StepCurrent.times", self.times))
        if times.ndim != 1 or (times < 0.0).any() or (np.diff(times) <= 0.0).any():
            raise InvalidValue("StepCurrent.times", self.times, "ascending times >= 0 ms")
        allowed = f"finite numbers of shape ({times.size},) or ({times.size}, neurons)"
        amplitudes = np.atleast_1d(check_numbers("StepCurrent.amplitudes", self.amplitudes, allowed))
        if amplitudes.ndim > 2 or amplitudes.shape[0] != times.size:
            raise InvalidValue("StepCurrent.amplitudes", self.amplitudes, allowed)
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "amplitudes", amplitudes)

    @classmethod
    def from_frames(cls, frames: Any, interval: float, start: float = 0.0) -> StepCurrent:
        """Frames [T, n], one every `interval` ms from `start` on; 0 after the last."""
        frames = check_numbers("frames", frames, "finite numbers [T, neurons]")
        if frames.ndim != 2 or frames.shape[0] == 0:
            raise InvalidValue("frames", frames.shape, "of shape [T, neurons] with at least one frame")
        if check_number("interval", interval) <= 0.0:
            raise InvalidValue("interval", interval, "> 0 ms")
        if check_number("start", start) < 0.0:
            raise InvalidValue("start", start, ">= 0 ms")
        times = start + interval * np.arange(frames.shape[0] + 1)
        return cls(times, np.concatenate([frames, np.zeros_like(frames[:1])]))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, StepCurrent)
            and np.array_equal(self.times, other.times)
            and np.array_equal(self.amplitudes, other.amplitudes)
        )

    __hash__ = None  # type: ignore[assignment]


Drive = PoissonInput | SpikeInput | StepCurrent
