"""The leaky layer with the super-Gaussian: its equations step by step, and the gradients of its smooth form."""

import copy
import math
import pickle

import pytest

import treplica as tr
from treplica.errors import InvalidValue, UnknownName

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")
SurrogateLIF, surrogates = learning.SurrogateLIF, learning.surrogates


def drive(steps: int = 60, samples: int = 2, size: int = 5, seed: int = 1) -> torch.Tensor:
    source = torch.Generator().manual_seed(seed)
    return 0.4 * torch.rand(steps, samples, size, generator=source, dtype=torch.float64)


@pytest.mark.parametrize("reset", ["hard", "soft"])
def test_it_does_what_its_equations_say(reset: str) -> None:
    decay, threshold, x = 0.85, 1.2, drive()
    run = SurrogateLIF(decay=decay, threshold=threshold, reset=reset, record=("v",)).run(x)
    v = torch.zeros_like(x[0])
    for t, now in enumerate(x):
        v = decay * v + now
        s = (v >= threshold).double()
        v = v * (1.0 - s) if reset == "hard" else v - threshold * s
        assert torch.equal(run.output[t], s)
        torch.testing.assert_close(run.recorded["v"][t], v, rtol=0, atol=1e-12)
    assert 0 < run.output.sum() < run.output.numel()


def test_a_time_constant_is_a_decay_in_steps_of_dt() -> None:
    x = drive()
    by_tau = SurrogateLIF(tau=5.0, dt=0.5, record=("v",)).run(x)
    by_decay = SurrogateLIF(decay=math.exp(-0.1), dt=0.5, record=("v",)).run(x)
    assert torch.equal(by_tau.output, by_decay.output)
    torch.testing.assert_close(by_tau.recorded["v"], by_decay.recorded["v"], rtol=1e-12, atol=0)
    each = SurrogateLIF(2, decay=[0.5, 0.9], record=("v",)).run(torch.ones(2, 1, 2).double() * 0.3)
    torch.testing.assert_close(each.recorded["v"][1, 0], torch.tensor([0.45, 0.57]).double())


def test_the_surrogate_is_the_super_gaussian() -> None:
    """One step from rest: the gradient of a spike is the super-Gaussian of v - threshold."""
    x = torch.linspace(-0.5, 2.5, 31, dtype=torch.float64).reshape(1, 1, -1).requires_grad_()
    (gradient,) = torch.autograd.grad(SurrogateLIF()(x).sum(), x)
    expected = torch.exp(-((x.detach() - 1.0) ** 4)) / (2.0 * math.gamma(1.25))
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-15)
    narrow = SurrogateLIF(surrogate=surrogates.SuperGaussian(width=0.25))
    (gradient,) = torch.autograd.grad(narrow(x).sum(), x)
    expected = torch.exp(-(((x.detach() - 1.0) / 0.25) ** 4)) / (0.5 * math.gamma(1.25))
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("backend", "reset", "reset_gradient"),
    [
        ("fused", "hard", "detached"),
        ("fused", "soft", "attached"),
        ("steps", "hard", "attached"),
        ("steps", "soft", "detached"),
    ],
)
def test_gradients_are_differences_of_the_smooth_forward_pass(
    backend: str, reset: str, reset_gradient: str
) -> None:
    layer = SurrogateLIF(
        3,
        tau=[4.0, 8.0, 12.0],
        learn={"tau": "neuron", "threshold": "layer"},
        reset=reset,
        reset_gradient=reset_gradient,
        backend=backend,
        smooth=True,
    ).double()
    x = drive(20, 1, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (x, *layer.parameters()), fast_mode=True)


def test_what_is_learned_is_a_parameter_under_the_names_of_the_model() -> None:
    layer = SurrogateLIF(4, tau=7.0, threshold=1.5, learn=("tau", "threshold"))
    assert {n: p.tolist() for n, p in layer.named_parameters()} == {
        "constants.tau": [7.0] * 4,
        "constants.v_th": [1.5] * 4,
    }
    shared = SurrogateLIF(decay=0.5, learn={"tau": "layer"})
    (tau,) = shared.parameters()
    assert tau.item() == pytest.approx(1.0 / math.log(2.0))
    shared(drive().float()).sum().backward()
    assert tau.grad is not None
    assert tau.grad != 0


def test_it_learns_a_rate() -> None:
    """Descent along the surrogate gradient moves threshold and time constant until neurons fire at a target."""
    layer, x = SurrogateLIF(learn={"tau": "layer", "threshold": "layer"}), drive(100, 4, 8).float()
    before = layer(x).mean().item()
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.05)
    for _ in range(120):
        optimiser.zero_grad()
        (layer(x).mean() - 0.05).square().backward()
        optimiser.step()
    assert before > 0.12
    assert layer(x).mean().item() == pytest.approx(0.05, abs=0.01)


def test_it_is_neurons_for_everything_that_takes_them() -> None:
    torch.manual_seed(0)
    layer = SurrogateLIF(6, decay=0.9)
    assert isinstance(layer, learning.Neurons)
    x = (torch.rand(30, 2, 6) < 0.1).float()
    net = learning.Sequential(learning.Linear(6, 6), layer)
    with torch.no_grad():
        net[0].weight.abs_()
    assert net(x).sum() > 0
    assert torch.equal(net(x), layer(net[0](x)))
    assert learning.Recurrent(SurrogateLIF(6), 6)(x).shape == x.shape
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(again(3.0 * x), layer(3.0 * x))
    assert layer.neuron.model is tr.LIF
    graph = learning.to_nir(net, 6)
    assert torch.equal(learning.from_nir(graph).float()(x), net(x))
    assert "SuperGaussian(width=1, order=4)" in repr(layer)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(tau=5.0, decay=0.9), "one of them, not both"),
        (dict(decay=1.0), "0 < decay < 1"),
        (dict(decay=float("nan")), "0 < decay < 1"),
        (dict(tau=-1.0), "LIF.tau"),
        (dict(threshold=0.0), "threshold must be > 0"),
        (dict(reset="sotf"), "Did you mean 'soft'"),
        (dict(learn=("v_th",)), "tau, threshold"),
        (dict(learn=("tau",)), "size="),
        (dict(reset_gradient="none"), "detached"),
        (dict(dt=0.0, decay=0.9), "dt"),
    ],
)
def test_numbers_that_make_no_layer_are_refused(options: dict, message: str) -> None:
    with pytest.raises((InvalidValue, UnknownName), match=message):
        SurrogateLIF(**options)
