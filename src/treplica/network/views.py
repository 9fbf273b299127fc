"""Which neurons of a population are meant: all of them, a slice, or chosen ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.errors import InvalidValue


@dataclass(frozen=True)
class View:
    """Neurons of one population, in ascending order without repeats.

    `chosen` is a range for slices and a tuple for ids given one by one. `population` and `size` are those of the
    whole population. Made by indexing: `mesh[:784]`, `mesh[::2]`, `mesh[[3, 5, 8]]`.
    """

    population: str
    size: int
    chosen: range | tuple[int, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every neuron of the population is meant."""
        return self.chosen == range(self.size)

    def __len__(self) -> int:
        return len(self.chosen)

    def ids(self) -> NDArray[np.int64]:
        """The ids, int64[n], ascending."""
        if isinstance(self.chosen, range):
            return np.arange(self.chosen.start, self.chosen.stop, self.chosen.step, dtype=np.int64)
        return np.array(self.chosen, dtype=np.int64)

    def __repr__(self) -> str:
        if self.is_whole:
            return self.population
        if isinstance(self.chosen, range):
            step = f":{self.chosen.step}" if self.chosen.step != 1 else ""
            return f"{self.population}[{self.chosen.start}:{self.chosen.stop}{step}]"
        return f"{self.population}[{len(self.chosen)} ids]"


def whole(population: str, size: int) -> View:
    """The view of all neurons."""
    return View(population, size, range(size))


def select(population: str, size: int, index: Any) -> View:
    """The view that `population[index]` means; out-of-range ids are refused, not wrapped."""
    if isinstance(index, slice):
        for bound in (index.start, index.stop):
            if bound is not None and abs(int(bound)) > size:
                advice = "Slices of a population end inside it."
                raise InvalidValue(f"{population}[{_shown(index)}]", bound, f"inside 0 to {size}", advice)
        chosen = range(*index.indices(size))
        if len(chosen) == 0:
            raise InvalidValue(f"{population}[{_shown(index)}]", index, "a slice with at least one neuron")
        return View(population, size, chosen if chosen.step > 0 else chosen[::-1])
    if isinstance(index, (int, np.integer)) and not isinstance(index, bool):
        index = [index]
    if not isinstance(index, (Iterable, np.ndarray)):
        raise InvalidValue(f"{population}[...]", index, "a slice, an id or several ids")
    ids = np.asarray(index)
    if ids.dtype == bool and ids.shape == (size,):
        ids = np.flatnonzero(ids)
    if ids.ndim != 1 or ids.size == 0 or not np.issubdtype(ids.dtype, np.integer):
        raise InvalidValue(f"{population}[...]", index, "a slice, an id or several whole ids")
    bad = (ids < 0) | (ids >= size)
    if bad.any():
        raise InvalidValue(f"{population} id", int(ids[bad][0]), f"from 0 to {size - 1}")
    unique = np.unique(ids)
    if unique.size != ids.size:
        raise InvalidValue(f"{population}[...]", index, "ids without repeats")
    first, last = int(unique[0]), int(unique[-1])
    if unique.size == last - first + 1:
        return View(population, size, range(first, last + 1))
    return View(population, size, tuple(unique.tolist()))


def _shown(index: slice) -> str:
    parts = ["" if p is None else str(p) for p in (index.start, index.stop, index.step)]
    return ":".join(parts[:2] if index.step is None else parts)
