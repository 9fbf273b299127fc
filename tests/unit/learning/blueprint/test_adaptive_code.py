"""Codes as spikes within a budget: their numbers, times and what they tell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treplica as tr
from treplica.coding import SpikeSamples
from treplica.errors import InvalidValue, UnknownName

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")
budget_module = pytest.importorskip("treplica.learning.blueprint.budget")
AdaptiveCode = learning.AdaptiveCode
counts, cut_for, evenly, gain_for = (
    getattr(budget_module, name) for name in ("counts", "cut_for", "evenly", "gain_for")
)
STEPS = 8


@pytest.fixture(scope="module")
def autoencoder() -> "learning.SparseAutoencoder":
    torch.manual_seed(1)
    net = learning.SparseAutoencoder(64, 32, sparsity=0.15, weight=0.5)
    fit = learning.TrainingSettings(epochs=10, batch=32, lr=0.02, seed=1, threads=1)
    learning.fit_autoencoder(net, tr.datasets.digits("train").inputs, fit)
    return net


def spikes_per_sample(samples: SpikeSamples) -> float:
    return len(samples.step) / len(samples)


@settings(max_examples=60, deadline=None)
@given(m=st.integers(1, 40), n=st.integers(1, 30), share=st.floats(0.0, 1.0), seed=st.integers(0, 1000))
def test_a_cut_meets_every_budget_of_different_values(m, n, share, seed) -> None:
    values = np.random.default_rng(seed).random((m, n))
    budget = max(1, round(share * values.size)) / m
    assert (values > cut_for(values, budget)).sum() == round(budget * m)


@settings(max_examples=60, deadline=None)
@given(m=st.integers(1, 40), n=st.integers(1, 30), share=st.floats(0.01, 1.0), seed=st.integers(0, 1000))
def test_a_gain_meets_every_budget_of_different_values(m, n, share, seed) -> None:
    values = 1e-3 + np.random.default_rng(seed).random((m, n)) ** 3
    budget = max(1, round(share * values.size * STEPS)) / m
    assert counts(values, gain_for(values, STEPS, budget), STEPS).sum() == round(budget * m)


@settings(max_examples=60, deadline=None)
@given(m=st.integers(1, 6), n=st.integers(1, 6), steps=st.integers(1, 40), seed=st.integers(0, 1000))
def test_spikes_of_a_rate_are_evenly_spread(m, n, steps, seed) -> None:
    number = np.random.default_rng(seed).integers(0, steps + 1, (m, n))
    samples = SpikeSamples.from_spikes(*evenly(number, steps), m, steps, n)
    dense = samples.dense(np.arange(m))
    assert np.array_equal(dense.sum(0), number)
    for sample in range(m):
        for channel in range(n):
            when = np.flatnonzero(dense[:, sample, channel])
            gaps = np.diff(when)
            assert not len(gaps) or gaps.max() - gaps.min() <= 1
            if len(when):
                assert abs((when[0] + 1 + when[-1]) / 2 - steps / 2) <= 1


@pytest.mark.parametrize("code", ["latency", "rate"])
@pytest.mark.parametrize("budget", [1.5, 6.0, 20.0])
def test_the_budget_is_met_and_holds_for_other_samples(autoencoder, code: str, budget: float) -> None:
    train, test = (tr.datasets.digits(split).inputs for split in ("train", "test"))
    adaptive = AdaptiveCode(autoencoder, train, STEPS, budget, code)
    assert spikes_per_sample(adaptive.encode(train)) == pytest.approx(budget, rel=0.01)
    assert spikes_per_sample(adaptive.encode(test)) == pytest.approx(budget, rel=0.15)
    assert adaptive.encode(test) == adaptive.encode(test)


def test_the_more_active_spike_earlier_and_the_least_are_silent(autoencoder) -> None:
    images = tr.datasets.digits("train").inputs[:300]
    adaptive = AdaptiveCode(autoencoder, images, STEPS, 8.0)
    dense, activities = adaptive.encode(images).dense(np.arange(300)), autoencoder.codes(images)
    assert dense.sum(0).max() == 1
    first = np.where(dense.any(0), dense.argmax(0), STEPS)
    silent = first == STEPS
    assert activities[silent].max() <= adaptive.limit < activities[~silent].min()
    means = [activities[first == step].mean() for step in np.unique(first)]
    assert len(means) > 3
    assert np.all(np.diff(means) < 0)
    expected = np.rint((1.0 - activities[~silent]) * (STEPS - 1))
    assert np.array_equal(first[~silent], expected)


def test_a_rate_is_proportional(autoencoder) -> None:
    images = tr.datasets.digits("train").inputs[:300]
    adaptive = AdaptiveCode(autoencoder, images, STEPS, 12.0, "rate")
    number = adaptive.encode(images).dense(np.arange(300)).sum(0, dtype=np.int64)
    wanted = np.minimum(np.rint(adaptive.limit * autoencoder.codes(images)), STEPS)
    assert np.array_equal(number, wanted)
    assert number.max() > 2


@pytest.mark.parametrize("code", ["latency", "rate"])
def test_more_spikes_tell_more(autoencoder, code: str) -> None:
    """What is decoded comes nearer to what the autoencoder sees, and images are nearer than the mean image."""
    train, test = (tr.datasets.digits(split).inputs.reshape(-1, 64) for split in ("train", "test"))
    errors = []
    for budget in (1.0, 3.0, 8.0):
        adaptive = AdaptiveCode(autoencoder, train, STEPS, budget, code)
        decoded = adaptive.decode(adaptive.encode(test))
        assert decoded.shape == test.shape
        errors.append(float(np.square(decoded - test).mean()))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.8 * test.var(axis=0).mean()


def test_a_network_learns_from_the_spikes(autoencoder) -> None:
    train, test = (tr.datasets.digits(split) for split in ("train", "test"))
    adaptive = AdaptiveCode(autoencoder, train.inputs, STEPS, 8.0)
    torch.manual_seed(2)
    net = learning.Sequential(
        learning.Linear(32, 40),
        learning.SurrogateLIF(),
        learning.Linear(40, 10),
        learning.Neurons(tr.LeakyIntegrator(tau=10.0, v=0.0, v_rest=0.0), output="v"),
    )
    with torch.no_grad():
        net[0].weight *= 4.0
    fit = learning.TrainingSettings(epochs=6, batch=32, lr=0.02, seed=1, threads=1)
    trainer = learning.Trainer(net, learning.losses.MembraneCrossEntropy("mean"), fit, progress=False)
    trainer.fit(adaptive.inputs(train))
    result = trainer.evaluate(adaptive.inputs(test))
    assert result.input_spikes == pytest.approx(8.0, rel=0.15)
    assert result.accuracy > 0.75


def test_what_cannot_be_is_refused(autoencoder) -> None:
    images = tr.datasets.digits("train").inputs[:50]
    with pytest.raises(InvalidValue, match=r"budget must be .*<= 32"):
        AdaptiveCode(autoencoder, images, STEPS, 33.0)
    with pytest.raises(InvalidValue, match=r"budget must be .*<= 256"):
        AdaptiveCode(autoencoder, images, STEPS, 257.0, "rate")
    with pytest.raises(InvalidValue, match="> 0"):
        AdaptiveCode(autoencoder, images, STEPS, float("nan"))
    with pytest.raises(InvalidValue, match="steps"):
        AdaptiveCode(autoencoder, images, 1, 4.0)
    with pytest.raises(UnknownName, match="Did you mean 'latency'"):
        AdaptiveCode(autoencoder, images, STEPS, 4.0, "latncy")
    with pytest.raises(InvalidValue, match=r"one that can be met; the nearest is 4,"):
        AdaptiveCode(autoencoder, np.repeat(images[:1], 40, axis=0), STEPS, 4.5)
    with pytest.raises(InvalidValue, match=r"\(8, 32\)"):
        AdaptiveCode(autoencoder, images, STEPS, 4.0).decode(SpikeSamples.from_dense(np.ones((3, 2, 5))))
