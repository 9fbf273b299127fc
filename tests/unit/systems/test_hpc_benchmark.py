import pytest

import treplica as tr
from treplica.errors import InvalidValue
from treplica.systems.hpc_benchmark import current_for_peak, external_rate, hpc_benchmark


def test_weight_and_external_rate_of_nest() -> None:
    """What NEST's hpc_benchmark.py computes with GSL's Lambert W: 45.6096 pA, 20,856.04 Hz."""
    assert current_for_peak() == pytest.approx(45.6096, abs=1e-4)
    assert external_rate() == pytest.approx(20_856.04, abs=0.01)


def test_a_spike_raises_v_by_the_peak() -> None:
    net = tr.Network()
    neuron = hpc_benchmark(0.001).population("cells").neuron
    cell = net.add(tr.Population("cell", 1, neuron.with_values(v=0.0)))
    one = tr.SpikeTrains.from_lists([[1.0]], 0.01, 20.0)
    net.stimulate(cell, tr.SpikeInput(one, current_for_peak(0.14)))
    probe = net.record(cell, "v")
    with tr.Simulation(net, dt=0.01, engine="plain", quiet=True) as sim:
        sim.run(20.0)
        v = sim[probe]
    highest = v.values.argmax()
    assert v.values[highest, 0] == pytest.approx(0.14, rel=1e-5)
    assert v.times[highest] - 1.0 == pytest.approx(
        1.700759, abs=0.01
    )  # the rise time for which tau_syn was chosen


@pytest.mark.parametrize("scale", [0.01, 1.0])
def test_11250_inputs_at_every_scale_and_none_from_oneself(scale: float) -> None:
    net = hpc_benchmark(scale)
    assert net.population("cells").size == round(scale * 11_250)
    found = {(len(p.source), len(p.target)): (p.rule, p.port) for p in net.projections}
    e, i = int(9000 * scale), int(2250 * scale)
    assert found == {
        (e, e): (tr.FixedInDegree(9000, self_connections=False), "ex"),
        (e, i): (tr.FixedInDegree(9000), "ex"),
        (i, e): (tr.FixedInDegree(2250), "inh"),
        (i, i): (tr.FixedInDegree(2250, self_connections=False), "inh"),
    }
    assert {p.weight for p in net.projections} == {current_for_peak(), -5.0 * current_for_peak()}


def test_a_small_one_runs() -> None:
    with tr.Simulation(hpc_benchmark(0.02), quiet=True) as sim:
        sim.run(100.0)
        summary = sim.summary()
    assert summary.synapses == 225 * 11_250
    assert 5.0 < summary.mean_rate_hz < 60.0


@pytest.mark.parametrize("scale", [0.0, 0.0009, float("nan"), float("inf")])
def test_scales_that_make_no_network(scale: float) -> None:
    with pytest.raises(
        InvalidValue, match=r"hpc_benchmark: scale must be a finite number of at least 0\.001"
    ):
        hpc_benchmark(scale)
