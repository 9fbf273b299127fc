"""Files of spikes and traces that grow while a simulation runs; `load` reads them like any other.

Every `append` leaves the file complete on disk, so that a run cut short keeps what it recorded until then.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.coding.store import FILTERS, VERSION
from treplica.errors import OutputError

#: Items in a chunk of a growing array.
CHUNK = 1 << 15


class GrowingFile:
    """An HDF5 file whose arrays are extended along their first axis."""

    def __init__(self, path: Path, name: str, about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        import h5py

        self.path = path
        try:
            self.file = h5py.File(path, "x", libver="latest")
        except OSError as error:
            advice = "Choose another folder."
            raise OutputError(path, f"a recording cannot be written there ({error})", advice) from None
        self.file.attrs.update({"format": name, "version": VERSION, **about})
        for key, empty in arrays.items():
            rows = max(1, CHUNK // max(1, int(np.prod(empty.shape[1:]))))
            chunks = (rows, *empty.shape[1:])
            self.file.create_dataset(
                key, data=empty, maxshape=(None, *empty.shape[1:]), chunks=chunks, **FILTERS
            )

    def fixed(self, key: str, array: NDArray[Any]) -> None:
        """Write an array that does not grow."""
        self.file.create_dataset(key, data=array)

    def append(self, arrays: dict[str, NDArray[Any]], about: dict[str, Any]) -> None:
        """Extend arrays, replace attributes, and put everything on disk."""
        for key, new in arrays.items():
            dataset = self.file[key]
            size = dataset.shape[0]
            dataset.resize(size + len(new), axis=0)
            dataset[size:] = new
        self.file.attrs.update(about)
        self.file.flush()

    def close(self) -> None:
        """Close the file; it can be closed twice."""
        self.file.close()
