"""What `import treplica` costs and what it offers."""

import inspect
import json
import re
import subprocess
import sys

import treplica

HEAVY = ("torch", "numba", "numba.cuda", "mpi4py", "matplotlib", "scipy", "h5py")


def test_import_loads_no_heavy_library() -> None:
    code = "import json, sys, treplica; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(result.stdout))
    assert "treplica" in loaded
    assert not loaded.intersection(HEAVY)


def sorting_key(name: str) -> tuple[int, list[tuple[int, str]]]:
    """Order as the linter does: CONSTANTS, Classes, the rest; 9 before 10."""
    group = 0 if len(name) > 1 and name.isupper() else 1 if name[:1].isupper() else 2
    return group, [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def test_public_names_are_sorted_and_unique() -> None:
    names = list(treplica.__all__)
    assert names
    assert names == sorted(set(names), key=sorting_key)


def own_docstring(thing: object) -> str:
    """Return the docstring that someone wrote: not an inherited one, not the signature of a dataclass."""
    if inspect.isclass(thing):
        text = thing.__dict__.get("__doc__") or ""
        return "" if text.startswith(f"{thing.__name__}(") else text
    return getattr(thing, "__doc__", None) or ""


def test_public_names_are_documented() -> None:
    names = [name for name in treplica.__all__ if not name.startswith("__")]
    assert [name for name in names if not own_docstring(getattr(treplica, name)).strip()] == []
