"""One HTTP connection that begins a file or goes on with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treplica.errors import OutputError

if TYPE_CHECKING:
    from email.message import Message

TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as broken."""
BLOCK = 1 << 18

Bytes = Callable[[int, int | None], object]


class Refused(Exception):
    """An address that does not give the file: asking again will not help."""


def transfer(address: str, part: Path, show: Bytes) -> bool:
    """Append to `part` what it lacks, or write it anew where the server sends everything; returns whether it is whole.

    Where the server does not tell how long the file is, its end is the end. `show` gets bytes that are there, and
    bytes of the whole where they are known. Raises `Refused`, `OutputError`, or what a broken connection raises.
    """
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "treplica"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urlopen(Request(address, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        with error:
            if (
                error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have
            ):  # nothing comes after what is there
                return _whole(error.headers, part, have)
        raise Refused(f"HTTP {error.code} {error.reason}") from None
    except URLError as error:
        raise Refused(str(error.reason)) from None
    with answer:
        start, total = _span(answer, have)
        if start not in (0, have):
            part.unlink(
                missing_ok=True
            )  # neither the rest nor everything: the next connection asks for everything
            return False
        done = _append(answer, part, start, lambda done: show(done, total))
    return total is None or done >= total


def _whole(headers: Message, part: Path, have: int) -> bool:
    """Whether a part is as long as the file; one that is not cannot be gone on with and is removed."""
    length = re.fullmatch(r"bytes \*/(\d+)", headers.get("Content-Range", ""))
    if length and int(length[1]) == have:
        return True
    part.unlink()
    return False


def _span(answer: Any, have: int) -> tuple[int, int | None]:
    """The byte at which an answer begins and the bytes of the whole file, if told."""
    if answer.status == HTTPStatus.PARTIAL_CONTENT:
        told = re.match(r"bytes (\d+)-\d+/(\d+|\*)$", answer.headers.get("Content-Range", ""))
        if told is None:
            return -1, None
        return int(told[1]), None if told[2] == "*" else int(told[2])
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _append(answer: Any, part: Path, start: int, show: Callable[[int], object]) -> int:
    """Write what comes from byte `start` on; returns how many bytes are there then."""
    done = start
    show(done)
    with part.open("ab" if start else "wb", buffering=0) as file:
        while block := answer.read1(BLOCK):
            left = memoryview(block)
            try:
                while left:
                    left = left[file.write(left) :]
            except OSError as problem:
                advice = "What is there is kept; make room and try again."
                raise OutputError(part, f"cannot be written ({problem.strerror})", advice) from None
            done += len(block)
            show(done)
    return done
