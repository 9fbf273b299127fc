"""A module as a network: the plain engine has exactly the spikes of the module in float64."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treplica as tr
from treplica.errors import InvalidValue

torch = pytest.importorskip("torch")

from deployments import Linear, Neurons, Recurrent, Residual, check, learning, lif, nn, scaled, seeded, soft  # noqa: E402


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.booleans(), st.sampled_from([1.0, 3.0, 8.0]))
def test_random_stacks(seed: int, depth: int, bias: bool, gain: float) -> None:
    seeded(seed)
    sizes = [7, 9, 6, 5][: depth + 1]
    parts = []
    for i in range(depth):
        parts += [scaled(Linear(sizes[i], sizes[i + 1], bias=bias), gain), lif() if i % 2 == 0 else soft()]
    check(nn.Sequential(*parts), 7)


@pytest.mark.parametrize("pooling", [True, False])
def test_converted_networks(pooling: bool) -> None:
    seeded(3)
    maps = [nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 6)]
    rows = [nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 6)]
    network = nn.Sequential(*(maps if pooling else rows), nn.ReLU(), nn.Linear(6, 3))
    converted = learning.convert(network, torch.rand(50, 1, 4, 4), 30)
    assert list(learning.from_torch(converted.network, (1, 4, 4)).shapes)[-1] == "readout"
    assert check(converted.network[:-1], (1, 4, 4), rate=0.5) > 50


def test_a_convolutional_network() -> None:
    seeded(2)
    net = nn.Sequential(
        scaled(learning.Conv2d(1, 3, 3, padding=1), 4.0), lif(), learning.AvgPool2d(2),
        scaled(learning.Conv2d(3, 4, 3), 4.0), soft(), learning.Flatten(), scaled(Linear(16, 5), 3.0), lif(),
    )  # fmt: skip
    assert check(net, (1, 8, 8), 0.3) > 100


def test_recurrent_residual_and_custom_modules() -> None:
    seeded(3)

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.hidden = scaled(Linear(6, 8), 4.0), lif()
            self.body = Residual(nn.Sequential(scaled(Linear(8, 8), 3.0), lif()), delay=1)
            self.last, self.out = scaled(Linear(8, 4), 3.0), lif()

        def forward(self, x):
            h = self.hidden(self.first(x))
            return self.out(self.last(self.body(h) + h))

    assert check(Own(), 6, 0.4) > 50
    net = nn.Sequential(scaled(Linear(6, 8), 6.0), Recurrent(lif(), 8), scaled(Linear(8, 3), 8.0), lif())
    scaled(net[1].recurrent, 2.0)
    assert check(net, 6, 0.4) > 20


def test_batch_normalisation_is_folded() -> None:
    seeded(4)
    net = nn.Sequential(
        learning.Conv2d(1, 3, 3),
        learning.BatchNorm2d(3),
        lif(),
        learning.Flatten(),
        Linear(48, 4),
        learning.BatchNorm1d(4),
        lif(),
    )
    for _ in range(3):
        net(torch.rand(5, 4, 1, 6, 6).round())
    net.double().eval()
    x = (torch.rand(20, 1, 1, 6, 6) < 0.4).double()
    before = net[:3](x)
    currents = net[1](net[0](x))
    with pytest.raises(InvalidValue, match="fold_"):
        learning.snap_(net)
    learning.fold_(net)
    torch.testing.assert_close(net[1](net[0](x)), currents)
    assert (net[:3](x) != before).double().mean() < 0.01
    assert check(net, (1, 6, 6), 0.4) > 10


def test_parameters_come_back() -> None:
    """Module to network to module: every weight, constant and learned parameter is the same number."""
    seeded(5)
    net = nn.Sequential(Linear(6, 8), lif(size=8, learn=("tau", "v_th")), Linear(8, 3), soft())
    with torch.no_grad():
        net[1].constants.tau.mul_(torch.rand(8) + 0.5)
    learning.snap_(net)
    deployed = learning.from_torch(net, 6)
    again = learning.to_torch(deployed.network, deployed.dt)
    found = again.projections["input_layer_1"].weight.detach().reshape(6, 8).t()
    assert torch.equal(found, net[0].weight.double())
    assert torch.equal(again.projections["bias_layer_1"].weight, net[0].bias.double())
    found = again.projections["layer_1_layer_3"].weight.detach().reshape(8, 3).t()
    assert torch.equal(found, net[2].weight.double())
    for key in ("tau", "v_th"):
        assert torch.equal(
            again.populations["layer_1"].constants.parameter(key), net[1].constants.parameter(key)
        )
    assert again.populations["layer_3"].neuron.value("tau") == 5.0


def test_what_has_no_counterpart_is_refused() -> None:
    with pytest.raises(InvalidValue, match="with Neurons"):
        learning.from_torch(nn.Sequential(Linear(3, 3)), 3)
    with pytest.raises(InvalidValue, match="what reaches it"):
        learning.from_torch(nn.Sequential(Linear(3, 3), lif()), 4)
    with pytest.raises(InvalidValue, match="initial v"):
        learning.from_torch(nn.Sequential(Linear(3, 3), Neurons(tr.LIF(v=-60.0))), 3)
    with pytest.raises(InvalidValue, match="forward"):
        learning.from_torch(nn.Sequential(Linear(3, 3), nn.ReLU(), lif()), 3)
    same = lif()
    with pytest.raises(InvalidValue, match="used twice"):
        learning.from_torch(nn.Sequential(Linear(3, 3), same, Linear(3, 3), nn.Sequential(same)), 3)
