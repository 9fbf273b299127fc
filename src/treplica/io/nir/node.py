"""What every node of a graph is: its fields checked, its shapes asked for."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from treplica.errors import InvalidValue
from treplica.io.nir.fields import Array, OpenShape, Shape, as_field, same
from treplica.io.nir.metadata import as_metadata


@dataclass(frozen=True, eq=False, repr=False)
class Node:
    """A node of a graph. Abstract: use one of the nodes, which differ in their fields.

    Numbers and arrays that are given are copied, keep their type and cannot be written to. Nodes are equal when
    their types, fields (bit by bit) and metadata are.

    - `metadata`: numbers, texts, arrays and dictionaries of these, kept in files and otherwise without meaning
    """

    metadata: dict[str, Any] = field(default_factory=dict, kw_only=True)

    # Fields that may also be one of a few words; fields that may be None until a graph tells them.
    WORDED: ClassVar[tuple[str, ...]] = ()
    INFERRED: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        own = type(self).__name__
        if own not in NODES:
            raise InvalidValue("a node", own, f"one of {', '.join(NODES)}")
        object.__setattr__(self, "metadata", as_dictionary(own, self.metadata))
        for name, default in type(self).field_names().items():
            value = getattr(self, name)
            if value is None and (default is None or name in self.INFERRED):
                continue
            object.__setattr__(self, name, as_field(own, name, value, words=name in self.WORDED))
        self._complete()

    def _complete(self) -> None:
        """Fill in what follows from other fields and check what concerns several."""

    @classmethod
    def field_names(cls) -> dict[str, Any]:
        """Give the names of the fields in a file with their defaults (`dataclasses.MISSING` where there is none)."""
        return {
            each.name: each.default
            for each in dataclasses.fields(cls)
            if each.name != "metadata" and each.init
        }

    @property
    def takes(self) -> OpenShape | None:
        """Shape of the input as far as the fields tell it, without time and batch; None for not at all."""
        raise NotImplementedError

    def gives(self, taken: Shape) -> Shape:
        """Shape of the output for an input of the shape `taken`; raises `InvalidValue` where that does not fit."""
        self._check_taken(taken)
        return taken

    def filled(self, taken: Shape) -> Self:
        """Return the node with the fields that the shape of its input determines."""
        return self

    def _check_taken(self, taken: Shape) -> None:
        own = self.takes
        if own is None:
            return
        if len(own) != len(taken) or any(a not in (None, b) for a, b in zip(own, taken, strict=True)):
            sizes = ["any" if each is None else str(each) for each in own]
            wanted = f"({', '.join(sizes)}{',' * (len(own) == 1)})"
            raise InvalidValue(f"the input of {type(self).__name__}", taken, f"of shape {wanted}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Node):
            return NotImplemented
        names = [*type(self).field_names(), "metadata"]
        return type(self) is type(other) and all(
            same(getattr(self, name), getattr(other, name)) for name in names
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = []
        for name in type(self).field_names():
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                value = value.tolist() if value.size <= 4 else f"<{value.dtype}{list(value.shape)}>"
            shown.append(f"{name}={value}")
        return f"{type(self).__name__}({', '.join(shown)})"


Entered = TypeVar("Entered", bound=Node)

# The nodes of NIR 1.0.8 by their name in files; each enters itself.
NODES: dict[str, type[Node]] = {}


def entered(cls: type[Entered]) -> type[Entered]:
    """Enter a node into `NODES`."""
    NODES[cls.__name__] = cls
    return cls


def as_dictionary(owner: str, value: object) -> dict[str, Any]:
    """Return metadata as it is kept; raises `InvalidValue` where it is not a dictionary of what can be."""
    kept = as_metadata(f"{owner}.metadata", value)
    if not isinstance(kept, dict):
        raise InvalidValue(f"{owner}.metadata", value, "a dictionary")
    return kept


def check_shape(owner: str, name: str, value: Array, shape: Shape, because: str) -> None:
    """Refuse an array of another shape, with both shapes."""
    if value.shape != shape:
        raise InvalidValue(f"the shape of {owner}.{name}", value.shape, f"{shape}, {because}")
