"""Files from which a training goes on: the state of everything, sealed with a checksum, written beside and renamed.

The file has a line that says what it is, a line with the SHA-256 and the number of bytes of the rest, and what
`torch.save` makes of tensors and plain values.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from treplica.coding.files import reading, replacing
from treplica.errors import DescriptionError
from treplica.simulation.recorders import prepare_folder

NAME = "training.checkpoint"
"""The checkpoint of a folder of results."""

_KIND = b"Treplica training checkpoint "
_FORMAT = 1
_MARK = _KIND + b"%d\n" % _FORMAT
_ANEW = "Begin in a new folder."


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write tensors and plain values; whoever is killed meanwhile leaves the file as it was before."""
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    content = buffer.getbuffer()
    with replacing(path, alone=True, durable=True) as beside, open(beside, "wb") as file:
        file.write(_MARK + _seal(content))
        file.write(content)


def _seal(content: bytes | memoryview) -> bytes:
    """The line before the content."""
    return f"{hashlib.sha256(content).hexdigest()} {len(content)} bytes\n".encode()


def fresh_folder(file: Path) -> None:
    """Make the folder of a file that begins something there; refuse it where it is not empty.

    What was killed before that file was there may have left traces of writing it, which are removed.
    """
    if not file.exists():
        for trace in (unfinished(file), file.parent / ".writable"):
            trace.unlink(missing_ok=True)
    prepare_folder(file.parent)


def unfinished(path: Path) -> Path:
    """Where a checkpoint is while it is written."""
    return path.with_name(f".{path.stem}.unfinished{path.suffix}")


def load_checkpoint(path: Path) -> dict[str, Any]:
    """What `save_checkpoint` was given. Raises DescriptionError for a file that is not it, or damaged."""
    with reading(path, "training checkpoint"):
        content = path.read_bytes()
    if not content.startswith(_KIND):
        raise DescriptionError(
            path, "is not a training checkpoint of Treplica, or is damaged at its beginning"
        )
    if not content.startswith(_MARK):
        written = content[len(_KIND) :].split(b"\n", 1)[0][:20].decode("ascii", "replace")
        raise DescriptionError(path, f"has the format {written}, this version reads {_FORMAT}", _ANEW)
    stated, _, rest = content[len(_MARK) :].partition(b"\n")
    if stated + b"\n" != _seal(rest):
        said = stated.decode("ascii", "replace").split()
        if len(said) == 3 and said[1] != str(len(rest)):
            problem = f"is cut off or damaged: it has {len(rest)} bytes, its seal says {said[1][:20]}"
        else:
            problem = "is damaged: its checksum is not that of its seal"
        raise DescriptionError(path, problem, _ANEW)
    with reading(path, "training checkpoint"):
        state: dict[str, Any] = torch.load(io.BytesIO(rest), map_location="cpu", weights_only=True)
    return state


def check_same(path: Path, stated: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Refuse a checkpoint of another training: what it says of it, and what is said here, by name."""
    for name in dict.fromkeys((*here, *stated)):
        before, now = stated.get(name), here.get(name)
        if before != now:
            raise DescriptionError(
                path,
                f"belongs to another training: {name} was {_short(before)}, here it is {_short(now)}",
                "Resume with what it was begun with, or begin in a new folder.",
            )


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 100 else f"{text[:97]}..."
