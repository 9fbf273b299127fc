"""Ten million events in a memory that does not grow."""

from __future__ import annotations

import psutil

import treplica as tr


def test_ten_million_events_run_in_bounded_memory() -> None:
    net = tr.Network(seed=4)
    cells = net.add(tr.Population("cells", 1000, tr.LIF(v=tr.Uniform(-70.0, -56.0))))
    net.stimulate(cells, tr.DirectCurrent(amplitude=tr.Uniform(400.0, 600.0)))
    net.connect(cells, cells, tr.FixedInDegree(200), weight=-0.05, delay=tr.Uniform(0.5, 3.0))
    sim = tr.Simulation(net, engine="event", quiet=True)
    sim.run(500.0)
    buffers, resident = sim.engine.memory()["buffers"], psutil.Process().memory_info().rss
    begun = sim.engine.synaptic_events
    while sim.engine.synaptic_events - begun < 10_000_000:
        sim.run(500.0)
    assert sim.spikes[0] > 50_000
    assert sim.engine.memory()["buffers"] < buffers + 10 * 2**20
    assert psutil.Process().memory_info().rss < resident + 50 * 2**20
