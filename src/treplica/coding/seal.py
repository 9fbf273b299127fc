"""A checksum in the first 512 bytes of an HDF5 file (its user block, which HDF5 itself skips).

Damage inside an HDF5 file can make the library hang or return other numbers; a sealed file is checked first.
A file that grows while a simulation runs is sealed when it is closed; until then its first bytes are 0, and it
stays readable when the run is cut short.
"""

from __future__ import annotations

import hashlib
import os

from treplica.errors import DescriptionError

BLOCK = 512
"""Size of the user block in bytes: the `userblock_size` a file to be sealed is created with."""

_MARK = b"Treplica HDF5 file. SHA-256 of all that follows this block:\n"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def seal(path: str | os.PathLike[str]) -> None:
    """Write the checksum into the user block of a closed HDF5 file."""
    block = _block(path)
    with open(path, "r+b") as file:
        file.write(block)


def check_seal(path: str | os.PathLike[str], required: bool = False) -> None:
    """Raise `DescriptionError` unless `path` is HDF5 that is sealed and unchanged, or (not `required`) has no seal."""
    try:
        with open(path, "rb") as file:
            block, behind = file.read(BLOCK), file.read(len(_SIGNATURE))
        sealed = block.startswith(_MARK)
        expected = _block(path) if sealed else b""
    except FileNotFoundError as problem:
        raise DescriptionError(path, "there is no such file") from problem
    except OSError as problem:
        raise DescriptionError(path, f"cannot be read ({problem})") from problem
    growing = not any(block) and behind == _SIGNATURE
    if not sealed and (required or not (growing or block.startswith(_SIGNATURE))):
        raise DescriptionError(path, "is not an HDF5 file of Treplica, or is damaged at its beginning")
    if sealed and block != expected:
        raise DescriptionError(path, _difference(block, expected), "Write it again.")


def _block(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:
        file.seek(BLOCK)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    return (_MARK + f"{digest}\n{size} bytes\n".encode()).ljust(BLOCK, b"\0")


def _difference(stated: bytes, found: bytes) -> str:
    """What a seal says and what the file has, in words."""
    said, has = (block.rstrip(b"\0").split(b"\n")[1:3] for block in (stated, found))
    if len(said) == 2 and said[1] != has[1]:
        return f"is cut off or damaged: it has {_shown(has[1])}, its seal says {_shown(said[1])}"
    checksums = f"its checksum is {_shown(has[0])}, its seal says {_shown(b''.join(said[:1]))}"
    return f"is damaged: {checksums}"


def _shown(line: bytes) -> str:
    """The beginning of a line, which may be anything."""
    text = line.decode("ascii", "replace")
    return text if text.endswith(" bytes") else f"{text[:8]}…"
