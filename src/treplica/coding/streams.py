"""Files of spikes and traces that grow while a simulation runs; `load` reads them like any other.

A file is whole after every `append`, however the process ends (see `journal`). `finish` seals it. `position` says how
far it is; `GrowingFile.reopen` and `cut` go on from there.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.coding.files import replacing, sync
from treplica.coding.journal import changing
from treplica.coding.seal import BLOCK, seal
from treplica.coding.store import filters, opened_as, version_of
from treplica.errors import DescriptionError, OutputError

#: Items in a chunk of a growing array. An append packs the last one again, which is most of its cost if that is large.
CHUNK = 1 << 12
#: Whoever opens the file next fills what a rewritten chunk left behind: runs of a step each would make it grow.
REUSE = {"fs_strategy": "fsm", "fs_persist": True, "userblock_size": BLOCK}
#: Bytes that are left free on the disk.
SPARE = 1 << 22


@dataclass(frozen=True)
class Position:
    """How far a file has grown: rows of its growing arrays, and the SHA-256 of each (hexadecimal)."""

    rows: int
    digests: dict[str, str] = field(default_factory=dict)


class GrowingFile:
    """An HDF5 file whose arrays are extended along their first axis, all by the same number of rows.

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
        import h5py

        self._begin(path, name, {key: hashlib.sha256() for key in growing})
        with self._writing(), replacing(path) as beside, h5py.File(beside, "x", **REUSE) as file:
            file.attrs.update({"format": name, "version": version_of(growing), **about})
            for key, empty in growing.items():
                rows = max(1, CHUNK // max(1, int(np.prod(empty.shape[1:]))))
                shape = (None, *empty.shape[1:])
                chunks = (rows, *empty.shape[1:])
                file.create_dataset(key, data=empty, maxshape=shape, chunks=chunks, **filters(empty.dtype))
            for key, array in (fixed or {}).items():
                file.create_dataset(key, data=array)

    def _begin(self, path: Path, name: str, digests: dict[str, Any]) -> None:
        self.path, self.name, self.digests = path, name, digests
        self.rows = 0
        self.failed = self.sealed = self.durable = False

    @classmethod
    def reopen(cls, path: Path, name: str, position: Position) -> GrowingFile:
        """The file that had come to a position, to be `cut` before it grows on.

        Raises `DescriptionError` for a file that is shorter, or holds something else up to there.
        """
        made = cls.__new__(cls)
        made._begin(path, name, {key: hashlib.sha256() for key in position.digests})
        made.rows, made.durable = position.rows, True
        with opened_as(path, name) as file:
            for key, digest in made.digests.items():
                made._check(file[key], digest, position.digests[key])
        return made

    def _check(self, dataset: Any, digest: Any, expected: str) -> None:
        """Refuse an array whose first rows are not those of the position."""
        if len(dataset) < self.rows:
            problem = (
                f"has {len(dataset)} rows of {dataset.name[1:]}, {self.rows} were there at the checkpoint"
            )
            raise DescriptionError(self.path, problem)
        step = dataset.chunks[0]
        for first in range(0, self.rows, step):
            digest.update(np.ascontiguousarray(dataset[first : min(first + step, self.rows)]))
        if digest.hexdigest() != expected:
            found = f"checksum {digest.hexdigest()[:8]}…, then {expected[:8]}…"
            problem = f"does not begin with what was there at the checkpoint ({dataset.name[1:]} has {found})"
            raise DescriptionError(self.path, problem)

    def cut(self, about: dict[str, Any]) -> None:
        """Take away what was appended after the position, and replace attributes."""
        with self._writing(), changing(self.path, self.durable) as file:
            for key in self.digests:
                file[key].resize(self.rows, axis=0)
            file.attrs.update(about)

    def append(self, arrays: dict[str, NDArray[Any]], about: dict[str, Any]) -> None:
        """Extend arrays and replace attributes; OutputError where that fails, once: later calls do nothing."""
        if self.failed:
            return
        self.failed = True
        self._check_space(sum(new.nbytes for new in arrays.values()))
        with self._writing(), changing(self.path, self.durable) as file:
            self.sealed = False
            for key, new in arrays.items():
                dataset = file[key]
                dataset.resize(self.rows + len(new), axis=0)
                dataset[self.rows :] = new
            for name, value in about.items():
                file.attrs.modify(name, value)  # in its place
        for key, new in arrays.items():
            self.digests[key].update(np.ascontiguousarray(new))
            added = len(new)
        self.rows += added
        self.failed = False

    def position(self) -> Position:
        """How far the file has grown; from now on that is safe also where the machine stops."""
        if not self.durable:
            with self._writing():
                sync(self.path)
                sync(self.path.parent)
            self.durable = True
        return Position(self.rows, {key: digest.hexdigest() for key, digest in self.digests.items()})

    def finish(self) -> None:
        """Seal the file; it can still grow afterwards."""
        if not self.sealed and not self.failed and self.path.is_file():
            seal(self.path)
            self.sealed = True

    def _check_space(self, wanted: int) -> None:
        """An end that is made before the disk is full can say what is kept."""
        if self.path.parent.is_dir() and shutil.disk_usage(self.path.parent).free < wanted + SPARE:
            problem = "the recording ends here: the disk is full"
            raise OutputError(self.path, problem, "What was recorded before is kept.")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn what h5py and the system say into `OutputError`."""
        try:
            yield
        except OutputError:
            raise
        except (OSError, RuntimeError) as error:  # h5py has no type of its own for what goes wrong
            problem = f"a recording cannot be written there ({' '.join(str(error).split())})"
            raise OutputError(self.path, problem, "Choose another folder.") from error
