"""Update kernels: vectorised, kept in a folder, free of sizes."""

import ast
import os
import re
from pathlib import Path

import llvmlite.binding as llvm
import pytest

from treplica.engines.composition import Composition
from treplica.engines.cpu import compile as kernels
from treplica.engines.cpu.codegen import update_kernel
from treplica.engines.resolve import resolve
from treplica.errors import OutputError
from treplica.model import Instance
from treplica.network import Network, PoissonInput, Population
from treplica.neurons import LIF, AdEx, Izhikevich
from treplica.numerics.formats import format_of
from treplica.synapses import Exponential, GaussianCurrent


def composition(
    neuron: Instance, precision: str, stimulus: Instance | None = None, size: int = 10
) -> Composition:
    net = Network(seed=1)
    cells = net.add(Population("cells", size, neuron))
    if stimulus:
        net.stimulate(cells, stimulus)
    return resolve(net, 1.0, 1, precision).populations[0].composition


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache folder of its own, and no kernel in memory: what is compiled can be looked at."""
    monkeypatch.setenv("TREPLICA_CACHE", str(tmp_path))
    monkeypatch.setattr(kernels, "load", kernels.load.__wrapped__)
    return tmp_path / "kernels"


def update_assembly(kernel: object) -> str:
    """The instructions of the update itself, without the functions it calls."""
    parts: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in kernel._library.get_asm_str().splitlines():
        label = re.match(r"([^\s.#][^:]*):", line)
        if label:
            lines = parts.setdefault(label[1], [])
        lines.append(line)
    (name,) = [n for n in parts if re.match(r"_ZN\d+update_", n)]  # more than one: a model was not inlined
    return "\n".join(parts[name])


@pytest.mark.skipif(
    not llvm.get_host_cpu_features().get("avx2", False), reason="looks for the vector instructions of x86"
)
@pytest.mark.parametrize(
    ("neuron", "stimulus", "precision", "least"),
    [
        (Izhikevich(), GaussianCurrent(std=5.0), "float32", 20),
        (Izhikevich(), GaussianCurrent(std=5.0), "float64", 20),
        (AdEx(), None, "float32", 50),
        (Izhikevich(), None, "int16", 20),
        (Izhikevich(), None, "int8", 20),
    ],
    ids=["Izhikevich-float32", "Izhikevich-float64", "AdEx-float32", "Izhikevich-int16", "Izhikevich-int8"],
)
@pytest.mark.parametrize("width", [4, 8])
def test_the_loop_over_neurons_is_vectorised(fresh, neuron, stimulus, precision, least, width) -> None:
    """Sums and products on whole vector registers; a scalar copy of the loop does the rest of a block."""
    built = composition(neuron, precision, stimulus)
    precision = format_of(precision).arithmetic
    kernel, _ = kernels.compile_update(built, precision, width)
    text = update_assembly(kernel)
    letter = "s" if precision == "float32" else "d"
    packed = len(re.findall(rf"\bv(?:mul|add|sub)p{letter}\b.*%[yz]mm", text))
    alone = len(re.findall(rf"\bv(?:mul|add|sub)s{letter}\b", text))
    assert packed >= least
    assert packed >= alone // 2
    if precision == "float32":
        assert "cvtss2sd" not in text, "a number was widened to float64"


@pytest.mark.skipif(
    not llvm.get_host_cpu_features().get("avx2", False), reason="looks for the vector instructions of x86"
)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_poisson_spikes_are_counted_in_vectors(fresh, precision) -> None:
    """Every threshold of the table is compared with a vector of words, and no word alone but those left over."""
    net = Network(seed=1)
    cells = net.add(Population("cells", 200, LIF()))
    net.stimulate(cells, PoissonInput(rate=2000.0, weight=0.1))
    built = resolve(net, 1.0, 1, precision).populations[0].composition
    kernel, _ = kernels.compile_update(built, precision, 4)
    compared = re.findall(r"\bv?p(?:cmp\w*ud|maxud|minud|cmpgtd)\b.*%[xyz]mm", update_assembly(kernel))
    assert len(compared) >= built.drives[0].tables.shape[1]


def test_kernels_are_kept_as_files_that_can_be_read(fresh: Path) -> None:
    built = composition(LIF(), "float64")
    kernels.compile_update(built, "float64", 8)
    (file,) = fresh.glob("*.py")
    text = file.read_text()
    assert text.startswith("# Update kernel of LIF, generated")
    assert "def update(" in text
    assert ast.parse(text)
    stamp = file.stat().st_mtime_ns
    again, _ = kernels.compile_update(composition(LIF(v_th=-40.0), "float64", size=999), "float64", 8)
    assert again.address
    assert [file] == list(fresh.glob("*.py"))
    assert file.stat().st_mtime_ns == stamp
    file.write_text("raise SystemExit\n")
    kernels.compile_update(built, "float64", 8)
    assert file.read_text() == text


def kernel_text(neuron: Instance, precision: str = "float64", **more: object) -> str:
    return ast.unparse(update_kernel(composition(neuron, precision, **more), precision, 8)[0])


def test_values_and_sizes_are_not_compiled_in() -> None:
    assert kernel_text(LIF(tau=3.0), size=5) == kernel_text(LIF(tau=20.0), size=500)
    assert kernel_text(LIF(v_th=[-50.0] * 10)) != kernel_text(LIF())
    assert kernel_text(LIF(), stimulus=GaussianCurrent()) != kernel_text(LIF())
    assert kernel_text(LIF(), "float32") != kernel_text(LIF())


def test_the_same_model_twice_has_names_of_its_own() -> None:
    net = Network(seed=1)
    net.add(Population("cells", 5, LIF(), {"fast": Exponential(tau=1.0), "slow": Exponential(tau=9.0)}))
    tree, frame = update_kernel(resolve(net, 1.0, 1, "float64").populations[0].composition, "float64", 8)
    names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    assert len(names) == len(set(names)) == 4
    assert len(set(frame.items)) == len(frame.items)


def test_a_folder_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TREPLICA_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="Set TREPLICA_CACHE to a folder that can be written"):
        kernels.cache_folder()
    monkeypatch.setenv("TREPLICA_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="not writable"):
        kernels.cache_folder()


def test_where_kernels_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TREPLICA_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert kernels.cache_folder() == tmp_path / "xdg" / "treplica" / "kernels"
    monkeypatch.setenv("TREPLICA_CACHE", str(tmp_path / "mine"))
    assert kernels.cache_folder() == tmp_path / "mine" / "kernels"
