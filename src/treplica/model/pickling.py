"""Models and formulas in pickles and copies: by the name they were defined under, otherwise by their checked source."""

from __future__ import annotations

import sys
from functools import reduce
from importlib import import_module
from types import FunctionType
from typing import Any


def reference(thing: object, function: FunctionType) -> tuple[str, str] | None:
    """The module and name under which the thing made of `function` is found again, if it is."""
    module, name = function.__module__, function.__qualname__
    try:
        found = reduce(getattr, name.split("."), sys.modules[module])
    except (KeyError, AttributeError):
        return None
    return (module, name) if found is thing else None


def by_name(module: str, name: str) -> Any:
    """What was pickled by reference."""
    return reduce(getattr, name.split("."), import_module(module))


def model_from(data: dict[str, Any]) -> Any:
    """A model that was pickled by its source."""
    from treplica.model.text import from_dict

    return from_dict(data, "a pickle")


def formula_from(data: dict[str, Any]) -> Any:
    """A formula that was pickled by its source."""
    from treplica.model.text import formula_from_dict

    return formula_from_dict(data, "a pickle")
