"""Every example runs, quickly, and prints what the end of its docstring says."""

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from test_pages import difference

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
#: Settings with which those that take long do less.
QUICKLY = {
    "choose_mesh_weights": ["--neurons", "5000", "--seconds", "0.2"],
    "microcircuit": ["--scale", "0.02", "--duration", "400", "--picture", "raster.png"],
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_example(example: Path, workplace: Path) -> None:
    command = [sys.executable, str(example), *QUICKLY.get(example.stem, [])]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = example.read_text("utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring
    promised = textwrap.dedent(docstring.partition("Prints:\n\n")[2])
    assert promised
    assert difference(promised, done.stdout) is None, difference(promised, done.stdout)
    assert len(text.splitlines()) <= 60
