"""Layers over time: what PyTorch's modules give step by step, and the axes they refuse."""

import copy
import io

import pytest

import treplica as tr
from treplica.errors import InvalidValue

torch = pytest.importorskip("torch")
nn = torch.nn
learning = pytest.importorskip("treplica.learning")

T, B = 4, 3
NEURON = tr.LIF(tau=5.0, v_rest=0.0, v_th=1.0, v_reset=0.0, refractory=0.0, v=0.0)


def images(*shape: int, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(T, B, *shape, generator=generator, dtype=torch.float64) < 0.4).double()


@pytest.mark.parametrize(
    ("layer", "plain", "shape"),
    [
        (lambda: learning.Conv1d(2, 5, 3, padding=1), lambda: nn.Conv1d(2, 5, 3, padding=1), (2, 9)),
        (lambda: learning.Conv2d(2, 5, 3, stride=2), lambda: nn.Conv2d(2, 5, 3, stride=2), (2, 9, 8)),
        (
            lambda: learning.Conv2d(4, 4, 3, padding=1, padding_mode="circular", groups=2, bias=False),
            lambda: nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular", groups=2, bias=False),
            (4, 5, 5),
        ),
        (lambda: learning.AvgPool2d(2), lambda: nn.AvgPool2d(2), (2, 7, 6)),
        (lambda: learning.MaxPool2d(3, 2, padding=1), lambda: nn.MaxPool2d(3, 2, padding=1), (2, 7, 6)),
        (lambda: learning.Flatten(), lambda: nn.Flatten(), (2, 7, 6)),
        (lambda: learning.OverTime(nn.LayerNorm(6)), lambda: nn.LayerNorm(6), (2, 6)),
    ],
)
def test_every_step_is_that_of_pytorch(layer, plain, shape) -> None:
    layer, plain = layer().double(), plain().double()
    state = {k.removeprefix("module."): v for k, v in layer.state_dict().items()}
    plain.load_state_dict(state)
    x = images(*shape)
    expected = torch.stack([plain(step) for step in x])
    assert expected.abs().sum() > 0
    torch.testing.assert_close(layer(x), expected, rtol=1e-12, atol=1e-12)


def test_pools_add_up_windows() -> None:
    x = images(2, 4, 6)
    sums = learning.SumPool2d(2)(x)
    assert torch.equal(sums, x.reshape(T, B, 2, 2, 2, 3, 2).sum((4, 6)))
    assert torch.equal(learning.SumPool2d((2, 3), stride=1)(x)[..., 0, 0], x[..., :2, :3].sum((-1, -2)))
    assert learning.SumPool2d(2, padding=1)(x).shape == (T, B, 2, 3, 4)


def test_flatten_keeps_time_and_samples() -> None:
    x = images(2, 4, 6)
    assert torch.equal(learning.Flatten()(x), x.reshape(T, B, 48))
    assert learning.Flatten(3)(x).shape == learning.Flatten(-2)(x).shape == (T, B, 2, 24)
    assert learning.Flatten()(x[:, :, 0, 0, 0]).shape == (T, B, 1)
    with pytest.raises(InvalidValue, match="T and B stay"):
        learning.Flatten(1)
    with pytest.raises(InvalidValue, match="after T and B"):
        learning.Flatten(-4)(x)


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (lambda: learning.BatchNorm1d(3), (3,), (0, 1)),
        (lambda: learning.BatchNorm2d(3), (3, 4, 5), (0, 1, 3, 4)),
    ],
)
def test_batch_norm_has_one_mean_over_time_and_samples(layer, shape, axes) -> None:
    norm = layer().double()
    with torch.no_grad():
        norm.weight.fill_(2.0)
    x = torch.randn(T, B, *shape, dtype=torch.float64)
    y = norm(x)
    torch.testing.assert_close(y.mean(axes), torch.zeros(3, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(y.var(axes, correction=0), torch.full((3,), 4.0).double(), rtol=1e-4, atol=0)
    torch.testing.assert_close(norm.running_mean, 0.1 * x.mean(axes))
    norm.eval()
    swapped = norm(x[:, [1, 0, 2]])
    assert torch.equal(swapped, norm(x)[:, [1, 0, 2]])


def test_dropout_silences_a_neuron_for_all_steps() -> None:
    torch.manual_seed(1)
    x = 0.5 + torch.randint(2, (T, 50, 40)).double() * 0.5
    dropout = learning.Dropout(0.25)
    factor = dropout(x) / x  # by powers of two, exactly
    assert torch.equal(factor, factor[:1].expand_as(factor))
    assert sorted(factor.unique().tolist()) == pytest.approx([0.0, 1 / 0.75])
    # 2000 neurons: the share that is dropped has a standard deviation of 0.0097.
    assert float((factor[0] == 0).double().mean()) == pytest.approx(0.25, abs=0.04)
    assert not torch.equal(factor[:, 0], factor[:, 1])
    assert dropout.eval()(x) is x


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (lambda: learning.Conv2d(3, 4, 3), (5, 3, 8, 8), "[T, B, 3, H, W], time first, got [5, 3, 8, 8]"),
        (lambda: learning.Conv2d(3, 4, 3), (5, 2, 4, 8, 8), "[T, B, 3, H, W], time first"),
        (lambda: learning.Conv1d(3, 4, 3), (5, 2, 8), "[T, B, 3, L]"),
        (lambda: learning.SumPool2d(2), (5, 3, 8), "[T, B, C, H, W]"),
        (lambda: learning.BatchNorm1d(3), (5, 2, 4), "[T, B, 3]"),
        (lambda: learning.BatchNorm2d(3), (0, 2, 3, 4, 4), "at least one step"),
        (lambda: learning.Dropout(), (5,), "[T, B, ...]"),
    ],
)
def test_axes_that_do_not_fit_are_refused_in_one_line(layer, shape, expected) -> None:
    with pytest.raises(InvalidValue) as caught:
        layer()(torch.zeros(shape))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_time_axis_and_sparse_spikes_are_explained() -> None:
    conv = learning.Conv2d(3, 4, 3)
    with pytest.raises(InvalidValue, match=r"x\.unsqueeze\(0\)"):
        conv(torch.zeros(2, 3, 8, 8))
    with pytest.raises(InvalidValue, match=r"dense\(\)"):
        learning.Dropout()(learning.SpikeTensor.of_dense(torch.ones(2, 2, 2)))
    with pytest.raises(InvalidValue, match="one result for each"):
        learning.OverTime(nn.Flatten(0))(torch.zeros(2, 3, 4))
    with pytest.raises(InvalidValue, match="a module"):
        learning.OverTime(torch.relu)


def residual_bodies():
    return [
        lambda: learning.Residual(nn.Sequential(learning.Linear(4, 4), learning.Neurons(NEURON))),
        lambda: learning.Residual(learning.Linear(4, 6), learning.Linear(4, 6), learning.Neurons(NEURON)),
    ]


def test_residual_adds_spikes_or_currents() -> None:
    torch.manual_seed(0)
    x = images(4).float()
    body = nn.Sequential(learning.Linear(4, 4), learning.Neurons(NEURON))
    with torch.no_grad():
        body[0].weight.fill_(0.6)
    added = learning.Residual(body)(x)
    assert torch.equal(added, body(x) + x)
    assert added.max() == 2.0
    currents = learning.Residual(body[0], learning.Linear(4, 4), learning.Neurons(NEURON))
    assert torch.equal(currents(x), currents.neurons(body[0](x) + currents.shortcut(x)))
    assert set(currents(x).unique().tolist()) <= {0.0, 1.0}


def test_residual_delays_what_it_adds() -> None:
    x = images(4)
    late = learning.Residual(nn.Identity(), delay=1)(x)
    assert torch.equal(late[0], x[0])
    assert torch.equal(late[1:], x[1:] + x[:-1])
    assert torch.equal(learning.Residual(nn.Identity(), delay=T + 5)(x), x)
    with pytest.raises(InvalidValue, match=r"Residual: delay must be a whole number of steps >= 0"):
        learning.Residual(nn.Identity(), delay=-1)
    with pytest.raises(InvalidValue, match="Give a shortcut"):
        learning.Residual(learning.Conv2d(2, 3, 1).double())(images(2, 4, 4))


def network():
    return nn.Sequential(
        learning.Conv2d(1, 3, 3, padding=1),
        learning.BatchNorm2d(3),
        learning.Neurons(NEURON),
        learning.SumPool2d(2),
        learning.Flatten(),
        learning.Dropout(0.1),
        learning.Residual(nn.Sequential(learning.Linear(27, 27), learning.Neurons(NEURON))),
        learning.Recurrent(learning.Neurons(NEURON), 27),
        learning.Linear(27, 2),
    )


def test_networks_are_copied_pickled_and_restored() -> None:
    torch.manual_seed(0)
    net = network()
    x = images(1, 6, 6).float()
    net(x).sum().backward()
    net.eval()
    expected = net(x)
    assert expected.abs().sum() > 0
    assert torch.equal(copy.deepcopy(net)(x), expected)
    kept = io.BytesIO()
    torch.save(net, kept)
    kept.seek(0)
    assert torch.equal(torch.load(kept, weights_only=False)(x), expected)
    other = network().eval()
    assert not torch.equal(other(x), expected)
    other.load_state_dict(net.state_dict())
    assert torch.equal(other(x), expected)


def test_neurons_take_any_order_in_memory() -> None:
    """Channels last, as convolutions give them: states, records and gradients are the same, and in that order."""
    torch.manual_seed(2)
    layer = learning.Neurons(NEURON, (2, 4, 3), record=["v"], learn={"tau": "channel"})
    (tau,) = layer.parameters()
    usual = torch.rand(T, B, 2, 4, 3, requires_grad=True)
    last = usual.detach().permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3).requires_grad_()
    assert last.stride() != usual.stride()
    runs = [(x, layer.run(x, layer.run(x).state)) for x in (usual, last)]
    (_, expected), (_, found) = runs
    assert expected.output.sum() > 0
    assert found.output.stride() == found.recorded["v"].stride() == last.stride()
    for one, other in ((found.output, expected.output), (found.recorded["v"], expected.recorded["v"])):
        assert torch.equal(one, other)
    assert torch.equal(found.state["v"], expected.state["v"])
    weight = torch.rand_like(usual)
    gradients = [torch.autograd.grad((run.output * weight).sum(), (x, tau)) for x, run in runs]
    assert torch.equal(gradients[1][0], gradients[0][0])
    assert gradients[1][0].stride() == last.stride()
    torch.testing.assert_close(gradients[1][1], gradients[0][1])


def test_gradients_go_into_convolutions_channels_last() -> None:
    """From the end of an image on: what comes after it would be put in order by every operation before it."""
    conv, pool, flat = learning.Conv2d(2, 3, 3), learning.MaxPool2d(2), learning.Flatten()
    images_of = pool(conv(images(2, 8, 8).float()))
    seen = []
    images_of.register_hook(seen.append)
    weight = torch.rand(27)
    (flat(images_of) * weight).sum().backward()
    assert images_of.stride()[2] == 1
    assert seen[0].stride() == images_of.stride()
    assert torch.equal(seen[0], weight.reshape(3, 3, 3).expand_as(images_of))
