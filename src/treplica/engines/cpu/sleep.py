"""Populations that sleep: what a thread's awake neurons have, side by side in memory.

Columns have room for every neuron of the thread, but pages of memory that were never awake are never touched.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.composition import ScatteredDrive
from treplica.engines.cpu.kernels_sleep import AWAKE_FRAME, MOVED
from treplica.engines.plan import PopulationPlan

#: What an item of a kernel's frame is: ("state", part, name), ...; see `frame.Frame`.
What = tuple[Any, ...]


class Awake:
    """The awake neurons of one population and thread, which owns the neurons first to last.

    width: bytes of an accumulator. homes: arrays [size] with the states and constants of all neurons. columns: the
    same for the awake ones, by position, and what arrives at them in the next step.
    """

    slots, stride = 1, 0  # of arrivals: those of the next step, and no others

    def __init__(self, population: PopulationPlan, first: int, last: int, width: int) -> None:
        self.first, self.last = first, last
        composition, own = population.composition, last - first
        self.board = np.zeros(2, dtype=np.int64)
        self.place = np.zeros(own, dtype=np.int32)
        self.ids = np.empty(own, dtype=np.int32)
        self.resting = np.empty(own, dtype=np.int32)
        self.still = np.zeros(own + 8, dtype=np.uint8)
        self.homes: dict[What, NDArray[Any]] = {}
        for i, part in enumerate(composition.parts):
            self.homes |= {("state", i, n): values for n, values in part.states.items()}
            arrays = {n: v for n, v in part.constants.items() if isinstance(v, np.ndarray)}
            self.homes |= {("array", i, n): np.ascontiguousarray(values) for n, values in arrays.items()}
            if part.mask is not None:
                self.homes["mask", i] = part.mask.astype(np.uint8)
        self.homes |= {("external", name): values for name, values in population.external.items()}
        self.columns = {what: np.empty(own, dtype=home.dtype) for what, home in self.homes.items()}
        for port in range(len(composition.ports)):
            self.columns["arrivals", port] = np.zeros(own, dtype=f"int{8 * width}")
        for d, drive in enumerate(composition.drives):
            if isinstance(drive, ScatteredDrive):
                self.columns["counts of drive", d] = np.zeros(own, dtype=np.float32)
        self.moved = np.zeros((len(self.homes), len(MOVED)), dtype=np.int64)
        for row, (what, home) in zip(self.moved, self.homes.items(), strict=True):
            row[:] = home.ctypes.data, self.columns[what].ctypes.data, home.itemsize, what[0] == "state"
        self.frame = np.zeros(len(AWAKE_FRAME), dtype=np.int64)

    def item(self, *what: Any) -> NDArray[Any]:
        """The column that an item of the kernel's frame is."""
        return self.still if what == ("still",) else self.columns[what]

    def link(self, kernel: int, frame: int, graded: bool) -> None:
        """Fill the frame, with the addresses of the update kernel and of its frame."""
        self.frame[:] = (
            self.board.ctypes.data, self.first, self.place.ctypes.data, self.ids.ctypes.data,
            self.moved.ctypes.data, len(self.moved), kernel, frame, self.still.ctypes.data, graded,
            self.resting.ctypes.data,
        )  # fmt: skip

    @property
    def count(self) -> int:
        """How many are awake."""
        return int(self.board[0])

    @property
    def updates(self) -> int:
        """How many updates there were."""
        return int(self.board[1])

    def wake(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Wake neurons of this thread (ascending ids); the positions of them all."""
        asleep = ids[self.place[ids - self.first] == 0]
        here = slice(self.count, self.count + asleep.size)
        self.ids[here] = asleep
        self.place[asleep - self.first] = np.arange(here.start + 1, here.stop + 1)
        for what, home in self.homes.items():
            self.columns[what][here] = home[asleep]
        self.board[0] = here.stop
        return self.place[ids - self.first].astype(np.int64) - 1

    def wake_all(self) -> None:
        """Wake all neurons of this thread, none of which is awake."""
        own = self.last - self.first
        self.ids[:] = np.arange(self.first, self.last)
        self.place[:] = np.arange(1, own + 1)
        for what, home in self.homes.items():
            self.columns[what][:] = home[self.first : self.last]
        self.board[0] = own

    def settle(self) -> None:
        """Bring the states at home up to date."""
        awake = self.ids[: self.count]
        for what, home in self.homes.items():
            if what[0] == "state":
                home[awake] = self.columns[what][: self.count]

    def refresh(self, what: What) -> None:
        """Take over what has changed at home."""
        self.columns[what][: self.count] = self.homes[what][self.ids[: self.count]]

    def arriving(self, port: int) -> tuple[NDArray[np.int32], NDArray[Any]]:
        """What is to arrive in the next step: ids, amounts."""
        amounts = self.columns["arrivals", port][: self.count]
        some = np.flatnonzero(amounts)
        return self.ids[some], amounts[some]

    def add(self, port: int, ids: NDArray[np.int64], amounts: NDArray[np.int64]) -> None:
        """Add to what arrives in the next step at neurons of this thread; ids may repeat."""
        neurons, which = np.unique(ids, return_inverse=True)
        np.add.at(self.columns["arrivals", port], self.wake(neurons)[which], amounts)

    @property
    def nbytes(self) -> int:
        """Bytes of the columns that are in use now, and of the places."""
        used = sum(c.itemsize for c in self.columns.values()) + 5
        return self.count * used + self.place.nbytes
