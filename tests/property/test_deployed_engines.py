"""A deployed module on every engine and in every format of the simulator."""

import pytest

import treplica as tr
from treplica.errors import InvalidValue

torch = pytest.importorskip("torch")

from deployments import UNIT, Linear, Neurons, learning, lif, nn, scaled, seeded, soft, spikes_for  # noqa: E402

SAMPLES = 4


def reader(refractory: float = 2.0) -> nn.Module:
    """Two kinds of neurons, delays and a constant, on no grid yet."""
    seeded(1)
    pausing = Neurons(tr.LIF(v_reset=0.0, refractory=refractory, tau=8.0, **UNIT))
    first = learning.DelayedLinear(12, 16, 3)
    return nn.Sequential(scaled(first, 3.0), pausing, scaled(Linear(16, 10), 3.0), soft()).double().eval()


def given_spikes() -> torch.Tensor:
    return torch.cat([spikes_for((12,), 0.3, 40, seed) for seed in range(SAMPLES)], 1)


def refractory_on(engine: str) -> float:
    """The event engine takes what arrives at the very end of a refractory period, engines with steps do not."""
    return 0.0 if engine == "event" else 2.0


@pytest.mark.parametrize("engine", ["plain", "cpu", "event"])
def test_every_engine_has_the_spikes_of_the_module(engine: str) -> None:
    module, x = reader(refractory_on(engine)), given_spikes()
    learning.snap_(module)
    deployed = learning.from_torch(module, 12)
    found = deployed.simulate(x, engine=engine)
    assert torch.equal(found["input"], x)
    assert torch.equal(found["layer_1"], module[:2](x))
    assert torch.equal(found["layer_3"], module(x))
    assert found["layer_3"].sum() > 50


@pytest.mark.parametrize("engine", ["plain", "cpu", "event"])
@pytest.mark.parametrize("weights", ["int8", "int14", "int16"])
def test_a_module_on_a_grid_of_few_bits_is_what_is_simulated_with_them(engine: str, weights: str) -> None:
    module, x = reader(refractory_on(engine)), given_spikes()
    moved = learning.snap_(module, weights=weights)
    assert moved > 1e-6
    found = learning.from_torch(module, 12).simulate(x, engine=engine, weights=weights)
    assert torch.equal(found["layer_3"], module(x))


@pytest.mark.parametrize(
    ("settings", "least"),
    [
        (dict(weights="int16"), 0.999),
        (dict(weights="int14"), 0.99),
        (dict(weights="int8"), 0.8),
        (dict(precision="float32"), 0.999),
        (dict(precision="int16"), 0.95),
    ],
)
def test_what_is_rounded_later_agrees_nearly(settings: dict[str, str], least: float) -> None:
    """Share of (step, neuron) that agree, of those where one of both spikes; both engines give the same."""
    module, x = reader(), given_spikes()
    learning.snap_(module)
    deployed = learning.from_torch(module, 12)
    wanted = module(x)
    plain, cpu = (deployed.simulate(x, engine=engine, **settings)["layer_3"] for engine in ("plain", "cpu"))
    assert torch.equal(plain, cpu)
    either = (wanted + plain) > 0
    assert (wanted[either] == plain[either]).double().mean() >= least


def test_choices_of_snapping_are_checked() -> None:
    with pytest.raises(tr.errors.UnknownName, match="int8"):
        learning.snap_(reader(), weights="int9")
    with pytest.raises(InvalidValue, match="from 0 to 6"):
        learning.snap_(reader(), weights="int8", spare=7)
    assert learning.snap_(nn.Sequential(lif())) == 0.0
