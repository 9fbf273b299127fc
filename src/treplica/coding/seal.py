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


def unseal(path: str | os.PathLike[str]) -> None:
    """Clear the user block of a closed HDF5 file that is going to change."""
    with open(path, "r+b") as file:
        file.write(bytes(BLOCK))


def check_seal(path: str | os.PathLike[str]) -> None:
    """Raise `DescriptionError` unless `path` is HDF5 without a seal, or sealed and unchanged."""
    try:
        with open(path, "rb") as file:
            block, behind = file.read(BLOCK), file.read(len(_SIGNATURE))
        expected = _block(path) if block.startswith(_MARK) else b""
    except FileNotFoundError as problem:
        raise DescriptionError(path, "there is no such file") from problem
    except OSError as problem:
        raise DescriptionError(path, f"cannot be read ({problem})") from problem
    growing = not any(block) and behind == _SIGNATURE
    if not expected and not growing and not block.startswith(_SIGNATURE):
        raise DescriptionError(path, "is not an HDF5 file, or is damaged at its beginning")
    if expected and block != expected:
        raise DescriptionError(path, "is damaged or cut off: its checksum does not fit", "Write it again.")


def _block(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:
        file.seek(BLOCK)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return (_MARK + digest.encode() + b"\n").ljust(BLOCK, b"\0")
