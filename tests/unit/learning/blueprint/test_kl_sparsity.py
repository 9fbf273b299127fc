"""The divergence of mean activities from a target: the printed formula where that has a value, finite elsewhere."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treplica.errors import InvalidValue, UnknownName

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")
kl_sparsity, losses = learning.kl_sparsity, learning.losses


def printed(rates: torch.Tensor, rho: float) -> torch.Tensor:
    """As the lecture notes have it."""
    return (rho * torch.log(rho / rates) + (1 - rho) * torch.log((1 - rho) / (1 - rates))).sum()


@settings(max_examples=200, deadline=None)
@given(
    samples=st.integers(1, 9),
    units=st.integers(1, 7),
    rho=st.floats(0.001, 0.999),
    scale=st.floats(0.01, 15.0),
    seed=st.integers(0, 2**20),
)
def test_value_and_gradient_are_those_of_the_printed_formula(samples, units, rho, scale, seed) -> None:
    source = torch.Generator().manual_seed(seed)
    z = scale * torch.randn(samples, units, generator=source, dtype=torch.float64).clamp(-1.5, 1.5)
    z.requires_grad_()
    wanted = printed(z.sigmoid().mean(0), rho)
    found = kl_sparsity(z, rho)
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-12)
    (a,), (b,) = torch.autograd.grad(found, z), torch.autograd.grad(wanted, z)
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-11)


@settings(max_examples=100, deadline=None)
@given(
    logits=st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=2, max_size=6),
    rho=st.floats(0.01, 0.99),
)
def test_it_is_finite_in_float32_whatever_the_logits(logits, rho) -> None:
    z = torch.tensor(logits, dtype=torch.float32).reshape(-1, 1).requires_grad_()
    value = kl_sparsity(z, rho)
    (gradient,) = torch.autograd.grad(value, z)
    assert torch.isfinite(value)
    assert value > -1e-6
    assert torch.isfinite(gradient).all()
    assert gradient.abs().sum() <= 1.0 + 1e-5


def test_gradients_are_differences() -> None:
    z = 3.0 * torch.randn(4, 2, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda z: kl_sparsity(z, 0.07), (z.requires_grad_(),))


@pytest.mark.parametrize("on", [False, True])
def test_a_unit_that_is_always_off_or_on_is_pulled_back(on: bool) -> None:
    """In float32 the printed formula has no number there, nor has its gradient."""
    rho, m = 0.05, 8
    z = torch.full((m, 1), 200.0 if on else -200.0, requires_grad=True)
    wrong = printed(z.sigmoid().mean(0), rho)
    assert not torch.isfinite(wrong)
    assert not torch.isfinite(torch.autograd.grad(wrong, z)[0]).any()
    value = kl_sparsity(z, rho)
    (gradient,) = torch.autograd.grad(value, z)
    share, sign = (1 - rho, 1.0) if on else (rho, -1.0)
    entropy = rho * math.log(rho) + (1 - rho) * math.log(1 - rho)
    assert value.item() == pytest.approx(entropy + share * 200.0, rel=1e-5)
    torch.testing.assert_close(gradient, torch.full_like(z, sign * share / m))


def test_it_is_least_at_the_target() -> None:
    rho = 0.1
    z = torch.full((5, 3), math.log(rho / (1 - rho)), dtype=torch.float64, requires_grad=True)
    value = kl_sparsity(z, rho)
    assert value.item() == pytest.approx(0.0, abs=1e-14)
    assert torch.autograd.grad(value, z)[0].abs().max() < 1e-15


def test_as_a_penalty_it_is_the_formula_with_the_target_seen_once() -> None:
    s = (torch.rand(50, 4, 6, generator=torch.Generator().manual_seed(2)) < 0.2).double()
    s[..., 0] = 0.0
    s[..., 1] = 1.0
    target = losses.KLSparsityTarget(rate=0.1, weight=3.0)
    rates = (s.sum((0, 1)) + 0.1) / 201
    assert target({"a": s}).item() == pytest.approx(3.0 * printed(rates, 0.1).item() / 6, rel=1e-12)
    quiet = (torch.rand(50, 4, 2, generator=torch.Generator().manual_seed(3)) < 0.1).double()
    both = target({"a": s, "b": quiet}).item()
    alone = target({"b": quiet}).item()
    assert both == pytest.approx((target({"a": s}).item() + alone) / 2, rel=1e-12)
    x = torch.rand(3, 2, 4, generator=torch.Generator().manual_seed(4), dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: target({"a": v}), (x,))
    silent = torch.zeros(5, 2, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(target({"a": silent}), silent)
    assert torch.isfinite(gradient).all()
    assert (gradient < 0).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kl_sparsity(torch.zeros(3, 2), 0.0), "0 < rate < 1"),
        (lambda: kl_sparsity(torch.zeros(3, 2), float("nan")), "0 < rate < 1"),
        (lambda: kl_sparsity(torch.zeros(3), 0.5), r"\[\.\.\., units\]"),
        (lambda: kl_sparsity(torch.zeros(0, 3), 0.5), "a sample at least"),
        (lambda: losses.KLSparsityTarget(1.0), "KLSparsityTarget.rate must be 0 < rate < 1"),
        (
            lambda: losses.KLSparsityTarget(0.1, layers=("b",))({"a": torch.zeros(1, 1, 1)}),
            "KLSparsityTarget",
        ),
    ],
)
def test_what_has_no_divergence_is_refused(make, message: str) -> None:
    with pytest.raises((InvalidValue, UnknownName), match=message):
        make()
