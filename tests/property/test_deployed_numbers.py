"""Modules that take numbers, as networks whose input are graded spikes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treplica.errors import InvalidValue
from treplica.learning.training.recipes.convolution import ConvolutionSettings, network

torch = pytest.importorskip("torch")

from deployments import Linear, Recurrent, learning, lif, nn, outputs_of, population_of, scaled, seeded  # noqa: E402


def agree(module, inputs, x, unit: float, engine: str = "plain") -> int:
    """Compare every layer with its population; how many spikes there were."""
    result, expected = outputs_of(module, x)
    deployed = learning.from_torch(module, inputs, unit=unit)
    assert all(deployed.exact.values()), deployed.exact
    found = deployed.simulate(x, engine=engine)
    for path, wanted in expected.items():
        assert torch.equal(found[population_of(path)], wanted), path
    assert torch.equal(found[deployed.output], result)
    assert torch.equal(found["input"] * unit, x)
    return sum(int((wanted != 0).sum()) for wanted in expected.values())


@settings(max_examples=10, deadline=None)
@given(
    st.integers(0, 10_000), st.sampled_from([1.0, 2.0**-8, 0.25]), st.sampled_from(["plain", "cpu", "event"])
)
def test_numbers_are_graded_spikes(seed: int, unit: float, engine: str) -> None:
    seeded(seed)
    net = nn.Sequential(Linear(6, 8), lif(), Recurrent(lif(), 8, bias=True), scaled(Linear(8, 4), 3.0), lif())
    scaled(net[0], 2.0 / (unit * 255.0))
    net = net.double().eval()
    learning.snap_(net, spare=8)
    x = torch.randint(-255, 256, (12, 2, 6)).double() * unit
    assert agree(net, 6, x, unit, engine) > 5


def test_a_network_with_convolutions_that_takes_pictures() -> None:
    """That of the recipes `mnist-conv` and `fashion-mnist`, with normalisation that has seen something."""
    seeded(1)
    net = network(ConvolutionSettings(first=4, second=6, hidden=16), side=12, classes=5)
    for _ in range(3):
        net(torch.rand(4, 8, 1, 12, 12))
    net = learning.fold_(net.double().eval())
    learning.snap_(net, spare=8)
    x = (torch.randint(0, 256, (1, 3, 1, 12, 12)).double() / 256.0).expand(4, 3, 1, 12, 12)
    assert agree(net, (1, 12, 12), x, 2.0**-8, "cpu") > 50


@pytest.mark.parametrize(
    ("unit", "value", "message"),
    [
        (None, 2.0, "say from_torch.unit="),
        (0.25, 0.3, "whole multiples of the unit 0.25"),
        (0.25, 64.0, "-255 to 255 times"),
        (0.25, float("nan"), "whole multiples"),
    ],
)
def test_other_numbers_are_refused(unit: float | None, value: float, message: str) -> None:
    deployed = learning.from_torch(nn.Sequential(Linear(3, 3), lif()), 3, unit=unit)
    x = torch.zeros(2, 1, 3)
    x[1, 0, 2] = value
    with pytest.raises(InvalidValue, match=message):
        deployed.simulate(x)


@pytest.mark.parametrize("unit", [0.0, -1.0, float("inf"), float("nan"), "1"])
def test_other_units_are_refused(unit: object) -> None:
    with pytest.raises(InvalidValue, match="unit"):
        learning.from_torch(nn.Sequential(Linear(3, 3), lif()), 3, unit=unit)
