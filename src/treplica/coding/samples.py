"""Spikes of many samples at once: what batches to train on are cut from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.coding.arrays import same_length, whole_array
from treplica.coding.grid import check_count
from treplica.coding.trains import SpikeTrains
from treplica.errors import InvalidValue

_ROWS = 4096


class SpikeRows(NamedTuple):
    """The spikes of a batch [T, B, n] as sparse rows: those of sample b in step t + 1 stand in row t·B + b.

    - `indptr`: int64[T·B + 1]; row r has the entries indptr[r] … indptr[r + 1] - 1
    - `channel`: int32[k], ascending within a row
    - `value`: float32[k], or None where every spike counts 1
    """

    indptr: NDArray[np.int64]
    channel: NDArray[np.int32]
    value: NDArray[np.float32] | None


@dataclass(frozen=True, eq=False, repr=False)
class SpikeSamples:
    """The spikes of m samples, each of `n_steps` steps and `n_channels` channels.

    The spikes indptr[i] … indptr[i + 1] - 1 are those of sample i, ascending in step and then in channel; a channel
    spikes at most once in a step.

    - `indptr`: int64[m + 1]
    - `step`: int16[k] (int32 from 2**15 steps on), 1 … n_steps
    - `channel`: int32[k], 0 … n_channels - 1
    - `value`: float32[k], what a spike counts, or None where each counts 1

    The arrays are kept without a copy, as read-only views. Raises `InvalidValue` where a field breaks these rules.
    """

    indptr: NDArray[np.int64]
    step: NDArray[np.signedinteger[Any]]
    channel: NDArray[np.int32]
    n_steps: int
    n_channels: int
    value: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Check the fields and freeze the arrays."""
        put = object.__setattr__
        put(self, "n_steps", check_count("n_steps", self.n_steps, 1))
        put(self, "n_channels", check_count("n_channels", self.n_channels, 1))
        put(self, "indptr", whole_array("indptr", self.indptr, np.int64))
        put(self, "step", whole_array("step", self.step, np.int16 if self.n_steps < 2**15 else np.int32))
        put(self, "channel", whole_array("channel", self.channel, np.int32))
        same_length("channel", self.channel, self.step)
        if self.value is not None:
            value = np.asarray(self.value, dtype=np.float32).view()
            same_length("value", value, self.step)
            value.flags.writeable = False
            put(self, "value", value)
        self._check()

    def _check(self) -> None:
        ends = self.indptr
        if not len(ends) or ends[0] != 0 or ends[-1] != len(self.step) or (ends[1:] < ends[:-1]).any():
            raise InvalidValue("indptr", ends.tolist(), f"ascending from 0 to {len(self.step)}, the spikes")
        _within("step", self.step, 1, self.n_steps)
        _within("channel", self.channel, 0, self.n_channels - 1)
        later = self.step[1:] > self.step[:-1]
        later |= (self.step[1:] == self.step[:-1]) & (self.channel[1:] > self.channel[:-1])
        inner = ends[(ends > 0) & (ends < len(self.step))]
        later[inner - 1] = True
        if not later.all():
            at = int(np.argmin(later)) + 1
            spike = (int(self.step[at]), int(self.channel[at]))
            allowed = "after its predecessor in step, or in channel within the step"
            raise InvalidValue(
                f"spike {at} (step, channel)", spike, allowed, "SpikeSamples.from_spikes sorts."
            )

    @classmethod
    def from_spikes(
        cls, sample: ArrayLike, step: ArrayLike, channel: ArrayLike,
        size: int, n_steps: int, n_channels: int, value: ArrayLike | None = None,
    ) -> SpikeSamples:  # fmt: skip
        """Spikes in any order: int[k] of each sample 0 … size - 1, step 1 … n_steps and channel.

        What a channel does several times in a step becomes one spike; its value is the sum, where there are values.
        """
        samples, steps = whole_array("sample", sample, np.int64), whole_array("step", step, np.int64)
        channels = whole_array("channel", channel, np.int64)
        same_length("sample", samples, steps)
        same_length("channel", channels, steps)
        _within("sample", samples, 0, size - 1)
        _within("step", steps, 1, n_steps)
        _within("channel", channels, 0, n_channels - 1)
        place = (samples * n_steps + steps - 1) * n_channels + channels
        total = None
        if value is None:
            place.sort()  # np.unique hashes whole numbers, which is ten times slower here
            place = place[np.concatenate([[True], place[1:] != place[:-1]])[: len(place)]]
        else:
            given = np.asarray(value, dtype=np.float64)
            same_length("value", given, steps)
            place, which = np.unique(place, return_inverse=True)
            total = np.bincount(which, weights=given, minlength=len(place)).astype(np.float32)
        row, channels = np.divmod(place, n_channels)
        samples, steps = np.divmod(row, n_steps)
        return cls(_ends(samples, size), steps + 1, channels.astype(np.int32), n_steps, n_channels, total)

    @classmethod
    def from_first(cls, steps: ArrayLike, n_steps: int) -> SpikeSamples:
        """One spike at most for each channel: its step as [m, n], 0 where it is silent, as from `latency_steps`."""
        given = np.asarray(steps)
        if given.ndim != 2 or given.dtype.kind not in "iu" or not given.shape[1]:
            raise InvalidValue("steps", (given.shape, str(given.dtype)), "whole numbers [samples, channels]")
        channels, counts, ordered = [], [], []
        for start in range(
            0, len(given), _ROWS
        ):  # in parts, because the order takes 8 bytes for every channel
            part = given[start : start + _ROWS]
            order = np.argsort(part, axis=1, kind="stable")
            part = np.take_along_axis(part, order, axis=1)
            spikes = part != 0
            channels.append(order[spikes].astype(np.int32))
            ordered.append(part[spikes])
            counts.append(spikes.sum(axis=1))
        step = np.concatenate([*ordered, np.empty(0, given.dtype)])
        channel = np.concatenate([*channels, np.empty(0, np.int32)])
        indptr = np.concatenate([[0], *counts]).cumsum()
        return cls(indptr, step, channel, n_steps, given.shape[1])

    @classmethod
    def from_dense(cls, array: ArrayLike) -> SpikeSamples:
        """Spikes of an array [T, m, n]: what is not 0.

        Truth values, or whole numbers 0 and 1, make plain spikes; other numbers are their values.
        """
        dense = np.asarray(array)
        if dense.ndim != 3 or dense.dtype.kind not in "biuf" or not (dense.shape[0] and dense.shape[2]):
            raise InvalidValue("array", (dense.shape, str(dense.dtype)), "numbers [steps, samples, channels]")
        n_steps, size, n_channels = dense.shape
        sample, step, channel = np.nonzero(dense.transpose(1, 0, 2))
        found = dense[step, sample, channel]
        value = None if found.dtype.kind != "f" and (found == 1).all() else found.astype(np.float32)
        return cls(_ends(sample, size), step + 1, channel.astype(np.int32), n_steps, n_channels, value)

    @staticmethod
    def concatenate(parts: Sequence[SpikeSamples]) -> SpikeSamples:
        """The samples of all parts, which have the same numbers of steps and channels."""
        sizes = {(part.n_steps, part.n_channels) for part in parts}
        if len(sizes) != 1:
            raise InvalidValue(
                "parts", sorted(sizes), "one or more of the same numbers of steps and channels"
            )
        counts = np.concatenate([np.diff(part.indptr) for part in parts])
        value = None
        if any(part.value is not None for part in parts):
            value = np.concatenate([_weights(part) for part in parts])
        step = np.concatenate([part.step for part in parts])
        channel = np.concatenate([part.channel for part in parts])
        indptr = np.concatenate([[0], np.cumsum(counts)])
        return SpikeSamples(indptr, step, channel, parts[0].n_steps, parts[0].n_channels, value)

    def take(self, indices: ArrayLike) -> SpikeSamples:
        """The samples `indices` (int[k] in 0 … m - 1, repeats allowed), in that order."""
        chosen = self._chosen(indices)
        counts = np.diff(self.indptr)[chosen]
        indptr = np.concatenate([[0], np.cumsum(counts)])
        spikes = np.repeat(self.indptr[:-1][chosen] - indptr[:-1], counts) + np.arange(indptr[-1])
        value = None if self.value is None else self.value[spikes]
        return SpikeSamples(
            indptr, self.step[spikes], self.channel[spikes], self.n_steps, self.n_channels, value
        )

    def rows(self, indices: ArrayLike) -> SpikeRows:
        """The batch of the samples `indices` (int[B], repeats allowed) as sparse rows, time-major."""
        from treplica.coding.kernels_samples import fill_rows

        chosen = self._chosen(indices)
        spikes = int((self.indptr[1:][chosen] - self.indptr[:-1][chosen]).sum())
        indptr = np.zeros(self.n_steps * len(chosen) + 1, dtype=np.int64)
        channel = np.empty(spikes, dtype=np.int32)
        value = np.empty(0 if self.value is None else spikes, dtype=np.float32)
        given = np.empty(0, dtype=np.float32) if self.value is None else self.value
        fill_rows(self.indptr, self.step, self.channel, given, chosen, indptr, channel, value)
        return SpikeRows(indptr, channel, None if self.value is None else value)

    def dense(self, indices: ArrayLike) -> NDArray[Any]:
        """The batch of the samples `indices` (int[B]) as an array [T, B, n]: uint8, or float32 of the values."""
        chosen = self._chosen(indices)
        indptr, channel, value = self.rows(chosen)
        kind = np.uint8 if value is None else np.float32
        batch = np.zeros((self.n_steps * len(chosen), self.n_channels), dtype=kind)
        row = np.repeat(np.arange(len(batch)), np.diff(indptr))
        batch[row, channel] = 1 if value is None else value
        return batch.reshape(self.n_steps, len(chosen), self.n_channels)

    def trains(self, index: int, dt: float = 1.0) -> SpikeTrains:
        """Spike trains of one sample, with steps of `dt` (ms); values must be whole numbers."""
        one = self.take([index])
        if one.value is not None and (one.value % 1.0).any():
            raise InvalidValue("value", one.value.tolist(), "whole numbers to become spike trains")
        values = None if one.value is None else one.value.astype(np.int32)
        return SpikeTrains(one.step, one.channel, self.n_channels, dt, self.n_steps, values=values)

    def _chosen(self, indices: ArrayLike) -> NDArray[np.int64]:
        chosen: NDArray[np.int64] = whole_array("indices", indices, np.int64)
        if len(chosen) and not 0 <= chosen.min() <= chosen.max() < len(self):
            raise InvalidValue("indices", chosen.tolist(), f"in 0 … {len(self) - 1}")
        return chosen

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.indptr) - 1

    def __eq__(self, other: object) -> bool:
        """Whether both have the same spikes and values in as many samples, steps and channels."""
        if not isinstance(other, SpikeSamples):
            return NotImplemented
        return (
            (self.n_steps, self.n_channels) == (other.n_steps, other.n_channels)
            and (self.value is None) == (other.value is None)
            and np.array_equal(self.indptr, other.indptr)
            and np.array_equal(self.step, other.step)
            and np.array_equal(self.channel, other.channel)
            and np.array_equal(_weights(self), _weights(other))
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Return what there is, not the spikes."""
        kind = "" if self.value is None else " with values"
        size = f"{self.n_steps} steps × {self.n_channels} channels"
        return f"<SpikeSamples: {len(self):,} of {size}, {len(self.step):,} spikes{kind}>"


def _within(name: str, column: NDArray[Any], low: int, high: int) -> None:
    if len(column) and not low <= column.min() <= column.max() <= high:
        worst = int(column.min() if column.min() < low else column.max())
        raise InvalidValue(name, worst, f"in {low} … {high}")


def _ends(sample: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.bincount(sample, minlength=size).cumsum()])


def _weights(samples: SpikeSamples) -> NDArray[np.float32]:
    return np.ones(len(samples.step), np.float32) if samples.value is None else samples.value
