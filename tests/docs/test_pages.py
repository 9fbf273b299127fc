"""Every code block of the README and of the documentation is executed, page by page, from top to bottom.

`python` blocks of a page share one namespace. `console` and `bash` blocks are commands: `treplica …` must
end with exit code 0, `make …` must name a target and `pip install …` an extra that exist; other commands
are refused, because nobody would notice when they stop working. `text` and `json` are not code. A block
that would take minutes is left out with `<!-- skip: next "why" -->` and reported as skipped.
"""

import re
import shlex
import subprocess
import tomllib
import unittest
from pathlib import Path

import pytest
from sybil import Document, Example
from sybil.example import SybilFailure
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if "dev" not in page.relative_to(ROOT).parts),
]
EXECUTED = ("python", "console", "bash")
PLAIN = ("text", "json")
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
TARGETS = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def commands(text: str) -> list[str]:
    """Return the commands of a block: after `$ ` where a block shows output too, else every line."""
    lines = text.replace("\\\n", " ").splitlines()
    if any(line.startswith("$ ") for line in lines):
        return [line[2:] for line in lines if line.startswith("$ ")]
    return [line for line in lines if line.strip() and not line.startswith("#")]


def run_command(command: str) -> str | None:
    """Run or check one shell command; return what is wrong with it."""
    words = shlex.split(command, comments=True)
    match words:
        case ["treplica", *_]:
            result = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if result.returncode:
                return f"$ {command}\nexit code {result.returncode}\n{result.stdout}{result.stderr}"
        case ["make", *arguments]:
            unknown = [word for word in arguments if "=" not in word and word not in TARGETS]
            return f"make has no target {', '.join(unknown)}" if unknown else None
        case ["pip", "install", *_]:
            named = {extra for group in re.findall(r"\[(.*?)\]", command) for extra in group.split(",")}
            unknown = sorted(named - EXTRAS.keys())
            return f"no such extra: {', '.join(unknown)}" if unknown else None
        case _:
            return f"this test cannot check: {command}"
    return None


def evaluate_commands(example: Example) -> str | None:
    found = commands(example.parsed)
    return "\n".join(filter(None, map(run_command, found))) if found else "no command in this block"


def parse(page: Path) -> Document:
    parsers = [
        PythonCodeBlockParser(),
        CodeBlockParser("console", evaluate_commands),
        CodeBlockParser("bash", evaluate_commands),
        SkipParser(),
    ]
    document = Document.parse(str(page), *parsers)
    # Pages read as scripts do; classes and models defined in them need the name of a module.
    document.namespace["__name__"] = "__main__"
    return document


def run_page(page: Path) -> list[str]:
    """Execute the blocks of a page in order; return the reasons of those left out."""
    skipped = []
    for example in parse(page):
        try:
            example.evaluate()
        except unittest.SkipTest as reason:
            skipped.append(f"line {example.line}: {reason}")
    return skipped


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_page(page: Path, workplace: Path, subtests: pytest.Subtests) -> None:
    for reason in run_page(page):
        with subtests.test(page.name):
            pytest.skip(reason)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_block_escapes(page: Path) -> None:
    fences = re.findall(r"^[ \t>]*(?:```|~~~)(.*)$", page.read_text("utf-8"), re.MULTILINE)
    assert len(fences) % 2 == 0
    assert set(fences[::2]) <= {*EXECUTED, *PLAIN}


@pytest.mark.parametrize(
    ("language", "block", "complaint"),
    [
        ("python", "1 / 0", "division by zero"),
        ("python", ">>> 1 + 1\n3", "Got:\n    2"),
        ("bash", "make nothing", "no target nothing"),
        ("bash", "pip install '.[plot,nothing]'", "no such extra: nothing"),
        ("bash", "rm x", "cannot check: rm x"),
        ("bash", "# only a comment", "no command"),
        ("console", "$ treplica no-such-command\noutput", "exit code [12]"),
    ],
)
def test_a_broken_block_is_noticed(language: str, block: str, complaint: str, workplace: Path) -> None:
    page = workplace / "page.md"
    page.write_text(f"Text.\n\n```{language}\n{block}\n```\n", "utf-8")
    with pytest.raises((SybilFailure, ZeroDivisionError), match=complaint):
        run_page(page)


def test_a_page_is_one_script(workplace: Path) -> None:
    page = workplace / "page.md"
    page.write_text(
        "```python\nimport inspect, pathlib\ndef f():\n    return 41\n```\n\n"
        "```python\npathlib.Path('seen').write_text(inspect.getsource(f) + str(f() + 1))\n```\n"
        "```bash\nmake demo\npip install '.[plot]'\n```\n",
        "utf-8",
    )
    assert run_page(page) == []
    assert (workplace / "seen").read_text() == "def f():\n    return 41\n42"


def test_a_block_can_be_left_out_with_a_reason(workplace: Path) -> None:
    page = workplace / "page.md"
    page.write_text('<!-- skip: next "takes an hour" -->\n\n```python\n1 / 0\n```\n', "utf-8")
    assert run_page(page) == ["line 3: takes an hour"]
