"""Metadata of nodes and graphs, and the names that HDF5 can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from treplica.errors import InvalidValue

ALLOWED = "a number, a text, an array of either or a dictionary of these"


def check_name(quantity: str, name: object) -> str:
    """Return a name that can stand in an HDF5 file; `/` separates there, and `.` is the place itself."""
    if not isinstance(name, str) or name in ("", ".") or "/" in name or not _can_be_stored(name):
        raise InvalidValue(quantity, name, "a text without '/', neither empty nor '.'")
    return name


def as_metadata(quantity: str, value: object) -> Any:
    """Return metadata as it is kept: numbers and texts of Python, read-only arrays, dictionaries."""
    if isinstance(value, Mapping):
        return {
            check_name(f"a key of {quantity}", key): as_metadata(f"{quantity}[{key!r}]", each)
            for key, each in value.items()
        }
    if isinstance(value, str):
        if not _can_be_stored(value):
            raise InvalidValue(quantity, value, "a text without NUL and without half characters")
        return str(value)
    try:
        array = np.array(value)
    except ValueError:
        raise InvalidValue(quantity, value, ALLOWED) from None
    if array.dtype.kind == "U" and array.ndim:
        if all(_can_be_stored(str(each)) for each in array.flat):
            array.flags.writeable = False
            return array
    elif array.dtype.kind in "fiub":
        if array.ndim == 0:  # what HDF5 gives back of Python's own numbers becomes Python's again
            return array.item() if array.dtype in (np.bool_, np.int64, np.float64) else array[()]
        array.flags.writeable = False
        return array
    raise InvalidValue(quantity, value, ALLOWED)


def _can_be_stored(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text
