"""Ten million events in a memory that does not grow."""

from __future__ import annotations

import psutil

import treplica as tr
from treplica.engines.event.found import MOST_TABLES


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


def test_handlers_called_one_by_one_leave_nothing_behind() -> None:
    """Each stops the engine, most of them without a spike."""
    net = tr.Network(seed=4)
    cells = net.add(tr.Population("cells", 20, tr.PoissonSource(rate=200.0)))
    net.connect(cells, net.add(tr.Population("targets", 20, tr.LIF())), tr.OneToOne(), weight=1.0, delay=1.5)
    events, seen = tr.EventDispatcher(), {"spike": 0, "timer": 0}

    def note(sim: tr.Simulation, event: tr.Event) -> None:
        seen[event.kind] += 1
        if event.kind == "timer":
            events.emit("timer", event.time + 0.37)

    events.on("spike", note, population="cells")
    events.on("timer", note)
    events.emit("timer", 0.1)
    sim = tr.Simulation(net, engine="event", events=events, quiet=True)
    sim.run(1000.0)
    assert min(seen.values()) > 2000
    found = sim.engine.found
    assert len(found.recent) <= MOST_TABLES + 1
    assert found.kept == sum(table.shape[1] for table in found.recent)
