"""Traces: a state variable of some neurons over time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.coding.grid import check_count
from treplica.errors import InvalidValue


@dataclass(frozen=True, eq=False, repr=False)
class Traces:
    """Samples of one state variable.

    - `values`: float[T, n] (float32 or float64), one row a sample, one column a neuron
    - `ids`: integers [n], the neurons, all different, >= 0
    - `times`: float64[T], time of each sample in ms, ascending
    - `variable`: name of the state variable, such as "v"
    - `unit`: its unit as the model declares it, such as "mV" ("1" for a pure number)

    The arrays are kept without a copy, as read-only views. Raises `InvalidValue` where the shapes do not fit.
    """

    values: NDArray[np.floating[Any]]
    ids: NDArray[np.signedinteger[Any]]
    times: NDArray[np.float64]
    variable: str
    unit: str

    def __post_init__(self) -> None:
        """Check the shapes and freeze the arrays."""
        put = object.__setattr__
        values, ids, times = np.asarray(self.values), np.asarray(self.ids), np.asarray(self.times)
        if values.ndim != 2 or values.dtype.kind != "f":
            raise InvalidValue("values", (values.shape, str(values.dtype)), "[samples, neurons] of floats")
        if ids.shape != values.shape[1:] or ids.dtype.kind not in "iu":
            allowed = f"{values.shape[1]} whole numbers, one per column of values"
            raise InvalidValue("ids", (ids.shape, str(ids.dtype)), allowed)
        if len(np.unique(ids)) < len(ids) or (len(ids) and int(ids.min()) < 0):
            raise InvalidValue("ids", ids.tolist(), "different and >= 0")
        if times.shape != values.shape[:1] or times.dtype.kind not in "fiu":
            allowed = f"{len(values)} numbers, one per row of values"
            raise InvalidValue("times", (times.shape, str(times.dtype)), allowed)
        if not (np.isfinite(times).all() and (np.diff(times) > 0.0).all()):
            raise InvalidValue("times", times.tolist(), "finite and ascending")
        times = times.astype(np.float64, copy=False)
        for name, array in (("values", values), ("ids", ids), ("times", times)):
            frozen = array.view()
            frozen.flags.writeable = False
            put(self, name, frozen)

    def of(self, neuron: int) -> NDArray[np.floating[Any]]:
        """Samples of one neuron, float[T]; raises `InvalidValue` for a neuron that was not recorded."""
        (found,) = np.nonzero(self.ids == check_count("neuron", neuron, 0))
        if not len(found):
            raise InvalidValue("neuron", neuron, f"one of the recorded ids {self.ids.tolist()}")
        column: NDArray[np.floating[Any]] = self.values[:, found[0]]
        return column

    def to_pandas(self) -> Any:
        """`pandas.DataFrame` [T, n]: index time_ms, one column per neuron id."""
        from treplica.coding.exchange import traces_to_pandas

        return traces_to_pandas(self)

    def to_neo(self) -> Any:
        """`neo.AnalogSignal` [T, n] in the trace's unit (`neo.IrregularlySampledSignal` if uneven)."""
        from treplica.coding.exchange import traces_to_neo

        return traces_to_neo(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an HDF5 file, beside and renamed; raises `OutputError` where it cannot be written."""
        from treplica.coding.store import save_traces

        save_traces(path, self)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Traces:
        """Read what `save` wrote; raises `DescriptionError` for any other, damaged or absent file."""
        from treplica.coding.store import load_traces

        return load_traces(path)

    def __len__(self) -> int:
        """Number of samples in time."""
        return len(self.times)

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same samples (NaN equals NaN) of the same neurons, variable and unit."""
        if not isinstance(other, Traces):
            return NotImplemented
        return (
            (self.variable, self.unit) == (other.variable, other.unit)
            and self.values.dtype == other.values.dtype
            and np.array_equal(self.values, other.values, equal_nan=True)
            and np.array_equal(self.ids, other.ids)
            and np.array_equal(self.times, other.times)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Return what is covered, not the samples."""
        span = f" over {self.times[0]:g} … {self.times[-1]:g} ms" if len(self) else ""
        shape = f"{len(self)} samples of {len(self.ids)} neurons"
        return f"<Traces: {self.variable} in {self.unit}, {shape}{span}>"
