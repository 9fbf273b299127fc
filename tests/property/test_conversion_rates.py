"""Converted neurons count: what their spikes add up to, for any input, threshold and number of steps."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
building = pytest.importorskip("treplica.learning.conversion.building")
thresholds = pytest.importorskip("treplica.learning.conversion.thresholds")
learning = pytest.importorskip("treplica.learning")
nn = torch.nn

#: Multiples of 1 / 64, of which float64 has every sum: halves of a spike are met exactly.
EXACT = st.integers(-128, 192).map(lambda k: k / 64)


@settings(max_examples=40)
@given(inputs=st.lists(EXACT, min_size=1, max_size=20), steps=st.integers(1, 40))
def test_spikes_are_rounded_and_clipped_at_every_step(inputs: list[float], steps: int) -> None:
    x = torch.tensor(inputs, dtype=torch.float64)
    layer = building.neurons((len(inputs),), "half")
    counts = layer(x.expand(steps, 1, -1)).cumsum(0)[:, 0]
    for step, found in enumerate(counts.tolist(), start=1):
        assert found == [min(max(math.ceil(step * v - 0.5), 0), step) for v in inputs]


@settings(max_examples=40)
@given(
    inputs=st.lists(EXACT.map(abs), min_size=1, max_size=20),
    threshold=st.sampled_from([0.25, 0.5, 1.0, 2.0]),
    steps=st.sampled_from([1, 2, 4, 8, 16, 32]),
)
def test_what_is_expected_is_what_neurons_do(inputs: list[float], threshold: float, steps: int) -> None:
    x = torch.tensor(inputs, dtype=torch.float64)
    spikes = building.neurons((len(inputs),), "half")((x / threshold).expand(steps, 1, -1))
    expected = thresholds.quantised(x, torch.tensor(threshold), steps)
    assert torch.equal(spikes.sum(0)[0] * threshold / steps, expected)


@settings(max_examples=40)
@given(value=st.integers(0, 64).map(lambda k: k / 64), steps=st.integers(1, 40), size=st.integers(1, 3))
def test_means_of_spread_neighbours_are_rounded_to_a_quarter(value: float, steps: int, size: int) -> None:
    shape = (2, 2 * size, 2 * size)
    spikes = building.neurons(shape, "spread")(torch.full((steps, 1, *shape), value, dtype=torch.float64))
    counts = spikes.cumsum(0).mean((-1, -2))[:, 0]
    wanted = value * torch.arange(1, steps + 1, dtype=torch.float64)
    assert float((counts - wanted[:, None]).abs().max()) <= 0.125
    assert set(spikes.unique().tolist()) <= {0.0, 1.0}


@settings(max_examples=30)
@given(
    steps=st.integers(1, 12),
    window=st.integers(1, 3),
    stride=st.integers(1, 3),
    rate=st.sampled_from([0.05, 0.5, 1.0]),
    seed=st.integers(0, 1000),
)
def test_max_pooling_has_the_greatest_count_at_every_step(steps, window, stride, rate, seed) -> None:
    random = torch.Generator().manual_seed(seed)
    x = (torch.rand(steps, 2, 3, 7, 6, generator=random) < rate).float()
    for layer, spikes in (
        (learning.CountMaxPool2d(window, stride), x),
        (learning.CountMaxPool1d(window, stride), x[..., 0]),
    ):
        plain = (nn.MaxPool2d if spikes.ndim == 5 else nn.MaxPool1d)(window, stride)
        found = layer(spikes)
        assert set(found.unique().tolist()) <= {0.0, 1.0}
        for step in range(steps):
            assert torch.equal(found[: step + 1].sum(0), plain(spikes[: step + 1].sum(0)))
