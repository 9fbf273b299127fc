"""The files of a folder, or of a zip, which is read without unpacking it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from types import TracebackType

from treplica.coding.files import reading
from treplica.errors import DescriptionError


class Files:
    """Files by their paths below a folder or in a zip; a context that closes the zip.

    Raises `DescriptionError` for a zip, or a file in it, that cannot be read.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self._zip: zipfile.ZipFile | None = None
        if place.is_dir():
            self.names = sorted(
                found.relative_to(place).as_posix() for found in place.rglob("*") if found.is_file()
            )
            return
        with reading(place, "zip file"):
            self._zip = zipfile.ZipFile(place)
            self.names = sorted(entry.filename for entry in self._zip.infolist() if not entry.is_dir())

    def matching(self, pattern: str) -> list[re.Match[str]]:
        """Matches (`re.search`) of the names; `.string` of each is the name."""
        found = map(re.compile(pattern).search, self.names)
        return [match for match in found if match]

    def read(self, name: str) -> bytes:
        """Content of a file."""
        where = self.place / name
        if self._zip is None:
            with reading(where, "file"):
                return where.read_bytes()
        with reading(where, "file in a zip"):
            try:
                return self._zip.read(name)
            except KeyError:
                raise DescriptionError(where, "there is no such file") from None

    def __enter__(self) -> Files:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._zip is not None:
            self._zip.close()
