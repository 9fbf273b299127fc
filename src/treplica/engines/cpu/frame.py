"""The layout of an update kernel's frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Frame:
    """The layout of a kernel's frame: what each item holds, and what each scalar is.

    items: ("scalars",), ("seed_lo",), ("seed_hi",), ("gap",), ("slots",), ("stride",), ("state", part, name),
    ("still",), ("array", part, name), ("mask", part), ("external", current), ("arrivals", port),
    ("stream", part, name), ("counts of drive", drive), and so for stream, classes, tables and width.
    scalars: ("constant", part, name), ("dt",), ("limit",), ("rest",), ("unit", port), ("weight", drive),
    ("threshold", drive, k), ("state unit", part, name), ("units of state", part, name).
    """

    items: list[tuple[Any, ...]] = field(
        default_factory=lambda: [(n,) for n in ("scalars", "seed_lo", "seed_hi", "gap", "slots", "stride")]
    )
    scalars: list[tuple[Any, ...]] = field(default_factory=lambda: [("dt",), ("limit",)])

    def item(self, *what: Any) -> int:
        """The index of an item, new ones at the end."""
        if what not in self.items:
            self.items.append(what)
        return self.items.index(what)

    def scalar(self, *what: Any) -> int:
        """The index of a scalar, new ones at the end."""
        if what not in self.scalars:
            self.scalars.append(what)
        return self.scalars.index(what)
