"""Network to module to network: the same numbers and the same spikes, whatever the network; and after training."""

import numpy as np
import pytest
from hypothesis import given, settings

import treplica as tr
from treplica.engines.plain import PlainEngine
from treplica.errors import InvalidValue
from treplica.network import Network
from treplica.testing.engines import run_engine
from treplica.testing.strategies import networks

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")

STEPS, DT = 15, 0.5


@settings(max_examples=10, deadline=None)
@given(networks(dt=DT, sizes=(2, 9)))
def test_random_networks_come_back(network: Network) -> None:
    try:
        module = learning.to_torch(network, DT)
    except InvalidValue:
        return
    trained = module.trained()
    again = learning.to_torch(trained, DT)
    same = not any(isinstance(s.drive, tr.SpikeInput) for s in network.stimuli)
    for name, synapses in module.projections.items():
        found = again.projections[name]
        for buffer in ("sources", "targets", "delay"):
            assert torch.equal(getattr(found, buffer), getattr(synapses, buffer))
        was, now = synapses.weight.detach(), found.weight.detach()
        if was.numel():
            assert float((now - was).abs().max()) <= 2.0**-31 * float(was.abs().max())
            same = same and torch.equal(now, was)
    assert {n: p.neuron for n, p in again.populations.items()} == {
        n: p.neuron for n, p in module.populations.items()
    }
    records = [run_engine(PlainEngine, each, DT, STEPS, "float64") for each in (network, trained)]
    if same and not records[0].failure:
        for name, trains in records[0].spikes.items():
            assert trains == records[1].spikes[name]


def test_what_was_trained_is_simulated() -> None:
    """Weights and time constants after steps of gradient descent, several delays, a receptor, a stimulus."""
    net = tr.Network(seed=4)
    eye = net.add(tr.Population("eye", 6, tr.SpikeSource()))
    soma = dict(v=0.0, v_rest=0.0, v_th=1.0)
    slow = {"slow": tr.Exponential(tau=3.0)}
    out = net.add(tr.Population("out", 5, tr.SoftResetLIF(tau=tr.Uniform(5.0, 9.0), **soma), receptors=slow))
    net.connect(eye, out, tr.AllToAll(), weight=tr.Uniform(0.1, 0.6), delay=tr.Uniform(0.5, 3.0))
    net.connect(out, out, tr.AllToAll(), weight=-0.05, delay=1.0, port="slow")
    net.stimulate(out, tr.DirectCurrent(amplitude=2.0), name="drive")
    spikes = net.record(out)
    net.stimulate(
        eye, tr.SpikeInput(tr.SpikeTrains.from_dense(np.random.default_rng(0).random((60, 6)) < 0.3, DT))
    )
    module = learning.to_torch(net, DT, learn={"out": ("tau", "slow.tau", "drive.amplitude")})
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(3):
        optimizer.zero_grad()
        module(steps=60)["out"].mean().neg().backward()
        optimizer.step()
    learning.snap_(module)
    after = module.trained()
    wanted = module(steps=60)["out"][:, 0].detach().numpy()
    with tr.Simulation(after, dt=DT, quiet=True) as sim:
        sim.run(60 * DT)
        found = sim[spikes.name].to_dense()
    assert wanted.sum() > 20
    np.testing.assert_array_equal(found, wanted)
    (population,) = [p for p in after.populations if p.name == "out"]
    layer = module.populations["out"]
    assert np.array_equal(population.neuron.value("tau"), layer.constants.parameter("tau").detach().numpy())
    assert (population.neuron.value("tau") != layer.neuron.value("tau")).all()
    assert after.population("out").receptors["slow"].value("tau")[0] != 3.0
    with pytest.raises(InvalidValue, match="trained"):
        learning.from_torch(module, 6)
