"""Keeping what probes see, in memory or in files that grow within a memory budget."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.coding import SpikeTrains, Traces
from treplica.coding.streams import GrowingFile, Position
from treplica.engines.snapshot import Spikes, spike_types
from treplica.network import View


@dataclass(frozen=True)
class Kept:
    """What a recorder had at a checkpoint.

    steps: how many it had seen. arrays: what it held in memory, by name. position: how far its file was (None: it had
    none).
    """

    steps: int
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    position: Position | None = None


class SpikeRecorder:
    """Spikes of a view. Neuron j of the recording is the j-th of the view.

    graded, exact: whether spikes come with values, and with exact times. kept: what it had, to go on from there.
    """

    def __init__(
        self, view: View, dt: float, graded: bool, path: Path | None, budget: int, kept: Kept | None = None,
        exact: bool = False,
    ) -> None:  # fmt: skip
        self.view, self.dt, self.path, self.budget = view, dt, path, budget
        self.types = spike_types(graded, exact)
        self.parts: list[Spikes] = []
        self.n_steps = self.written = 0
        self.held = 0
        self.file: GrowingFile | None = None
        if kept is not None:
            self.n_steps = kept.steps
            if kept.arrays:
                self.parts = [Spikes(**kept.arrays)]
        if path is not None and kept is not None and kept.position is not None:
            self.file = GrowingFile.reopen(path, "treplica-spikes", kept.position)
            self.written = kept.steps
        elif path is not None:
            about = {"size": len(view), "dt": dt, "n_steps": 0, "first_step": 0}
            empty: dict[str, NDArray[Any]] = {name: np.empty(0, kind) for name, kind in self.types.items()}
            self.file = GrowingFile(path, "treplica-spikes", about, empty)

    def take(self, spikes: Spikes, n_steps: int) -> None:
        """Keep the spikes of n_steps more steps."""
        self.n_steps += n_steps
        part = self._seen(spikes)
        if part.ids.size:
            self.parts.append(part)
            self.held += sum(getattr(part, name).nbytes for name in self.types)
        if self.file and self.held > self.budget:
            self.flush()

    def _seen(self, spikes: Spikes) -> Spikes:
        """The spikes of the view, with ids counted within it."""
        if self.view.is_whole:
            return spikes
        ids = self.view.ids()
        at = np.searchsorted(ids, spikes.ids)
        seen = (at < ids.size) & (ids[np.minimum(at, ids.size - 1)] == spikes.ids)
        columns = {name: getattr(spikes, name)[seen] for name in self.types}
        return Spikes(**{**columns, "ids": at[seen].astype(np.int32)})

    def _joined(self) -> dict[str, NDArray[Any]]:
        return {
            name: np.concatenate([np.empty(0, kind), *(getattr(p, name) for p in self.parts)])
            for name, kind in self.types.items()
        }

    def flush(self) -> None:
        """Put what is held on disk, if there is a file."""
        if self.file and self.n_steps > self.written:
            self.file.append(self._joined(), {"n_steps": self.n_steps})
            self.parts, self.held, self.written = [], 0, self.n_steps

    def kept(self) -> Kept:
        """What is there now."""
        self.flush()
        return _kept(self.n_steps, self.file, self._joined())

    def go_on(self) -> None:
        """Cut the file to where it was at the checkpoint; a new one gets what was in memory then."""
        if self.file:
            self.file.cut({"n_steps": self.n_steps})
        self.flush()

    def result(self) -> SpikeTrains:
        """Everything recorded so far."""
        if self.path is not None:
            self.flush()
            return SpikeTrains.load(self.path)
        columns: dict[str, Any] = self._joined()
        return SpikeTrains(size=len(self.view), dt=self.dt, n_steps=self.n_steps, **columns)


class TraceRecorder:
    """A state variable of a view, sampled in every step divisible by `interval`.

    kept: what it had, to go on from there.
    """

    def __init__(
        self,
        view: View,
        variable: str,
        unit: str,
        grid: tuple[int, float],
        real: Any,
        path: Path | None,
        budget: int,
        kept: Kept | None = None,
    ) -> None:
        self.view, self.variable, self.unit = view, variable, unit
        self.interval, self.dt = grid
        self.real, self.path, self.budget = real, path, budget
        self.parts: list[NDArray[Any]] = []
        self.samples = 0
        self.held = 0
        self.file: GrowingFile | None = None
        if kept is not None and kept.arrays:
            self.parts = [kept.arrays["values"]]
        if path is not None and kept is not None and kept.position is not None:
            self.file = GrowingFile.reopen(path, "treplica-traces", kept.position)
            self.samples = kept.position.rows
        elif path is not None:
            empty = {"values": np.empty((0, len(view)), real), "times": np.empty(0)}
            about = {"variable": variable, "unit": unit}
            self.file = GrowingFile(path, "treplica-traces", about, empty, {"ids": view.ids()})

    def take(self, values: NDArray[Any]) -> None:
        """Keep more samples, [samples, neurons]."""
        if len(values):
            self.parts.append(values)
            self.held += values.nbytes
        if self.file and self.held > self.budget:
            self.flush()

    def _times(self, count: int) -> NDArray[np.float64]:
        numbers = np.arange(self.samples + 1, self.samples + count + 1, dtype=np.float64)
        return numbers * self.interval * self.dt  # in this order: as the times of spikes, steps times dt

    def _joined(self) -> NDArray[Any]:
        return np.concatenate([np.empty((0, len(self.view)), self.real), *self.parts])

    def flush(self) -> None:
        """Put what is held on disk, if there is a file."""
        if self.file and self.parts:
            values = self._joined()
            self.file.append({"values": values, "times": self._times(len(values))}, {})
            self.samples += len(values)
            self.parts, self.held = [], 0

    def kept(self) -> Kept:
        """What is there now."""
        self.flush()
        return _kept(0, self.file, {"values": self._joined()})

    def go_on(self) -> None:
        """Cut the file to where it was at the checkpoint; a new one gets what was in memory then."""
        if self.file:
            self.file.cut({})
        self.flush()

    def result(self) -> Traces:
        """Everything recorded so far."""
        if self.path is not None:
            self.flush()
            return Traces.load(self.path)
        values = self._joined()
        return Traces(values, self.view.ids(), self._times(len(values)), self.variable, self.unit)


def _kept(steps: int, file: GrowingFile | None, arrays: dict[str, NDArray[Any]]) -> Kept:
    """What a recorder has: in its file, or in memory."""
    return Kept(steps, position=file.position()) if file else Kept(steps, arrays)


Recorder = SpikeRecorder | TraceRecorder
