"""The order of the layers and the homes of heavy libraries, read from syntax trees: lazy imports count."""

import ast
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "treplica"

# A part may import itself and what stands on a line above its own; parts on one line do not know each other.
LAYERS = (
    ("errors",),
    ("numerics",),
    ("model",),
    ("neurons", "synapses"),
    ("connectivity", "coding"),
    ("datasets",),
    ("network",),
    ("engines",),
    ("simulation",),
    ("analysis", "io"),
    ("learning",),
    ("__init__",),  # `import treplica` itself: the public names
    ("systems", "testing"),
    ("benchmarks",),
    ("cli", "__main__"),
)
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}

# Heavy or optional libraries and the only files that may name them.
HOMES = {
    "numba": ("**/kernels*.py", "**/compiled*.py", "engines/cpu/**"),
    "llvmlite": ("**/kernels*.py", "**/compiled*.py", "engines/cpu/**"),
    "torch": ("learning/**", "benchmarks/peers/**"),  # peers' scripts: never imported, run by another Python
    "triton": ("learning/fused/triton_loop.py",),
    "matplotlib": ("analysis/**", "coding/readers.py"),
}


def imports(tree: ast.AST, file: PurePosixPath) -> Iterator[tuple[int, str, str]]:
    """Yield (line, absolute module, imported name or "") for every import, at whatever depth it stands."""
    package = ("treplica", *file.parent.parts)
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield node.lineno, alias.name, ""
            case ast.ImportFrom(module=module, names=names, level=level):
                base = package[: len(package) - level + 1] if level else ()
                for alias in names:
                    yield node.lineno, ".".join([*base, *([module] if module else [])]), alias.name
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield node.lineno, name, ""


def part_of(module: str, name: str) -> str:
    """Tell which part of the package `from module import name` reaches (`__init__`: a public name)."""
    first = [*module.split("."), name][1]
    return first if first in RANK or "." in module else "__init__"


def at_home(file: PurePosixPath, patterns: tuple[str, ...]) -> bool:
    folder = str(file.parent) + "/"
    for pattern in patterns:
        if pattern.endswith("/**"):
            if folder.startswith(pattern[:-2]):
                return True
        elif pattern.startswith("**/"):
            if PurePosixPath(file.name).match(pattern[3:]):
                return True
        elif str(file) == pattern:
            return True
    return False


def violations(file: PurePosixPath, source: str) -> list[str]:
    """List what a file (path inside the package) imports against the rules."""
    own = file.parts[0].removesuffix(".py")
    if own not in RANK:
        return [f"{file}: {own!r} has no place in LAYERS; give it one"]
    found = []
    for line, module, name in imports(ast.parse(source), file):
        library = module.split(".")[0]
        if name == "*":
            found.append(f"{file}:{line}: wildcard import from {module}")
        if library in HOMES and not at_home(file, HOMES[library]):
            found.append(f"{file}:{line}: {library} belongs in {' or '.join(HOMES[library])}")
        if library == "treplica":
            other = part_of(module, name)
            if other not in RANK:
                found.append(f"{file}:{line}: {other!r} has no place in LAYERS; give it one")
            elif other != own and RANK[other] >= RANK[own]:
                found.append(f"{file}:{line}: {own} imports {other}, which is not below it")
    return found


def test_every_file_imports_downwards_only() -> None:
    files = sorted(SOURCE.rglob("*.py"))
    assert len(files) > 1
    found = [
        line
        for file in files
        for line in violations(PurePosixPath(file.relative_to(SOURCE).as_posix()), file.read_text("utf-8"))
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("model/check.py", "import treplica.network", "model imports network"),
        ("model/check.py", "from treplica.network import Network", "model imports network"),
        ("model/check.py", "from treplica import engines", "model imports engines"),
        ("model/check.py", "from treplica import Network", "model imports __init__"),
        ("model/check.py", "from ..network import Network", "model imports network"),
        ("model/check.py", "from .. import network", "model imports network"),
        ("engines/cpu/driver.py", "from ...simulation import run", "engines imports simulation"),
        ("model/check.py", "def f():\n    from treplica.cli import main", "check.py:2: model imports cli"),
        ("model/check.py", "import_module('treplica.cli')", "model imports cli"),
        ("neurons/lif.py", "import treplica.synapses.delta", "neurons imports synapses"),
        ("systems/eye.py", "import treplica.testing", "systems imports testing"),
        ("model/check.py", "import treplica.elsewhere", "'elsewhere' has no place"),
        ("elsewhere/x.py", "", "'elsewhere' has no place"),
        ("errors.py", "import treplica.numerics", "errors imports numerics"),
        ("model/check.py", "from math import *", "wildcard"),
        ("model/check.py", "import numba", "numba belongs in"),
        ("model/check.py", "def f():\n    from numba.core import types", "numba belongs in"),
        ("engines/cpuid.py", "import numba", "numba belongs in"),
        ("simulation/run.py", "import torch.nn", "torch belongs in"),
        ("coding/latency.py", "import matplotlib", "matplotlib belongs in"),
    ],
)
def test_the_rules_notice(file: str, source: str, complaint: str) -> None:
    found = violations(PurePosixPath(file), source)
    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        (
            "model/check.py",
            "from treplica.errors import ModelError\nfrom . import fields\nfrom .fields import state",
        ),
        ("model/check.py", "from ..numerics.philox import words\nimport numpy as np\nimport scipy"),
        ("numerics/kernels.py", "import numba"),
        ("numerics/kernels_philox.py", "import numba"),
        ("engines/cpu/driver.py", "def f():\n    import numba"),
        ("learning/torch_backend.py", "import torch"),
        ("coding/readers.py", "from matplotlib import image"),
        ("__init__.py", "from .network import Network\nfrom treplica import analysis"),
        ("cli/main.py", "import treplica as tr\nfrom treplica import Network, benchmarks"),
        ("testing/strategies.py", "from treplica import Network, learning"),
    ],
)
def test_the_rules_allow(file: str, source: str) -> None:
    assert violations(PurePosixPath(file), source) == []
