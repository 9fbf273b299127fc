"""What reaches a layer, as a linear function of the spikes of populations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, eye_array

from treplica.errors import InvalidValue

#: The population that spikes in every step: constants are its weights.
BIAS = "bias"

#: float64 holds whole numbers up to this one.
WHOLE = 2.0**53

ONLY_SPIKES = "Only spikes travel in a simulation: read a state in the last layer alone."

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """A population and how many steps ago it spiked."""

    population: str
    delay: int = 0


@dataclass(frozen=True)
class Signal:
    """A sum over sources of a matrix [values, neurons] times spikes; constants are weights of `BIAS`.

    shape: without T and B. unit: a power of two of which all values are whole multiples; reach: the largest magnitude
    of each value; exact: whether nothing was rounded on the way, whatever the order of sums. state: where these are no
    spikes, the state that is read.
    """

    terms: Mapping[Source, csr_array]
    shape: tuple[int, ...]
    unit: float
    reach: Numbers = field(repr=False)
    exact: bool = True
    state: str = ""

    @classmethod
    def of(cls, population: str, shape: tuple[int, ...], largest: int = 1, state: str = "") -> Signal:
        """What a population sends, at most `largest` a step, or a state of it."""
        size = math.prod(shape)
        terms = {Source(population): csr_array(eye_array(size))}
        return cls(terms, shape, 1.0, np.full(size, float(largest)), True, state)

    def through(self, matrix: csr_array, constant: Numbers, shape: tuple[int, ...]) -> Signal:
        """After a linear map [values, values before] and a constant."""
        terms = {source: product(matrix, m) for source, m in self.terms.items()}
        unit, reach = self.unit * unit_of(matrix.data), abs(matrix) @ self.reach
        return self._checked(terms, shape, unit, reach, self.exact).raised(constant)

    def raised(self, constant: Numbers) -> Signal:
        """With a constant added, which has always been there."""
        if not constant.any():
            return self
        terms = dict(self.terms)
        _add(terms, Source(BIAS), column(constant))
        unit = min(self.unit, unit_of(constant))
        return self._checked(terms, self.shape, unit, self.reach + abs(constant), self.exact)

    def plus(self, other: Signal) -> Signal:
        """The sum of two."""
        if self.state or other.state:
            raise InvalidValue("a sum", f"of {self.state or other.state}", "of spikes", ONLY_SPIKES)
        if self.shape != other.shape:
            raise InvalidValue("a sum: shapes", f"{self.shape} and {other.shape}", "equal")
        terms = dict(self.terms)
        for source, matrix in other.terms.items():
            _add(terms, source, matrix)
        unit, reach = min(self.unit, other.unit), self.reach + other.reach
        return self._checked(terms, self.shape, unit, reach, self.exact and other.exact)

    def later(self, steps: Any) -> Signal:
        """The same so many steps later, one number or one for each value; nothing before."""
        delays = np.broadcast_to(np.asarray(steps, np.int64), self.reach.shape)
        terms: dict[Source, csr_array] = {}
        for each in np.unique(delays).tolist():
            for source, matrix in self.terms.items():
                part = rows_of(matrix, delays == each)
                if part.nnz:
                    _add(terms, Source(source.population, source.delay + each), part)
        return replace(self, terms=terms)

    def before(self, rest: Numbers) -> Signal:
        """The values of the step before; in the first step `rest`."""
        late = self.later(1)
        terms = dict(late.terms)
        if rest.any():
            _add(terms, Source(BIAS), column(rest))
            _add(terms, Source(BIAS, 1), column(-rest))
            terms = {source: matrix for source, matrix in terms.items() if matrix.nnz}
        unit = min(self.unit, unit_of(rest))
        found = self._checked(terms, self.shape, unit, self.reach + 2.0 * abs(rest), self.exact)
        return replace(found, state=self.state)

    @property
    def spikes(self) -> bool:
        """Whether every value is one neuron's spike or nothing."""
        entries = [m for m in self.terms.values() if m.nnz]
        if self.state or any(s.population == BIAS and m.nnz for s, m in self.terms.items()):
            return False
        counts = sum((np.diff(m.indptr) for m in entries), np.zeros(self.reach.size, np.int64))
        return (
            all((m.data == 1.0).all() for m in entries)
            and bool((counts <= 1).all())
            and self.reach.max() <= 1
        )

    @property
    def population(self) -> str:
        """The population whose spikes, or whose state, these are as they are; "" where they are not."""
        (source, matrix), *more = [*self.terms.items(), (Source(BIAS), None)]
        plain = not source.delay and matrix is not None and _is_identity(matrix) and len(more) == 1
        return source.population if plain else ""

    def _checked(
        self,
        terms: Mapping[Source, csr_array],
        shape: tuple[int, ...],
        unit: float,
        reach: Numbers,
        exact: bool,
    ) -> Signal:
        held = exact and unit > 0.0 and float(reach.max(initial=0.0)) / unit <= WHOLE
        return Signal(terms, shape, unit, reach, held)


def unit_of(values: Any) -> float:
    """The largest power of two of which all values are whole multiples; 1 at most."""
    mantissas, exponents = np.frexp(np.asarray(values, np.float64)[np.asarray(values) != 0.0])
    whole = (mantissas * WHOLE).astype(np.int64)
    units = np.ldexp((whole & -whole).astype(np.float64), exponents - 53)
    return float(units.min(initial=1.0))


def column(values: Numbers) -> csr_array:
    """Numbers as the weights of one neuron, zeros too."""
    n = values.size
    return csr_array((values.copy(), np.zeros(n, np.int64), np.arange(n + 1)), shape=(n, 1))


def rows_of(matrix: csr_array, which: NDArray[np.bool_]) -> csr_array:
    """The matrix with these rows alone; the others are empty."""
    if which.all():
        return matrix
    counts = np.diff(matrix.indptr)
    kept = np.repeat(which, counts)
    indptr = np.concatenate([[0], np.cumsum(counts * which)])
    return csr_array((matrix.data[kept], matrix.indices[kept], indptr), shape=matrix.shape)


def product(matrix: csr_array, before: csr_array) -> csr_array:
    """matrix @ before; where `before` only leaves some out, with all entries of the others, zeros too."""
    n = before.shape[0]
    same = before.shape == (n, n) and bool((before.data == 1.0).all())
    if not (same and (before.indices == np.repeat(np.arange(n), np.diff(before.indptr))).all()):
        return csr_array(matrix @ before)
    if before.nnz == n:
        return matrix
    kept = (np.diff(before.indptr) > 0)[matrix.indices]
    indptr = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
    return csr_array((matrix.data[kept], matrix.indices[kept], indptr), shape=matrix.shape)


def diagonal(values: Numbers) -> csr_array:
    """A factor for each value."""
    return csr_array(diags_array(values))


def _add(terms: dict[Source, csr_array], source: Source, matrix: csr_array) -> None:
    terms[source] = csr_array(terms[source] + matrix) if source in terms else matrix


def _is_identity(matrix: csr_array) -> bool:
    n = matrix.shape[0]
    if matrix.shape != (n, n) or matrix.nnz != n:
        return False
    return bool((matrix.data == 1.0).all() and (matrix.indices == np.arange(n)).all())
