"""Losses against closed forms, differences and counts by hand."""

import math

import pytest
import torch
from torch import Tensor

from treplica.errors import InvalidValue, UnknownName
from treplica.learning import losses
from treplica.learning.training.losses import first_spike_times

LABELS = torch.tensor([2, 0, 1, 1])


def values(seed: int = 0, steps: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((steps, 4, 3), generator=generator, dtype=torch.float64)


def spikes(seed: int = 0, share: float = 0.3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand((6, 4, 3), generator=generator, dtype=torch.float64) < share).double()


def entropy(scores: Tensor) -> float:
    """The mean cross entropy, sum by sum."""
    rows = scores.tolist()
    each = [
        math.log(sum(math.exp(z) for z in row)) - row[y] for row, y in zip(rows, LABELS.tolist(), strict=True)
    ]
    return sum(each) / len(each)


def test_rate_cross_entropy_counts_spikes() -> None:
    s = spikes()
    assert 0 < s.sum() < s.numel()
    loss = losses.RateCrossEntropy(scale=0.7)
    assert loss.scores(s).tolist() == (0.7 * s.sum(0)).tolist()
    assert loss(s, LABELS).item() == pytest.approx(entropy(0.7 * s.sum(0)), rel=1e-12)
    even = losses.RateCrossEntropy()(torch.ones(5, 4, 3), LABELS).item()
    assert even == pytest.approx(math.log(3.0))


def test_count_mse_is_zero_at_its_targets_and_squared_around_them() -> None:
    loss = losses.CountMSE(correct=0.6, wrong=0.2)
    s = torch.zeros(5, 4, 3)
    s[0] = 1.0
    s[1:3, torch.arange(4), LABELS] = 1.0
    assert loss(s, LABELS).item() == pytest.approx(0.0, abs=1e-14)
    s[4, 0, 0] = 1.0  # one spike more than the 1 of 5 of a wrong class: a distance of 0.2 in one of 12 places
    assert loss(s, LABELS).item() == pytest.approx(0.2**2 / 12)
    assert loss.scores(s)[0].tolist() == pytest.approx([0.4, 0.2, 0.6])


@pytest.mark.parametrize(
    ("over", "together"),
    [
        ("mean", lambda v: v.mean(0)),
        ("sum", lambda v: v.sum(0)),
        ("max", lambda v: v.max(0).values),
        ("last", lambda v: v[-1]),
    ],
)
def test_membrane_cross_entropy_takes_time_together(over: str, together: object) -> None:
    v, loss = values(), losses.MembraneCrossEntropy(over, scale=1.5)
    assert loss.scores(v).tolist() == (1.5 * together(v)).tolist()
    assert loss(v, LABELS).item() == pytest.approx(entropy(1.5 * together(v)), rel=1e-12)


def test_tet_asks_every_step() -> None:
    v = values()
    each = sum(entropy(v[t]) for t in range(len(v))) / len(v)
    assert losses.TET()(v, LABELS).item() == pytest.approx(each, rel=1e-12)
    mixed = losses.TET(share=0.25, level=0.5)(v, LABELS).item()
    assert mixed == pytest.approx(0.75 * each + 0.25 * float(((v - 0.5) ** 2).mean()), rel=1e-12)
    assert losses.TET().scores(v).tolist() == v.mean(0).tolist()
    same = v[:1].expand(6, 4, 3)  # where nothing changes, all steps say what their mean says
    assert losses.TET()(same, LABELS).item() == pytest.approx(
        losses.MembraneCrossEntropy()(same, LABELS).item(), rel=1e-12
    )


def test_first_spike_times_of_spikes_are_the_times() -> None:
    s = spikes(share=0.2)
    times = first_spike_times(s)
    for b in range(4):
        for c in range(3):
            when = s[:, b, c].nonzero().flatten().tolist()
            assert times[b, c] == (when[0] if when else len(s))
    assert {0.0, 6.0} <= set(times.flatten().tolist())
    loss = losses.FirstSpikeCrossEntropy(tau=2.0)
    assert loss(s, LABELS).item() == pytest.approx(entropy(-times / 2.0), rel=1e-12)


def test_first_spike_times_of_probabilities_are_expected_times() -> None:
    """Over all 2^5 trains, each with its probability."""
    chance = torch.tensor([0.1, 0.5, 0.0, 0.7, 0.25], dtype=torch.float64)
    expected = 0.0
    for number in range(2**5):
        train = [number >> t & 1 for t in range(5)]
        share = math.prod(p if s else 1 - p for s, p in zip(train, chance.tolist(), strict=True))
        expected += share * (train.index(1) if 1 in train else 5)
    assert first_spike_times(chance).item() == pytest.approx(expected, rel=1e-12)


def test_the_derivative_of_the_first_time_is_a_distance() -> None:
    """A spike at step t would bring it forward by the steps between; without the first, the second is the first."""
    s = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0], dtype=torch.float64, requires_grad=True)
    first_spike_times(s).backward()
    assert s.grad is not None
    assert s.grad.tolist() == [-2.0, -1.0, -3.0, 0.0, 0.0, 0.0, 0.0]


ALL = [
    losses.RateCrossEntropy(0.5),
    losses.CountMSE(),
    losses.MembraneCrossEntropy("mean"),
    losses.MembraneCrossEntropy("sum"),
    losses.MembraneCrossEntropy("max"),
    losses.MembraneCrossEntropy("last", 2.0),
    losses.TET(0.1, 0.3),
    losses.FirstSpikeCrossEntropy(0.8),
]


@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_gradients_are_differences(loss: losses.Loss) -> None:
    x = values(3).sigmoid().requires_grad_()
    assert torch.autograd.gradcheck(lambda v: loss(v, LABELS), (x,), eps=1e-6, atol=1e-8)


@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_a_network_that_is_right_loses_less(loss: losses.Loss) -> None:
    """Descent finds outputs whose greatest scores are the labels."""
    x = values(5).sigmoid().requires_grad_()
    before = loss(x, LABELS).item()
    for _ in range(300):
        (gradient,) = torch.autograd.grad(loss(x, LABELS), x)
        x = (x - 2.0 * gradient).clamp(0.0, 1.0).detach().requires_grad_()
    assert loss(x, LABELS).item() < before
    assert loss.scores(x).argmax(1).tolist() == LABELS.tolist()


def test_the_sparsity_target_is_met_by_its_rate_alone() -> None:
    a, b = spikes(1, 0.5), spikes(2, 0.1)
    target = losses.SparsityTarget(rate=0.2, weight=3.0)
    found = target({"a": a, "b": b}).item()
    expected = sum((float(s.mean()) / 0.2 - 1.0) ** 2 for s in (a, b)) / 2
    assert found == pytest.approx(3.0 * expected)
    assert expected > 0.1
    at = torch.zeros(5, 2, 4)
    at[0, :, :] = 1.0
    assert target({"a": at}).item() == pytest.approx(0.0, abs=1e-12)
    assert losses.SparsityTarget(0.2, 3.0, ("b",))({"a": a, "b": b}).item() == pytest.approx(
        3.0 * (float(b.mean()) / 0.2 - 1.0) ** 2
    )
    x = values(1).sigmoid().requires_grad_()
    assert torch.autograd.gradcheck(lambda v: target({"a": v}), (x,))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.RateCrossEntropy(0.0), "RateCrossEntropy.scale must be a finite number > 0"),
        (lambda: losses.CountMSE(0.1, 0.5), "0 <= wrong < correct <= 1"),
        (lambda: losses.MembraneCrossEntropy("men"), "Did you mean 'mean'?"),
        (lambda: losses.TET(1.0), "TET.share must be 0 <= share < 1"),
        (lambda: losses.FirstSpikeCrossEntropy(float("nan")), "tau must be a finite number"),
        (lambda: losses.SparsityTarget(1.5), "SparsityTarget.rate must be 0 < rate < 1"),
        (lambda: losses.SparsityTarget(0.1)({}), "layers that spike"),
        (lambda: losses.SparsityTarget(0.1, layers=("hiden",))({"hidden": spikes()}), "mean 'hidden'"),
        (lambda: losses.MembraneCrossEntropy()(torch.zeros(4, 3), LABELS), r"\[T, B, classes\], time first"),
        (lambda: losses.TET()(torch.zeros(0, 4, 3), LABELS), r"\[T, B, classes\]"),
    ],
)
def test_what_is_no_loss_is_refused(make: object, message: str) -> None:
    with pytest.raises((InvalidValue, UnknownName), match=message):
        make()
