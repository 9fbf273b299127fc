"""Layers with delays, maxima, graded spikes, states and currents as networks, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treplica as tr
from treplica.errors import InvalidValue
from treplica.model import arrival, graded, neuron, state

torch = pytest.importorskip("torch")

from deployments import (  # noqa: E402
    UNIT,
    Linear,
    Neurons,
    Recurrent,
    Residual,
    check,
    learning,
    lif,
    nn,
    scaled,
    seeded,
    soft,
)

Delay, DelayedLinear = learning.Delay, learning.DelayedLinear


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.booleans(), st.integers(0, 6))
def test_synapses_with_delays_of_their_own(seed: int, learn: bool, bias: bool, longest: int) -> None:
    seeded(seed)
    first = scaled(DelayedLinear(6, 7, longest, learn, bias=bias, sigma=2.0 if learn else None), 1.0)
    with torch.no_grad():
        first.weight.mul_(6.0)
    second = DelayedLinear(7, 4, 3, bias=bias)
    check(nn.Sequential(first, lif(), scaled(second, 3.0), soft()), 6, 0.3)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_delays_of_neurons(seed: int, learn: bool) -> None:
    """Before and behind connections, of constants too, learned ones rounded as in eval mode."""
    seeded(seed)
    rng = np.random.default_rng(seed)
    steps = torch.tensor(rng.uniform(0.0, 5.0, 8) if learn else rng.integers(0, 6, 8))
    net = nn.Sequential(
        Delay(2),
        scaled(Linear(6, 8), 4.0),
        Delay(steps, learn=learn),
        lif(),
        Delay(steps.flip(0), learn=learn),
        scaled(Linear(8, 5), 4.0),
        Delay(1),
        soft(),
        Delay(3),
    )
    check(net, 6, 0.3)


def test_delays_of_channels_and_places() -> None:
    seeded(1)
    places = Delay(torch.randint(0, 4, (2, 4, 4)))
    body = Residual(learning.Conv2d(2, 2, 3, padding=1), learning.Conv2d(2, 2, 1), lif(), delay=2)
    net = nn.Sequential(
        scaled(learning.Conv2d(1, 2, 3), 4.0),
        Delay([1, 4]),
        lif(),
        places,
        scaled(body, 3.0),
        learning.Flatten(),
        scaled(Linear(32, 4), 2.0),
        lif(),
    )
    assert check(net, (1, 6, 6), 0.3) > 30


def test_a_network_with_several_delays_comes_back() -> None:
    """Module to network to module: weights and delays of every synapse, and the same spikes."""
    seeded(2)
    layer = DelayedLinear(5, 6, 4)
    net = nn.Sequential(layer, lif()).double().eval()
    learning.snap_(net)
    deployed = learning.from_torch(net, 5)
    again = learning.to_torch(deployed.network, deployed.dt)
    found = again.projections["input_layer_1"]
    offset = deployed.offsets["layer_1"]
    whole = layer.delay.detach().round().long()
    assert torch.equal(found.weight.detach().reshape(5, 6).t(), layer.weight.detach())
    assert torch.equal(found.delay.reshape(5, 6).t() - offset, whole)
    x = (torch.rand(20, 3, 5) < 0.4).double()
    late = torch.cat([x, x.new_zeros(offset, 3, 5)])
    assert torch.equal(again({"input": late})["layer_1"][offset:].round(), net(x))


def test_maxima_are_relays() -> None:
    seeded(3)
    net = nn.Sequential(
        scaled(learning.Conv2d(1, 3, 3, padding=1), 3.0),
        lif(),
        learning.MaxPool2d(3, 2, padding=1),
        learning.Flatten(),
        scaled(Linear(48, 5), 3.0),
        lif(),
    )
    assert check(net, (1, 8, 8), 0.3) > 30
    with pytest.raises(InvalidValue, match="Pool the spikes"):
        learning.from_torch(nn.Sequential(learning.Conv2d(1, 3, 3), learning.MaxPool2d(2), lif()), (1, 8, 8))


@neuron(v=state("1", 0.0), x=arrival("1"), graded=7)
def Counter(v, x):
    """Sends how many whole units its sum has gained."""
    whole = graded(v + x)
    return dict(v=v + x - whole, spike=whole)


def test_ends_other_than_neurons_and_graded_spikes() -> None:
    seeded(4)
    assert (
        check(nn.Sequential(scaled(Linear(5, 6), 3.0), lif(), Linear(6, 3), Delay(2), learning.Flatten()), 5)
        > 10
    )
    assert (
        check(
            nn.Sequential(
                scaled(Linear(5, 6), 3.0),
                lif(),
                Residual(nn.Sequential(scaled(Linear(6, 6), 4.0), lif()), delay=2),
            ),
            5,
        )
        > 10
    )
    readout = Neurons(tr.LeakyIntegrator(tau=10.0, v=0.0, v_rest=0.0), output="v")
    assert (
        check(nn.Sequential(scaled(Linear(5, 6), 3.0), lif(), Linear(6, 3), readout, nn.Identity()), 5) > 10
    )
    several = nn.Sequential(scaled(Linear(5, 6), 3.0), Neurons(Counter()), scaled(Linear(6, 4), 0.3), lif())
    assert check(several, 5, 0.4) > 20
    with pytest.raises(InvalidValue, match="Only spikes travel"):
        learning.from_torch(
            nn.Sequential(Linear(3, 3), Neurons(tr.LeakyIntegrator(v=0.0), output="v"), Linear(3, 2)), 3
        )


def test_currents_are_pulses_and_receptors_keep_theirs() -> None:
    seeded(5)
    soma = dict(v=0.0, v_rest=0.0, v_th=1.0, v_reset=0.0, refractory=2.0, c_m=2.0)
    both = Neurons(tr.LIF(**soma), port="i", receptors={"slow": tr.Exponential(tau=5.0)}, dt=0.5)
    at_receptor = Neurons(tr.LIF(**soma), port="slow", receptors={"slow": tr.Exponential(tau=5.0)}, dt=0.5)
    net = nn.Sequential(scaled(Linear(6, 8), 9.0), both, scaled(Linear(8, 5), 3.0), at_receptor)
    assert check(net, 6, 0.5, 60) > 20
    assert set(learning.from_torch(net, 6).network.population("layer_1").receptors) == {"pulse", "slow"}


def test_modules_of_pytorch_at_every_step() -> None:
    seeded(6)
    twice = learning.OverTime(nn.Sequential(nn.Conv2d(1, 2, 3), nn.AvgPool2d(2), nn.Flatten(), nn.Dropout()))
    net = nn.Sequential(
        scaled(twice, 5.0),
        lif(),
        learning.OverTime(nn.Unflatten(1, (2, 9))),
        scaled(Linear(9, 3), 4.0),
        soft(),
    )
    assert check(net, (1, 8, 8), 0.4) > 20
    with pytest.raises(InvalidValue, match="LayerNorm"):
        learning.from_torch(nn.Sequential(learning.OverTime(nn.LayerNorm(3)), lif()), 3)


def test_every_number_of_neurons_that_can_differ() -> None:
    seeded(7)
    rng = np.random.default_rng(7)
    cells = tr.LIF(
        tau=rng.uniform(3.0, 12.0, 12), refractory=rng.integers(0, 3, 12) * 1.0, v_reset=0.0, **UNIT
    )
    layer = Neurons(cells, (3, 2, 2), learn={"v_th": "channel"}, reset_gradient="attached", backend="steps")
    with torch.no_grad():
        layer.constants.v_th.copy_(torch.tensor([0.5, 1.0, 1.5]).reshape(3, 1, 1))
    last = Neurons(tr.ALIF(**UNIT), 12, learn={"tau": "layer"})
    net = nn.Sequential(
        scaled(learning.Conv2d(1, 3, 3), 5.0),
        layer,
        learning.Flatten(),
        scaled(Linear(12, 12), 3.0),
        Recurrent(last, 12, delay=3, bias=True),
    )
    assert check(net, (1, 4, 4), 0.4, 40) > 30


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: lif(smooth=True), "smooth"),
        (lambda: Neurons(tr.LIF(v=-60.0)), "initial v"),
        (lambda: Neurons(tr.PoissonSource()), "noise"),
        (lambda: Neurons(tr.RegularSource()), "nothing can reach it"),
        (lambda: lif(size=4), "size"),
        (lambda: nn.Sequential(lif(), nn.ReLU()), "forward"),
    ],
)
def test_what_cannot_be_followed_is_refused(layer, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        learning.from_torch(nn.Sequential(Linear(3, 3), layer()), 3)


def test_what_is_rounded_is_said() -> None:
    """Weights that are not on a grid, means of nine, factors that are not dyadic; snapped, all is exact again."""
    seeded(8)
    net = nn.Sequential(
        Linear(4, 4), lif(), learning.Scale(torch.full((4,), 0.3)), Linear(4, 2), lif()
    ).double()
    with torch.no_grad():
        net[0].weight.add_(1e-12)
    assert learning.from_torch(net, 4).exact == {"layer_1": False, "layer_4": False}
    learning.snap_(net)
    assert learning.from_torch(net, 4).exact == {"layer_1": True, "layer_4": False}
    with torch.no_grad():
        net[2].scale.fill_(0.375)
    assert all(learning.from_torch(net, 4).exact.values())


def test_a_training_that_went_wrong_is_named() -> None:
    net = nn.Sequential(Linear(3, 3), lif())
    with torch.no_grad():
        net[0].weight[1, 2] = float("nan")
    with pytest.raises(InvalidValue, match=r"0\.weight: values must be finite"):
        learning.from_torch(net, 3)
    with pytest.raises(InvalidValue, match="shape of the module's input"):
        learning.from_torch(nn.Sequential(Linear(3, 3), lif()))
    with pytest.raises(InvalidValue, match="one for all"):
        learning.from_torch(nn.Sequential(Linear(3, 3), lif(), Linear(3, 3), lif(dt=0.5)), 3)
