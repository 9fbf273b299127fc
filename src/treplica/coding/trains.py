"""Spike trains: the one form that spikes have in memory.

Encoders make them, simulations are fed with them and recordings return them. A spike is a whole time step and
the id of a neuron; the step s (1, 2, …) stands for the time s·dt in ms, or for the exact time in the span of the
step that is given beside it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.coding.arrays import check_order, check_range, exact_array, same_length, whole_array
from treplica.coding.grid import check_count, check_dt, times_to_steps, times_within, whole_steps
from treplica.coding.moving import columns, joined, moved, on_grid
from treplica.errors import InvalidValue


@dataclass(frozen=True, eq=False, repr=False)
class SpikeTrains:
    """The spikes of `size` neurons in the time steps first_step + 1 … first_step + n_steps.

    - `steps`: int64[n], time step of each spike, ascending
    - `ids`: int32[n] (int64 from 2**31 neurons on), ascending within a step (at one exact time), 0 <= id < size
    - `size`: number of neurons
    - `dt`: length of a step in ms
    - `n_steps`: number of steps covered, spikes or not
    - `first_step`: steps that passed before the first one covered
    - `values`: int32[n] or None, payload of each spike where spikes are graded, never 0
    - `exact`: float64[n] or None, time of each spike in ms, ascending, where it is not the end of its step:
      (step - 1) dt < exact <= step dt, but for rounding (1e-9 of a step)

    The arrays are kept without a copy, as read-only views. A neuron spikes at most once in a step or, where there
    are exact times, at one time. Raises `InvalidValue` where a field breaks these rules.
    """

    steps: NDArray[np.int64]
    ids: NDArray[np.signedinteger[Any]]
    size: int
    dt: float
    n_steps: int
    first_step: int = 0
    values: NDArray[np.int32] | None = None
    exact: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        """Check the fields and freeze the arrays."""
        put = object.__setattr__
        put(self, "size", check_count("size", self.size, 1))
        put(self, "dt", check_dt(self.dt))
        put(self, "n_steps", check_count("n_steps", self.n_steps, 0))
        put(self, "first_step", check_count("first_step", self.first_step, 0))
        put(self, "steps", whole_array("steps", self.steps, np.int64))
        put(self, "ids", whole_array("ids", self.ids, np.int32 if self.size <= 2**31 else np.int64))
        same_length("ids", self.ids, self.steps)
        check_range(self.steps, self.ids, self.size, self.first_step, self.n_steps)
        if self.exact is not None:
            put(self, "exact", exact_array(self.exact, self.steps, self.dt))
        check_order(self.steps, self.ids, self.exact)
        if self.values is not None:
            put(self, "values", whole_array("values", self.values, np.int32))
            same_length("values", self.values, self.steps)
            if not self.values.all():
                raise InvalidValue("values", 0, "whole numbers other than 0", "Leave such spikes out.")

    @classmethod
    def from_steps(
        cls, steps: ArrayLike, ids: ArrayLike, size: int, dt: float, n_steps: int,
        first_step: int = 0, values: ArrayLike | None = None, exact: ArrayLike | None = None,
    ) -> SpikeTrains:  # fmt: skip
        """Spike trains of (step, id) pairs in any order; arrays as the fields, all of one length."""
        steps, ids = whole_array("steps", steps, np.int64), whole_array("ids", ids, np.int64)
        same_length("ids", ids, steps)
        if values is not None:
            values = whole_array("values", values, np.int32)
            same_length("values", values, steps)
        if exact is not None:
            exact = exact_array(exact, steps, check_dt(dt))
        order = np.lexsort((ids, steps) if exact is None else (ids, exact, steps))
        rest: list[Any] = [None if column is None else column[order] for column in (values, exact)]
        return cls(steps[order], ids[order], size, dt, n_steps, first_step, *rest)

    @classmethod
    def from_times(
        cls, times: ArrayLike, ids: ArrayLike, size: int, dt: float, duration: float, start: float = 0.0
    ) -> SpikeTrains:
        """Spike trains of times (ms, float[n]) and ids (int[n]), in any order, in (start, start + duration].

        The times lie on the grid dt, 2 dt, … within 1e-6 of a step; `InvalidValue` names the first that
        does not.
        """
        dt = check_dt(dt)
        n_steps, first = whole_steps("duration", duration, dt), whole_steps("start", start, dt)
        return cls.from_steps(times_to_steps(times, dt), ids, size, dt, n_steps, first)

    @classmethod
    def from_exact_times(
        cls, times: ArrayLike, ids: ArrayLike, size: int, dt: float, duration: float, start: float = 0.0
    ) -> SpikeTrains:
        """Spike trains of any times (ms, float[n]) and ids (int[n]), in any order, in (start, start + duration].

        They are kept as they are, in `exact`. Times that are multiples of dt but for rounding belong to the step
        that ends there. `InvalidValue` names the first that is outside.
        """
        dt = check_dt(dt)
        n_steps, first = whole_steps("duration", duration, dt), whole_steps("start", start, dt)
        exact, steps = times_within(times, dt, first, first + n_steps)
        return cls.from_steps(steps, ids, size, dt, n_steps, first, exact=exact)

    @classmethod
    def from_lists(cls, lists: Sequence[ArrayLike], dt: float, duration: float) -> SpikeTrains:
        """Spike trains of one list of times (ms) per neuron, on the grid, within (0, duration]."""
        parts = [np.asarray(times, dtype=np.float64).reshape(-1) for times in lists]
        ids = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        return cls.from_times(np.concatenate([*parts, np.empty(0)]), ids, len(parts), dt, duration)

    @classmethod
    def from_dense(cls, array: ArrayLike, dt: float, first_step: int = 0) -> SpikeTrains:
        """Spike trains of an array [T, n]: row k is step first_step + k + 1, what is not 0 is a spike.

        Truth values, or whole numbers 0 and 1, make plain spikes; other whole numbers make graded ones.
        """
        dense = np.asarray(array)
        if dense.ndim != 2 or dense.dtype.kind not in "biu":
            raise InvalidValue("array", (dense.shape, str(dense.dtype)), "[steps, neurons], bool or integer")
        rows, ids = np.nonzero(dense)
        found = dense[rows, ids]
        values = (
            None if dense.dtype.kind == "b" or (found == 1).all() else whole_array("values", found, np.int32)
        )
        first_step = check_count("first_step", first_step, 0)
        return cls(rows + first_step + 1, ids, dense.shape[1], dt, dense.shape[0], first_step, values)

    def to_dense(self) -> NDArray[Any]:
        """Array [n_steps, size]: bool, or int32 of the values where spikes are graded.

        Raises `InvalidValue` where a neuron spikes twice in a step, see `on_grid`.
        """
        grid = self.on_grid()
        dense = np.zeros((grid.n_steps, grid.size), dtype=bool if grid.values is None else np.int32)
        dense[grid.steps - grid.first_step - 1, grid.ids] = True if grid.values is None else grid.values
        return dense

    def on_grid(self) -> SpikeTrains:
        """The same spikes without exact times, each at the end of its step.

        Raises `InvalidValue` where a neuron spikes twice in a step: a smaller dt tells them apart.
        """
        return on_grid(self)

    @property
    def times(self) -> NDArray[np.float64]:
        """Time of each spike in ms, float64[n]."""
        if self.exact is not None:
            return self.exact
        ms: NDArray[np.float64] = self.steps * np.float64(self.dt)
        return ms

    @property
    def start(self) -> float:
        """Time in ms after which spikes are covered."""
        return self.first_step * self.dt

    @property
    def stop(self) -> float:
        """Time in ms up to which, inclusive, spikes are covered."""
        return (self.first_step + self.n_steps) * self.dt

    @property
    def duration(self) -> float:
        """Time covered, in ms."""
        return self.n_steps * self.dt

    def of(self, neuron: int) -> NDArray[np.float64]:
        """Spike times of one neuron in ms, ascending."""
        if not 0 <= check_count("neuron", neuron, 0) < self.size:
            raise InvalidValue("neuron", neuron, f"in 0 … {self.size - 1}")
        (places,) = np.nonzero(self.ids == neuron)
        return self.times[places]

    def counts(self) -> NDArray[np.int64]:
        """Number of spikes of each neuron, int64[size]."""
        return np.bincount(self.ids, minlength=self.size)

    def offsets(self) -> NDArray[np.int64]:
        """int64[n_steps + 1]: spikes offsets[k] up to offsets[k + 1] are those of step first_step + k + 1."""
        edges = np.arange(self.first_step + 1, self.first_step + self.n_steps + 2)
        return np.searchsorted(self.steps, edges).astype(np.int64)

    def select(self, ids: ArrayLike) -> SpikeTrains:
        """Spike trains of the neurons `ids` (int[k], no repeats), renumbered 0 … k - 1 in the order given."""
        chosen = whole_array("ids", ids, np.int64)
        inside = len(chosen) and chosen.min() >= 0 and chosen.max() < self.size
        if not inside or len(np.unique(chosen)) < len(chosen):
            raise InvalidValue("ids", chosen.tolist(), f"one or more different ids in 0 … {self.size - 1}")
        place = np.full(self.size, -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        renumbered = place[self.ids]
        keep = renumbered >= 0
        rows = {**columns(self, keep), "ids": renumbered[keep]}
        return self.from_steps(
            size=len(chosen), dt=self.dt, n_steps=self.n_steps, first_step=self.first_step, **rows
        )

    def between(self, start: float, stop: float) -> SpikeTrains:
        """Spikes of the steps in (start, stop] (ms, on the grid, inside what is covered); the times stay."""
        first, last = whole_steps("start", start, self.dt), whole_steps("stop", stop, self.dt)
        if not self.first_step <= first <= last <= self.first_step + self.n_steps:
            allowed = f"a span within {self.start:g} … {self.stop:g} ms"
            raise InvalidValue("(start, stop)", (start, stop), allowed)
        part = slice(*np.searchsorted(self.steps, [first + 1, last + 1]))
        return replace(self, **columns(self, part), first_step=first, n_steps=last - first)

    def shifted(self, ms: float) -> SpikeTrains:
        """The same spikes `ms` later (earlier where negative; whole steps, never before time 0)."""
        delta = whole_steps("shift", abs(ms), self.dt) * (-1 if ms < 0 else 1)
        if self.first_step + delta < 0:
            raise InvalidValue("shift", ms, f">= {-self.start:g} ms", "Time begins at 0.")
        return moved(self, delta)

    @staticmethod
    def concatenate(parts: Sequence[SpikeTrains]) -> SpikeTrains:
        """Join parts (same size and dt) in time: each begins where the one before it stops.

        Consecutive recordings keep their times, other parts are shifted. Plain spikes among graded ones get
        the value 1, spikes on the grid among exact ones the time at which their step ends.
        """
        return joined(parts)

    def to_pandas(self) -> Any:
        """`pandas.DataFrame`, one row a spike: time_ms (float64), id, and value where spikes are graded."""
        from treplica.coding.exchange import spikes_to_pandas

        return spikes_to_pandas(self)

    def to_neo(self) -> Any:
        """`neo.Segment` with one `neo.SpikeTrain` (ms, from start to stop) per neuron, with its id."""
        from treplica.coding.exchange import spikes_to_neo

        return spikes_to_neo(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an HDF5 file, beside and renamed; raises `OutputError` where it cannot be written."""
        from treplica.coding.store import save_spikes

        save_spikes(path, self)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> SpikeTrains:
        """Read what `save` wrote; raises `DescriptionError` for any other, damaged or absent file."""
        from treplica.coding.store import load_spikes

        return load_spikes(path)

    def __len__(self) -> int:
        """Number of spikes."""
        return len(self.steps)

    def __eq__(self, other: object) -> bool:
        """Whether both have the same spikes, values, exact times, neurons and time grid."""
        if not isinstance(other, SpikeTrains):
            return NotImplemented
        mine = (self.size, self.dt, self.n_steps, self.first_step)
        if mine != (other.size, other.dt, other.n_steps, other.first_step):
            return False
        own, others = columns(self), columns(other)
        return all(
            column is others[name] if column is None or others[name] is None
            else np.array_equal(column, others[name])
            for name, column in own.items()
        )  # fmt: skip

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Return what is covered, not the spikes."""
        kind = "" if self.values is None else "graded "
        span = f"({self.start:g}, {self.stop:g}] ms, dt = {self.dt:g} ms"
        when = "" if self.exact is None else "at exact times "
        return f"<SpikeTrains: {len(self)} {kind}spikes of {self.size} neurons {when}in {span}>"
