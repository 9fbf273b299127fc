"""Rare Poisson spikes, counted by block: their law, and that the cpu engine draws what the definition says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from treplica.engines.composition import PoissonDrive, ScatteredDrive
from treplica.engines.cpu.engine import CpuEngine
from treplica.engines.plain import PlainEngine
from treplica.engines.poisson import RARE, SCATTER, poisson_drive, scattered
from treplica.network import Network, PoissonInput, Population
from treplica.neurons import Izhikevich
from treplica.testing.engines import record_difference, run_engine


def drive(rate: float, size: int, ids=None, dt: float = 1.0):
    ids = np.arange(size) if ids is None else ids
    return poisson_drive("some", PoissonInput(rate=rate, weight=1.0), 0, ids, size, dt)


def counts(given, size: int, steps: int, seed: int = 5) -> np.ndarray:
    return np.stack([np.bincount(scattered(given, seed, s), minlength=size) for s in range(1, steps + 1)])


def test_only_rare_spikes_are_scattered() -> None:
    assert isinstance(drive(1000.0 * RARE, 10), ScatteredDrive)
    assert isinstance(drive(1001.0 * RARE, 10), PoissonDrive)
    assert isinstance(drive(np.linspace(0.1, 1.0, 10), 10), PoissonDrive)


@pytest.mark.parametrize("size", [1, 100, SCATTER, 3 * SCATTER + 7])
def test_every_neuron_has_poisson_spikes_of_the_rate(size: int) -> None:
    """Totals within four standard deviations; over neurons and over steps the law of Poisson, by chi-square."""
    rate, steps = 5.0, 400_000 // size + 200
    found = counts(drive(rate, size), size, steps)
    expected = rate / 1000.0 * size * steps
    assert abs(found.sum() - expected) < 4.0 * np.sqrt(expected)
    for sums in (found.sum(axis=0), found.sum(axis=1)):
        if len(sums) < 50:
            continue
        mean = expected / len(sums)
        edges = np.arange(int(stats.poisson.ppf(0.999, mean)) + 2)
        seen = np.append([(sums == k).sum() for k in edges], (sums > edges[-1]).sum())
        law = np.append(stats.poisson.pmf(edges, mean), stats.poisson.sf(edges[-1], mean)) * len(sums)
        keep = law >= 5.0
        seen, law = np.append(seen[keep], seen[~keep].sum()), np.append(law[keep], law[~keep].sum())
        assert stats.chisquare(seen, law * seen.sum() / law.sum()).pvalue > 1e-4


def test_neurons_are_independent() -> None:
    """The number of coincidences of two neurons in a step is what chance makes of them."""
    size, steps, rate = SCATTER, 600, 7.0
    found = counts(drive(rate, size), size, steps)
    pairs = (found.sum(axis=1) ** 2 - (found**2).sum(axis=1)).sum() / 2
    expected = steps * size * (size - 1) / 2 * (rate / 1000.0) ** 2
    assert pairs == pytest.approx(expected, rel=0.05)


def test_no_rate_no_spikes() -> None:
    assert counts(drive(0.0, 3000), 3000, 20).sum() == 0


def test_only_the_neurons_of_the_view() -> None:
    ids = np.arange(3, 5000, 3)
    found = counts(drive(7.0, 5000, ids), 5000, 200)
    assert found.sum() > 100
    assert found[:, np.setdiff1d(np.arange(5000), ids)].sum() == 0


@given(
    st.sampled_from([1, 700, SCATTER, SCATTER + 90]),
    st.integers(1, 3),
    st.integers(1, 30),
    st.floats(0.0, 7.8),
    st.integers(0, 2**64 - 1),
)
@settings(max_examples=10, deadline=None)
def test_the_cpu_engine_draws_the_same(size: int, threads: int, piece: int, rate: float, seed: int) -> None:
    net = Network(seed=seed)
    cells = net.add(Population("cells", size, Izhikevich()))
    net.stimulate(cells, PoissonInput(rate=rate, weight=60.0))
    net.stimulate(cells[size // 3 :], PoissonInput(rate=7.8, weight=-5.0))
    expected = run_engine(PlainEngine, net, 1.0, 12, "float32")
    found = run_engine(lambda p, s, w: CpuEngine(p, s, w, threads), net, 1.0, 12, "float32", piece)
    assert record_difference(expected, found) is None


def test_steps_beyond_32_bits() -> None:
    """The high word of the step is part of the counter."""
    given = drive(7.0, 2000)
    steps = [7, 7 + 2**32, 7 + 2**33]
    assert len({tuple(scattered(given, 1, s).tolist()) for s in steps}) == 3
