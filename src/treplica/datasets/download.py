"""Downloads: gone on with after an interruption, and checked before they count.

A file grows as `name.part` beside its place. Whatever ends a download, the next one asks for the rest (HTTP Range); a
server that sends everything again is read from the beginning. What has another checksum than it should is kept as
`name.refused` and never read.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

from treplica.coding.files import sync
from treplica.datasets.progress import Report, showing
from treplica.datasets.sources import Source
from treplica.datasets.transfer import Bytes, Refused, transfer
from treplica.errors import DescriptionError, DownloadError, OutputError, TreplicaError

ATTEMPTS = 3
"""Connections in a row that may break without having brought anything."""


def download(source: Source, folder: Path, report: Report | None = None) -> Path:
    """Download a file into a folder, unless it is there by then, and return its path.

    Raises `DownloadError` where no address answers with the right file, `OutputError` where the folder cannot be
    written.
    """
    target = folder / source.file
    with _alone(folder), showing(report) as show:
        if not target.exists():
            part = folder / f"{source.file}.part"
            address = _complete(source, part, target, show)
            _accept(source, address, part, target)
    return target


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time download into a folder; the others wait and then find the file."""
    advice = "Set TREPLICA_CACHE to a folder that can be written."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as problem:
        raise OutputError(folder, f"data sets cannot be kept there ({problem.strerror})", advice) from None
    with suppress(OSError):  # a file system without locks; the checksum still refuses what two have mixed
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


def _complete(source: Source, part: Path, target: Path, show: Report) -> str:
    """Bring a part to its end from whichever address answers; returns the address."""

    def told(done: int, total: int | None) -> None:
        show(source.file, done, total)

    problems = []
    for address in source.addresses:
        problem = _bring(address, part, told)
        if problem is None:
            return address
        problems.append(problem)
    advice = f"Download it by other means as {target}"
    if kept := _size(part):
        advice += f", or try again: {kept:,} bytes are kept in {part.name}"
    said = f"cannot be downloaded ({problems[0]})"
    for address, problem in zip(source.addresses[1:], problems[1:], strict=True):
        said += f", nor from {address} ({problem})"
    raise DownloadError(source.addresses[0], target, said, f"{advice}.")


def _bring(address: str, part: Path, told: Bytes) -> str | None:
    """Transfer until the part is whole; returns None, or why it cannot become so."""
    failures, said = 0, ""
    while failures < ATTEMPTS:
        before = _size(part)
        try:
            if transfer(address, part, told):
                return None
            said = "the connection ended early"
        except Refused as refusal:
            return str(refusal)
        except TreplicaError:
            raise
        except (OSError, HTTPException) as problem:
            said = " ".join(str(problem).split()) or type(problem).__name__
        failures = failures + 1 if _size(part) <= before else 0
    return said


def _accept(source: Source, address: str, part: Path, target: Path) -> None:
    """Rename a part to its name, or, where its checksum is wrong, to one under which it is never read."""
    wanted = source.checksum
    try:
        found = wanted.of(part)
    except DescriptionError as problem:
        found = f"none ({problem.problem})"
    if found == wanted.value:
        sync(part)
        os.replace(part, target)
        sync(target.parent)
        return
    aside = target.with_name(f"{target.name}.refused")
    os.replace(part, aside)
    raise DownloadError(
        address,
        target,
        f"gave a file whose checksum ({wanted.kind}) is {found}, not {wanted.value}",
        f"It is kept as {aside} and not used. Try again, or put the right file there as {target.name}.",
    )


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
