"""What the text of a checkpoint may say: the type of every entry is checked before anything is made of it.

A checksum has spoken for the file by then; this is for what another release wrote, or a hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Fits = Callable[[Any], bool]


def whole(value: Any, least: int = 0, most: int = 2**63 - 1) -> bool:
    """Whether a value is a whole number in a range."""
    return type(value) is int and least <= value <= most


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _amount(value: Any) -> bool:
    return _number(value) and value >= 0.0


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _maybe(fits: Fits) -> Fits:
    return lambda value: value is None or fits(value)


def _list(fits: Fits) -> Fits:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _row(*fits: Fits) -> Fits:
    """A list of just these."""

    def check(value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) == len(fits)
            and all(f(v) for f, v in zip(fits, value, strict=True))
        )

    return check


def _named(fits: Fits) -> Fits:
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))


def _table(**fits: Fits) -> Fits:
    """A dictionary with just these entries."""
    return lambda value: (
        isinstance(value, dict) and {*value} == {*fits} and all(f(value[n]) for n, f in fits.items())
    )


_ENTRIES: dict[str, Fits] = {
    "settings": _table(
        dt=_number,
        engine=_text,
        threads=_maybe(whole),
        precision=_text,
        weights=_text,
        storage=_text,
        sleep=_text,
        seed=lambda value: whole(value, 0, 2**64 - 1),
        record_to=_maybe(lambda value: _text(value) and bool(value)),
        memory_budget=whole,
    ),
    "schedule": _table(end=whole, every=_maybe(lambda value: whole(value, 1))),
    "counts": _table(wall_s=_amount, spikes=_list(whole), busiest=whole),
    "units": _named(_amount),
    "fed": _list(_row(whole, whole, _list(_row(whole, whole, _amount)))),
    "recordings": _named(
        _table(steps=whole, arrays=_list(_text), position=_maybe(_table(rows=whole, digests=_named(_text))))
    ),
}


def check_entries(about: Any) -> dict[str, Any]:
    """The text of a checkpoint, as it was given; ValueError names the part that is not as it should be."""
    if not isinstance(about, dict) or {*about} != {*_ENTRIES}:
        raise ValueError(f"its text has not the parts {', '.join(_ENTRIES)}")
    for part, fits in _ENTRIES.items():
        if not fits(about[part]):
            raise ValueError(f"its {part} are not what they should be: {about[part]}")
    return about
