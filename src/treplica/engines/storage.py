"""Ways to keep synapses; none of them changes a spike."""

from __future__ import annotations

from typing import Literal

Storage = Literal["auto", "packed", "rows", "procedural"]
STORAGES = ("auto", "packed", "rows", "procedural")
