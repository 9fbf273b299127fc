"""Checksums of files, and of what is in a zip however it was packed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from treplica.datasets.archive import Files


@dataclass(frozen=True)
class Checksum:
    """A file's "sha256" or "md5", or the "contents" of a zip: of the files in it whose names match `members`.

    The checksum of contents is the SHA-256 of what `sha256sum` prints for these files, in the order of their names
    without folders.
    """

    kind: Literal["sha256", "md5", "contents"]
    value: str
    members: str = ""

    def of(self, path: Path) -> str:
        """The checksum of this kind that a file has; raises `DescriptionError` for what is no zip."""
        if self.kind == "contents":
            return self._of_contents(path)
        with open(path, "rb") as file:
            return hashlib.file_digest(
                file, lambda: hashlib.new(self.kind, usedforsecurity=False)
            ).hexdigest()

    def _of_contents(self, path: Path) -> str:
        lines = {}
        with Files(path) as files:
            for match in files.matching(self.members):
                name = match.string.rpartition("/")[2]
                lines[name] = f"{hashlib.sha256(files.read(match.string)).hexdigest()}  {name}\n"
        return hashlib.sha256("".join(lines[name] for name in sorted(lines)).encode()).hexdigest()
