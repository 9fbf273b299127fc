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
    seal = f"{hashlib.sha256(content).hexdigest()} {len(content)} bytes\n".encode()
    with replacing(path, alone=True, durable=True) as beside, open(beside, "wb") as file:
        file.write(_MARK + seal)
        file.write(content)


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
    seal, _, rest = content[len(_MARK) :].partition(b"\n")
    stated = seal.decode("ascii", "replace").split()
    if len(stated) != 3 or stated[1] != str(len(rest)):
        said = stated[1] if len(stated) == 3 else "nothing"
        raise DescriptionError(path, f"is cut off or damaged: {len(rest)} bytes, its seal says {said}", _ANEW)
    found = hashlib.sha256(rest).hexdigest()
    if found != stated[0]:
        problem = f"is damaged: its checksum is {found[:8]}…, its seal says {stated[0][:8]}…"
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
