"""The site builds; pages that are made from declarations are current, and no public name is missing."""

import pkgutil
import re
import runpy
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import treplica

DOCS = Path(__file__).parents[2] / "docs"
#: Packages of models; generated pages describe them.
GENERATED = {"treplica.neurons", "treplica.synapses", "treplica.cli"}
#: What the rest is made of; users do not import it.
INNER = {"treplica.numerics", "treplica.engines", "treplica.benchmarks"}


PAGES = runpy.run_path(str(DOCS / "generate.py"))["PAGES"]


@pytest.mark.parametrize("page", PAGES)
def test_generated_pages_are_current(page: str) -> None:
    written = (DOCS / "reference" / page).read_text("utf-8")
    assert written == PAGES[page](), "run: python docs/generate.py"


def test_every_public_package_has_its_page() -> None:
    pages = "\n".join(page.read_text("utf-8") for page in (DOCS / "reference").glob("*.md"))
    shown = set(re.findall(r"^::: (treplica\.\w+)", pages, re.MULTILINE))
    public = {f"treplica.{found.name}" for found in pkgutil.iter_modules(treplica.__path__)}
    assert shown == public - GENERATED - INNER


@pytest.mark.parametrize("package", ["neurons", "synapses"])
def test_every_model_is_on_the_page_with_every_quantity(package: str) -> None:
    page = (DOCS / "reference" / "models.md").read_text("utf-8")
    module = import_module(f"treplica.{package}")
    for name in module.__all__:
        section = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        assert section, name
        for quantity in getattr(module, name).fields:
            assert f"| `{quantity}` |" in section, f"{name}.{quantity}"


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=DOCS.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "reference" / "models" / "index.html").is_file()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_of_pages_outside_the_site_lead_somewhere(page: str) -> None:
    root = DOCS.parent
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (root / page).read_text("utf-8"))
    assert page != "README.md" or len(links) > 20
    assert [link for link in links if not (root / link).exists()] == []
