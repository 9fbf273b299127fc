"""Every code block of the README and of the documentation is executed, page by page, from top to bottom.

`python` blocks of a page share one namespace. A `text` block under `<!-- printed -->` is what the python blocks
since the last such block printed; `...` stands for anything. `console` and `bash` blocks are commands:
`treplica …` must end with exit code 0, and print what is shown below it, if anything; `make …` must name a
target and `pip install …` an extra that exist; other commands are refused, because nobody would notice when
they stop working. Other `text`, and `json`, are not code. A block that would take minutes is left out with
`<!-- skip: next "why" -->` and reported as skipped.
"""

import contextlib
import doctest
import io
import re
import shlex
import subprocess
import tomllib
import unittest
from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Document, Example, Region
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


PRINTED = re.compile(r"^<!-- printed -->\n+```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def difference(wanted: str, got: str) -> str | None:
    """Return how output differs from what a page shows; `...` stands for anything, spaces at line ends do not count."""
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    checker, shown = doctest.OutputChecker(), doctest.Example("", wanted)
    return None if checker.check_output(wanted, got, options) else checker.output_difference(shown, got, 0)


def commands(text: str) -> list[tuple[str, str]]:
    """Return the commands of a block, each with the output shown: after `$ `, or every line and no output."""
    text = text.replace("\\\n", " ")
    if not text.startswith("$ "):
        return [(line, "") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    parts = [part.partition("\n") for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]]
    return [(command, output) for command, _, output in parts]


def run_command(command: str, shown: str) -> str | None:
    """Run or check one shell command; return what is wrong with it."""
    words = shlex.split(command, comments=True)
    match words:
        case ["treplica", *_]:
            result = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if result.returncode:
                return f"$ {command}\nexit code {result.returncode}\n{result.stdout}{result.stderr}"
            return difference(shown, result.stdout) if shown.strip() else None
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
    problems = [run_command(*each) for each in found]
    return "\n".join(filter(None, problems)) if found else "no command in this block"


def printed(document: Document) -> Iterator[Region]:
    """Give the blocks that show what was printed."""
    for match in PRINTED.finditer(document.text):
        yield Region(match.start(), match.end(), match.group(1), evaluate_printed)


def evaluate_printed(example: Example) -> str | None:
    stream = example.namespace["printed_so_far"]
    got = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return difference(example.parsed, got)


def parse(page: Path) -> Document:
    parsers = [
        PythonCodeBlockParser(),
        printed,
        CodeBlockParser("console", evaluate_commands),
        CodeBlockParser("bash", evaluate_commands),
        SkipParser(),
    ]
    document = Document.parse(str(page), *parsers)
    # Pages read as scripts do; classes and models defined in them need the name of a module.
    document.namespace["__name__"] = "__main__"
    document.namespace["printed_so_far"] = io.StringIO()
    return document


def run_page(page: Path) -> list[str]:
    """Execute the blocks of a page in order; return the reasons of those left out."""
    skipped = []
    document = parse(page)
    for example in document:
        try:
            with contextlib.redirect_stdout(document.namespace["printed_so_far"]):
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
        ("console", "$ treplica --version\ntreplica 1000", "Expected"),
    ],
)
def test_a_broken_block_is_noticed(language: str, block: str, complaint: str, workplace: Path) -> None:
    page = workplace / "page.md"
    page.write_text(f"Text.\n\n```{language}\n{block}\n```\n", "utf-8")
    with pytest.raises((SybilFailure, ZeroDivisionError), match=complaint):
        run_page(page)


@pytest.mark.parametrize(
    ("shown", "agrees"), [("1\n2\n", True), ("1\n...\n", True), ("1\n", False), ("1\n3\n", False)]
)
def test_what_is_printed_is_compared(shown: str, agrees: bool, workplace: Path) -> None:
    page = workplace / "page.md"
    blocks = "```python\nprint(1)\n```\n\nand\n\n```python\nprint(2)\n```\n"
    page.write_text(f"{blocks}\n<!-- printed -->\n```text\n{shown}```\n", "utf-8")
    with contextlib.nullcontext() if agrees else pytest.raises(SybilFailure, match="Expected"):
        assert run_page(page) == []


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
