"""How files are written (beside their place and renamed, so a reader never meets half a file) and read."""

from __future__ import annotations

import importlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from treplica.errors import DescriptionError, InvalidValue, MissingExtra, OutputError, TreplicaError


@contextmanager
def replacing(path: str | os.PathLike[str], *, alone: bool = False, durable: bool = False) -> Iterator[Path]:
    """Yield a fresh path beside `path`; rename it to `path` when the block succeeds, remove it when it fails.

    alone: nobody else writes `path`, so that the path beside it is always the same one, and what a killed process
    left there is written over. durable: the file is on the disk, not only on its way there, when it is renamed.
    Raises `OutputError` where the place cannot be written.
    """
    target = Path(path)
    if not target.name:
        raise OutputError(path, "is not the name of a file", "Give a file name.")
    if not target.parent.is_dir():
        raise OutputError(target, f"the folder {target.parent} does not exist", "Make it first.")
    if target.is_dir():
        raise OutputError(target, "is a folder", "Give a file name.")
    # The suffix stays last: some writers choose their format by it.
    mark = "unfinished" if alone else secrets.token_hex(4)
    beside = target.with_name(f".{target.stem}.{mark}{target.suffix}")
    try:
        yield beside
        if durable:
            sync(beside)
        os.replace(beside, target)
        if durable:
            sync(target.parent)
    except OSError as problem:
        if isinstance(problem, OutputError):
            raise
        advice = "Check space and permissions."
        raise OutputError(target, f"cannot be written ({problem})", advice) from problem
    finally:
        beside.unlink(missing_ok=True)


def sync(path: str | os.PathLike[str]) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def reading(path: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Turn whatever a decoder or a check says about the content of `path` into `DescriptionError`.

    `what` names what the file should be, such as "PNG image".
    """
    try:
        yield
    except FileNotFoundError as problem:
        raise DescriptionError(path, "there is no such file") from problem
    except InvalidValue as problem:
        raise DescriptionError(path, f"is not a valid {what}: {str(problem).rstrip('.')}") from problem
    except TreplicaError:
        raise
    # Decoders answer damaged bytes with nearly every kind of exception; all of them mean one thing here.
    except Exception as problem:
        said = " ".join(str(problem).split())[:200] or type(problem).__name__
        advice = "It may be cut off, damaged or of another format."
        raise DescriptionError(path, f"is not a readable {what} ({said})", advice) from problem


def cache_root() -> Path:
    """Where what can be made or fetched again is kept: TREPLICA_CACHE, or treplica under the user's cache folder."""
    chosen = os.environ.get("TREPLICA_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "treplica"


def optional(package: str, extra: str, purpose: str) -> Any:
    """Import a package that a plain installation may lack; raises `MissingExtra` where it is absent."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as problem:
        raise MissingExtra(package.partition(".")[0], extra, purpose) from problem
