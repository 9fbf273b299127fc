"""Generated kernels become files in a cache folder, so that a debugger can show them and later runs load them.

The name of a file holds the hash of its text and of everything it imports from here: numba's own cache does not
notice a change in another file.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
from numba import cfunc

from treplica.coding.files import cache_root
from treplica.engines.composition import Composition
from treplica.engines.cpu import runtime, words
from treplica.engines.cpu.codegen import update_kernel
from treplica.engines.cpu.frame import Frame
from treplica.engines.cpu.intrinsics import INLINE
from treplica.engines.cpu.signature import SIGNATURE
from treplica.errors import OutputError
from treplica.model.lowering import Precision

# Every array of a kernel may overlap every other as far as LLVM knows. By default it gives up vectorising where that
# takes more than 8 comparisons; a kernel has a few dozen, once per block.
llvmlite.binding.set_option("treplica", "-runtime-memory-check-threshold=1000")
llvmlite.binding.set_option("treplica", "-vectorize-memory-check-threshold=1000")

_IMPORTS = {
    "treplica.engines.cpu.words": words.__all__,
    "treplica.engines.cpu.runtime": runtime.__all__,
    "treplica.engines.cpu.compile": ["NOT_FINITE", "kernel"],
}
NOT_FINITE = runtime.NOT_FINITE


def kernel(function: Any) -> Any:
    """Compile a function of six int64 that returns an int64 for calls by address; cached on disk."""
    return cfunc(SIGNATURE, cache=True, **INLINE)(function)


def cache_folder() -> Path:
    """Where compiled kernels are kept, under `cache_root`."""
    folder = cache_root() / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        advice = "Set TREPLICA_CACHE to a folder that can be written."
        raise OutputError(
            folder, f"compiled kernels cannot be kept there ({error.strerror})", advice
        ) from None
    if not os.access(folder, os.W_OK):
        advice = "Set TREPLICA_CACHE to a folder that can be written."
        raise OutputError(folder, "compiled kernels cannot be kept there (not writable)", advice)
    return folder


@cache
def _toolchain() -> str:
    """A hash of numba's version and of the source that every kernel is compiled with."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version_info[:2]}".encode())
    here = Path(__file__).parent
    for path in [*sorted(here.glob("*.py")), *sorted((here.parents[1] / "numerics").glob("*.py"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def module_text(tree: ast.Module, precision: Precision, title: str) -> str:
    """The text of a module of kernels with what they import; title: a comment at its top."""
    head: list[ast.stmt] = [
        ast.ImportFrom("numba", [ast.alias(precision, "real")], 0),
        *(ast.ImportFrom(m, [ast.alias(n) for n in names], 0) for m, names in _IMPORTS.items()),
    ]
    module = ast.fix_missing_locations(ast.Module(head + tree.body, []))
    return f"# {title}, generated from the models; changes here are lost.\n{ast.unparse(module)}\n"


@cache
def load(text: str, stem: str) -> Any:
    """The module of a text, written to the cache folder under a name that begins with `stem`, and imported."""
    name = f"{stem}_{hashlib.sha256((text + _toolchain()).encode()).hexdigest()[:24]}"
    path = cache_folder() / f"{name}.py"
    if not path.exists() or path.read_text("utf-8") != text:
        beside = path.with_suffix(f".{os.getpid()}.tmp")
        beside.write_text(text, "utf-8")
        beside.replace(path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def compile_update(composition: Composition, precision: Precision, width: int) -> tuple[Any, Frame]:
    """The compiled update kernel (its `.address` is called) and the layout of its frame; width: see there."""
    tree, frame = update_kernel(composition, precision, width)
    title = " + ".join(p.model.name for p in composition.parts)
    text = module_text(tree, precision, f"Update kernel of {title}")
    return load(text, "update").update, frame
