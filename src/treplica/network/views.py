"""Which neurons of a population are meant: all of them, a slice, or chosen ids."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.errors import InvalidValue
from treplica.network.checks import check_count

ASCENDING = "Views are sorted: what is given for each neuron of a view goes by ascending id."


@dataclass(frozen=True)
class View:
    """Neurons of one population, in ascending order without repeats.

    `chosen` is a range where the ids are evenly spaced, else a tuple. `population` and `size` are those of the whole
    population. Made by indexing: `mesh[:784]`, `mesh[::2]`, `mesh[[3, 5, 8]]`.
    """

    population: str
    size: int
    chosen: range | tuple[int, ...]

    def __post_init__(self) -> None:
        check_count(f"size of {self.population}", self.size, 1, 2**31 - 1)
        given: range | tuple[int, ...] = self.chosen
        if isinstance(given, range):
            given = _checked_range(self.population, self.size, given)
        else:
            given = _checked_ids(self.population, self.size, given)
        object.__setattr__(self, "chosen", given)

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
    """The view that `population[index]` means; ids outside are refused, not wrapped."""
    if isinstance(index, slice):
        return View(population, size, _sliced(population, size, index))
    if isinstance(index, numbers.Integral) and not isinstance(index, bool):
        index = [index]
    if not isinstance(index, Iterable):
        raise InvalidValue(f"{population}[...]", index, "a slice, an id or several ids")
    try:
        ids = np.asarray(index)
    except ValueError:  # lists of different lengths
        ids = np.array(None)
    if ids.dtype == np.bool_:
        if ids.shape != (size,):
            raise InvalidValue(f"shape of the mask {population}[...]", ids.shape, f"({size},)")
        ids = np.flatnonzero(ids)
    if ids.ndim != 1 or ids.size == 0 or ids.dtype.kind not in "iu":
        raise InvalidValue(f"{population}[...]", index, "a slice, an id, a mask or several whole ids")
    return View(population, size, tuple(ids.tolist()))


def _sliced(population: str, size: int, index: slice) -> range:
    shown = f"{population}[{_shown(index)}]"
    try:
        bounds = [None if b is None else operator.index(b) for b in (index.start, index.stop, index.step)]
    except TypeError:
        raise InvalidValue(shown, index, "a slice with whole numbers") from None
    for bound in bounds[:2]:
        if bound is not None and abs(bound) > size:
            advice = "Slices of a population end inside it."
            raise InvalidValue(shown, bound, f"inside 0 to {size}", advice)
    if bounds[2] is not None and bounds[2] <= 0:
        raise InvalidValue(f"step of {shown}", bounds[2], "at least 1", ASCENDING)
    chosen = range(*slice(*bounds).indices(size))
    if not chosen:
        raise InvalidValue(shown, index, "a slice with at least one neuron")
    return chosen


def _checked_range(population: str, size: int, chosen: range) -> range:
    """Refuse ids that are outside or descend; equal ranges in the same words, so that files are equal too."""
    if not chosen or chosen.step < 0:
        raise InvalidValue(f"{population}[...]", chosen, "an ascending range of at least one id")
    first, last = chosen[0], chosen[-1]
    if first < 0 or last >= size:
        raise InvalidValue(f"{population} id", first if first < 0 else last, f"from 0 to {size - 1}")
    return range(first, last + 1, chosen.step if last > first else 1)


def _checked_ids(population: str, size: int, chosen: tuple[int, ...]) -> range | tuple[int, ...]:
    """Refuse ids that are outside, repeated or out of order; the range they are where they are evenly spaced."""
    ids = np.asarray(chosen)
    if ids.ndim != 1 or ids.size == 0 or ids.dtype.kind not in "iu":
        raise InvalidValue(f"{population}[...]", chosen, "one or more whole ids")
    bad = (ids < 0) | (ids >= size)
    if bad.any():
        raise InvalidValue(f"{population} id", int(ids[bad][0]), f"from 0 to {size - 1}")
    gaps = np.diff(ids.astype(np.int64))
    if (gaps <= 0).any():
        if np.unique(ids).size < ids.size:
            raise InvalidValue(f"{population}[...]", chosen, "ids without repeats")
        raise InvalidValue(f"{population}[...]", chosen, "ids in ascending order", ASCENDING)
    if np.unique(gaps).size > 1:
        return tuple(ids.tolist())
    return range(int(ids[0]), int(ids[-1]) + 1, int(gaps[0]) if gaps.size else 1)


def _shown(index: slice) -> str:
    parts = ["" if p is None else str(p) for p in (index.start, index.stop, index.step)]
    return ":".join(parts[:2] if index.step is None else parts)
