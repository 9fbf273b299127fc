"""Delays: exact shifts, gradients against differences, and delays that are found by learning."""

import copy
import pickle

import pytest

import treplica as tr
from treplica.errors import InvalidValue

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")


def series(*shape: int, seed: int = 0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def shifted(x, steps):
    """One step and one channel after the other."""
    result = torch.zeros_like(x)
    for t in range(x.shape[0]):
        for c, d in enumerate(steps):
            if t >= d:
                result[t, :, c] = x[t - d, :, c]
    return result


@pytest.mark.parametrize("steps", [0, 1, 3, 7, 9])
def test_one_delay_for_all(steps) -> None:
    x = series(7, 2, 3, 2)
    assert torch.equal(learning.Delay(steps)(x), shifted(x, [steps] * 3))


@pytest.mark.parametrize("shape", [(7, 2, 4), (7, 2, 4, 3, 2)])
def test_a_delay_for_each_channel(shape) -> None:
    x = series(*shape).requires_grad_()
    steps = [0, 2, 9, 6]
    delay = learning.Delay(steps)
    weights = series(*shape, seed=1)
    assert torch.equal(delay(x), shifted(x, steps))
    (delay(x) * weights).sum().backward()
    given = x.detach().clone().requires_grad_()
    (shifted(given, steps) * weights).sum().backward()
    assert torch.equal(x.grad, given.grad)


def test_learned_delays_are_between_steps_while_training() -> None:
    x = series(8, 2, 3)
    delay = learning.Delay([1, 0, 2], learn=True).double()
    assert torch.equal(delay(x), shifted(x, [1, 0, 2]))
    with torch.no_grad():
        delay.steps.copy_(torch.tensor([1.25, 0.5, 2.75]))
    low, high = shifted(x, [1, 0, 2]), shifted(x, [2, 1, 3])
    share = torch.tensor([0.25, 0.5, 0.75])
    torch.testing.assert_close(delay(x), (1 - share) * low + share * high)
    assert torch.equal(delay.eval()(x), shifted(x, [1, 0, 3]))
    assert delay.train().round_().steps.tolist() == [1.0, 0.0, 3.0]


def test_gradients_of_channel_delays_are_those_of_differences() -> None:
    delay = learning.Delay([1, 3], learn=True)

    def run(x, steps):
        return torch.func.functional_call(delay, {"steps": steps}, (x,))

    steps = torch.tensor([1.3, 2.6], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(run, (series(6, 2, 2, 3).requires_grad_(), steps))


def test_delays_stay_within_their_range() -> None:
    x = series(6, 2, 2)
    delay = learning.Delay([1, 2], learn=True, longest=3).double()
    with torch.no_grad():
        delay.steps.copy_(torch.tensor([-0.7, 5.0]))
    assert torch.equal(delay(x), shifted(x, [0, 3]))
    delay(x)[4].sum().backward()
    assert bool((delay.steps.grad != 0).all())  # and can come back into it


def naive(layer, x, delays):
    result = x.new_zeros(*x.shape[:2], layer.outputs)
    for t in range(x.shape[0]):
        for o in range(layer.outputs):
            for i in range(layer.inputs):
                d = int(delays[o, i])
                if t >= d:
                    result[t, :, o] += layer.weight[o, i] * x[t - d, :, i]
    return result if layer.bias is None else result + layer.bias


@pytest.mark.parametrize("bias", [False, True])
def test_whole_delays_are_a_loop_over_synapses(bias) -> None:
    torch.manual_seed(0)
    x = series(9, 2, 4)
    layer = learning.DelayedLinear(4, 3, 5, bias=bias).double().eval()
    expected = naive(layer, x, layer.delay.round())
    torch.testing.assert_close(layer(x), expected, rtol=1e-12, atol=1e-12)
    layer.train().sigma = 0.0
    torch.testing.assert_close(layer(x), expected, rtol=1e-12, atol=1e-12)
    layer.round_().sigma = 0.05  # a narrow Gaussian around a whole step is that step
    torch.testing.assert_close(layer(x), expected, rtol=1e-12, atol=1e-12)
    fixed = learning.DelayedLinear(4, 3, 5, learn=False).double()
    torch.testing.assert_close(fixed(x), naive(fixed, x, fixed.delay), rtol=1e-12, atol=1e-12)
    assert not fixed.delay.requires_grad


def test_the_kernel_is_a_normalised_gaussian() -> None:
    layer = learning.DelayedLinear(2, 3, 6, sigma=1.3).double()
    steps = torch.arange(7)
    for o in range(3):
        for i in range(2):
            gauss = torch.exp(-0.5 * ((steps - layer.delay[o, i]) / 1.3) ** 2)
            expected = layer.weight[o, i] * gauss / gauss.sum()
            torch.testing.assert_close(layer.kernel()[o, i], expected)


def test_gradients_of_synaptic_delays_are_those_of_differences() -> None:
    torch.manual_seed(0)
    layer = learning.DelayedLinear(2, 3, 4, sigma=0.8, bias=True).double()
    names = ["weight", "delay", "bias"]

    def run(x, *values):
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    given = [getattr(layer, n).detach().clone().requires_grad_() for n in names]
    assert torch.autograd.gradcheck(run, (series(6, 2, 2).requires_grad_(), *given))


def test_a_coincidence_is_learned() -> None:
    """Two inputs spike 4 and 1 steps before the time at which both must arrive: the delays must become 4 and 1."""
    torch.manual_seed(0)
    steps, batch = 40, 16
    when = torch.randint(6, steps - 6, (batch,))
    x = torch.zeros(steps, batch, 2)
    x[when - 4, torch.arange(batch), 0] = 1.0
    x[when - 1, torch.arange(batch), 1] = 1.0
    wanted = torch.zeros(steps, batch, 1)
    wanted[when, torch.arange(batch), 0] = 1.2
    layer = learning.DelayedLinear(2, 1, 8, sigma=4.0)
    with torch.no_grad():
        layer.weight.fill_(0.6)
        layer.delay.copy_(torch.tensor([[2.4, 5.5]]))
    optimiser = torch.optim.Adam([layer.delay], lr=0.1)
    for _ in range(120):
        optimiser.zero_grad()
        (layer(x) - wanted).square().sum().backward()
        optimiser.step()
        layer.sigma = max(0.5, 0.97 * layer.sigma)
    assert layer.delay.round().tolist() == [[4.0, 1.0]]
    # Neither input alone reaches the threshold: the neuron spikes once, at the coincidence.
    neuron = learning.Neurons(tr.LIF(tau=0.01, v_rest=0.0, v_th=1.0, v_reset=0.0, refractory=0.0, v=0.0))
    spikes = neuron(layer.eval()(x))
    assert torch.equal(spikes, (wanted > 0).float())


def test_delays_of_channels_are_learned() -> None:
    torch.manual_seed(0)
    x = torch.randn(60, 8, 3).cumsum(0)
    wanted = shifted(x, [5, 0, 2])
    delay = learning.Delay([2, 3, 3], learn=True, longest=8)
    optimiser = torch.optim.Adam(delay.parameters(), lr=0.1)
    for _ in range(100):
        optimiser.zero_grad()
        (delay(x) - wanted).square().mean().backward()
        optimiser.step()
    assert delay.round_().steps.tolist() == [5.0, 0.0, 2.0]


def test_delays_are_copied_and_restored() -> None:
    x = series(6, 2, 3).float()
    for layer in (
        learning.DelayedLinear(3, 2, 4),
        learning.Delay([1, 2, 0]),
        learning.Delay([1, 2, 0], learn=True),
    ):
        assert torch.equal(copy.deepcopy(layer)(x), layer(x))
        assert torch.equal(pickle.loads(pickle.dumps(layer))(x), layer(x))
    other = learning.Delay([0, 0, 0])
    other.load_state_dict(learning.Delay([1, 2, 0]).state_dict())
    assert torch.equal(other(x), shifted(x, [1, 2, 0]))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: learning.Delay(-1), "steps >= 0"),
        (lambda: learning.Delay([1.5, 2]), "whole where they are not learned"),
        (lambda: learning.Delay(2, learn=True), "one for each channel where they are learned"),
        (lambda: learning.Delay([]), "one number, or one for each channel"),
        (lambda: learning.Delay([3, 4], learn=True, longest=2), "Delay: longest"),
        (lambda: learning.Delay([3, 4])(torch.zeros(5, 2, 3)), r"\[T, B, 2, \.\.\.\]"),
        (lambda: learning.DelayedLinear(3, 2, -1), "DelayedLinear: longest"),
        (lambda: learning.DelayedLinear(3, 2, 4, sigma=-1.0), "finite number >= 0 steps"),
        (lambda: learning.DelayedLinear(3, 2, 4)(torch.zeros(5, 2, 2)), r"\[T, B, 3\]"),
    ],
)
def test_what_does_not_fit_is_refused(build, words) -> None:
    with pytest.raises(InvalidValue, match=words):
        build()
