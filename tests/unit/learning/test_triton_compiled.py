"""The Triton kernels of every neuron compile for a GPU, without one; each operation is rounded as on a CPU."""

import re
from dataclasses import replace

import pytest

import treplica as tr
from treplica import neurons

torch = pytest.importorskip("torch")
triton = pytest.importorskip("triton", reason="Triton is not installed (extra gpu, Linux only)")
learning = pytest.importorskip("treplica.learning")
loops = pytest.importorskip("treplica.learning.fused.loops")
code = pytest.importorskip("treplica.learning.fused.triton_code")
triton_loop = pytest.importorskip("treplica.learning.fused.triton_loop")

#: No potential to read, or too long to compile here: its step has 5,000 operations, its adjoint 12,000.
LEFT_OUT = ("HodgkinHuxley", "RegularSource")
MODELS = [n for n in neurons.__all__ if n not in LEFT_OUT]
POINTER = {torch.float32: "*fp32", torch.float64: "*fp64"}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))


def plan_of(layer, dtype):
    """What a layer that learns nothing computes for one input and its noise."""
    series = tuple(
        q.key for q in layer.cell.of_role("input", "noise") if q.key == layer.port or q.role == "noise"
    )
    block = triton_loop.TritonLoop.block
    return loops._plan(layer, series, frozenset(), layer.wanted, str(dtype).removeprefix("torch."), block)


def assembly(source, dtype, absent=()) -> str:
    """What a kernel is compiled to, for a GPU of the year 2020."""
    kernel = triton_loop.compiled(source)
    items = dict(zip(kernel.arg_names, (*source.items, "steps", "columns"), strict=True))
    kinds = {"steps": "i32", "columns": "i32"} | dict.fromkeys(absent, "constexpr")
    signature = {name: kinds.get(item, POINTER[dtype]) for name, item in items.items()}
    without = {name: None for name, item in items.items() if item in absent}
    target = triton.backends.compiler.GPUTarget("cuda", 80, 32)
    options = dict(enable_fp_fusion=False, num_warps=4)
    made = triton.compile(
        triton.compiler.ASTSource(kernel, signature, without), target=target, options=options
    )
    return made.asm["ptx"]


def check_rounding(text: str) -> None:
    """No contraction, nothing approximate; `floor` of float32 alone takes tiny numbers for 0, which is seen to."""
    assert not re.search(r"\bfma\.|\.approx|\.full", text)
    assert set(re.findall(r"\S*\.ftz\S*", text)) <= {"cvt.rmi.ftz.f32.f32"}


@pytest.mark.parametrize("name", MODELS)
def test_kernels_of_every_neuron_compile(name) -> None:
    model = getattr(neurons, name)
    dtype = (torch.float32, torch.float64)[MODELS.index(name) % 2]
    layer = learning.Neurons(
        model, output="spike" if learning.neurons.Cell(model()).fires else "v", recompute=8
    )
    plan = plan_of(layer, dtype)
    wanted = frozenset({*plan.shape.series, *(q.key for q in layer.cell.of_role("constant"))})
    shape = replace(plan.shape, given=frozenset(layer.wanted), wanted=wanted)
    forward = assembly(code.forward_source(plan), dtype)
    backward = assembly(code.backward_source(plan, shape), dtype)
    check_rounding(forward)
    check_rounding(backward)
    assert "bar.sync" not in forward
    assert "bar.sync" in backward


def test_what_is_not_there_costs_nothing() -> None:
    """Without gradients nothing is kept; where every state is kept, none is computed again."""
    layer = learning.Neurons(tr.LIF(), recompute=1)
    plan = plan_of(layer, torch.float32)
    source = code.forward_source(plan)
    bare = assembly(source, torch.float32, ("kept v", "kept wait"))
    assert bare.count("st.global") == len(["out spike", "last v", "last wait"])
    shape = replace(plan.shape, given=frozenset({"spike"}), steady=frozenset({"spike"}))
    source = code.backward_source(plan, shape)
    assert not any(i.startswith("rows") for i in source.items)
    assert "bar.sync" not in assembly(source, torch.float32, ("d last v", "d last wait"))
