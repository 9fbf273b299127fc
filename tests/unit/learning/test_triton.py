"""The loop of a layer as Triton kernels is the loop of steps: in the interpreter, and on a GPU where there is one."""

import numpy as np
import pytest

import treplica as tr
from treplica.errors import InvalidValue, MissingExtra
from treplica.model import (
    absolute,
    atan,
    current,
    erf,
    exp,
    expm1,
    floor,
    formula,
    graded,
    hold,
    log,
    maximum,
    minimum,
    neuron,
    spike,
    sqrt,
    state,
    tanh,
    where,
)

torch = pytest.importorskip("torch")
pytest.importorskip("triton", reason="Triton is not installed (extra gpu, Linux only)")
learning = pytest.importorskip("treplica.learning")
loops = pytest.importorskip("treplica.learning.fused.loops")
triton_loop = pytest.importorskip("treplica.learning.fused.triton_loop")
surrogates = learning.surrogates

UNIT = dict(v=0.0, v_rest=0.0, v_th=1.0)
LIF = tr.LIF(v_reset=0.0, refractory=2.0, tau=5.0, c_m=5.0, **UNIT)
ALIF = tr.ALIF(beta=0.3, tau=5.0, c_m=5.0, refractory=0.0, **UNIT)


class Interpreted(triton_loop.TritonLoop):
    """A loop of its own, so that none made in the interpreter is used on a GPU."""


@pytest.fixture(
    params=[
        "interpreter",
        pytest.param(
            "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
        ),
    ]
)
def device(request, monkeypatch):
    """Where tensors are whose loops are Triton's."""
    if request.param == "cuda":
        yield "cuda"
        return
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setitem(loops.LOOPS, "cpu", Interpreted)
    # Both branches of `where` are computed, also where one has no value.
    with np.errstate(all="ignore"):
        yield "cpu"


def results(instance, x: dict, backend: str, *, cut: int = 0, **choices) -> tuple[list, list]:
    """Output, records and last states of a run in one or two pieces, then gradients of inputs, states, parameters."""
    some = next(iter(x.values()))
    layer = learning.Neurons(instance, some.shape[2], backend=backend, **choices).to(some)
    inputs = {k: v.clone().requires_grad_() for k, v in x.items()}
    first = {k: v.clone().requires_grad_() for k, v in layer.initial_state(some[0]).items()}
    if cut:
        early = layer.run({k: v[:cut] for k, v in inputs.items()}, first)
        run = layer.run({k: v[cut:] for k, v in inputs.items()}, early.state)
        output = torch.cat([early.output, run.output])
        recorded = [torch.cat([early.recorded[k], run.recorded[k]]) for k in layer.record]
    else:
        run = layer.run(inputs, first)
        output, recorded = run.output, list(run.recorded.values())
    # Any cotangents, each with its own sign and size; those of the last record are the same at every step.
    weights = torch.linspace(-1.0, 2.0, output.numel(), dtype=output.dtype, device=output.device)
    loss = (output * weights.view_as(output)).sum()
    for k, trace in enumerate(recorded):
        loss = loss + (trace * weights.view_as(output).roll(k)).sum() if k else loss + trace.sum()
    loss = loss + sum(s.sum() for s in run.state.values() if s.requires_grad)
    given = [*inputs.values(), *first.values(), *layer.parameters()]
    gradients = torch.autograd.grad(loss, given, allow_unused=True)
    return [t.detach() for t in (output, *recorded, *run.state.values())], list(gradients)


def check(instance, x: dict, **choices) -> torch.Tensor:
    """The kernels give the numbers of steps, and their gradients within rounding; the output."""
    (made, gradients), (expected, wanted) = (
        results(instance, x, backend, **choices) for backend in ("fused", "steps")
    )
    for a, b in zip(made, expected, strict=True):
        assert torch.equal(a, b)
    single = made[0].dtype == torch.float32
    for a, b in zip(gradients, wanted, strict=True):
        b = torch.zeros_like(a) if b is None else b
        scale = float(b.abs().max()) + 1e-30
        assert float((a - b).abs().max()) <= (2e-5 if single else 1e-12) * scale
    return made[0]


def noise(device: str, *shape: int, dtype=torch.float64, scale: float = 1.0) -> torch.Tensor:
    """Input that makes some neurons fire."""
    generator = torch.Generator().manual_seed(1)
    return (scale * (torch.rand(shape, generator=generator, dtype=dtype) * 2.0 - 0.5)).to(device)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize(
    ("instance", "port", "scale"),
    [
        (LIF, "arrived", 1.0),
        (tr.SoftResetLIF(tau=10.0, c_m=10.0, **UNIT), "i", 12.0),
        (ALIF, "arrived", 1.0),
        (tr.Izhikevich(), "i", 60.0),
        (tr.AdEx(), "i", 3000.0),
    ],
    ids=lambda v: v.model.name if hasattr(v, "model") else "",
)
def test_kernels_are_the_loop_of_steps(instance, port, scale, dtype, device) -> None:
    x = noise(device, 6, 2, 3, dtype=dtype, scale=scale)
    output = check(instance, {port: x}, record=("v",), recompute=3)
    assert 0 < output.sum() < output.numel()


def test_receptors_several_records_and_pieces(device) -> None:
    receptors = {"fast": tr.Exponential(tau=2.0), "slow": tr.DoubleExponential()}
    x = {k: noise(device, 9, 1, 4, scale=s) for k, s in (("fast", 9000.0), ("slow", 900.0))}
    record = ("v", "fast.g", "spike")
    output = check(tr.LIF(), x, receptors=receptors, dt=0.5, record=record, cut=4, recompute=2)
    assert output.sum() > 0


@pytest.mark.parametrize("reset", ["detached", "attached"])
@pytest.mark.parametrize("learn", [{"tau": "neuron", "v_th": "layer"}, {"tau": "layer", "v_reset": "neuron"}])
def test_learned_parameters(learn, reset, device) -> None:
    x = noise(device, 10, 2, 3)
    output = check(LIF, {"arrived": x}, learn=learn, reset_gradient=reset, recompute=4)
    assert output.sum() > 0


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_columns_of_several_programs(steps, device) -> None:
    """A block is 128 columns; 43 columns are of a program that has more."""
    output = check(LIF, {"arrived": noise(device, steps, 3, 57, scale=4.0)}, learn=("tau",), recompute=4)
    assert output.sum() > 0


def test_what_is_computed_again_is_a_choice(device) -> None:
    x = {"arrived": noise(device, 18, 2, 3)}
    found = [results(LIF, x, "fused", learn=("tau",), recompute=many) for many in (32, 1, 8, 17)]
    assert found[0][0][0].sum() > 0
    for made, gradients in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0][0], made, strict=True))
        assert all(torch.equal(a, b) for a, b in zip(found[0][1], gradients, strict=True))


@pytest.mark.parametrize("reset", ["detached", "attached"])
@pytest.mark.parametrize("instance", [LIF, ALIF], ids=lambda i: i.model.name)
def test_gradients_are_the_true_ones_of_the_smooth_forward_pass(instance, reset, device) -> None:
    learn = {"tau": "neuron", "v_th": "layer"}
    layer = learning.Neurons(
        instance, 3, learn=learn, smooth=True, backend="fused", reset_gradient=reset, recompute=2
    )
    layer = layer.double().to(device)
    x = noise(device, 5, 1, 3).requires_grad_()
    first = {k: torch.full_like(s, 0.07) for k, s in layer.initial_state(x[0]).items()}
    first["v"].requires_grad_()

    def of(x, v, *parameters):
        return layer.run(x, {**first, "v": v}).output

    assert torch.autograd.gradcheck(of, (x, first["v"], *layer.parameters()), fast_mode=True)


@formula
def everything(x):
    """Every elementary word, and both signs of its argument."""
    a = exp(x) + log(absolute(x) + 0.1) + expm1(-x)
    b = tanh(x) + atan(3.0 * x) * erf(-x) + sqrt(x * x + 0.2)
    return a / (1.5 + b * b) - floor(0.3 * x)


@neuron(v=state("mV", 0.0), w=state("mV", -0.0), i=current("mV"))
def Words(v, w, i):
    """Every word but graded."""
    f = everything(v)
    low = minimum(f, i) - maximum(-0.0 * w, hold(v) - 1.0)
    s = spike(low - 0.2)
    new = where((s > 0.0) & (low != 1.0) | (v >= 90.0), 0.1 * v, low)
    return dict(v=new, w=-new, spike=s)


@neuron(v=state("mV", 0.0), i=current("mV"))
def Graded(v, i):
    """Several spikes in a step."""
    new = 0.9 * v + i
    n = graded(new)
    return dict(v=new - n, spike=n)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("model", [Words, Graded], ids=lambda m: m.name)
def test_every_word_has_the_bits_of_the_specification(model, dtype, device) -> None:
    x = noise(device, 5, 4, 30, dtype=dtype, scale=3.0)
    record = tuple(model.of_kind("state"))
    output = check(model(), {"i": x}, record=record, recompute=2)
    assert 0 < (output > 0).sum() < output.numel()


def test_large_and_special_numbers_have_the_same_bits(device) -> None:
    """Limits of the elementary functions, and the sign of zero."""
    values = [0.0, -0.0, 1e-310, 1e300, -1e300, float("inf"), -float("inf"), 710.5, -745.0, 30.0, -30.0]
    x = torch.tensor(values, dtype=torch.float64, device=device).view(1, 1, -1)
    layers = (learning.Neurons(Words, backend=b, record=("v", "w")) for b in ("fused", "steps"))
    fused, steps = (layer.run(x.repeat(3, 1, 1)).recorded for layer in layers)
    for key in ("v", "w"):
        assert torch.equal(fused[key].isnan(), steps[key].isnan())
        numbers = ~steps[key].isnan()
        assert torch.equal(fused[key][numbers], steps[key][numbers])
        assert torch.equal(fused[key][numbers].signbit(), steps[key][numbers].signbit())


def test_other_surrogates(device) -> None:
    for surrogate in (surrogates.Erf(), surrogates.Triangular()):
        check(LIF, {"arrived": noise(device, 5, 1, 4)}, surrogate=surrogate, recompute=5)


class Absent:
    """What a tensor on a GPU says of itself."""

    device, dtype = torch.device("cuda", 0), torch.float32


def test_what_is_not_there_is_refused_and_never_replaced(monkeypatch) -> None:
    auto, fused, steps = (learning.Neurons(LIF, backend=b) for b in ("auto", "fused", "steps"))
    assert loops.has_loop(auto, Absent)
    assert loops.has_loop(fused, Absent)
    assert not loops.has_loop(steps, Absent)
    assert not loops.has_loop(auto, Absent, ("cpu",))
    with pytest.raises(InvalidValue, match=r"a CPU for backend='fused'.*'steps'"):
        loops.has_loop(fused, Absent, ("cpu",))
    monkeypatch.setattr(loops, "HERE", frozenset({"cpu"}))
    assert not loops.has_loop(auto, Absent)
    with pytest.raises(MissingExtra, match=r"triton.*treplica\[gpu\]"):
        loops.has_loop(fused, Absent)


def test_a_large_model_has_a_kernel_where_it_is_asked_for() -> None:
    assert not loops.has_loop(learning.Neurons(tr.HodgkinHuxley()), Absent)
    assert loops.has_loop(learning.Neurons(tr.HodgkinHuxley(), backend="fused"), Absent)
    assert loops.has_loop(learning.Neurons(tr.AdEx()), Absent)
