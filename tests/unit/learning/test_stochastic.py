"""Stochastic firing: rates are probabilities, the gradient is that of the rate."""

import math

import pytest
from scipy import stats

from treplica.errors import InvalidValue, MissingExtra
from treplica.learning import StochasticSpike, stochastic_spike, torch_step
from treplica.learning.surrogates import (
    Cauchy,
    Erf,
    FastSigmoid,
    MultiGaussian,
    Sigmoid,
    SoftReLU,
    SuperGaussian,
)
from treplica.neurons import LIF

torch = pytest.importorskip("torch")

NOISES = [Sigmoid(), Erf(alpha=1.0), Cauchy(), SuperGaussian()]
X = (-30.0, -1.0, -0.3, 0.0, 0.2, 0.9, 30.0)
TRIALS = 40_000


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("surrogate", NOISES, ids=repr)
def test_rates_are_probabilities(surrogate, dtype) -> None:
    """Counts lie between the 1e-7 quantiles of the binomial law; spikes are 0 or 1."""
    x = torch.tensor(X, dtype=dtype).repeat(TRIALS, 1)
    spikes = stochastic_spike(x, surrogate, seeded(1))
    assert spikes.dtype == dtype
    assert set(spikes.unique().tolist()) == {0.0, 1.0}
    for k, number in enumerate(X):
        p = surrogate.smooth(number, *surrogate.numbers)
        low, high = stats.binom.ppf([1e-7, 1 - 1e-7], TRIALS, p)
        assert low <= spikes[:, k].sum().item() <= high
    assert 0.1 < spikes[:, 2].mean() < 0.5


def test_noise_added_to_the_potential_gives_the_same_rate() -> None:
    """spike(x + noise) with logistic noise, drawn by another way."""
    noise = stats.logistic.rvs(scale=0.25, size=TRIALS, random_state=3)
    direct = ((0.2 + noise) >= 0.0).sum()
    p = Sigmoid().smooth(0.2, 4.0)
    assert abs(direct - TRIALS * p) < 5.0 * math.sqrt(TRIALS * p * (1.0 - p))


@pytest.mark.parametrize("surrogate", NOISES, ids=repr)
def test_the_gradient_is_the_derivative_of_the_rate(surrogate) -> None:
    x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    weights = torch.arange(1.0, 8.0, dtype=torch.float64)
    spikes = stochastic_spike(x, surrogate, seeded(2))
    (gradient,) = torch.autograd.grad((weights * spikes).sum(), x)
    expected = [w * surrogate.derivative(n, *surrogate.numbers) for w, n in zip(range(1, 8), X, strict=True)]
    assert gradient.tolist() == expected


def test_given_uniform_numbers_decide() -> None:
    x = torch.zeros(4, dtype=torch.float64)
    uniform = torch.tensor([0.0, 0.49, 0.5, 0.99], dtype=torch.float64)
    assert stochastic_spike(x, Sigmoid(), uniform).tolist() == [1.0, 1.0, 0.0, 0.0]
    for wrong in (uniform.float(), uniform[:2], 0.5, uniform[:1]):
        with pytest.raises(InvalidValue, match=r"uniform must be a torch\.Generator, or a tensor \(4,\)"):
            stochastic_spike(x, Sigmoid(), wrong)


def test_a_seed_gives_the_same_spikes_again() -> None:
    x = torch.zeros(1000)
    first, second, other = (stochastic_spike(x, Erf(), seeded(s)) for s in (4, 4, 5))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    torch.manual_seed(6)
    first = stochastic_spike(x, Erf())
    torch.manual_seed(6)
    assert torch.equal(first, stochastic_spike(x, Erf()))


@pytest.mark.parametrize(
    ("surrogate", "why"),
    [
        (MultiGaussian(), "falls at"),
        (FastSigmoid(), "goes from 0.46 to 0.54"),
        (SoftReLU(), "goes from 0 to"),
        (None, "a Surrogate"),
        (torch.sigmoid, "a Surrogate"),
    ],
)
def test_what_is_no_probability_is_refused(surrogate, why: str) -> None:
    with pytest.raises(InvalidValue, match=rf"stochastic firing: surrogate must be .*{why}"):
        stochastic_spike(torch.zeros(2), surrogate)
    with pytest.raises(InvalidValue, match=why):
        StochasticSpike(surrogate)


def test_a_neuron_with_noise_at_its_threshold() -> None:
    """A LIF held 1 mV below its threshold fires as often as the noise says; its reset follows the spike."""
    surrogate = Sigmoid(alpha=1.5)
    step = torch_step(LIF, spike=StochasticSpike(surrogate, seeded(7)))
    values = {name: field.default for name, field in LIF.fields.items()}
    values |= LIF.derive_checked.source.function(
        **{n: {**values, "dt": 1.0}[n] for n in LIF.derive_checked.source.arguments}
    )
    given = {n: {**values, "dt": 1.0}[n] for n in LIF.arguments}
    v = torch.full((TRIALS,), values["v_th"] - 1.0, dtype=torch.float64)
    quiet = LIF.step(**{**given, "v": values["v_th"] - 1.0})["v"]
    out = step(**{**given, "v": v})
    p = surrogate.smooth(quiet - values["v_th"], *surrogate.numbers)
    rate = out["spike"].mean().item()
    assert 0.01 < p < 0.5
    assert abs(rate - p) < 5.0 * math.sqrt(p * (1.0 - p) / TRIALS)
    fired = out["spike"] > 0.0
    assert (out["v"][fired] == values["v_reset"]).all()
    assert (out["v"][~fired] == quiet).all()


def test_absent_torch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "treplica.learning.words", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"pip install 'treplica\[learn\]'"):
        stochastic_spike(torch.zeros(2), Sigmoid())
