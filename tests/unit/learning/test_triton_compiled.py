"""The Triton kernels that layers launch compile for a GPU, without one; each operation is rounded as on a CPU."""

import re

import pytest

import treplica as tr
from treplica import neurons

torch = pytest.importorskip("torch")
triton = pytest.importorskip("triton", reason="Triton is not installed (extra gpu, Linux only)")
learning = pytest.importorskip("treplica.learning")
loops = pytest.importorskip("treplica.learning.fused.loops")
triton_loop = pytest.importorskip("treplica.learning.fused.triton_loop")

# The step of HodgkinHuxley has 5,000 operations, its adjoint 12,000: they take too long to compile here.
MODELS = [n for n in neurons.__all__ if n != "HodgkinHuxley"]
DTYPES = {torch.float32: "*fp32", torch.float64: "*fp64"}


class Launched:
    """In the place of a kernel: it is compiled for the arguments that it is launched with, and not run."""

    def __init__(self, kernel, found: dict[str, str]) -> None:
        self.kernel, self.found = kernel, found

    def __getitem__(self, programs: tuple[int, ...]):
        return self.compile

    def compile(self, *arguments, **options) -> None:
        signature, fixed = {}, {}
        for name, argument in zip(self.kernel.arg_names, arguments, strict=True):
            if isinstance(argument, torch.Tensor):
                signature[name] = DTYPES[argument.dtype]
            elif argument is None or (argument == 1 and name == "columns"):
                signature[name], fixed[name] = "constexpr", argument
            else:
                signature[name] = "i32"
        source = triton.compiler.ASTSource(self.kernel, signature, fixed)
        target = triton.backends.compiler.GPUTarget("cuda", 80, 32)
        made = triton.compile(source, target=target, options=options)
        self.found[self.kernel.__name__] = made.asm["ptx"]


@pytest.fixture
def found(monkeypatch, tmp_path) -> dict[str, str]:
    """What kernels were compiled to, by their names."""
    texts: dict[str, str] = {}
    compiled = triton_loop.compiled
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(triton_loop, "compiled", lambda source: Launched(compiled(source), texts))
    monkeypatch.setitem(loops.LOOPS, "cpu", type("Compiled", (triton_loop.TritonLoop,), {}))
    return texts


def check_rounding(text: str) -> None:
    """No contraction, nothing approximate; `floor` of float32 alone takes tiny numbers for 0, which is seen to."""
    assert not re.search(r"\bfma\.|\.approx|\.full", text)
    assert set(re.findall(r"\S*\.ftz\S*", text)) <= {"cvt.rmi.ftz.f32.f32"}


@pytest.mark.parametrize("name", MODELS)
def test_kernels_of_every_neuron_compile(name, found) -> None:
    model, dtype = getattr(neurons, name), list(DTYPES)[MODELS.index(name) % 2]
    read = name in ("LeakyIntegrator", "NIRI", "NIRLI", "NIRCubaLI")
    learn = dict.fromkeys(model.of_kind("param"), "layer")
    layer = learning.Neurons(model, output="v" if read else "spike", learn=learn, recompute=8)
    output = layer(torch.ones(20, 2, 3, dtype=dtype, requires_grad=True))
    if output.requires_grad:
        output.cumsum(0).sum().backward()
    assert output.requires_grad == ("backward" in found)
    assert not re.search("bar.sync", found["forward"])
    for text in found.values():
        check_rounding(text)


@pytest.mark.parametrize("columns", [1, 48])
@pytest.mark.parametrize(("steps", "recompute"), [(1, 8), (8, 8), (9, 8), (9, 1)])
def test_kernels_of_short_and_narrow_runs_compile(steps, recompute, columns, found) -> None:
    """One segment or several, one column, sums over time, a state that gets a gradient."""
    layer = learning.Neurons(tr.LIF(), columns, learn=("v_th",), record=("v",), recompute=recompute)
    x = torch.ones(steps, 1, columns, requires_grad=True)
    first = {k: s.clone().requires_grad_() for k, s in layer.initial_state(x[0]).items()}
    with torch.no_grad():
        layer(x)
    # Spikes, the potential and the last states are written, and nothing is kept.
    assert found["forward"].count("st.global") >= 4
    run = layer.run(x, first)
    (run.output.sum() + run.recorded["v"].cumsum(0).sum() + run.state["v"].sum()).backward()
    assert ("bar.sync" in found["backward"]) == (recompute > 1)
    assert first["v"].grad is not None


def test_no_columns_launch_nothing(found) -> None:
    layer = learning.Neurons(tr.LIF(), learn={"tau": "layer"})
    assert layer(torch.ones(5, 0, 3)).shape == (5, 0, 3)
    layer(torch.ones(5, 0, 3)).sum().backward()
    assert layer.constants.tau.grad == 0.0
    assert found == {}
