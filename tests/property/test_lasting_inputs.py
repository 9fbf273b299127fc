"""What layers compute once of an input that stays the same is what they compute of every step."""

import copy

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
nn = torch.nn
learning = pytest.importorskip("treplica.learning")

LAYERS = {
    "convolution": lambda c: learning.Conv2d(c, 3, 3, stride=2, padding=1),
    "convolution along a line": lambda c: nn.Sequential(learning.Flatten(3), learning.Conv1d(c, 2, 2)),
    "means": lambda c: learning.AvgPool2d(2, stride=1),
    "sums": lambda c: learning.SumPool2d(2),
    "greatest": lambda c: learning.MaxPool2d(2, padding=1),
    "normalisation": lambda c: learning.BatchNorm2d(c),
    "normalisation with a mean of all batches": lambda c: learning.BatchNorm2d(c, momentum=None),
    "normalisation without memory": lambda c: learning.BatchNorm2d(c, track_running_stats=False),
    "normalisation of neurons": lambda c: nn.Sequential(
        learning.Flatten(), learning.BatchNorm1d(20 * c, affine=False)
    ),
    "one after another": lambda c: nn.Sequential(
        learning.Conv2d(c, 2, 3, bias=False),
        learning.BatchNorm2d(2),
        learning.MaxPool2d(2),
        learning.Flatten(),
    ),
}


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(LAYERS)), st.integers(1, 5), st.integers(1, 3), st.integers(1, 3), st.booleans(),
    st.integers(0, 2**30),
)  # fmt: skip
def test_one_step_is_all_steps(
    name: str, steps: int, samples: int, channels: int, training: bool, seed: int
) -> None:
    """The same result, the same state after two batches, the same gradients of parameters and of the picture."""
    assume(steps * samples > 1)  # of one value there is no variance
    torch.manual_seed(seed)
    one = LAYERS[name](channels).double().train(training)
    every = copy.deepcopy(one)
    for _ in range(2):
        picture = torch.randn(samples, channels, 5, 4, dtype=torch.float64, requires_grad=True)
        given_once = picture.expand(steps, *picture.shape)
        given_each = picture.detach().repeat(steps, 1, 1, 1, 1).requires_grad_()
        expected = every(given_each)
        found = one(given_once)
        close(found, expected)
        weight = torch.randn_like(expected)
        (found * weight).sum().backward()
        (expected * weight).sum().backward()
        close(picture.grad, given_each.grad.sum(0))
        for mine, theirs in zip(one.parameters(), every.parameters(), strict=True):
            close(mine.grad, theirs.grad)
    for mine, theirs in zip(one.buffers(), every.buffers(), strict=True):
        close(mine, theirs)


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_a_step_is_computed_once() -> None:
    picture = torch.rand(2, 3, 8, 8)
    x = picture.expand(6, *picture.shape)
    net = nn.Sequential(learning.Conv2d(3, 4, 3), learning.BatchNorm2d(4), learning.AvgPool2d(2))
    assert net(x).stride(0) == 0
    assert net(x.contiguous()).stride(0) > 0


def test_steps_where_gradients_end_have_their_own() -> None:
    """Such an input is one in memory, but what each step does is asked for."""
    conv = learning.Conv2d(1, 2, 3)
    x = torch.rand(2, 1, 4, 4).expand(3, 2, 1, 4, 4).requires_grad_()
    weight = torch.arange(3.0).reshape(3, 1, 1, 1, 1)
    (gradient,) = torch.autograd.grad((conv(x) * weight).sum(), x)
    assert float(gradient[0].abs().sum()) == 0.0
    torch.testing.assert_close(gradient[2], 2.0 * gradient[1])
