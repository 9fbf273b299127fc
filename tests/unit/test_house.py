"""The size limits of CONTRIBUTING.md."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "treplica"
FILES = sorted(SOURCE.rglob("*.py"))

# The aim is 300 and 50; beyond these it is no longer a matter of taste.
FILE_LINES = 350
FUNCTION_LINES = 70


def long_functions(source: str) -> list[tuple[str, int]]:
    """List (name, lines) of functions at or over the limit; docstrings do not count."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node) is not None:
                lines -= node.body[0].end_lineno - node.body[0].lineno + 1
            if lines >= FUNCTION_LINES:
                found.append((node.name, lines))
    return found


def test_files_are_short() -> None:
    assert FILES
    lengths = {str(file.relative_to(SOURCE)): len(file.read_text("utf-8").splitlines()) for file in FILES}
    assert {name: lines for name, lines in lengths.items() if lines >= FILE_LINES} == {}


def test_functions_are_short() -> None:
    found = {str(file.relative_to(SOURCE)): long_functions(file.read_text("utf-8")) for file in FILES}
    assert {name: functions for name, functions in found.items() if functions} == {}


@pytest.mark.parametrize(
    ("body", "expected"), [(FUNCTION_LINES - 2, []), (FUNCTION_LINES - 1, [("f", FUNCTION_LINES)])]
)
def test_the_function_limit_is_seen(body: int, expected: list[tuple[str, int]]) -> None:
    bare = "def f():\n" + "    x = 1\n" * body
    documented = "def f():\n" + '    """One.\n\n    Two.\n    """\n' + "    x = 1\n" * body
    assert long_functions(bare) == expected
    assert long_functions(documented) == expected
