import numpy as np
import pytest
from numpy.typing import NDArray

import treplica as tr
from treplica.systems.izhikevich_2003 import PublishedIzhikevich, izhikevich_2003, parameters

SIZE, STEPS = 40, 400


def published_program(
    values: dict[str, NDArray[np.float64]], synapses: NDArray[np.float64], thalamic: NDArray[np.float64]
) -> list[tuple[int, int]]:
    """The program on the last page of the paper, line by line: (step, neuron) of every spike.

    synapses[target, source]. A spike found at the beginning of iteration t is one of the end of step t - 1.
    """
    a, b, c, d = (values[name] for name in "abcd")
    v = np.full(SIZE, -65.0)
    u = b * v
    firings = []
    for t in range(STEPS + 1):
        (fired,) = np.nonzero(v >= 30.0)
        firings += [(t, int(j)) for j in fired]
        if t == STEPS:
            break
        v[fired] = c[fired]
        u[fired] = u[fired] + d[fired]
        current = thalamic[t] + synapses[:, fired].sum(axis=1)
        v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + current)
        v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + current)
        u = u + a * (b * v - u)
    return firings


@pytest.mark.parametrize("engine", ["plain", "cpu"])
def test_spike_for_spike_as_the_published_program(engine: str) -> None:
    """Weights are multiples of 1/64: those that are stored are exactly those that the program adds."""
    random = np.random.default_rng(5)
    chosen = np.r_[0 : SIZE - 10, 800:810]
    values = {name: value[chosen] for name, value in parameters(3).items()}
    synapses = np.rint(random.normal(1.0, 4.0, (SIZE, SIZE)) * 64.0) / 64.0
    thalamic = random.normal(0.0, 6.0, (STEPS, SIZE))
    net = tr.Network()
    cells = net.add(tr.Population("cells", SIZE, PublishedIzhikevich(**values)))
    net.connect(cells, cells, tr.AllToAll(), weight=tr.FromArray(synapses.T.reshape(-1)), delay=1.0)
    net.stimulate(cells, tr.StepCurrent.from_frames(thalamic, 1.0))
    probe = net.record(cells, "spikes")
    with tr.Simulation(net, dt=1.0, engine=engine, quiet=True) as sim:
        sim.run(STEPS)
        ours = list(zip(sim[probe].steps.tolist(), sim[probe].ids.tolist(), strict=True))
    theirs = published_program(values, synapses, thalamic)
    assert len(theirs) > 200
    assert ours == theirs


def test_parameters_lie_between_the_published_kinds() -> None:
    values = parameters(1)
    e, i = slice(0, 800), slice(800, 1000)
    assert {(x.shape, x.dtype) for x in values.values()} == {((1000,), np.dtype(float))}
    assert set(values["a"][e]) == {0.02}
    assert set(values["b"][e]) == {0.2}
    r2 = (values["c"][e] + 65.0) / 15.0
    np.testing.assert_allclose(values["d"][e], 8.0 - 6.0 * r2)
    assert 0.0 <= r2.min() < r2.max() <= 1.0
    assert r2.mean() == pytest.approx(1.0 / 3.0, abs=0.05)  # of the square of a uniform number
    r = (values["a"][i] - 0.02) / 0.08
    np.testing.assert_allclose(values["b"][i], 0.25 - 0.05 * r)
    np.testing.assert_allclose(values["u"], -65.0 * values["b"])


def test_the_network_fires_at_some_hertz_and_every_spike_reaches_everybody() -> None:
    with tr.Simulation(izhikevich_2003(), dt=1.0, quiet=True) as sim:
        sim.run(2000.0)
        summary = sim.summary()
    assert (summary.neurons, summary.synapses) == (1000, 1_000_000)
    assert 4.0 < summary.mean_rate_hz < 12.0
    assert summary.synaptic_events % 1000 == 0
    assert 0 <= 1000 * summary.spikes - summary.synaptic_events < 1000 * 400


def test_weights_and_noise_of_the_paper() -> None:
    net = izhikevich_2003()
    assert [p.weight for p in net.projections] == [tr.Uniform(0.0, 0.5), tr.Uniform(-1.0, 0.0)]
    assert [p.delay for p in net.projections] == [1.0, 1.0]
    assert [(len(s.target), s.drive) for s in net.stimuli] == [
        (800, tr.GaussianCurrent(std=5.0)),
        (200, tr.GaussianCurrent(std=2.0)),
    ]
