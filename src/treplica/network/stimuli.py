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


@dataclass(frozen=True)
class PoissonInput:
    """Independent Poisson spikes to every neuron: `rate` Hz in all, each arriving with `weight`.

    Several spikes can arrive in one step. The rate may be an array, one for each neuron of the view.
    """

    rate: float | NDArray[np.float64]
    weight: float

    def __post_init__(self) -> None:
        rate = np.asarray(self.rate, dtype=np.float64)
        if rate.ndim > 1 or not (np.isfinite(rate) & (rate >= 0.0)).all():
            raise InvalidValue("PoissonInput.rate", self.rate, "finite numbers >= 0 Hz")
        if not np.isfinite(self.weight):
            raise InvalidValue("PoissonInput.weight", self.weight, "a finite number")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PoissonInput)
            and np.array_equal(self.rate, other.rate)
            and self.weight == other.weight
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class SpikeInput:
    """Given spikes, one train for each neuron of the view, each arriving with `weight` at its own time."""

    trains: SpikeTrains
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.trains, SpikeTrains):
            raise InvalidValue("SpikeInput.trains", self.trains, "SpikeTrains")
        if not np.isfinite(self.weight):
            raise InvalidValue("SpikeInput.weight", self.weight, "a finite number")

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
        times = np.atleast_1d(np.array(self.times, dtype=np.float64))
        amplitudes = np.atleast_1d(np.array(self.amplitudes, dtype=np.float64))
        if (
            times.ndim != 1
            or not np.isfinite(times).all()
            or (times < 0).any()
            or (np.diff(times) <= 0).any()
        ):
            raise InvalidValue("StepCurrent.times", self.times, "ascending times >= 0 ms")
        if amplitudes.ndim > 2 or amplitudes.shape[0] != times.size or not np.isfinite(amplitudes).all():
            allowed = f"finite numbers of shape ({times.size},) or ({times.size}, neurons)"
            raise InvalidValue("StepCurrent.amplitudes", self.amplitudes, allowed)
        for name, array in (("times", times), ("amplitudes", amplitudes)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def from_frames(cls, frames: Any, interval: float, start: float = 0.0) -> StepCurrent:
        """Frames [T, n], one every `interval` ms from `start` on; 0 after the last."""
        frames = np.asarray(frames, dtype=np.float64)
        if frames.ndim != 2 or frames.shape[0] == 0:
            raise InvalidValue("frames", frames.shape, "of shape [T, neurons] with at least one frame")
        if not interval > 0.0:
            raise InvalidValue("interval", interval, "> 0 ms")
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
