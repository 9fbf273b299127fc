"""A layer of neurons: the compiled loop is the loop of steps, gradients are those of mathematics."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treplica as tr
from treplica import neurons
from treplica.errors import InvalidValue, UnknownName
from treplica.model import neuron, state

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")
Neurons, surrogates = learning.Neurons, learning.surrogates

UNIT = dict(v=0.0, v_rest=0.0, v_th=1.0)
LIF = tr.LIF(v_reset=0.0, refractory=2.0, tau=10.0, c_m=10.0, **UNIT)
#: Input that makes some neurons of a model fire, in its unit.
DRIVE = {
    "AdEx": 900.0, "ALIF": 500.0, "ExponentialIF": 600.0, "Izhikevich": 12.0, "LIF": 500.0,
    "LIFAlpha": 500.0, "LIFCondAlpha": 500.0, "LIFCondExp": 500.0, "LIFExp": 500.0, "LIFExpCurrent": 500.0,
    "LeakyIntegrator": 500.0, "NIRI": 500.0, "NIRIF": 500.0, "NIRLI": 5.0, "NIRLIF": 5.0, "NIRCubaLI": 5.0,
    "NIRCubaLIF": 5.0, "NIRThreshold": 1.0, "PoissonSource": 1.0, "QuadraticIF": 500.0,
    "GradedSource": 3.0, "SoftResetLIF": 500.0, "SpikeSource": 0.8,
}  # fmt: skip


def both(instance, x: dict, weights: torch.Tensor, **more) -> list[tuple[torch.Tensor, ...]]:
    """Outputs, last states, then gradients of inputs and learned parameters, by the compiled loop and by steps."""
    found = []
    for backend in ("fused", "steps"):
        layer = Neurons(instance, backend=backend, **more).to(weights.dtype)
        inputs = {k: v.clone().requires_grad_() for k, v in x.items()}
        run = layer.run(inputs)
        loss = (run.output * weights).sum() + sum((r * weights.flip(0)).sum() for r in run.recorded.values())
        loss = loss + sum(s.sum() for k, s in run.state.items() if "wait" not in k and s.requires_grad)
        results = [run.output.detach(), *(s.detach() for s in run.state.values())]
        if loss.requires_grad:
            loss.backward()
        gradients = [v.grad for v in inputs.values()] + [p.grad for p in layer.parameters()]
        found.append((results, gradients))
    return found


def check_equal(found: list, dtype: torch.dtype) -> None:
    (first, first_gradients), (second, second_gradients) = found
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    for a, b in zip(first_gradients, second_gradients, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            scale = float(b.abs().max()) + 1e-30
            assert float((a - b).abs().max()) <= 2e-5 * scale if dtype == torch.float32 else 1e-12 * scale


# A compiled HodgkinHuxley takes too long to compile here; its step and adjoint are tested with the others.
@pytest.mark.parametrize(
    "name", [n for n in neurons.__all__ if n not in ("HodgkinHuxley", "PoissonSource", "RegularSource")]
)
def test_every_neuron_is_the_same_compiled_and_by_steps(name: str) -> None:
    model = getattr(neurons, name)
    read = name in ("LeakyIntegrator", "NIRI", "NIRLI", "NIRCubaLI")
    layer = Neurons(model, output="v" if read else "spike", dt=0.2)
    rng = torch.Generator().manual_seed(1)
    shape = (70, 3, 11)
    x = {layer.port: torch.randn(shape, generator=rng, dtype=torch.float64) * DRIVE[name] + 0.5 * DRIVE[name]}
    weights = torch.randn(shape, generator=rng, dtype=torch.float64)
    found = both(model, x, weights, output=layer.output, dt=0.2)
    check_equal(found, torch.float64)
    assert float(found[0][0][0].abs().sum()) > 0


@settings(max_examples=25, deadline=None)
@given(
    steps=st.sampled_from([1, 2, 31, 32, 33, 64, 65, 100]),
    samples=st.sampled_from([1, 2, 7]),
    size=st.sampled_from([1, 3, 73, 512, 513]),
    single=st.booleans(),
    reset=st.sampled_from(["detached", "attached"]),
    learn=st.sampled_from([(), ("tau",), ("tau", "v_th", "v_reset")]),
    soft=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_shapes_resets_and_learned_parameters(steps, samples, size, single, reset, learn, soft, seed) -> None:
    """Around the lengths of segments (32 steps) and of rows (512 columns)."""
    dtype = torch.float32 if single else torch.float64
    torch.manual_seed(seed)
    instance = tr.SoftResetLIF(tau=10.0, c_m=10.0, **UNIT) if soft else LIF
    learned = tuple(n for n in learn if not (soft and n == "v_reset"))
    x = {
        "arrived": torch.randn(steps, samples, size, dtype=dtype) * 0.5,
        "i": torch.randn(steps, samples, size, dtype=dtype),
    }
    weights = torch.randn(steps, samples, size, dtype=dtype)
    more = dict(size=size, learn=learned, reset_gradient=reset, record=("v",), port="i")
    check_equal(both(instance, x, weights, **more), dtype)


def test_surrogates_with_the_same_parameters_are_apart() -> None:
    """Loops are shared between layers with the same step: not by those whose surrogates differ in their formulas."""
    torch.manual_seed(7)
    x = {"i": torch.randn(40, 2, 6, dtype=torch.float64)}
    weights = torch.randn(40, 2, 6, dtype=torch.float64)
    kinds = [surrogates.Arctan(alpha=2.0), surrogates.Erf(alpha=2.0), surrogates.Sigmoid(alpha=2.0)]
    kinds += [
        surrogates.Arctan(alpha=5.0),
        surrogates.SuperGaussian(order=2),
        surrogates.SuperGaussian(order=4),
    ]
    gradients = []
    for surrogate in kinds:
        found = both(LIF, x, weights, size=6, port="i", surrogate=surrogate)
        check_equal(found, torch.float64)
        gradients.append(found[0][1][0])
    assert not any(torch.allclose(a, b) for i, a in enumerate(gradients) for b in gradients[:i])


@pytest.mark.parametrize("reset", ["detached", "attached"])
@pytest.mark.parametrize("backend", ["fused", "steps"])
@pytest.mark.parametrize(
    "instance", [LIF, tr.ALIF(beta=0.3, tau=5.0, c_m=5.0, refractory=0.0, **UNIT)], ids=lambda i: i.model.name
)
def test_gradients_are_the_true_ones_of_the_smooth_forward_pass(instance, backend: str, reset: str) -> None:
    torch.manual_seed(3)
    learn = {"tau": "neuron", "v_th": "layer"}
    layer = Neurons(instance, 3, learn=learn, smooth=True, backend=backend, reset_gradient=reset).double()
    x = (torch.randn(35, 1, 3, dtype=torch.float64) * 0.6).requires_grad_()
    first = {
        k: (0.1 * torch.rand(1, 3, dtype=torch.float64)).requires_grad_(k != "wait")
        for k in layer.initial_state(x[0])
    }

    def of(x, *parameters):
        return layer.run(x, first).output

    assert torch.autograd.gradcheck(of, (x, *layer.parameters()), fast_mode=True)
    assert torch.autograd.gradcheck(lambda v: layer.run(x.detach(), {**first, "v": v}).output, (first["v"],))


def test_a_run_in_pieces_is_one_run() -> None:
    torch.manual_seed(4)
    x = torch.randn(90, 2, 5)
    layer = Neurons(LIF, record=("v",))
    whole = layer.run(x)
    first = layer.run(x[:41])
    second = layer.run(x[41:], first.state)
    assert torch.equal(whole.output, torch.cat([first.output, second.output]))
    assert torch.equal(whole.recorded["v"], torch.cat([first.recorded["v"], second.recorded["v"]]))
    assert all(torch.equal(whole.state[k], second.state[k]) for k in whole.state)
    assert whole.output.sum() > 0


def test_receptors_feed_their_neuron() -> None:
    """The compiled cell is what the simulation of the same population does."""
    torch.manual_seed(5)
    receptors = {"fast": tr.Exponential(tau=2.0), "slow": tr.DoubleExponential()}
    layer = Neurons(tr.LIF(), 4, receptors=receptors, dt=0.5, port="slow", record=("v", "fast.g"))
    x = {"fast": 900.0 * torch.rand(80, 1, 4).double(), "slow": 300.0 * torch.rand(80, 1, 4).double()}
    steps = Neurons(tr.LIF(), 4, receptors=receptors, dt=0.5, backend="steps", record=("v", "fast.g")).run(x)
    run = layer.run(x)
    assert run.output.sum() > 0
    assert torch.equal(run.output, steps.output)
    for key in ("v", "fast.g"):
        assert torch.equal(run.recorded[key], steps.recorded[key])


def kept_bytes(backend: str, shape: tuple[int, ...], learn: tuple[str, ...], recompute: int = 32) -> int:
    """Bytes that autograd keeps for the backward pass, each storage once."""
    storages: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    layer = Neurons(LIF, shape[2], backend=backend, learn=learn, recompute=recompute)
    x = torch.randn(shape).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        layer(x).sum().backward()
    return sum(storages.values())


def test_the_backward_pass_keeps_little() -> None:
    """The input, and the states at every 32nd step; steps keep what each operation needs."""
    shape = (200, 8, 100)
    series = 4 * int(np.prod(shape))
    fused, steps = (kept_bytes(b, shape, ()) for b in ("fused", "steps"))
    assert fused < 1.1 * series
    assert fused < 0.75 * steps
    fused, steps = (kept_bytes(b, shape, ("tau", "v_th")) for b in ("fused", "steps"))
    assert fused < 1.1 * series
    assert fused < steps / 2


def test_what_is_kept_or_computed_again_is_a_choice() -> None:
    torch.manual_seed(9)
    x = torch.randn(70, 3, 40)
    found = []
    for many in (32, 1, 7, 1000):
        layer = Neurons(LIF, 40, learn=("tau",), recompute=many)
        given = x.clone().requires_grad_()
        output = layer(given)
        found.append([output, *torch.autograd.grad(output.sum(), [given, layer.constants.tau])])
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))
    kept = [kept_bytes("fused", (200, 8, 100), (), many) for many in (1, 8, 64, 1000)]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] > 2 * kept[-1]
    with pytest.raises(InvalidValue, match="recompute"):
        Neurons(LIF, recompute=0)


def test_constants_can_be_shared_by_channel_and_stay_in_their_range() -> None:
    layer = Neurons(tr.LIF(tau=0.001), (3, 4, 4), learn={"tau": "channel"})
    (tau,) = layer.parameters()
    assert tau.shape == (3, 1, 1)
    with torch.no_grad():
        tau.fill_(-5.0)
    layer(torch.randn(5, 2, 3, 4, 4)).sum().backward()
    assert layer.constants.parameter("tau").min() > 0
    assert torch.isfinite(tau.grad).all()


def test_a_module_is_copied_pickled_and_loaded() -> None:
    torch.manual_seed(6)
    layer = Neurons(LIF, 5, learn=("tau",))
    with torch.no_grad():
        layer.constants.tau.mul_(torch.rand(5) + 0.5)
    x = torch.randn(30, 2, 5)
    expected = layer(x)
    other = Neurons(LIF, 5, learn=("tau",))
    other.load_state_dict(layer.state_dict())
    assert list(layer.state_dict()) == ["constants.tau"]
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), other):
        assert torch.equal(again(x), expected)


def test_torch_compile_takes_the_whole_graph() -> None:
    torch.manual_seed(7)
    net = torch.nn.Sequential(learning.Linear(6, 5), Neurons(LIF, 5, learn=("tau", "v_th")))
    x = 2.0 * torch.randn(20, 3, 6)
    expected = torch.autograd.grad(net(x).sum(), list(net.parameters()))
    compiled = torch.compile(net, backend="aot_eager", fullgraph=True)
    got = torch.autograd.grad(compiled(x).sum(), list(net.parameters()))
    assert torch.equal(compiled(x), net(x))
    for a, b in zip(got, expected, strict=True):
        torch.testing.assert_close(a, b)


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    torch.manual_seed(8)
    x = torch.randn(40, 3, 700).requires_grad_()
    layer = Neurons(LIF, 700, learn=("tau",))
    found = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            output = layer(x)
            found.append((output, *torch.autograd.grad(output.sum(), (x, layer.constants.tau))))
    finally:
        torch.set_num_threads(before)
    assert found[0][0].sum() > 0
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_sums_over_time_have_the_gradient_of_any_loss() -> None:
    """Their cotangent is one for all steps, and is never written out for each."""
    torch.manual_seed(9)
    x, weights = torch.randn(70, 3, 20).double(), torch.randn(3, 20).double()
    found = []
    for backend in ("fused", "steps"):
        layer = Neurons(LIF, 20, learn=("tau",), record=("v",), backend=backend).double()
        given = x.clone().requires_grad_()
        run = layer.run(given)
        loss = (run.output.sum(0) * weights).sum() + (run.recorded["v"].mean(0) * weights).sum()
        found.append(torch.autograd.grad(loss, (given, layer.constants.tau)))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
    net = learning.Sequential(learning.Linear(20, 20), Neurons(LIF)).double()
    spikes = (torch.rand(70, 3, 20) < 0.05).double()
    together = torch.autograd.grad((net(spikes).sum(0) * weights).sum(), list(net.parameters()))
    apart = torch.autograd.grad((net[1](net[0](spikes)).sum(0) * weights).sum(), list(net.parameters()))
    for a, b in zip(together, apart, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_evaluation_in_inference_mode_leaves_training_possible() -> None:
    layer = Neurons(LIF)
    x = torch.randn(5, 2, 3)
    with torch.inference_mode():
        layer(x)
    layer(x.requires_grad_()).sum().backward()
    assert x.grad is not None


@neuron(v=state("mV"))
def Mute(v):
    """It has no spike."""
    return dict(v=v, spike=0.0)


def test_wrong_use_is_refused() -> None:
    x = torch.randn(5, 2, 4)
    with pytest.raises(InvalidValue, match=r"a model that spikes.*output='v'"):
        Neurons(Mute)
    with pytest.raises(InvalidValue, match=r"\[T, B, 4\], time first"):
        Neurons(LIF, 4)(x.transpose(0, 2))
    with pytest.raises(InvalidValue, match="floating point"):
        Neurons(LIF)(torch.ones(5, 2, 4, dtype=torch.int64))
    with pytest.raises(InvalidValue, match="at least one step"):
        Neurons(LIF)(x[:0])
    with pytest.raises(UnknownName, match="tau"):
        Neurons(LIF, 4, learn=("taus",))
    with pytest.raises(InvalidValue, match="size="):
        Neurons(LIF, learn=("tau",))
    with pytest.raises(UnknownName, match="arrived"):
        Neurons(LIF, port="somewhere")
    with pytest.raises(UnknownName, match="output"):
        Neurons(LIF, output="u")
    with pytest.raises(UnknownName, match="detached"):
        Neurons(LIF, reset_gradient="soft")
    with pytest.raises(InvalidValue, match="complete"):
        Neurons(LIF).run(x, {"v": x[0]})
    with pytest.raises(InvalidValue, match="shape"):
        Neurons(LIF).run(x, {"v": x[0, 0], "wait": x[0]})
    with pytest.raises(InvalidValue, match="one dtype"):
        Neurons(LIF)({"arrived": x, "i": x.double()})
    with pytest.raises(InvalidValue, match="backend='fused'"):
        Neurons(LIF, backend="fused")(x.half())
    with pytest.raises(InvalidValue, match="dt"):
        Neurons(LIF, dt=0.0)
