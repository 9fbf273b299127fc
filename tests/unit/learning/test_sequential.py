"""A connection and its neurons in one loop are the two modules one after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treplica as tr

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")
fed = pytest.importorskip("treplica.learning.layers.sequential")
Linear, Neurons, SpikeTensor = learning.Linear, learning.Neurons, learning.SpikeTensor


def lif(**more):
    return Neurons(tr.LIF(v=0.0, v_rest=0.0, v_th=1.0, v_reset=0.0, refractory=1.0, tau=9.0, c_m=9.0), **more)


@settings(max_examples=20, deadline=None)
@given(
    steps=st.sampled_from([1, 31, 32, 33, 70]),
    samples=st.integers(1, 5),
    inputs=st.integers(1, 40),
    size=st.sampled_from([1, 10, 128, 129, 300]),
    bias=st.booleans(),
    learn=st.sampled_from([(), ("tau",)]),
    gradient=st.booleans(),
    single=st.booleans(),
    reset=st.sampled_from(["detached", "attached"]),
    seed=st.integers(0, 1000),
)
def test_together_as_apart(steps, samples, inputs, size, bias, learn, gradient, single, reset, seed) -> None:
    torch.manual_seed(seed)
    dtype = torch.float32 if single else torch.float64
    together = learning.Sequential(
        Linear(inputs, size, bias=bias), lif(size=size, learn=learn, reset_gradient=reset)
    )
    together = together.to(dtype)
    with torch.no_grad():  # on a grid, so that sums are exact in any order
        together[0].weight.copy_((together[0].weight * 6 * 256).round() / 256)
    apart = torch.nn.Sequential(*together)
    x = (torch.rand(steps, samples, inputs) < 0.08).to(dtype)
    weights = torch.randn(steps, samples, size, dtype=dtype)
    found = []
    for module in (together, apart):
        spikes = x.clone().requires_grad_(gradient)
        output = module(spikes)
        asked = [*module.parameters(), *([spikes] if gradient else [])]
        found.append((output, torch.autograd.grad((output * weights).sum(), asked)))
    assert torch.equal(found[0][0], found[1][0])
    tiny = 1e-4 if single else 1e-10
    for a, b in zip(found[0][1], found[1][1], strict=True):
        assert float((a - b).abs().max()) <= tiny * (1e-6 + float(b.abs().max()))


def test_pairs_with_few_spikes_are_computed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = fed.unroll
    monkeypatch.setattr(fed, "unroll", lambda *a, **k: calls.append(1) or real(*a, **k))
    net = learning.Sequential(Linear(20, 9), lif(), Linear(9, 4), lif(output="v"))
    sparse = (torch.rand(40, 3, 20) < 0.05).float()
    net(sparse)
    assert len(calls) == 2
    net(torch.randn(40, 3, 20))
    assert len(calls) <= 3  # the first pair is apart
    calls.clear()
    assert torch.equal(net(SpikeTensor.of_dense(sparse)), net(sparse))
    assert len(calls) == 4


def kept_bytes(net, x) -> int:
    """What autograd keeps for the backward pass, each storage once."""
    kept: dict[int, int] = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        net(x).sum().backward()
    return sum(kept.values())


def test_memory_is_that_of_the_spikes() -> None:
    """Autograd keeps the entries and the states at every 32nd step, not what reached the neurons."""
    torch.manual_seed(0)
    net = learning.Sequential(Linear(100, 200), lif())
    x = (torch.rand(200, 4, 100) < 0.02).float()
    series = 4 * int(np.prod((200, 4, 200)))
    assert kept_bytes(net, x) < 0.4 * series


def test_pairs_can_be_computed_again_from_their_inputs() -> None:
    torch.manual_seed(2)
    x = torch.randn(50, 4, 1, 10, 10)

    def network(**choices):
        torch.manual_seed(3)
        parts = [
            learning.Conv2d(1, 3, 3, padding=1),
            lif(),
            learning.Flatten(),
            Linear(300, 20),
            lif(output="v"),
        ]
        return learning.Sequential(*parts, **choices)

    nets = network(), network(recompute=True)
    outputs = [net(x) for net in nets]
    for output in outputs:
        output.sum().backward()
    assert torch.equal(*outputs)
    for a, b in zip(*(net.parameters() for net in nets), strict=True):
        assert torch.equal(a.grad, b.grad)
    assert nets[1][:2].recompute

    # A pair keeps its input, steps keep much more.
    steps = learning.Sequential(Linear(60, 60), lif(backend="steps"))
    again = learning.Sequential(Linear(60, 60), lif(), recompute=True)
    x = torch.randn(100, 4, 60)
    assert kept_bytes(again, x) < kept_bytes(steps, x) / 2


def test_names_and_gradients_are_those_of_the_smooth_forward_pass() -> None:
    torch.manual_seed(1)
    net = learning.Sequential(Linear(30, 3), lif(smooth=True, size=3, learn=("tau",))).double()
    assert set(net.state_dict()) == {"0.weight", "0.bias", "1.constants.tau"}
    with torch.no_grad():
        net[0].weight.mul_(5)
    x = (torch.rand(35, 1, 30) < 0.1).double()

    def of(weight, bias, tau):
        return torch.func.functional_call(
            net, dict(zip(("0.weight", "0.bias", "1.constants.tau"), (weight, bias, tau), strict=True)), (x,)
        )

    given = tuple(p.detach().clone().requires_grad_() for p in net.parameters())
    assert torch.autograd.gradcheck(of, given, fast_mode=True)


def test_dropout_is_a_part_of_the_loop() -> None:
    """The same spikes are dropped as by the layer alone, and gradients are those of the layers one by one."""
    torch.manual_seed(4)
    parts = [Linear(30, 20), lif(), learning.Dropout(0.4), Linear(20, 3), lif(output="v")]
    x = (torch.rand(30, 5, 30) < 0.08).float()
    nets, found = (learning.Sequential(*parts), torch.nn.Sequential(*parts)), []
    for net in nets:
        torch.manual_seed(5)
        output = net(x)
        parameters = list(net.parameters())
        found.append((output, *torch.autograd.grad(output.square().sum(), parameters)))
    assert (found[0][0] != 0).any()
    for a, b in zip(*found, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)
    assert torch.equal(nets[0].eval()(x), nets[1].eval()(x))
