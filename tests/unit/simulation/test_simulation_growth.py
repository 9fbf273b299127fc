"""Sizes are not compiled in: populations will grow while a simulation runs."""

import numpy as np
from tallies import listed, relays, simulate, tallies, trains

import treplica as tr
from treplica.connectivity import FromArrays
from treplica.engines.cpu import compile as compiling
from treplica.engines.cpu.compile import compile_update


def test_one_kernel_serves_every_size() -> None:
    kernels = set()
    before = None
    for size in (1, 63, 64, 65, 1500, 5000):
        net, tally = tallies(size)
        net.stimulate(tally, tr.StepCurrent(0.0, 2.0))
        sim = simulate(net, 3.0, engine="cpu")
        assert sim.state(tally, "x").tolist() == [6.0] * size
        kernels.add(compile_update(sim.plan.populations[0].composition, "float64", 8)[0].address)
        loaded = compiling.load.cache_info().misses
        assert before in (None, loaded)
        before = loaded
    assert len(kernels) == 1


def test_one_delivery_kernel_serves_every_number_of_synapses() -> None:
    tables = []
    for size in (2, 3000):
        net, relay = relays(size)
        chain = np.arange(size - 1)
        net.connect(relay, relay, FromArrays(chain, chain + 1), weight=1.0, delay=1.0)
        sim = tr.Simulation(net, dt=1.0, engine="cpu", quiet=True)
        sim.feed(relay[0], trains([1.0]))
        sim.run(10.0)
        assert listed(sim["spikes"])[:9] == [[s] for s in range(1, 10)][:size]
        tables.append(int(sim.engine.links.deliveries[0][0, 0]))  # type: ignore[attr-defined]
    assert tables[0] == tables[1] != 0
