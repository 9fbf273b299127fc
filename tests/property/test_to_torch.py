"""A network as a module has exactly the spikes of the plain engine, whatever the network."""

import numpy as np
import pytest
from hypothesis import given, settings

import treplica as tr
from treplica.coding import SpikeTrains
from treplica.engines.plain import PlainEngine
from treplica.errors import InvalidValue
from treplica.learning.surrogates import Arctan
from treplica.network import Network
from treplica.testing import sample_networks
from treplica.testing.engines import run_engine
from treplica.testing.strategies import networks

torch = pytest.importorskip("torch")
exchange = pytest.importorskip("treplica.learning.exchange.from_network")

STEPS, DT = 40, 0.5
REFUSED = ("acts on a part", "sleep_within")


def spikes_of(network: Network) -> dict[str, np.ndarray] | None:
    """Spikes [T, 2, n] by population; None where a module cannot hold the network, which is said."""
    try:
        module = exchange.to_torch(network, DT)
    except InvalidValue as error:
        if not any(word in str(error) for word in REFUSED):
            raise
        return None
    with torch.no_grad():
        return {n: s.numpy() for n, s in module(steps=STEPS, batch=2).items()}


def check(network: Network) -> int:
    found = spikes_of(network)
    if found is None:
        return 0
    record = run_engine(PlainEngine, network, DT, STEPS, "float64")
    if record.failure:
        return 0
    for name, trains in record.spikes.items():
        expected = np.zeros((STEPS, trains.size))
        expected[trains.steps - 1, trains.ids] = 1.0 if trains.values is None else trains.values
        for sample in range(2):
            np.testing.assert_array_equal(np.trunc(found[name][:, sample]), expected, err_msg=name)
    return sum(len(t) for t in record.spikes.values())


def test_sample_networks() -> None:
    compared = [check(network) for network in sample_networks()]
    assert sum(count > 0 for count in compared) >= len(compared) / 2


@settings(max_examples=40, deadline=None)
@given(networks(dt=DT, sizes=(2, 5, 33)))
def test_random_networks(network: Network) -> None:
    check(network)


def test_given_inputs_arrive_as_if_fed() -> None:
    """A source fed with trains is the source given its spikes."""
    rng = np.random.default_rng(2)
    raster = (rng.random((STEPS, 6)) < 0.2).astype(float)
    steps, ids = np.nonzero(raster)
    trains = SpikeTrains.from_steps(steps + 1, ids, 6, DT, STEPS)
    net = tr.Network(seed=3)
    eye = net.add(tr.Population("eye", 6, tr.SpikeSource()))
    cells = net.add(tr.Population("cells", 4, tr.LIF(tau=20.0, refractory=1.0)))
    net.connect(eye, cells, tr.AllToAll(), weight=tr.Uniform(1.0, 9.0), delay=tr.Uniform(0.5, 3.0))
    net.connect(cells, cells, tr.AllToAll(), weight=-1.0, delay=1.0)
    module = exchange.to_torch(net, DT)
    found = module({"eye": torch.tensor(raster).unsqueeze(1)})
    np.testing.assert_array_equal(found["eye"][:, 0].detach().numpy(), raster)
    fed = net.copy()
    fed.stimulate(fed.population("eye"), tr.SpikeInput(trains))
    record = run_engine(PlainEngine, fed, DT, STEPS, "float64")
    expected = np.zeros((STEPS, 4))
    expected[record.spikes["cells"].steps - 1, record.spikes["cells"].ids] = 1.0
    assert expected.sum() > 5
    np.testing.assert_array_equal(found["cells"][:, 0].detach().numpy(), expected)


def test_weights_are_parameters_and_learn() -> None:
    """Gradient descent on the weights of a described network reaches a wanted number of spikes."""
    net = tr.Network(seed=4)
    eye = net.add(tr.Population("eye", 5, tr.SpikeSource()))
    out = net.add(tr.Population("out", 3, tr.SoftResetLIF(v=0.0, v_rest=0.0, v_th=1.0)))
    net.connect(eye, out, tr.AllToAll(), weight=tr.Uniform(0.05, 0.15), delay=0.5)
    module = exchange.to_torch(net, DT, learn={"out": ("tau",)}, surrogate=Arctan())
    (weights,) = [p for n, p in module.named_parameters() if "weight" in n]
    assert weights.shape == (15,)
    x = (torch.rand(60, 4, 5, generator=torch.Generator().manual_seed(1)) < 0.3).double()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    losses = []
    for _ in range(60):
        rate = module({"eye": x})["out"].sum(0).mean()
        loss = (rate - 20.0) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.05 * losses[0]


def test_wrong_inputs_are_refused() -> None:
    net = tr.Network()
    eye = net.add(tr.Population("eye", 6, tr.SpikeSource()))
    module = exchange.to_torch(net, DT)
    assert list(module.populations) == [eye.name]
    with pytest.raises(InvalidValue, match="time first"):
        module({"eye": torch.zeros(4, 6)})
    with pytest.raises(InvalidValue, match="at least 1"):
        module()
    with pytest.raises(tr.errors.UnknownName, match="eye"):
        module({"ear": torch.zeros(4, 1, 6)})
