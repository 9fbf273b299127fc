"""HDF5 files that change all at once: whenever the process ends, the file is as before a change or as after it.

HDF5 writes a change in many pieces, and a file with some of them is lost. So what a change does to bytes that the file
already has is kept in memory while it is made, and only what grows beyond its end goes there at once, where nobody
looks yet. Then the former is written into a journal beside the file (`NAME.journal`), and from there into the file.
Who finds a journal finds a change that was not finished: `opened` reads as if it were, `changing` finishes it first.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from treplica.coding.files import replacing
from treplica.coding.seal import BLOCK
from treplica.errors import DescriptionError

PAGE = 4096
_MARK = b"Treplica journal 1\n"
_HEAD = struct.Struct("<QQ")  # bytes of the file after the change, pages that follow
_PLACE = struct.Struct("<Q")  # number of a page

Pages = dict[int, bytes | bytearray]


def journal_of(path: str | os.PathLike[str]) -> Path:
    """Where the journal of a file lies while a change is put into it."""
    return Path(f"{os.fspath(path)}.journal")


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    """The `h5py.File` at a path for reading, as it is after a change that was not finished."""
    import h5py

    if not journal_of(path).exists():
        with h5py.File(path, "r") as file:
            yield file
        return
    with open(path, "rb", buffering=0) as raw:
        size, pages = _read(journal_of(path))
        with h5py.File(_Overlay(raw.fileno(), size, pages), "r") as file:
            yield file


@contextmanager
def changing(path: str | os.PathLike[str], durable: bool = False) -> Iterator[Any]:
    """The `h5py.File` at a path for changing; all that the block does is kept, or nothing where it fails.

    A seal is cleared. durable: also where the machine stops, not only the process. Raises OSError, also where
    another process is changing or reading the file.
    """
    import h5py

    with open(path, "r+b", buffering=0) as raw:
        _lock(raw.fileno())
        _finish(raw.fileno(), path, durable)
        _unseal(raw.fileno(), path, durable)
        overlay = _Overlay(raw.fileno(), os.fstat(raw.fileno()).st_size, {})
        with h5py.File(overlay, "r+") as file:
            yield file
        if durable:
            os.fsync(raw)  # what lies beyond the old end
        _commit(raw.fileno(), path, overlay, durable)


def _lock(descriptor: int) -> None:
    """Take the lock that HDF5 takes; like HDF5, do without it where the file system has none."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        if problem.errno == errno.EWOULDBLOCK:
            raise OSError(problem.errno, "another process has the file open") from problem


def _unseal(descriptor: int, path: str | os.PathLike[str], durable: bool) -> None:
    """Clear a seal, before anything grows beyond the end that it tells."""
    overlay = _Overlay(descriptor, os.fstat(descriptor).st_size, {})
    if any(overlay.read(BLOCK)):
        overlay.seek(0)
        overlay.write(bytes(BLOCK))
        _commit(descriptor, path, overlay, durable)


def _commit(descriptor: int, path: str | os.PathLike[str], overlay: _Overlay, durable: bool) -> None:
    """Write what changed into a journal, and then into the file."""
    journal = journal_of(path)
    _write(journal, overlay.size, overlay.pages, durable)
    _put(descriptor, journal, overlay.size, overlay.pages, durable)


def _finish(descriptor: int, path: str | os.PathLike[str], durable: bool) -> None:
    """Put a journal, if somebody left one, into the file."""
    journal = journal_of(path)
    if journal.exists():
        _put(descriptor, journal, *_read(journal), durable)


def _put(descriptor: int, journal: Path, size: int, pages: Pages, durable: bool) -> None:
    """Put what a journal holds into the file, and take the journal away."""
    for number, page in pages.items():
        os.pwrite(descriptor, page, number * PAGE)
    os.ftruncate(descriptor, size)
    if durable:
        os.fsync(descriptor)
    journal.unlink()


def _write(journal: Path, size: int, pages: Pages, durable: bool) -> None:
    parts = [_MARK, _HEAD.pack(size, len(pages))]
    for number, page in pages.items():
        parts += [_PLACE.pack(number), bytes(page).ljust(PAGE, b"\0")]
    body = b"".join(parts)
    with replacing(journal, alone=True, durable=durable) as beside:
        beside.write_bytes(body + hashlib.sha256(body).digest())


def _read(journal: Path) -> tuple[int, Pages]:
    content = journal.read_bytes()
    body = content[: -hashlib.sha256().digest_size]
    if not body.startswith(_MARK) or hashlib.sha256(body).digest() != content[len(body) :]:
        advice = "The recording beside it cannot be read without it."
        raise DescriptionError(journal, "is damaged (its checksum differs)", advice)
    at = len(_MARK)
    size, count = _HEAD.unpack_from(body, at)
    at += _HEAD.size
    pages: Pages = {}
    for _ in range(count):
        (number,) = _PLACE.unpack_from(body, at)
        at += _PLACE.size
        pages[number] = body[at : at + PAGE]
        at += PAGE
    return size, pages


class _Overlay(io.RawIOBase):
    """A file as HDF5 sees it: pages that changed lie above those of the file, until somebody writes them into it.

    size: bytes that there seem to be. pages: by number, PAGE bytes each.
    """

    def __init__(self, descriptor: int, size: int, pages: Pages) -> None:
        self.descriptor, self.size, self.pages = descriptor, size, pages
        self.old = os.fstat(descriptor).st_size
        self.at = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.at, os.SEEK_END: self.size}[whence]
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: Any) -> int:
        wanted = memoryview(buffer).cast("B")
        wanted = wanted[: max(0, min(len(wanted), self.size - self.at))]
        got = os.preadv(self.descriptor, [wanted], self.at) if len(wanted) else 0
        wanted[got:] = bytes(len(wanted) - got)
        first, end = self.at, self.at + len(wanted)
        for number in range(first // PAGE, -(-end // PAGE)):
            if number in self.pages:
                begin, stop = max(first, number * PAGE), min(end, (number + 1) * PAGE)
                page = memoryview(self.pages[number])
                wanted[begin - first : stop - first] = page[begin - number * PAGE : stop - number * PAGE]
        self.at = end
        return len(wanted)

    def write(self, buffer: Any) -> int:
        given = memoryview(buffer).cast("B")
        first, end = self.at, self.at + len(given)
        border = -(-self.old // PAGE) * PAGE  # the page in which the file ended belongs to what is kept
        begin = first
        while begin < min(end, border):
            number = begin // PAGE
            stop = min(end, (number + 1) * PAGE)
            self._page(number)[begin - number * PAGE : stop - number * PAGE] = given[
                begin - first : stop - first
            ]
            begin = stop
        while begin < end:
            begin += os.pwrite(self.descriptor, given[begin - first :], begin)
        self.at, self.size = end, max(self.size, end)
        return len(given)

    def _page(self, number: int) -> bytearray:
        page = self.pages.get(number)
        if not isinstance(page, bytearray):
            page = bytearray(os.pread(self.descriptor, PAGE, number * PAGE).ljust(PAGE, b"\0"))
            self.pages[number] = page
        return page

    def truncate(self, size: int | None = None) -> int:
        self.size = self.at if size is None else size
        return self.size

    def flush(self) -> None:
        """Nothing is held back here."""
