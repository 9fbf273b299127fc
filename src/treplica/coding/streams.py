"""Files of spikes and traces that grow while a simulation runs; `load` reads them like any other.

The file is closed after every `append`, so that a run cut short keeps what it recorded until then. `finish` seals it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.coding.seal import BLOCK, seal, unseal
from treplica.coding.store import FILTERS, VERSION
from treplica.errors import OutputError

#: Items in a chunk of a growing array.
CHUNK = 1 << 15
#: Whoever opens the file next fills what a rewritten chunk left behind: runs of a step each would make it grow.
REUSE = {"fs_strategy": "fsm", "fs_persist": True, "userblock_size": BLOCK}
#: Bytes that are left free on the disk.
SPARE = 1 << 22


class GrowingFile:
    """An HDF5 file whose arrays are extended along their first axis.

    name: the format. about: attributes. growing: empty arrays, for their types and shapes. fixed: arrays that stay.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        about: dict[str, Any],
        growing: dict[str, NDArray[Any]],
        fixed: dict[str, NDArray[Any]] | None = None,
    ) -> None:
        self.path, self.failed, self.sealed = path, False, False
        with self._open("x") as file:
            file.attrs.update({"format": name, "version": VERSION, **about})
            for key, empty in growing.items():
                rows = max(1, CHUNK // max(1, int(np.prod(empty.shape[1:]))))
                shape = (None, *empty.shape[1:])
                chunks = (rows, *empty.shape[1:])
                file.create_dataset(key, data=empty, maxshape=shape, chunks=chunks, **FILTERS)
            for key, array in (fixed or {}).items():
                file.create_dataset(key, data=array)

    def append(self, arrays: dict[str, NDArray[Any]], about: dict[str, Any]) -> None:
        """Extend arrays and replace attributes; OutputError where that fails, once: later calls do nothing."""
        if self.failed:
            return
        self.failed = True
        self._check_space(sum(new.nbytes for new in arrays.values()))
        if self.sealed:
            unseal(self.path)
            self.sealed = False
        with self._open("r+") as file:
            for key, new in arrays.items():
                dataset = file[key]
                size = dataset.shape[0]
                dataset.resize(size + len(new), axis=0)
                dataset[size:] = new
            file.attrs.update(about)
        self.failed = False

    def finish(self) -> None:
        """Seal the file; it can still grow afterwards."""
        if not self.sealed and not self.failed and self.path.is_file():
            seal(self.path)
            self.sealed = True

    def _check_space(self, wanted: int) -> None:
        """HDF5 loses a whole file where the disk fills up under it, so the end is made before that."""
        if self.path.parent.is_dir() and shutil.disk_usage(self.path.parent).free < wanted + SPARE:
            problem = "the recording ends here: the disk is full"
            raise OutputError(self.path, problem, "What was recorded before is kept.")

    @contextmanager
    def _open(self, mode: str) -> Iterator[Any]:
        import h5py

        try:
            with h5py.File(self.path, mode, **(REUSE if mode == "x" else {})) as file:
                yield file
        except (OSError, RuntimeError) as error:  # h5py has no type of its own for what goes wrong
            problem = f"a recording cannot be written there ({' '.join(str(error).split())})"
            raise OutputError(self.path, problem, "Choose another folder.") from error
